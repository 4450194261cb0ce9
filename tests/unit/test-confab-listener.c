/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <arpa/inet.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "confab-listener.h"

#define STRANGER 4242

typedef struct
{
  const char *name;
  const char *line;
  ConfabListenerLine is;
} Line;

/* As a machine of little endian has them, port 11434. */
#define V4(address, state)                                                                         \
  "   0: " address ":2CAA 00000000:0000 " state " 00000000:00000000 00:00000000 00000000  4242   " \
  "     0 556 1 00000000256161f8 100 0 0 10 0"
#define ZEROES "00000000000000000000000000000000"
#define V6(address)                                                                                \
  "  12: " address ":2CAA " ZEROES ":0000 0A 00000000:00000000 00:00000000 00000000  4242        " \
  "0 31337 1 0000000000000000 100 0 0 10 0"

static const Line lines[] = {
  { "head", "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid",
    CONFAB_LISTENER_LINE_OTHER },
  { "nothing", "", CONFAB_LISTENER_LINE_OTHER },
  { "cut", "   0: 0100007F:2CAA 00000000:0000 0A 00000000:00000000", CONFAB_LISTENER_LINE_OTHER },
  { "loopback", V4 ("0100007F", "0A"), CONFAB_LISTENER_LINE_FOUND },
  { "any", V4 ("00000000", "0A"), CONFAB_LISTENER_LINE_FOUND },
  { "other-loopback", V4 ("0200007F", "0A"), CONFAB_LISTENER_LINE_OTHER },
  { "network", V4 ("0101A8C0", "0A"), CONFAB_LISTENER_LINE_OTHER },
  { "connected", V4 ("0100007F", "01"), CONFAB_LISTENER_LINE_PAST },
  { "v6-any", V6 (ZEROES), CONFAB_LISTENER_LINE_FOUND },
  { "v6-mapped", V6 ("0000000000000000FFFF00000100007F"), CONFAB_LISTENER_LINE_FOUND },
  { "v6-mapped-any", V6 ("0000000000000000FFFF000000000000"), CONFAB_LISTENER_LINE_FOUND },
  { "v6-mapped-network", V6 ("0000000000000000FFFF00000101A8C0"), CONFAB_LISTENER_LINE_OTHER },
  { "v6-loopback", V6 ("00000000000000000000000001000000"), CONFAB_LISTENER_LINE_OTHER },
  { "v6-network", V6 ("B80D0120000000000000000001000000"), CONFAB_LISTENER_LINE_OTHER },
};

static void
test_line (gconstpointer data)
{
  const Line *line = data;
  guint uid = 0;

  if (G_BYTE_ORDER != G_LITTLE_ENDIAN)
    {
      g_test_skip ("the lines are of a machine of little endian");
      return;
    }

  g_assert_cmpint (confab_listener_read_line (line->line, 11434, &uid), ==, line->is);
  if (line->is != CONFAB_LISTENER_LINE_FOUND)
    return;
  g_assert_cmpuint (uid, ==, 4242);
  g_assert_cmpint (confab_listener_read_line (line->line, 11435, &uid), ==,
                   CONFAB_LISTENER_LINE_OTHER);
}

static void
test_judge (void)
{
  g_assert_cmpint (confab_listener_judge (1000, 1000), ==, CONFAB_LISTENER_TRUSTED);
  g_assert_cmpint (confab_listener_judge (0, 1000), ==, CONFAB_LISTENER_TRUSTED);
  g_assert_cmpint (confab_listener_judge (999, 1000), ==, CONFAB_LISTENER_TRUSTED);
  g_assert_cmpint (confab_listener_judge (61184, 1000), ==, CONFAB_LISTENER_TRUSTED);
  g_assert_cmpint (confab_listener_judge (65519, 1000), ==, CONFAB_LISTENER_TRUSTED);
  g_assert_cmpint (confab_listener_judge (65534, 1000), ==, CONFAB_LISTENER_UNKNOWN);
  g_assert_cmpint (confab_listener_judge (1001, 1000), ==, CONFAB_LISTENER_STRANGER);
  g_assert_cmpint (confab_listener_judge (1000, 990), ==, CONFAB_LISTENER_STRANGER);
  g_assert_cmpint (confab_listener_judge (61183, 1000), ==, CONFAB_LISTENER_STRANGER);
  g_assert_cmpint (confab_listener_judge (65520, 1000), ==, CONFAB_LISTENER_STRANGER);
}

/* @address: of IPv4 or IPv6. Returns: a socket that listens there, or -1 */
static int
listen_at (const char *address, guint16 *port)
{
  struct sockaddr_in6 six = { .sin6_family = AF_INET6 };
  struct sockaddr_in four = { .sin_family = AF_INET };
  gboolean is_six = inet_pton (AF_INET6, address, &six.sin6_addr) == 1;
  socklen_t length = is_six ? sizeof six : sizeof four;
  struct sockaddr *where = is_six ? (struct sockaddr *) &six : (struct sockaddr *) &four;
  int fd = socket (where->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

  if (!is_six)
    g_assert_cmpint (inet_pton (AF_INET, address, &four.sin_addr), ==, 1);
  if (fd < 0 || bind (fd, where, length) != 0)
    {
      if (fd >= 0)
        close (fd);
      return -1;
    }
  g_assert_cmpint (listen (fd, 5), ==, 0);
  g_assert_cmpint (getsockname (fd, where, &length), ==, 0);
  *port = ntohs (is_six ? six.sin6_port : four.sin_port);

  return fd;
}

/* The kernel's own table, with many beside it. */
static void
test_look (gconstpointer address)
{
  int others[40];
  guint16 port, other_port;
  int fd;

  for (guint i = 0; i < G_N_ELEMENTS (others); i++)
    others[i] = listen_at ("127.0.0.1", &other_port);
  fd = listen_at (address, &port);
  if (fd < 0)
    g_test_skip ("this machine has no such address");
  else
    g_assert_cmpint (confab_listener_look (port), ==, CONFAB_LISTENER_TRUSTED);

  if (fd >= 0 && fchown (fd, STRANGER, (gid_t) -1) == 0)
    g_assert_cmpint (confab_listener_look (port), ==, CONFAB_LISTENER_STRANGER);
  else if (fd >= 0)
    g_test_skip ("only root can give a socket to somebody else");

  if (fd >= 0)
    {
      close (fd);
      g_assert_cmpint (confab_listener_look (port), ==, CONFAB_LISTENER_UNKNOWN);
    }
  for (guint i = 0; i < G_N_ELEMENTS (others); i++)
    close (others[i]);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  for (gsize i = 0; i < G_N_ELEMENTS (lines); i++)
    {
      g_autofree char *path = g_strconcat ("/confab/listener/line/", lines[i].name, NULL);

      g_test_add_data_func (path, &lines[i], test_line);
    }
  g_test_add_func ("/confab/listener/judge", test_judge);
  g_test_add_data_func ("/confab/listener/look/loopback", "127.0.0.1", test_look);
  g_test_add_data_func ("/confab/listener/look/any", "0.0.0.0", test_look);
  g_test_add_data_func ("/confab/listener/look/v6-any", "::", test_look);

  return g_test_run ();
}
