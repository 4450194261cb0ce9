/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <gio/gunixinputstream.h>
#include <glib-unix.h>
#include <glib/gi18n.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "ctl.h"

/* Others may ask in the same module before we have read why ours failed. */
#define REASON_MESSAGES 4

/* One question and its answer. */
typedef struct
{
  Ctl *ctl;
  char *path;
  char *generation; /* NULL until it was accepted */
  GString *text;
  GMainLoop *loop;
  CtlExit status;
  gboolean stopping;
  char *finish_reason;
} Chat;

static void
add_text (Chat *self, const char *text)
{
  g_string_append (self->text, text);
  if (self->ctl->json)
    return;
  fputs (text, stdout);
  fflush (stdout);
}

/* What came while we read too slowly, and all that comes from here on. */
static void
watch (Chat *self)
{
  g_autoptr (GVariant) reply =
      ctl_call (self->ctl, self->path, CTL_MODULE, "Watch", NULL, "(sts)", &self->status);
  const char *generation;
  const char *text;

  if (reply == NULL)
    return;
  g_variant_get (reply, "(&st&s)", &generation, NULL, &text);
  if (g_strcmp0 (generation, self->generation) == 0 && strlen (text) > self->text->len)
    add_text (self, text + self->text->len);
}

/*
 * The signal that tells all of a failure does not tell what the model server said.
 *
 * Returns: (transfer full) (nullable): the sentence that is kept with the answer; NULL if that is
 * no longer among the newest
 */
static char *
read_reason (Chat *self)
{
  g_autoptr (GVariant) reply = g_dbus_connection_call_sync (
      self->ctl->connection, CTL_NAME, self->path, CTL_MODULE, "GetHistory",
      g_variant_new ("(us)", REASON_MESSAGES, ""), G_VARIANT_TYPE ("(aa{sv})"),
      G_DBUS_CALL_FLAGS_NONE, -1, NULL, NULL);
  g_autoptr (GVariant) messages = reply != NULL ? g_variant_get_child_value (reply, 0) : NULL;

  for (gsize i = 0; messages != NULL && i < g_variant_n_children (messages); i++)
    {
      g_autoptr (GVariant) message = g_variant_get_child_value (messages, i);
      const char *generation;
      char *reason;

      if (g_variant_lookup (message, "generationId", "&s", &generation)
          && g_str_equal (generation, self->generation)
          && g_variant_lookup (message, "error", "s", &reason))
        return reason;
    }

  return NULL;
}

static void
tell_failure (Chat *self, const char *sentence)
{
  g_autofree char *reason = read_reason (self);

  self->status = ctl_fail (CTL_EXIT_FAILED, "%s", reason != NULL ? reason : sentence);
  g_main_loop_quit (self->loop);
}

static void
signal_cb (GDBusConnection *connection,
           const char *sender,
           const char *path,
           const char *interface,
           const char *name,
           GVariant *parameters,
           gpointer user_data)
{
  Chat *self = user_data;
  const char *generation;
  const char *second;
  const char *third;

  g_variant_get_child (parameters, 0, "&s", &generation);
  if (g_strcmp0 (generation, self->generation) != 0)
    return;

  if (g_str_equal (name, "Chunk"))
    {
      g_variant_get_child (parameters, 3, "&s", &second);
      add_text (self, second);
    }
  else if (g_str_equal (name, "Resync"))
    watch (self);
  else if (g_str_equal (name, "GenerationCompleted"))
    {
      g_variant_get (parameters, "(&s&s)", NULL, &second);
      self->finish_reason = g_strdup (second);
      self->status = self->stopping ? CTL_EXIT_STOPPED : CTL_EXIT_OK;
      g_main_loop_quit (self->loop);
    }
  else if (g_str_equal (name, "GenerationFailed"))
    {
      g_variant_get (parameters, "(&s&s&s)", NULL, NULL, &third);
      tell_failure (self, third);
    }
}

static gboolean
interrupt_cb (gpointer user_data)
{
  Chat *self = user_data;

  /* the second time somebody means it */
  if (self->stopping)
    {
      self->status = CTL_EXIT_STOPPED;
      g_main_loop_quit (self->loop);
      return G_SOURCE_CONTINUE;
    }

  self->stopping = TRUE;
  g_dbus_connection_call (self->ctl->connection, CTL_NAME, self->path, CTL_MODULE, "Stop", NULL,
                          NULL, G_DBUS_CALL_FLAGS_NONE, -1, NULL, NULL, NULL);

  return G_SOURCE_CONTINUE;
}

