/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "confab-http-pool.h"

#define N CONFAB_HTTP_POOL_SESSION_REQUESTS

static void
take_many (ConfabHttpPool *pool, guint n, SoupSession *expected)
{
  for (guint i = 0; i < n; i++)
    g_assert_true (confab_http_pool_take (pool) == expected);
}

static void
give_back_many (ConfabHttpPool *pool, guint n, SoupSession *session)
{
  for (guint i = 0; i < n; i++)
    confab_http_pool_give_back (pool, session);
}

/* One session as long as it has room, and the first ones first. */
static void
test_filled_in_order (void)
{
  g_autoptr (ConfabHttpPool) pool = confab_http_pool_new (TRUE);
  SoupSession *first = confab_http_pool_take (pool);
  SoupSession *second;

  take_many (pool, N - 1, first);
  g_assert_cmpuint (confab_http_pool_get_n_sessions (pool), ==, 1);
  second = confab_http_pool_take (pool);
  g_assert_true (second != first);
  take_many (pool, 1, second);
  confab_http_pool_give_back (pool, first);
  take_many (pool, 1, first);
  take_many (pool, 1, second);
  g_assert_cmpuint (confab_http_pool_get_n_sessions (pool), ==, 2);
}

/* What a crowd needed goes, but not at each step down and up again. */
static void
test_dropped (void)
{
  g_autoptr (ConfabHttpPool) pool = confab_http_pool_new (TRUE);
  SoupSession *first = confab_http_pool_take (pool);
  SoupSession *second, *third;

  take_many (pool, N - 1, first);
  second = confab_http_pool_take (pool);
  take_many (pool, N - 1, second);
  third = confab_http_pool_take (pool);
  g_assert_cmpuint (confab_http_pool_get_n_sessions (pool), ==, 3);

  confab_http_pool_give_back (pool, third);
  g_assert_cmpuint (confab_http_pool_get_n_sessions (pool), ==, 3);
  take_many (pool, 1, third);
  confab_http_pool_give_back (pool, third);
  give_back_many (pool, N / 2 + 1, second);
  g_assert_cmpuint (confab_http_pool_get_n_sessions (pool), ==, 2);

  /* the first may be empty, and stays for the second's sake, and for ever */
  give_back_many (pool, N, first);
  g_assert_cmpuint (confab_http_pool_get_n_sessions (pool), ==, 2);
  give_back_many (pool, N - N / 2 - 1, second);
  g_assert_cmpuint (confab_http_pool_get_n_sessions (pool), ==, 1);
  take_many (pool, 1, first);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/confab/http-pool/filled-in-order", test_filled_in_order);
  g_test_add_func ("/confab/http-pool/dropped", test_dropped);

  return g_test_run ();
}
