/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <glib-unix.h>
#include <glib/gi18n.h>
#include <stdio.h>
#include <string.h>

#include "ctl-watches.h"

#define PROPERTIES "org.freedesktop.DBus.Properties"

typedef struct
{
  Ctl *ctl;
  GMainLoop *loop;
  CtlExit status;
  CtlWatches *watches; /* NULL without --chunks */
  GHashTable *seen;    /* path of a module → Seen; NULL without --chunks */
} Monitor;

/* How much of the newest answer of a module was told. */
typedef struct
{
  char *generation;
  guint64 seq;
  gsize n_bytes;
} Seen;

/* One event of one line: what is said of it, in the order in which it is added. */
typedef struct
{
  const char *name;
  GVariantBuilder members;
  GString *words; /* for people */
} Event;

static void
event_init (Event *event, const char *name, const char *path)
{
  g_autofree char *session_id = NULL;
  g_autofree char *module_id = NULL;

  event->name = name;
  event->words = g_string_new (NULL);
  g_variant_builder_init (&event->members, G_VARIANT_TYPE_VARDICT);
  g_variant_builder_add (&event->members, "{sv}", "event", g_variant_new_string (name));
  g_variant_builder_add (&event->members, "{sv}", "at",
                         g_variant_new_int64 (g_get_real_time () / 1000));
  if (!ctl_parse_path (path, &session_id, &module_id))
    return;
  g_string_append (event->words, module_id != NULL ? module_id : session_id);
  g_variant_builder_add (&event->members, "{sv}", "sessionId", g_variant_new_string (session_id));
  if (module_id != NULL)
    g_variant_builder_add (&event->members, "{sv}", "moduleId", g_variant_new_string (module_id));
}

static void
event_add (Event *event, const char *name, GVariant *value)
{
  g_autoptr (GVariant) taken = g_variant_take_ref (value);

  g_variant_builder_add (&event->members, "{sv}", name, taken);
  if (event->words->len > 0)
    g_string_append_c (event->words, ' ');
  if (g_variant_is_of_type (taken, G_VARIANT_TYPE_STRING))
    {
      /* what was said may have lines */
      g_autofree char *text = strpbrk (g_variant_get_string (taken, NULL), "\n\t\"") != NULL
                                  ? g_variant_print (taken, FALSE)
                                  : g_variant_dup_string (taken, NULL);

      g_string_append (event->words, text);
    }
  else
    {
      /* cppcheck-suppress leakReturnValNotUsed ; it returns the text it was given */
      g_variant_print_string (taken, event->words, FALSE);
    }
}

/* Prints and clears @event. */
static void
event_tell (Event *event, Monitor *self)
{
  g_autoptr (GVariant) members = g_variant_ref_sink (g_variant_builder_end (&event->members));
  g_autoptr (GDateTime) now = g_date_time_new_now_local ();
  g_autofree char *time = g_date_time_format (now, "%H:%M:%S");

  if (self->ctl->json)
    ctl_print_json_line (members);
  else
    g_print ("%s %-16s %s\n", time, event->name, event->words->str);
  g_string_free (event->words, TRUE);

  /* whoever reads may have seen enough, as head does */
  if (fflush (stdout) != 0 || ferror (stdout))
    g_main_loop_quit (self->loop);
}

static void
seen_free (gpointer data)
{
  Seen *seen = data;

  g_free (seen->generation);
  g_free (seen);
}

/* What was told of @generation: nothing, if another one was the newest. */
static Seen *
find_seen (Monitor *self, const char *path, const char *generation)
{
  Seen *seen = g_hash_table_lookup (self->seen, path);

  if (seen == NULL || !g_str_equal (seen->generation, generation))
    {
      seen = g_new0 (Seen, 1);
      seen->generation = g_strdup (generation);
      g_hash_table_insert (self->seen, g_strdup (path), seen);
    }

  return seen;
}

