/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>
#include <glib-unix.h>
#include <glib/gi18n.h>
#include <signal.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "confab-keyring.h"
#include "ctl.h"

/* Longer than any key there is. */
#define KEY_MAX_BYTES 4000

/* One line of standard input, read byte by byte, so that no buffer keeps a copy. */
typedef struct
{
  char *text; /* of the caller */
  gsize size;
  gsize length;
  int error; /* EINTR: somebody pressed Ctrl-C */
  GMainLoop *loop;
} Line;

/* Returns: whether there may be more */
static gboolean
read_byte (Line *self)
{
  char byte;
  gssize n = read (STDIN_FILENO, &byte, 1);

  if (n < 0)
    self->error = errno;
  if (n <= 0 || byte == '\n')
    return FALSE;

  /* what is too long is seen by its length */
  if (self->length + 1 < self->size)
    self->text[self->length++] = byte;

  return TRUE;
}

static gboolean
readable_cb (int fd, GIOCondition condition, gpointer user_data)
{
  Line *self = user_data;

  if (!read_byte (self))
    g_main_loop_quit (self->loop);

  return G_SOURCE_CONTINUE;
}

static gboolean
interrupt_cb (gpointer user_data)
{
  Line *self = user_data;

  self->error = EINTR;
  g_main_loop_quit (self->loop);

  return G_SOURCE_CONTINUE;
}

/* The terminal shows nothing of what is typed, and is as it was whatever ends this. */
static void
ask_terminal (Line *self, const char *name)
{
  const int signals[] = { SIGINT, SIGTERM, SIGHUP };
  guint sources[G_N_ELEMENTS (signals) + 1];
  struct termios shown, hidden;

  if (tcgetattr (STDIN_FILENO, &shown) != 0)
    {
      self->error = errno;
      return;
    }

  self->loop = g_main_loop_new (NULL, FALSE);
  for (guint i = 0; i < G_N_ELEMENTS (signals); i++)
    sources[i] = g_unix_signal_add (signals[i], interrupt_cb, self);
  sources[G_N_ELEMENTS (signals)] =
      g_unix_fd_add (STDIN_FILENO, G_IO_IN | G_IO_HUP | G_IO_ERR, readable_cb, self);
  hidden = shown;
  hidden.c_lflag &= (tcflag_t) ~(ECHO | ECHONL);
  tcsetattr (STDIN_FILENO, TCSAFLUSH, &hidden);
  /* whoever types sees it only when nothing is shown any more */
  g_printerr (_ ("Key of “%s”: "), name);

  g_main_loop_run (self->loop);
  tcsetattr (STDIN_FILENO, TCSAFLUSH, &shown);
  g_printerr ("\n");
  for (guint i = 0; i < G_N_ELEMENTS (sources); i++)
    g_source_remove (sources[i]);
  g_clear_pointer (&self->loop, g_main_loop_unref);
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
  Line line = { .text = key, .size = size };

  if (isatty (STDIN_FILENO))
    ask_terminal (&line, name);
  else
    while (read_byte (&line))
      ;
  if (line.error != 0)
    return line.error == EINTR ? CTL_EXIT_STOPPED
                               : ctl_fail (CTL_EXIT_FAILED, _ ("The key cannot be read: %s"),
                                           g_strerror (line.error));

  while (line.length > 0 && g_ascii_isspace (key[line.length - 1]))
    line.length--;
  key[line.length] = '\0';
  if (line.length == 0)
    return ctl_fail (CTL_EXIT_USAGE, "%s", _ ("There is no key, so nothing was changed"));
  if (line.length > KEY_MAX_BYTES || !is_key (key, line.length))
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
