/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "confab-bus-private.h"

#include "confab-error.h"

static void
touch_module (ConfabBus *self, const char *module_id)
{
  ConfabModule *module = confab_service_lookup_module (self->service, module_id);
  g_autofree char *path = module != NULL ? confab_bus_module_path (module) : NULL;

  if (path != NULL)
    confab_bus_touch (self, path);
  confab_bus_touch (self, CONFAB_BUS_PATH);
}

static void
state_changed_cb (ConfabGeneration *generation, gpointer user_data)
{
  touch_module (CONFAB_BUS (user_data), confab_generation_get_module_id (generation));
}

/* Whoever is on the bus hears this. An error's message may be the model server's, which may repeat
 * what was said: that is for those who ask for it, by GetHistory(). */
static void
tell_end (ConfabBus *self, const char *path, ConfabGeneration *generation)
{
  const ConfabOutcome *outcome = confab_generation_get_outcome (generation);
  const GError *error = confab_generation_get_error (generation);
  const char *id = confab_generation_get_id (generation);
  g_autofree char *sentence = NULL;

  if (outcome != NULL)
    confab_bus_emit (
        self, path, CONFAB_BUS_MODULE_INTERFACE, "GenerationCompleted",
        g_variant_new ("(ss)", id, confab_finish_reason_to_string (outcome->finish_reason)));
  else
    {
      sentence = g_strconcat (confab_error_to_words (error), ".", NULL);
      confab_bus_emit (self, path, CONFAB_BUS_MODULE_INTERFACE, "GenerationFailed",
                       g_variant_new ("(sss)", id, confab_error_to_code (error), sentence));
    }
}

static void
ended_cb (ConfabGeneration *generation, gpointer user_data)
{
  ConfabBus *self = CONFAB_BUS (user_data);
  const char *module_id = confab_generation_get_module_id (generation);
  const char *path = g_hash_table_lookup (self->generations, generation);

  g_signal_handlers_disconnect_by_data (generation, self);
  confab_bus_watchers_end (self->watchers, generation);
  tell_end (self, path, generation);
  touch_module (self, module_id);
  g_hash_table_remove (self->generations, generation);
}

/**
 * confab_bus_track:
 * @self: the bus face
 * @generation: one that somebody was told of
 *
 * Tells its end when it comes.
 */
void
confab_bus_track (ConfabBus *self, ConfabGeneration *generation)
{
  ConfabModule *module =
      confab_service_lookup_module (self->service, confab_generation_get_module_id (generation));

  /* it has been deleted, or the end stands */
  if (module == NULL || confab_generation_is_ended (generation)
      || g_hash_table_contains (self->generations, generation))
    return;

  g_hash_table_insert (self->generations, g_object_ref (generation),
                       confab_bus_module_path (module));
  g_signal_connect (generation, "state-changed", G_CALLBACK (state_changed_cb), self);
  g_signal_connect (generation, "ended", G_CALLBACK (ended_cb), self);
}

static void
started_cb (ConfabService *service, ConfabGeneration *generation, gpointer user_data)
{
  ConfabBus *self = CONFAB_BUS (user_data);
  const char *module_id = confab_generation_get_module_id (generation);
  ConfabModule *module = confab_service_lookup_module (service, module_id);
  g_autofree char *path = module != NULL ? confab_bus_module_path (module) : NULL;

  confab_bus_track (self, generation);
  confab_bus_watchers_start (self->watchers, generation);
  if (path != NULL)
    confab_bus_emit (self, path, CONFAB_BUS_MODULE_INTERFACE, "GenerationStarted",
                     g_variant_new ("(s)", confab_generation_get_id (generation)));
  touch_module (self, module_id);
}

void
confab_bus_show_session (ConfabBus *self, ConfabSession *session)
{
  g_autofree char *path = confab_bus_session_path (confab_session_get_id (session));

  if (self->connection == NULL)
    return;

  if (g_hash_table_contains (self->objects, path))
    confab_bus_touch (self, path);
  else
    confab_bus_add_object (self, path, &confab_bus_session_kind, session, TRUE);
}

static void
session_changed_cb (ConfabService *service,
                    const char *session_id,
                    ConfabSession *session,
                    gpointer user_data)
{
  ConfabBus *self = CONFAB_BUS (user_data);
  g_autofree char *path = confab_bus_session_path (session_id);

  if (session != NULL)
    confab_bus_show_session (self, session);
  else if (self->connection != NULL)
    confab_bus_remove_object (self, path);
}

static void
touch_session_of (ConfabBus *self, ConfabModule *module)
{
  g_autofree char *path = confab_bus_session_path (confab_module_get_session_id (module));

  confab_bus_touch (self, path);
}

/**
 * confab_bus_add_module:
 * @self: the bus face, with a connection
 * @module: one that is not shown
 * @tell: whether to tell all that it is there
 */
void
confab_bus_add_module (ConfabBus *self, ConfabModule *module, gboolean tell)
{
  g_autofree char *path = confab_bus_module_path (module);

  g_hash_table_replace (self->modules, (char *) confab_module_get_id (module),
                        g_object_ref (module));
  confab_bus_add_object (self, path, &confab_bus_module_kind, module, tell);
}

void
confab_bus_show_module (ConfabBus *self, ConfabModule *module)
{
  g_autofree char *path = confab_bus_module_path (module);

  if (self->connection == NULL)
    return;

  if (g_hash_table_contains (self->objects, path))
    {
      confab_bus_touch (self, path);
      return;
    }

  confab_bus_add_module (self, module, TRUE);
  touch_session_of (self, module);
}

/* The service does not know it any more. */
static void
remove_module (ConfabBus *self, const char *module_id)
{
  gpointer value;
  g_autoptr (ConfabModule) module = NULL;
  g_autofree char *path = NULL;

  if (!g_hash_table_steal_extended (self->modules, module_id, NULL, &value))
    return;

  module = value;
  path = confab_bus_module_path (module);
  confab_bus_remove_object (self, path);
  touch_session_of (self, module);
}

static void
module_changed_cb (ConfabService *service,
                   const char *module_id,
                   ConfabModule *module,
                   gpointer user_data)
{
  ConfabBus *self = CONFAB_BUS (user_data);

  if (module != NULL)
    {
      confab_bus_show_module (self, module);
      return;
    }

  confab_bus_watchers_forget_module (self->watchers, module_id);
  remove_module (self, module_id);
}

/* Forgets all generations, whose ends are not told then. */
void
confab_bus_untrack_all (ConfabBus *self)
{
  GHashTableIter iter;
  gpointer generation;

  g_hash_table_iter_init (&iter, self->generations);
  while (g_hash_table_iter_next (&iter, &generation, NULL))
    g_signal_handlers_disconnect_by_data (generation, self);
  g_hash_table_remove_all (self->generations);
}

/* Tells what the service does from now on. */
void
confab_bus_follow_service (ConfabBus *self)
{
  ConfabService *service = self->service;

  g_signal_connect_object (service, "generation-started", G_CALLBACK (started_cb), self, 0);
  g_signal_connect_object (service, "branch-changed", G_CALLBACK (confab_bus_branch_changed_cb),
                           self, 0);
  g_signal_connect_object (service, "session-changed", G_CALLBACK (session_changed_cb), self, 0);
  g_signal_connect_object (service, "module-changed", G_CALLBACK (module_changed_cb), self, 0);
}