static void
tell_chunk (Monitor *self,
            const char *path,
            const char *generation,
            guint64 from_seq,
            guint64 seq,
            const char *text)
{
  Event event;

  event_init (&event, "chunk", path);
  event_add (&event, "generationId", g_variant_new_string (generation));
  event_add (&event, "fromSeq", g_variant_new_uint64 (from_seq));
  event_add (&event, "seq", g_variant_new_uint64 (seq));
  event_add (&event, "chunk", g_variant_new_string (text));
  event_tell (&event, self);
}

/* What was written before Confab let us watch, or while we were too slow, is told now. */
static void
watched_cb (const char *path,
            const char *generation,
            guint64 seq,
            const char *text,
            gpointer user_data)
{
  Monitor *self = user_data;
  Seen *seen;

  if (generation[0] == '\0')
    return;

  seen = find_seen (self, path, generation);
  if (strlen (text) > seen->n_bytes)
    tell_chunk (self, path, generation, seen->seq + 1, seq, text + seen->n_bytes);
  seen->seq = MAX (seen->seq, seq);
  seen->n_bytes = MAX (seen->n_bytes, strlen (text));
}

/* @parameters: of Chunk or Reasoning */
static void
note_chunk (Monitor *self, const char *path, const char *name, GVariant *parameters)
{
  const char *generation, *text;
  guint64 seq;
  Seen *seen;

  g_variant_get (parameters, "(&stt&s)", &generation, NULL, &seq, &text);
  seen = find_seen (self, path, generation);
  seen->seq = seq;
  if (g_str_equal (name, "Chunk"))
    seen->n_bytes += strlen (text);
}

static void
watch_module (Monitor *self, const char *path)
{
  if (self->watches != NULL)
    ctl_watches_add (self->watches, path);
}

static void
tell_objects (Monitor *self, const char *name, GVariant *parameters)
{
  gboolean added = g_str_equal (name, "InterfacesAdded");
  g_autofree char *session_id = NULL;
  g_autofree char *module_id = NULL;
  const char *path;
  Event event;

  g_variant_get_child (parameters, 0, "&o", &path);
  if (!ctl_parse_path (path, &session_id, &module_id))
    return;

  if (module_id != NULL)
    event_init (&event, added ? "module-added" : "module-removed", path);
  else
    event_init (&event, added ? "session-added" : "session-removed", path);
  event_tell (&event, self);
  if (added && module_id != NULL)
    watch_module (self, path);
  else if (self->seen != NULL)
    g_hash_table_remove (self->seen, path);
}

/* The states of modules, and the numbers of the manager; texts are in no broadcast. */
static void
tell_properties (Monitor *self, const char *path, GVariant *parameters)
{
  g_autoptr (GVariant) changed = g_variant_get_child_value (parameters, 1);
  GVariantIter iter;
  const char *name;
  GVariant *value;

  g_variant_iter_init (&iter, changed);
  while (g_variant_iter_loop (&iter, "{&sv}", &name, &value))
    {
      gboolean is_state = g_str_equal (name, "State");
      Event event;

      if (!is_state && !g_str_equal (name, "Connections")
          && !g_str_equal (name, "ActiveGenerations"))
        continue;
      event_init (&event, is_state ? "state" : "service", path);
      if (!is_state)
        g_string_append (event.words, name);
      event_add (&event,
                 is_state                            ? "state"
                 : g_str_equal (name, "Connections") ? "connections"
                                                     : "activeGenerations",
                 g_variant_ref (value));
      event_tell (&event, self);
    }
}

/* Signals of a module: as what they are told, and how their arguments are called. */
static const struct
{
  const char *signal;
  const char *event;
  const char *members[4];
} module_events[] = {
  { "GenerationStarted", "started", { "generationId" } },
  { "GenerationCompleted", "completed", { "generationId", "finishReason" } },
  { "GenerationFailed", "failed", { "generationId", "code", "error" } },
  { "Chunk", "chunk", { "generationId", "fromSeq", "seq", "chunk" } },
  { "Reasoning", "reasoning", { "generationId", "fromSeq", "seq", "chunk" } },
  { "BranchChanged", "branch", { "headId" } },
  { "Resync", "resync", { "generationId", "seq" } },
};

