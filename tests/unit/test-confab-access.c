/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <unistd.h>

#include "confab-access.h"
#include "confab-error.h"
#include "confab-tickets.h"

#define PORT 7420

static ConfabAccess *
make_access_at (guint16 port, const char *bind)
{
  static char token[] = "the-token";
  static char cookie[] = "the-cookie";
  const ConfabKeys keys = { .token = token, .cookie = cookie };
  const char *const origins[] = { "https://chat.example", NULL };
  const char *const hosts[] = { "chat.example", "lan.example:81", NULL };
  g_autoptr (GInetAddress) address = bind != NULL ? g_inet_address_new_from_string (bind) : NULL;
  ConfabAccess *access = confab_access_new (&keys);

  confab_access_set_allowed (access, origins, hosts);
  confab_access_set_address (access, port, address);

  return access;
}

static ConfabAccess *
make_open_access (void)
{
  ConfabAccess *access = confab_access_new (NULL);

  confab_access_set_address (access, PORT, NULL);

  return access;
}

static void
test_hosts (void)
{
  g_autoptr (ConfabAccess) access = make_access_at (PORT, NULL);
  static const char *const good[] = { "127.0.0.1:7420", "localhost:7420", "LOCALHOST:7420",
                                      "[::1]:7420",     "chat.example",   "Chat.Example:7420",
                                      "lan.example:81" };
  static const char *const bad[] = { "",
                                     "127.0.0.1",
                                     "127.0.0.1:7421",
                                     "localhost",
                                     "localhost:07420",
                                     "localhost:74200",
                                     "evil.example:7420",
                                     "localhost.:7420",
                                     "127.0.0.2:7420",
                                     "localhost:7420, evil.example",
                                     "lan.example:81:7420",
                                     "lan.example:7420",
                                     "chat.example:80",
                                     "lan.example",
                                     "xlocalhost:7420" };

  for (guint i = 0; i < G_N_ELEMENTS (good); i++)
    g_assert_true (confab_access_allows_host (access, good[i], FALSE));
  for (guint i = 0; i < G_N_ELEMENTS (bad); i++)
    g_assert_false (confab_access_allows_host (access, bad[i], FALSE));
  g_assert_false (confab_access_allows_host (access, NULL, FALSE));
}

static void
test_hosts_of_unix_peers (void)
{
  g_autoptr (ConfabAccess) access = make_access_at (PORT, NULL);

  g_assert_true (confab_access_allows_host (access, "localhost", TRUE));
  g_assert_true (confab_access_allows_host (access, "localhost:1", TRUE));
  g_assert_true (confab_access_allows_host (access, "127.0.0.1:7420", TRUE));
  g_assert_false (confab_access_allows_host (access, "localhost.evil.example", TRUE));
  g_assert_false (confab_access_allows_host (access, "localhost:x", TRUE));
  g_assert_false (confab_access_allows_host (access, "localhost:", TRUE));
  g_assert_false (confab_access_allows_host (access, "evil.example", TRUE));
  g_assert_false (confab_access_allows_host (access, NULL, TRUE));
}

static void
test_default_port (void)
{
  g_autoptr (ConfabAccess) access = make_access_at (80, NULL);

  g_assert_true (confab_access_allows_host (access, "localhost", FALSE));
  g_assert_true (confab_access_allows_host (access, "localhost:80", FALSE));
  g_assert_true (confab_access_allows_origin (access, "http://localhost"));
}

