/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "confab-limits.h"

#include "confab-error.h"

#define SECOND G_USEC_PER_SEC
#define START (1000 * (gint64) SECOND)
#define BURST CONFAB_LIMITS_BURST_SECONDS

typedef struct
{
  ConfabMetrics *metrics;
  ConfabLimits *limits;
} Fixture;

static void
set_up (Fixture *self, gconstpointer data)
{
  ConfabLimitValues values = { .client_rate = 10, .address_rate = 20, .address_connections = 3 };

  self->metrics = confab_metrics_new ();
  self->limits = confab_limits_new (self->metrics);
  confab_limits_set (self->limits, &values);
}

static void
tear_down (Fixture *self, gconstpointer data)
{
  confab_limits_unref (self->limits);
  confab_metrics_unref (self->metrics);
}

/* How many of @n requests pass at one moment; the last refusal is left in @error. */
static guint
ask (Fixture *self, const char *address, guint n, gint64 now, GError **error)
{
  guint passed = 0;

  for (guint i = 0; i < n; i++)
    {
      g_clear_error (error);
      passed += confab_limits_admit_request (self->limits, address, now, error);
    }

  return passed;
}

static void
assert_named (const char *peer,
              const char *x_forwarded_for,
              const char *forwarded,
              const char *expected)
{
  g_autofree char *name = confab_limits_name_address (peer, x_forwarded_for, forwarded);

  g_assert_cmpstr (name, ==, expected);
}

static void
test_names (void)
{
  assert_named ("", NULL, NULL, "local");
  assert_named (NULL, NULL, NULL, "local");
  assert_named ("127.0.0.1", NULL, NULL, "local");
  assert_named ("127.8.9.10", NULL, NULL, "local");
  assert_named ("::1", NULL, NULL, "local");
  assert_named ("::ffff:127.0.0.1", NULL, NULL, "local");
  assert_named ("192.0.2.7", NULL, NULL, "192.0.2.7");
  assert_named ("::ffff:192.0.2.7", NULL, NULL, "192.0.2.7");
}

/* Whoever has a network of 64 bits has all of its addresses. */
static void
test_names_networks (void)
{
  assert_named ("2001:db8:1:2:3:4:5:6", NULL, NULL, "2001:db8:1:2::");
  assert_named ("2001:db8:1:2::9", NULL, NULL, "2001:db8:1:2::");
  assert_named ("2001:db8:1:3::9", NULL, NULL, "2001:db8:1:3::");
}

/* The last is what our proxy saw; the first is what somebody claims. */
static void
test_names_proxied (void)
{
  assert_named ("127.0.0.1", "192.0.2.1", NULL, "192.0.2.1");
  assert_named ("", "198.51.100.9, 192.0.2.1", NULL, "192.0.2.1");
  assert_named ("127.0.0.1", "192.0.2.1:4711", NULL, "192.0.2.1");
  assert_named ("127.0.0.1", "[2001:db8::1]:4711", NULL, "2001:db8::");
  assert_named ("127.0.0.1", "2001:db8:0:0:1::1", NULL, "2001:db8::");
  assert_named ("127.0.0.1", NULL, "for=192.0.2.1;proto=http", "192.0.2.1");
  assert_named ("127.0.0.1", NULL, "for=1.1.1.1, proto=http; For=\"[2001:db8::1]:80\"",
                "2001:db8::");
  assert_named ("127.0.0.1", "192.0.2.1", "for=198.51.100.9", "192.0.2.1");
  assert_named ("127.0.0.1", "unknown", NULL, "local");
  assert_named ("127.0.0.1", "", NULL, "local");
  assert_named ("127.0.0.1", NULL, "for=_hidden", "local");
  assert_named ("127.0.0.1", NULL, "proxied", "local");
}

/* Nobody from outside chooses the address under which it is counted. */
static void
test_names_claimed (void)
{
  assert_named ("192.0.2.7", "127.0.0.1", NULL, "192.0.2.7");
  assert_named ("192.0.2.7", "198.51.100.9", "for=198.51.100.9", "192.0.2.7");
}

static void
test_rate (Fixture *self, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  g_assert_cmpuint (ask (self, "192.0.2.1", 20 * BURST + 5, START, &error), ==, 20 * BURST);
  g_assert_error (error, CONFAB_ERROR, CONFAB_ERROR_RATE_LIMITED);
  g_assert_true (confab_error_is_retryable (error));
  /* one at 20 a second */
  g_assert_cmpint (confab_error_get_retry_after (error), ==, 50);

  /* what was said is true, and not too late */
  g_assert_cmpuint (ask (self, "192.0.2.1", 1, START + 49 * 1000, NULL), ==, 0);
  g_assert_cmpuint (ask (self, "192.0.2.1", 2, START + 50 * 1000, NULL), ==, 1);
  /* from then on as many as the rate says */
  g_assert_cmpuint (ask (self, "192.0.2.1", 100, START + 50 * 1000 + SECOND, NULL), ==, 20);
  /* and after a rest all of it again */
  g_assert_cmpuint (ask (self, "192.0.2.1", 1000, START + 60 * SECOND, NULL), ==, 20 * BURST);
}

