/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <gio/gio.h>
#include <string.h>

#include "confab-error.h"

static void
test_codes (void)
{
  static const struct
  {
    ConfabError code;
    const char *name;
    gboolean retryable;
  } cases[] = {
    { CONFAB_ERROR_INTERNAL, "internal", FALSE },
    { CONFAB_ERROR_INVALID_REQUEST, "invalid-request", FALSE },
    { CONFAB_ERROR_UNAUTHORIZED, "unauthorized", FALSE },
    { CONFAB_ERROR_RATE_LIMITED, "rate-limited", TRUE },
    { CONFAB_ERROR_BUSY, "busy", TRUE },
    { CONFAB_ERROR_UNKNOWN_MODULE, "unknown-module", FALSE },
    { CONFAB_ERROR_UNKNOWN_SESSION, "unknown-session", FALSE },
    { CONFAB_ERROR_UNKNOWN_MESSAGE, "unknown-message", FALSE },
    { CONFAB_ERROR_UNKNOWN_GENERATION, "unknown-generation", FALSE },
    { CONFAB_ERROR_TOO_LARGE, "too-large", FALSE },
    { CONFAB_ERROR_NO_PROVIDER, "no-provider", FALSE },
    { CONFAB_ERROR_UPSTREAM_AUTH, "upstream-auth", FALSE },
    { CONFAB_ERROR_UPSTREAM_RATE_LIMIT, "upstream-rate-limit", TRUE },
    { CONFAB_ERROR_UPSTREAM_UNAVAILABLE, "upstream-unavailable", TRUE },
    { CONFAB_ERROR_UPSTREAM_TIMEOUT, "upstream-timeout", TRUE },
    { CONFAB_ERROR_UPSTREAM_TRUNCATED, "upstream-truncated", TRUE },
    { CONFAB_ERROR_UPSTREAM_ERROR, "upstream-error", FALSE },
    { CONFAB_ERROR_CONTEXT_LENGTH, "context-length", FALSE },
    { CONFAB_ERROR_CONTENT_FILTER, "content-filter", FALSE },
    { CONFAB_ERROR_STORAGE, "storage", TRUE },
    { CONFAB_ERROR_INTERRUPTED, "interrupted", TRUE },
    { CONFAB_ERROR_SHUTTING_DOWN, "shutting-down", TRUE },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = g_error_new_literal (CONFAB_ERROR, (gint) cases[i].code, "x");

      g_assert_cmpstr (confab_error_to_code (error), ==, cases[i].name);
      g_assert_cmpint (confab_error_is_retryable (error), ==, cases[i].retryable);
      g_assert_cmpint (confab_error_get_retry_after (error), ==, 0);
    }
}

/* Whatever the message says. */
static void
test_words (void)
{
  g_autoptr (GError) timeout =
      g_error_new_literal (CONFAB_ERROR, CONFAB_ERROR_UPSTREAM_TIMEOUT, "private");
  g_autoptr (GError) other = g_error_new_literal (G_IO_ERROR, G_IO_ERROR_BUSY, "private");

  g_assert_cmpstr (confab_error_to_words (timeout), ==, "The model server took too long");
  g_assert_cmpstr (confab_error_to_words (other), ==, "The answer failed");
  g_assert_cmpstr (confab_error_to_words (NULL), ==, "The answer failed");
  for (int code = CONFAB_ERROR_INTERNAL; code <= CONFAB_ERROR_SHUTTING_DOWN; code++)
    {
      g_autoptr (GError) error = g_error_new_literal (CONFAB_ERROR, code, "private");
      const char *words = confab_error_to_words (error);

      g_assert_false (g_str_has_suffix (words, "."));
      g_assert_null (strstr (words, "private"));
    }
}

static void
test_foreign (void)
{
  g_autoptr (GError) error = g_error_new_literal (G_IO_ERROR, G_IO_ERROR_BUSY, "x");
  g_autoptr (GError) unknown = g_error_new_literal (CONFAB_ERROR, 4711, "x");

  g_assert_cmpstr (confab_error_to_code (NULL), ==, "internal");
  g_assert_cmpstr (confab_error_to_code (error), ==, "internal");
  g_assert_cmpstr (confab_error_to_code (unknown), ==, "internal");

  confab_error_set_retry_after (NULL, 5);
  confab_error_set_retry_after (error, 5);
  confab_error_set_retryable (NULL, TRUE);
  confab_error_set_retryable (error, TRUE);
  g_assert_cmpint (confab_error_get_retry_after (NULL), ==, 0);
  g_assert_cmpint (confab_error_get_retry_after (error), ==, 0);
  g_assert_false (confab_error_is_retryable (NULL));
  g_assert_false (confab_error_is_retryable (error));
}

static void
test_extras_are_copied (void)
{
  g_autoptr (GError) error = g_error_new_literal (CONFAB_ERROR, CONFAB_ERROR_UPSTREAM_ERROR, "x");
  g_autoptr (GError) copy = NULL;

  confab_error_set_retry_after (error, 1500);
  confab_error_set_retryable (error, TRUE);
  copy = g_error_copy (error);
  g_assert_cmpint (confab_error_get_retry_after (copy), ==, 1500);
  g_assert_true (confab_error_is_retryable (copy));

  confab_error_set_retry_after (error, -3);
  g_assert_cmpint (confab_error_get_retry_after (error), ==, 0);
  confab_error_set_retryable (error, FALSE);
  g_assert_false (confab_error_is_retryable (error));
  g_assert_true (confab_error_is_retryable (copy));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/confab/error/codes", test_codes);
  g_test_add_func ("/confab/error/words", test_words);
  g_test_add_func ("/confab/error/foreign", test_foreign);
  g_test_add_func ("/confab/error/extras-are-copied", test_extras_are_copied);

  return g_test_run ();
}
