/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "confab-listener.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* TCP_LISTEN, as the kernel writes it. */
#define STATE_LISTEN 0x0a

/* What comes with most distributions (SYS_UID_MAX), and what systemd gives to DynamicUser=. */
#define MAX_SYSTEM_UID 999
#define MIN_DYNAMIC_UID 61184
#define MAX_DYNAMIC_UID 65519
/* Whoever is not of this user namespace. */
#define OVERFLOW_UID 65534

/* A few lines: the kernel makes no more of them than are asked for. */
#define PIECE_BYTES 512

/* @words: an address as the kernel writes it, the bytes of each word in the machine's order */
static gboolean
takes_loopback (const guint *words, int n_words)
{
  guint last = words[n_words - 1];

  if (n_words == 4 && (words[0] != 0 || words[1] != 0))
    return FALSE;
  /* "::" is for IPv4, too, unless IPv6 alone was wished for; the table does not tell */
  if (n_words == 4 && words[2] != htonl (0xffff))
    return words[2] == 0 && last == 0;

  return last == htonl (INADDR_LOOPBACK) || last == htonl (INADDR_ANY);
}

/**
 * confab_listener_read_line:
 * @line: of /proc/net/tcp or tcp6
 * @port: whose listener is looked for
 * @uid: (out): whose it is, if it is found
 *
 * Returns: what the line is
 */
ConfabListenerLine
confab_listener_read_line (const char *line, guint16 port, guint *uid)
{
  char address[33];
  guint words[4];
  guint number, state;
  int n_words;

  /* the head of the table */
  if (sscanf (line, " %*u: %32[0-9A-F]:%4X %*[0-9A-F]:%*X %2X %*X:%*X %*X:%*X %*X %u", address,
              &number, &state, uid)
      != 4)
    return CONFAB_LISTENER_LINE_OTHER;
  if (state != STATE_LISTEN)
    return CONFAB_LISTENER_LINE_PAST;
  if (number != port)
    return CONFAB_LISTENER_LINE_OTHER;

  n_words = sscanf (address, "%8X%8X%8X%8X", &words[0], &words[1], &words[2], &words[3]);

  return (n_words == 1 || n_words == 4) && takes_loopback (words, n_words)
             ? CONFAB_LISTENER_LINE_FOUND
             : CONFAB_LISTENER_LINE_OTHER;
}

/**
 * confab_listener_judge:
 * @uid: whose socket it is, as this user namespace tells it
 * @own_uid: who we are
 *
 * Returns: whether he is to be trusted
 */
ConfabListener
confab_listener_judge (guint uid, guint own_uid)
{
  if (uid == own_uid || uid <= MAX_SYSTEM_UID || (uid >= MIN_DYNAMIC_UID && uid <= MAX_DYNAMIC_UID))
    return CONFAB_LISTENER_TRUSTED;

  return uid == OVERFLOW_UID ? CONFAB_LISTENER_UNKNOWN : CONFAB_LISTENER_STRANGER;
}

/* Reads no further than to who is looked for: listeners come first, and others may be many. */
static gboolean
find_uid (const char *path, guint16 port, guint *uid)
{
  ConfabListenerLine found = CONFAB_LISTENER_LINE_OTHER;
  g_autoptr (GString) text = g_string_new (NULL);
  int fd = open (path, O_RDONLY | O_CLOEXEC);
  char piece[PIECE_BYTES];
  gssize n;

  if (fd < 0)
    return FALSE;

  while (found == CONFAB_LISTENER_LINE_OTHER && (n = read (fd, piece, sizeof piece)) > 0)
    {
      char *end;

      g_string_append_len (text, piece, n);
      while (found == CONFAB_LISTENER_LINE_OTHER && (end = strchr (text->str, '\n')) != NULL)
        {
          *end = '\0';
          found = confab_listener_read_line (text->str, port, uid);
          g_string_erase (text, 0, end + 1 - text->str);
        }
    }
  close (fd);

  return found == CONFAB_LISTENER_LINE_FOUND;
}

/**
 * confab_listener_look:
 * @port: of 127.0.0.1
 *
 * Looks who listens there. It is cheap enough to be done for each question.
 *
 * Returns: whether he is to be trusted
 */
ConfabListener
confab_listener_look (guint16 port)
{
  guint uid;

  if (find_uid ("/proc/self/net/tcp", port, &uid) || find_uid ("/proc/self/net/tcp6", port, &uid))
    return confab_listener_judge (uid, getuid ());

  return CONFAB_LISTENER_UNKNOWN;
}