static void
test_apart (Fixture *self, gconstpointer data)
{
  g_assert_cmpuint (ask (self, "192.0.2.1", 1000, START, NULL), ==, 20 * BURST);
  g_assert_cmpuint (ask (self, "192.0.2.2", 1000, START, NULL), ==, 20 * BURST);
}

static void
test_local (Fixture *self, gconstpointer data)
{
  ConfabLimitValues values = { .address_rate = 20, .address_connections = 3, .limit_local = TRUE };

  g_assert_cmpuint (ask (self, "local", 5000, START, NULL), ==, 5000);
  for (guint i = 0; i < 10; i++)
    {
      g_assert_true (confab_limits_admit_connection (self->limits, "local", START, NULL));
      confab_limits_connection_opened (self->limits, "local", START);
    }

  confab_limits_set (self->limits, &values);
  g_assert_cmpuint (ask (self, "local", 5000, START, NULL), ==, 20 * BURST);
  g_assert_false (confab_limits_admit_connection (self->limits, "local", START, NULL));
}

static void
test_off (Fixture *self, gconstpointer data)
{
  ConfabLimitValues values = { 0 };
  ConfabLimitedClient *client = confab_limited_client_new (self->limits, "192.0.2.1", START);

  confab_limits_set (self->limits, &values);
  g_assert_cmpuint (ask (self, "192.0.2.1", 5000, START, NULL), ==, 5000);
  for (guint i = 0; i < 5000; i++)
    {
      g_assert_true (confab_limited_client_admit (client, START, NULL));
      g_assert_true (confab_limits_admit_connection (self->limits, "192.0.2.1", START, NULL));
      confab_limits_connection_opened (self->limits, "192.0.2.1", START);
    }
  confab_limited_client_free (client);
}

static void
test_connections (Fixture *self, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  for (guint i = 0; i < 3; i++)
    {
      g_assert_true (confab_limits_admit_connection (self->limits, "192.0.2.1", START, NULL));
      confab_limits_connection_opened (self->limits, "192.0.2.1", START);
    }
  g_assert_false (confab_limits_admit_connection (self->limits, "192.0.2.1", START, &error));
  g_assert_error (error, CONFAB_ERROR, CONFAB_ERROR_RATE_LIMITED);
  g_assert_cmpint (confab_error_get_retry_after (error), >, 0);
  g_assert_false (confab_limits_is_full (self->limits));
  g_assert_true (confab_limits_admit_connection (self->limits, "192.0.2.2", START, NULL));

  confab_limits_connection_closed (self->limits, "192.0.2.1");
  g_assert_true (confab_limits_admit_connection (self->limits, "192.0.2.1", START, NULL));
}

static void
test_all_connections (Fixture *self, gconstpointer data)
{
  ConfabLimitValues values = { .connections = 2 };

  confab_limits_set (self->limits, &values);
  confab_limits_connection_opened (self->limits, "local", START);
  g_assert_true (confab_limits_admit_connection (self->limits, "local", START, NULL));
  confab_limits_connection_opened (self->limits, "192.0.2.1", START);
  g_assert_true (confab_limits_is_full (self->limits));
  g_assert_false (confab_limits_admit_connection (self->limits, "local", START, NULL));
  confab_limits_connection_closed (self->limits, "192.0.2.1");
  g_assert_true (confab_limits_admit_connection (self->limits, "local", START, NULL));
}

static guint
ask_as (ConfabLimitedClient *client, guint n, gint64 now, GError **error)
{
  guint passed = 0;

  for (guint i = 0; i < n; i++)
    {
      g_clear_error (error);
      passed += confab_limited_client_admit (client, now, error);
    }

  return passed;
}