static void
tell_module (Monitor *self, const char *path, const char *name, GVariant *parameters)
{
  for (guint i = 0; i < G_N_ELEMENTS (module_events); i++)
    {
      Event event;

      if (!g_str_equal (module_events[i].signal, name))
        continue;
      event_init (&event, module_events[i].event, path);
      for (guint j = 0; j < 4 && module_events[i].members[j] != NULL; j++)
        event_add (&event, module_events[i].members[j], g_variant_get_child_value (parameters, j));
      event_tell (&event, self);
    }
  if (self->seen == NULL)
    return;
  if (g_str_equal (name, "GenerationStarted"))
    ctl_watches_hurry (self->watches, path);
  else if (g_str_equal (name, "Chunk") || g_str_equal (name, "Reasoning"))
    note_chunk (self, path, name, parameters);
  else if (g_str_equal (name, "Resync"))
    /* we read too slowly, and go on from here */
    watch_module (self, path);
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
  Monitor *self = user_data;

  if (g_str_equal (interface, "org.freedesktop.DBus.ObjectManager"))
    tell_objects (self, name, parameters);
  else if (g_str_equal (interface, PROPERTIES))
    tell_properties (self, path, parameters);
  else if (g_str_equal (interface, CTL_MODULE))
    tell_module (self, path, name, parameters);
}

static gboolean
interrupt_cb (gpointer user_data)
{
  Monitor *self = user_data;

  g_main_loop_quit (self->loop);

  return G_SOURCE_CONTINUE;
}

static CtlExit
watch_all (Monitor *self)
{
  CtlExit status = CTL_EXIT_OK;
  g_autoptr (GVariant) reply = ctl_call (self->ctl, CTL_ROOT, "org.freedesktop.DBus.ObjectManager",
                                         "GetManagedObjects", NULL, "(a{oa{sa{sv}}})", &status);
  g_autoptr (GVariantIter) objects = NULL;
  const char *path;

  if (reply == NULL)
    return status;

  g_variant_get (reply, "(a{oa{sa{sv}}})", &objects);
  while (g_variant_iter_loop (objects, "{&o@a{sa{sv}}}", &path, NULL))
    {
      g_autofree char *session_id = NULL;
      g_autofree char *module_id = NULL;

      if (ctl_parse_path (path, &session_id, &module_id) && module_id != NULL)
        watch_module (self, path);
    }

  return CTL_EXIT_OK;
}

CtlExit
ctl_monitor (Ctl *self, char **args)
{
  Monitor monitor = { .ctl = self };
  guint subscription, sources[2];

  if (self->chunks)
    {
      ctl_take_watcher_name (self);
      monitor.watches = ctl_watches_new (self, watched_cb, &monitor);
      monitor.seen = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, seen_free);
    }
  subscription =
      g_dbus_connection_signal_subscribe (self->connection, CTL_NAME, NULL, NULL, NULL, NULL,
                                          G_DBUS_SIGNAL_FLAGS_NONE, signal_cb, &monitor, NULL);
  /* this starts Confab, where it is started on demand */
  monitor.status = watch_all (&monitor);
  if (monitor.status == CTL_EXIT_OK)
    {
      monitor.loop = g_main_loop_new (NULL, FALSE);
      sources[0] = g_unix_signal_add (SIGINT, interrupt_cb, &monitor);
      sources[1] = g_unix_signal_add (SIGTERM, interrupt_cb, &monitor);
      monitor.status = ctl_run (self, monitor.loop);
      for (guint i = 0; i < G_N_ELEMENTS (sources); i++)
        g_source_remove (sources[i]);
      g_main_loop_unref (monitor.loop);
    }
  g_dbus_connection_signal_unsubscribe (self->connection, subscription);
  g_clear_pointer (&monitor.watches, ctl_watches_free);
  g_clear_pointer (&monitor.seen, g_hash_table_unref);

  return monitor.status;
}