static void
test_bound_address (void)
{
  g_autoptr (ConfabAccess) v4 = make_access_at (PORT, "192.0.2.1");
  g_autoptr (ConfabAccess) v6 = make_access_at (PORT, "2001:db8::1");
  g_autoptr (ConfabAccess) any = make_access_at (PORT, "0.0.0.0");
  g_autofree char *v4_url = confab_access_make_url (v4, NULL, NULL);
  g_autofree char *v6_url = confab_access_make_url (v6, "token", "t");
  g_autofree char *any_url = confab_access_make_url (any, NULL, NULL);

  g_assert_true (confab_access_allows_host (v4, "192.0.2.1:7420", FALSE));
  g_assert_true (confab_access_allows_origin (v4, "http://192.0.2.1:7420"));
  g_assert_true (confab_access_allows_host (v6, "[2001:db8::1]:7420", FALSE));
  g_assert_false (confab_access_allows_host (any, "0.0.0.0:7420", FALSE));
  g_assert_cmpstr (v4_url, ==, "http://192.0.2.1:7420/");
  g_assert_cmpstr (v6_url, ==, "http://[2001:db8::1]:7420/?token=t");
  g_assert_cmpstr (any_url, ==, "http://127.0.0.1:7420/");
}

static void
test_origins (void)
{
  g_autoptr (ConfabAccess) access = make_access_at (PORT, NULL);
  static const char *const good[] = { "http://127.0.0.1:7420", "http://localhost:7420",
                                      "http://[::1]:7420", "https://chat.example" };
  static const char *const bad[] = { "",
                                     "null",
                                     "http://localhost",
                                     "http://localhost:5173",
                                     "https://localhost:7420",
                                     "http://chat.example",
                                     "https://chat.example:7420",
                                     "https://chat.example.evil.example",
                                     "http://localhost:7420/",
                                     "http://localhost:7420.evil.example",
                                     "http://evil.example" };

  for (guint i = 0; i < G_N_ELEMENTS (good); i++)
    g_assert_true (confab_access_allows_origin (access, good[i]));
  for (guint i = 0; i < G_N_ELEMENTS (bad); i++)
    g_assert_false (confab_access_allows_origin (access, bad[i]));
}

static void
test_open_origins (void)
{
  g_autoptr (ConfabAccess) access = make_open_access ();

  g_assert_true (confab_access_allows_origin (access, "http://localhost:5173"));
  g_assert_true (confab_access_allows_origin (access, "http://[::1]:1"));
  g_assert_false (confab_access_allows_origin (access, "https://localhost:5173"));
  g_assert_false (confab_access_allows_origin (access, "http://evil.example"));
  g_assert_false (confab_access_allows_origin (access, "null"));
}

static gboolean
check_place (ConfabAccess *access, const char *host, const char *origin, const char *fetch_site)
{
  const ConfabRequester requester = { .host = host, .origin = origin, .fetch_site = fetch_site };
  g_autoptr (GError) error = NULL;
  gboolean good = confab_access_check_place (access, &requester, &error);

  if (!good)
    g_assert_error (error, CONFAB_ERROR, CONFAB_ERROR_UNAUTHORIZED);

  return good;
}

static void
test_place (void)
{
  g_autoptr (ConfabAccess) access = make_access_at (PORT, NULL);
  const char *us = "127.0.0.1:7420";

  g_assert_true (check_place (access, us, NULL, NULL));
  g_assert_true (check_place (access, us, NULL, "same-origin"));
  g_assert_true (check_place (access, us, NULL, "none"));
  g_assert_false (check_place (access, us, NULL, "same-site"));
  g_assert_false (check_place (access, us, NULL, "cross-site"));
  g_assert_false (check_place (access, us, NULL, ""));
  g_assert_false (check_place (access, us, NULL, "none, none"));
  /* an Origin says it better */
  g_assert_true (check_place (access, us, "https://chat.example", "cross-site"));
  g_assert_false (check_place (access, us, "http://evil.example", "same-origin"));
  g_assert_false (check_place (access, "evil.example", "http://127.0.0.1:7420", "same-origin"));
  g_assert_false (check_place (access, NULL, NULL, NULL));
}

static gboolean
is_authorized (ConfabAccess *access, const char *authorization, const char *cookie)
{
  const ConfabRequester requester = { .authorization = authorization,
                                      .cookie = cookie,
                                      .peer_uid = -1 };

  return confab_access_is_authorized (access, &requester);
}

