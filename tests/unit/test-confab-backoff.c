/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <gio/gio.h>

#include "confab-backoff.h"
#include "confab-error.h"

static void
test_codes (void)
{
  static const struct
  {
    ConfabError code;
    gboolean again;
  } cases[] = {
    { CONFAB_ERROR_UPSTREAM_RATE_LIMIT, TRUE },
    { CONFAB_ERROR_UPSTREAM_UNAVAILABLE, TRUE },
    { CONFAB_ERROR_UPSTREAM_TIMEOUT, TRUE },
    { CONFAB_ERROR_UPSTREAM_TRUNCATED, TRUE },
    { CONFAB_ERROR_UPSTREAM_ERROR, FALSE },
    { CONFAB_ERROR_UPSTREAM_AUTH, FALSE },
    { CONFAB_ERROR_CONTEXT_LENGTH, FALSE },
    { CONFAB_ERROR_CONTENT_FILTER, FALSE },
    { CONFAB_ERROR_NO_PROVIDER, FALSE },
    /* retryable, but not for a provider to do */
    { CONFAB_ERROR_BUSY, FALSE },
    { CONFAB_ERROR_STORAGE, FALSE },
    { CONFAB_ERROR_SHUTTING_DOWN, FALSE },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = g_error_new_literal (CONFAB_ERROR, (gint) cases[i].code, "x");

      g_assert_cmpint (confab_backoff_is_for (error), ==, cases[i].again);
    }
}

static void
test_word_of_its_own (void)
{
  g_autoptr (GError) broken =
      g_error_new_literal (CONFAB_ERROR, CONFAB_ERROR_UPSTREAM_ERROR, "HTTP 500");
  g_autoptr (GError) quota =
      g_error_new_literal (CONFAB_ERROR, CONFAB_ERROR_UPSTREAM_RATE_LIMIT, "no money");

  confab_error_set_retryable (broken, TRUE);
  confab_error_set_retryable (quota, FALSE);
  g_assert_true (confab_backoff_is_for (broken));
  g_assert_false (confab_backoff_is_for (quota));
}

static void
test_other_domain (void)
{
  g_autoptr (GError) error = g_error_new_literal (G_IO_ERROR, G_IO_ERROR_CANCELLED, "Stopped.");

  g_assert_false (confab_backoff_is_for (error));
}

static void
test_retry_after (void)
{
  g_autoptr (GError) error =
      g_error_new_literal (CONFAB_ERROR, CONFAB_ERROR_UPSTREAM_RATE_LIMIT, "slow down");

  confab_error_set_retry_after (error, 3000);
  g_assert_true (confab_backoff_is_for (error));
  /* never earlier than told, and the same however often */
  g_assert_cmpuint (confab_backoff_get_wait (error, 1, 0), ==, 3000);
  g_assert_cmpuint (confab_backoff_get_wait (error, 1, 1), ==, 3750);
  g_assert_cmpuint (confab_backoff_get_wait (error, 5, 0), ==, 3000);

  confab_error_set_retry_after (error, CONFAB_BACKOFF_MAX_RETRY_AFTER_MS);
  g_assert_true (confab_backoff_is_for (error));
  confab_error_set_retry_after (error, CONFAB_BACKOFF_MAX_RETRY_AFTER_MS + 1);
  g_assert_false (confab_backoff_is_for (error));
}

static void
test_growth (void)
{
  static const guint waits[] = { 500, 1000, 2000, 4000, 8000, 8000, 8000, 8000, 8000, 8000 };
  g_autoptr (GError) error =
      g_error_new_literal (CONFAB_ERROR, CONFAB_ERROR_UPSTREAM_UNAVAILABLE, "x");

  for (guint i = 0; i < G_N_ELEMENTS (waits); i++)
    {
      g_assert_cmpuint (confab_backoff_get_wait (error, i + 1, 0.5), ==, waits[i]);
      g_assert_cmpuint (confab_backoff_get_wait (error, i + 1, 0), ==, waits[i] * 3 / 4);
      g_assert_cmpuint (confab_backoff_get_wait (error, i + 1, 1), ==, waits[i] * 5 / 4);
    }
  g_assert_cmpuint (confab_backoff_get_wait (error, G_MAXUINT, 0.5), ==, 8000);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/confab/backoff/codes", test_codes);
  g_test_add_func ("/confab/backoff/word-of-its-own", test_word_of_its_own);
  g_test_add_func ("/confab/backoff/other-domain", test_other_domain);
  g_test_add_func ("/confab/backoff/retry-after", test_retry_after);
  g_test_add_func ("/confab/backoff/growth", test_growth);

  return g_test_run ();
}
