/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>
#include <glib/gi18n.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "confab-keyring.h"
#include "ctl.h"

/* Longer than any key there is. */
#define KEY_MAX_BYTES 4000

static void
interrupted (int number)
{
}

/* Reads one line, byte by byte, so that no buffer keeps a copy. Returns: its length; -1 on a
 * signal or a failure */
static gssize
read_line (char *line, gsize size)
{
  gsize length = 0;
  char byte;

  for (;;)
    {
      gssize n = read (STDIN_FILENO, &byte, 1);

      if (n < 0)
        return -1;
      if (n == 0 || byte == '\n')
        break;
      /* what is too long is seen by its length */
      if (length + 1 < size)
        line[length++] = byte;
    }
  line[length] = '\0';

  return (gssize) length;
}

/* The terminal shows nothing of what is typed, and is as it was whatever ends this. */
static gssize
ask_terminal (const char *name, char *line, gsize size)
{
  const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };
  struct sigaction before[G_N_ELEMENTS (signals)];
  struct sigaction action = { .sa_handler = interrupted }; /* no SA_RESTART: read() ends */
  struct termios shown, hidden;
  gssize length;

  if (tcgetattr (STDIN_FILENO, &shown) != 0)
    return -1;
  for (guint i = 0; i < G_N_ELEMENTS (signals); i++)
    sigaction (signals[i], &action, &before[i]);
  hidden = shown;
  hidden.c_lflag &= (tcflag_t) ~(ECHO | ECHONL);
  tcsetattr (STDIN_FILENO, TCSAFLUSH, &hidden);
  /* whoever types sees it only when nothing is shown any more */
  g_printerr (_ ("Key of “%s”: "), name);
  length = read_line (line, size);
  tcsetattr (STDIN_FILENO, TCSAFLUSH, &shown);
  g_printerr ("\n");
  for (guint i = 0; i < G_N_ELEMENTS (signals); i++)
    sigaction (signals[i], &before[i], NULL);

  return length;
}

/* A key is sent in a header, so that nothing belongs into it but what is seen. */
static gboolean
is_key (const char *key, gsize length)
{
  for (gsize i = 0; i < length; i++)
    if (!g_ascii_isgraph (key[i]))
      return FALSE;

  return length > 0;
}

static CtlExit
read_key (const char *name, char *key, gsize size)
{
  gssize length = isatty (STDIN_FILENO) ? ask_terminal (name, key, size) : read_line (key, size);

  if (length < 0)
    return errno == EINTR
               ? CTL_EXIT_STOPPED
               : ctl_fail (CTL_EXIT_FAILED, _ ("The key cannot be read: %s"), g_strerror (errno));
  while (length > 0 && g_ascii_isspace (key[length - 1]))
    key[--length] = '\0';
  if (length == 0)
    return ctl_fail (CTL_EXIT_USAGE, "%s", _ ("There is no key, so nothing was changed"));
  if (length > KEY_MAX_BYTES || !is_key (key, (gsize) length))
    return ctl_fail (CTL_EXIT_USAGE, "%s",
                     _ ("A key has neither spaces nor other than ASCII characters, and at most "
                        "4000 of them"));

  return CTL_EXIT_OK;
}

static CtlExit
set_key (const char *name)
{
  char key[KEY_MAX_BYTES + 2]; /* one more, to see that it is too long, and its NUL */
  CtlExit status = read_key (name, key, sizeof key);
  g_autoptr (GError) error = NULL;

  if (status == CTL_EXIT_OK && !confab_keyring_store (name, key, NULL, &error))
    status =
        ctl_fail (CTL_EXIT_FAILED, _ ("The keyring does not take the key: %s"), error->message);
  explicit_bzero (key, sizeof key);

  return status;
}

static CtlExit
clear_key (const char *name)
{
  g_autoptr (GError) error = NULL;

  if (confab_keyring_clear (name, NULL, &error))
    return CTL_EXIT_OK;
  if (error != NULL)
    return ctl_fail (CTL_EXIT_FAILED, _ ("The keyring does not remove the key: %s"),
                     error->message);

  return ctl_fail (CTL_EXIT_FAILED, _ ("The keyring has no key of “%s”"), name);
}

/* Providers may be set up later, so that it is no error; but names are easily mistyped. */
static void
warn_of_unknown (Ctl *self, const char *name)
{
  g_autoptr (GVariant) reply = g_dbus_connection_call_sync (
      self->connection, CTL_NAME, CTL_ROOT, "org.freedesktop.DBus.Properties", "Get",
      g_variant_new ("(ss)", CTL_MANAGER, "Providers"), G_VARIANT_TYPE ("(v)"),
      G_DBUS_CALL_FLAGS_NO_AUTO_START, -1, NULL, NULL);
  g_autoptr (GVariant) providers = NULL;
  gboolean found = FALSE;

  if (reply == NULL)
    return;
  g_variant_get (reply, "(v)", &providers);
  for (gsize i = 0; i < g_variant_n_children (providers) && !found; i++)
    {
      g_autoptr (GVariant) provider = g_variant_get_child_value (providers, i);
      const char *known = "";

      g_variant_lookup (provider, "name", "&s", &known);
      found = g_str_equal (known, name);
    }
  if (!found)
    ctl_fail (CTL_EXIT_OK, _ ("The key is kept, but the running Confab has no provider “%s”"),
              name);
}

CtlExit
ctl_change_key (Ctl *self, char **args)
{
  gboolean set = g_str_equal (args[0], "set-key");
  const char *name = args[1];
  CtlExit status;

  if (!set && !g_str_equal (args[0], "clear-key"))
    return ctl_fail (CTL_EXIT_USAGE, _ ("“providers” knows set-key and clear-key, not “%s”"),
                     args[0]);
  if (name == NULL || name[0] == '\0')
    return ctl_fail (CTL_EXIT_USAGE, _ ("“providers %s” needs the name of a provider"), args[0]);
  if (self->system_bus)
    return ctl_fail (
        CTL_EXIT_USAGE, "%s",
        _ ("The system's Confab has no keyring; its keys are credentials of its unit"));

  status = set ? set_key (name) : clear_key (name);
  if (set && status == CTL_EXIT_OK)
    warn_of_unknown (self, name);

  return status;
}