static void
test_bearer (void)
{
  g_autoptr (ConfabAccess) access = make_access_at (PORT, NULL);

  g_assert_true (is_authorized (access, "Bearer the-token", NULL));
  g_assert_true (is_authorized (access, "bearer  the-token", NULL));
  g_assert_false (is_authorized (access, NULL, NULL));
  g_assert_false (is_authorized (access, "Bearer", NULL));
  g_assert_false (is_authorized (access, "Bearer ", NULL));
  g_assert_false (is_authorized (access, "Bearer the-toke", NULL));
  g_assert_false (is_authorized (access, "Bearer the-token2", NULL));
  g_assert_false (is_authorized (access, "Basic the-token", NULL));
  g_assert_false (is_authorized (access, "the-token", NULL));
  /* the cookie's secret is not the token */
  g_assert_false (is_authorized (access, "Bearer the-cookie", NULL));
  g_assert_true (confab_access_check_token (access, "the-token"));
  g_assert_false (confab_access_check_token (access, "the-cookie"));
  g_assert_false (confab_access_check_token (access, ""));
  g_assert_false (confab_access_check_token (access, NULL));
}

static void
test_cookie (void)
{
  g_autoptr (ConfabAccess) access = make_access_at (PORT, NULL);
  g_autofree char *header = confab_access_make_cookie (access);

  g_assert_true (g_str_has_prefix (header, "confab-7420=the-cookie; HttpOnly; SameSite=Strict; "));
  g_assert_true (is_authorized (access, NULL, "confab-7420=the-cookie"));
  g_assert_true (is_authorized (access, NULL, "a=b; confab-7420=the-cookie; c=d"));
  g_assert_true (is_authorized (access, NULL, "confab-7420=old;confab-7420=the-cookie"));
  g_assert_false (is_authorized (access, NULL, "confab-7421=the-cookie"));
  g_assert_false (is_authorized (access, NULL, "confab-7420=the-token"));
  g_assert_false (is_authorized (access, NULL, "confab-7420="));
  g_assert_false (is_authorized (access, NULL, "confab-7420"));
  g_assert_false (is_authorized (access, NULL, "xconfab-7420=the-cookie"));
  g_assert_false (is_authorized (access, NULL, ""));
}

static void
test_unix_peers (void)
{
  g_autoptr (ConfabAccess) access = make_access_at (PORT, NULL);
  const ConfabRequester same = { .unix_peer = TRUE, .peer_uid = geteuid () };
  ConfabRequester requester = same;

  g_assert_true (confab_access_is_authorized (access, &same));
  requester.proxied = TRUE;
  g_assert_false (confab_access_is_authorized (access, &requester));
  requester = same;
  requester.origin = "http://localhost:7420";
  g_assert_false (confab_access_is_authorized (access, &requester));
  requester = same;
  requester.peer_uid = geteuid () + 1;
  g_assert_false (confab_access_is_authorized (access, &requester));
  requester.peer_uid = -1;
  g_assert_false (confab_access_is_authorized (access, &requester));
  requester = same;
  requester.unix_peer = FALSE;
  g_assert_false (confab_access_is_authorized (access, &requester));
}

static void
test_open (void)
{
  g_autoptr (ConfabAccess) access = make_open_access ();

  g_assert_true (confab_access_is_open (access));
  g_assert_true (is_authorized (access, NULL, NULL));
  g_assert_true (confab_access_check_token (access, NULL));
  g_assert_true (confab_access_redeem_ticket (access, "any"));
  g_assert_null (confab_access_make_cookie (access));
  /* Host still counts */
  g_assert_false (check_place (access, "evil.example:7420", NULL, NULL));
}