/* The module of -m, which is made if there is none, else a new one. */
static char *
ensure_module (Ctl *self, CtlExit *status)
{
  g_auto (GVariantBuilder) session_options = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE_VARDICT);
  g_auto (GVariantBuilder) options = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE_VARDICT);
  g_autoptr (GVariant) session = NULL;
  g_autoptr (GVariant) module = NULL;
  const char *session_path;
  char *path = NULL;

  if (self->module != NULL)
    {
      g_autoptr (GVariant) known = g_dbus_connection_call_sync (
          self->connection, CTL_NAME, CTL_ROOT, CTL_MANAGER, "GetModule",
          g_variant_new ("(s)", self->module), G_VARIANT_TYPE ("(o)"), G_DBUS_CALL_FLAGS_NONE, -1,
          NULL, NULL);

      if (known != NULL)
        {
          g_variant_get (known, "(o)", &path);
          return path;
        }
      g_variant_builder_add (&options, "{sv}", "moduleId", g_variant_new_string (self->module));
    }

  g_variant_builder_add (&session_options, "{sv}", "sessionId", g_variant_new_string ("default"));
  session = ctl_call (self, CTL_ROOT, CTL_MANAGER, "CreateSession",
                      g_variant_new ("(sa{sv})", "", &session_options), "(o)", status);
  if (session == NULL)
    return NULL;
  g_variant_get (session, "(&o)", &session_path);
  module = ctl_call (self, session_path, CTL_SESSION, "CreateModule",
                     g_variant_new ("(sa{sv})", "", &options), "(o)", status);
  if (module != NULL)
    g_variant_get (module, "(o)", &path);

  return path;
}

/* Returns: (transfer full): the arguments, and what is piped in below them */
static char *
read_question (char **args, GError **error)
{
  g_autoptr (GString) text = g_string_new (NULL);
  g_autofree char *joined = g_strjoinv (" ", args);
  char buffer[4096];
  size_t length;

  g_string_append (text, joined);
  if (isatty (STDIN_FILENO))
    return g_string_free (g_steal_pointer (&text), FALSE);

  if (text->len > 0)
    g_string_append (text, "\n\n");
  /* what is too long is refused; so there is no need to read all of it */
  while (text->len <= 1024 * 1024 && (length = fread (buffer, 1, sizeof buffer, stdin)) > 0)
    g_string_append_len (text, buffer, (gssize) length);
  while (text->len > 0 && g_ascii_isspace (text->str[text->len - 1]))
    g_string_truncate (text, text->len - 1);
  if (!g_utf8_validate_len (text->str, text->len, NULL))
    {
      g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
                           _ ("The question is no UTF-8 text"));
      return NULL;
    }

  return g_string_free (g_steal_pointer (&text), FALSE);
}

static void
print_result (Chat *self)
{
  g_auto (GVariantBuilder) builder = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE_VARDICT);
  g_autoptr (GVariant) result = NULL;

  if (!self->ctl->json)
    {
      if (self->text->len > 0)
        putchar ('\n');
      return;
    }

  g_variant_builder_add (&builder, "{sv}", "generationId", g_variant_new_string (self->generation));
  g_variant_builder_add (&builder, "{sv}", "message", g_variant_new_string (self->text->str));
  if (self->finish_reason != NULL)
    g_variant_builder_add (&builder, "{sv}", "finishReason",
                           g_variant_new_string (self->finish_reason));
  result = g_variant_ref_sink (g_variant_builder_end (&builder));
  ctl_print_json (result);
}

static void
ask (Chat *self, const char *question)
{
  g_autoptr (GVariant) reply = NULL;
  guint subscription = g_dbus_connection_signal_subscribe (
      self->ctl->connection, CTL_NAME, CTL_MODULE, NULL, self->path, NULL, G_DBUS_SIGNAL_FLAGS_NONE,
      signal_cb, self, NULL);
  guint source = g_unix_signal_add (SIGINT, interrupt_cb, self);

  ctl_take_watcher_name (self->ctl);
  watch (self);
  if (self->status == CTL_EXIT_OK)
    reply = ctl_call (self->ctl, self->path, CTL_MODULE, "Generate",
                      g_variant_new ("(sa{sv})", question, NULL), "(s)", &self->status);
  if (reply != NULL)
    {
      CtlExit gone;

      g_variant_get (reply, "(s)", &self->generation);
      /* signals wait for the main loop, so that none is missed */
      gone = ctl_run (self->ctl, self->loop);
      if (gone != CTL_EXIT_OK)
        self->status = gone;
      print_result (self);
    }
  g_source_remove (source);
  g_dbus_connection_signal_unsubscribe (self->ctl->connection, subscription);
}

CtlExit
ctl_chat (Ctl *self, char **args)
{
  Chat chat = { .ctl = self, .status = CTL_EXIT_OK };
  g_autoptr (GError) error = NULL;
  g_autofree char *question = read_question (args, &error);

  if (question == NULL || question[0] == '\0')
    return ctl_fail (CTL_EXIT_USAGE, "%s",
                     error != NULL ? error->message : _ ("There is no question"));

  chat.path = ensure_module (self, &chat.status);
  if (chat.path == NULL)
    return chat.status;
  chat.text = g_string_new (NULL);
  chat.loop = g_main_loop_new (NULL, FALSE);
  ask (&chat, question);
  g_main_loop_unref (chat.loop);
  g_string_free (chat.text, TRUE);
  g_free (chat.finish_reason);
  g_free (chat.generation);
  g_free (chat.path);

  return chat.status;
}