/* A second connection helps only as far as the address goes. */
static void
test_clients (Fixture *self, gconstpointer data)
{
  ConfabLimitedClient *clients[3];
  g_autoptr (GError) error = NULL;

  for (guint i = 0; i < G_N_ELEMENTS (clients); i++)
    clients[i] = confab_limited_client_new (self->limits, "192.0.2.1", START);
  g_assert_cmpuint (ask_as (clients[0], 1000, START, &error), ==, 10 * BURST);
  g_assert_cmpint (confab_error_get_retry_after (error), ==, 100);
  g_assert_cmpuint (ask_as (clients[1], 1000, START, NULL), ==, 10 * BURST);
  g_assert_cmpuint (ask_as (clients[2], 10, START, &error), ==, 0);
  g_assert_cmpint (confab_error_get_retry_after (error), ==, 50);
  for (guint i = 0; i < G_N_ELEMENTS (clients); i++)
    confab_limited_client_free (clients[i]);
}

static void
test_callers (Fixture *self, gconstpointer data)
{
  guint passed[2] = { 0 };

  for (guint i = 0; i < 1000; i++)
    {
      passed[0] += confab_limits_admit_caller (self->limits, ":1.7", START, NULL);
      passed[1] += confab_limits_admit_caller (self->limits, ":1.8", START, NULL);
    }
  g_assert_cmpuint (passed[0], ==, 10 * BURST);
  g_assert_cmpuint (passed[1], ==, 10 * BURST);
}

/* Many addresses take no more memory than some; who comes too late shares, and room comes back. */
static void
test_bounded (Fixture *self, gconstpointer data)
{
  guint passed = 0;

  for (guint i = 0; i < 100000; i++)
    {
      g_autofree char *address = g_strdup_printf ("10.%u.%u.%u", i >> 16, i >> 8 & 255, i & 255);

      passed += confab_limits_admit_request (self->limits, address, START, NULL);
    }
  g_assert_cmpuint (passed, ==, 16384 + 20 * BURST);
  /* all have rested */
  g_assert_cmpuint (ask (self, "192.0.2.1", 1000, START + 60 * SECOND, NULL), ==, 20 * BURST);
  g_assert_cmpuint (ask (self, "192.0.2.2", 1000, START + 60 * SECOND, NULL), ==, 20 * BURST);
}

/* A connection that was counted with the others leaves them, too. */
static void
test_bounded_connections (Fixture *self, gconstpointer data)
{
  for (guint i = 0; i < 16384; i++)
    {
      g_autofree char *address = g_strdup_printf ("10.0.%u.%u", i >> 8, i & 255);

      confab_limits_connection_opened (self->limits, address, START);
    }
  for (guint i = 0; i < 3; i++)
    confab_limits_connection_opened (self->limits, "192.0.2.1", START);
  g_assert_false (confab_limits_admit_connection (self->limits, "192.0.2.2", START, NULL));
  confab_limits_connection_closed (self->limits, "192.0.2.1");
  g_assert_true (confab_limits_admit_connection (self->limits, "192.0.2.2", START, NULL));
}

static void
count_cb (const char *const *labels, guint64 value, gpointer user_data)
{
  g_hash_table_insert (user_data, g_strdup (labels[0]), GUINT_TO_POINTER (value));
}

static void
test_metrics (Fixture *self, gconstpointer data)
{
  g_autoptr (GHashTable) counts = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);

  ask (self, "192.0.2.1", 20 * BURST + 7, START, NULL);
  for (guint i = 0; i < 10 * BURST + 2; i++)
    confab_limits_admit_caller (self->limits, ":1.7", START, NULL);
  confab_metrics_foreach (self->metrics, CONFAB_METRIC_LIMITED, count_cb, counts);
  g_assert_cmpuint (GPOINTER_TO_UINT (g_hash_table_lookup (counts, "address")), ==, 7);
  g_assert_cmpuint (GPOINTER_TO_UINT (g_hash_table_lookup (counts, "client")), ==, 2);
}

int
main (int argc, char **argv)
{
  static const struct
  {
    const char *path;
    void (*func) (Fixture *self, gconstpointer data);
  } tests[] = {
    { "/limits/rate", test_rate },
    { "/limits/apart", test_apart },
    { "/limits/local", test_local },
    { "/limits/off", test_off },
    { "/limits/connections", test_connections },
    { "/limits/all-connections", test_all_connections },
    { "/limits/clients", test_clients },
    { "/limits/callers", test_callers },
    { "/limits/bounded", test_bounded },
    { "/limits/bounded-connections", test_bounded_connections },
    { "/limits/metrics", test_metrics },
  };

  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/limits/names/plain", test_names);
  g_test_add_func ("/limits/names/networks", test_names_networks);
  g_test_add_func ("/limits/names/proxied", test_names_proxied);
  g_test_add_func ("/limits/names/claimed", test_names_claimed);
  for (guint i = 0; i < G_N_ELEMENTS (tests); i++)
    g_test_add (tests[i].path, Fixture, NULL, set_up, tests[i].func, tear_down);

  return g_test_run ();
}