static void
test_ticket (void)
{
  g_autoptr (ConfabAccess) access = make_access_at (PORT, NULL);
  gint64 now = g_get_real_time () / 1000;
  gint64 expires_at = 0;
  g_autofree char *first = confab_access_mint_ticket (access, &expires_at);
  g_autofree char *second = confab_access_mint_ticket (access, NULL);

  g_assert_cmpint (expires_at - now, >=, 60 * 1000);
  g_assert_cmpint (expires_at - now, <, 65 * 1000);
  g_assert_cmpstr (first, !=, second);
  g_assert_false (confab_access_redeem_ticket (access, NULL));
  g_assert_false (confab_access_redeem_ticket (access, ""));
  g_assert_false (confab_access_redeem_ticket (access, "the-token"));
  g_assert_true (confab_access_redeem_ticket (access, second));
  g_assert_false (confab_access_redeem_ticket (access, second));
  g_assert_true (confab_access_redeem_ticket (access, first));
  g_assert_false (confab_access_redeem_ticket (access, first));
}

static void
test_ticket_expires (void)
{
  g_autoptr (ConfabTickets) tickets = confab_tickets_new ();
  const gint64 minute = 60 * G_USEC_PER_SEC;
  g_autofree char *early = confab_tickets_mint (tickets, 1000);
  g_autofree char *late = confab_tickets_mint (tickets, 2000);

  g_assert_false (confab_tickets_redeem (tickets, early, 1000 + minute));
  g_assert_true (confab_tickets_redeem (tickets, late, 1999 + minute));
}

static void
test_tickets_are_bounded (void)
{
  g_autoptr (ConfabTickets) tickets = confab_tickets_new ();
  g_autofree char *oldest = confab_tickets_mint (tickets, 0);
  g_autofree char *newest = NULL;

  for (guint i = 0; i < CONFAB_TICKETS_MAX; i++)
    {
      g_free (newest);
      newest = confab_tickets_mint (tickets, 0);
    }
  g_assert_false (confab_tickets_redeem (tickets, oldest, 0));
  g_assert_true (confab_tickets_redeem (tickets, newest, 0));
}

/* What let in before lets in no more, of whichever kind. */
static void
test_new_keys (void)
{
  static char token[] = "another-token";
  static char cookie[] = "another-cookie";
  const ConfabKeys keys = { .token = token, .cookie = cookie };
  g_autoptr (ConfabAccess) access = make_access_at (PORT, NULL);
  g_autofree char *ticket = confab_access_mint_ticket (access, NULL);
  const ConfabRequester with_cookie = { .cookie = "confab-7420=the-cookie", .peer_uid = -1 };
  const ConfabRequester with_new = { .cookie = "confab-7420=another-cookie", .peer_uid = -1 };

  g_assert_cmpstr (confab_access_get_token (access), ==, "the-token");
  g_assert_true (confab_access_is_authorized (access, &with_cookie));
  confab_access_set_keys (access, &keys);
  g_assert_cmpstr (confab_access_get_token (access), ==, "another-token");
  g_assert_false (confab_access_check_token (access, "the-token"));
  g_assert_true (confab_access_check_token (access, "another-token"));
  g_assert_false (confab_access_is_authorized (access, &with_cookie));
  g_assert_true (confab_access_is_authorized (access, &with_new));
  g_assert_false (confab_access_redeem_ticket (access, ticket));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/confab/access/hosts", test_hosts);
  g_test_add_func ("/confab/access/hosts-of-unix-peers", test_hosts_of_unix_peers);
  g_test_add_func ("/confab/access/default-port", test_default_port);
  g_test_add_func ("/confab/access/bound-address", test_bound_address);
  g_test_add_func ("/confab/access/origins", test_origins);
  g_test_add_func ("/confab/access/open-origins", test_open_origins);
  g_test_add_func ("/confab/access/place", test_place);
  g_test_add_func ("/confab/access/bearer", test_bearer);
  g_test_add_func ("/confab/access/cookie", test_cookie);
  g_test_add_func ("/confab/access/unix-peers", test_unix_peers);
  g_test_add_func ("/confab/access/open", test_open);
  g_test_add_func ("/confab/access/new-keys", test_new_keys);
  g_test_add_func ("/confab/access/ticket", test_ticket);
  g_test_add_func ("/confab/access/ticket-expires", test_ticket_expires);
  g_test_add_func ("/confab/access/tickets-are-bounded", test_tickets_are_bounded);

  return g_test_run ();
}
