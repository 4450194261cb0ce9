/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <glib/gi18n-lib.h>

#include "confab-error.h"
#include "confab-id.h"
#include "confab-kept.h"
#include "confab-rows.h"
#include "confab-run.h"

/*
 * session:* and module:*. A change is made in memory at once, so that the next one builds on it; it
 * is told when it is on disk, and taken back when it cannot get there.
 */
typedef struct
{
  JsonObject *payload;
  gpointer object;
  GPtrArray *modules;       /* of ConfabModule: those that go with a session */
  ConfabSnapshot *snapshot; /* what is on disk when this is */
} Change;

static void
change_free (gpointer data)
{
  Change *change = data;

  g_clear_pointer (&change->payload, json_object_unref);
  g_clear_pointer (&change->snapshot, confab_snapshot_free);
  g_clear_pointer (&change->modules, g_ptr_array_unref);
  g_clear_object (&change->object);
  g_free (change);
}

static GTask *
begin (ConfabService *self,
       const char *call,
       JsonObject *payload,
       gpointer tag,
       GAsyncReadyCallback callback,
       gpointer user_data)
{
  GTask *task = confab_service_begin_call (self, call, payload, tag, callback, user_data);
  Change *change;

  if (task == NULL)
    return NULL;

  change = g_new0 (Change, 1);
  change->payload = json_object_ref (payload);
  g_task_set_task_data (task, change, change_free);

  return task;
}

static void
return_object (GTask *task, gpointer object)
{
  g_task_return_pointer (task, g_object_ref (object), g_object_unref);
}

static gint64
now_ms (void)
{
  return g_get_real_time () / 1000;
}

/* Sessions */

static void
session_written_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  ConfabService *self = g_task_get_source_object (task);
  Change *change = g_task_get_task_data (task);
  ConfabSession *session = change->object;
  g_autoptr (GError) error = NULL;

  if (confab_store_commit_finish (CONFAB_STORE (source), result, &error))
    {
      confab_kept_written (session, g_steal_pointer (&change->snapshot));
      return_object (task, session);
      confab_service_emit_session (self, confab_session_get_id (session), session);
      return;
    }

  if (confab_kept_refused (session))
    confab_service_remove_session (self, session);
  g_task_return_error (task, confab_service_storage_error (error));
}

static void
write_session (GTask *task)
{
  ConfabService *self = g_task_get_source_object (task);
  Change *change = g_task_get_task_data (task);
  g_autoptr (ConfabBatch) batch = confab_batch_new (CONFAB_BATCH_DURABLE);

  change->snapshot = confab_snapshot_new (change->object);
  confab_rows_put_session (batch, change->object);
  confab_store_commit_async (self->store, batch, session_written_cb, g_object_ref (task));
}

static void
create_session (GTask *task)
{
  ConfabService *self = g_task_get_source_object (task);
  Change *change = g_task_get_task_data (task);
  const char *id = confab_rules_get_string (change->payload, "sessionId");
  const char *title = confab_rules_get_string (change->payload, "title");
  g_autofree char *new_id = id != NULL ? g_strdup (id) : confab_id_new ();

  /* asked again, as by a client that lost the answer */
  if (g_hash_table_contains (self->sessions, new_id))
    {
      return_object (task, g_hash_table_lookup (self->sessions, new_id));
      return;
    }
  if (g_hash_table_size (self->sessions) >= CONFAB_MAX_SESSIONS)
    {
      confab_service_refuse (task, CONFAB_ERROR_INVALID_REQUEST,
                             _ ("There are too many sessions; delete some first."));
      return;
    }

  change->object = g_object_ref (confab_service_add_session (self, new_id));
  confab_kept_begin (change->object, TRUE);
  if (title != NULL)
    confab_session_set_title (change->object, title);
  write_session (task);
}

static void
update_session (GTask *task, ConfabSession *session)
{
  Change *change = g_task_get_task_data (task);

  change->object = g_object_ref (session);
  confab_kept_begin (session, FALSE);
  confab_session_set_title (session, confab_rules_get_string (change->payload, "title"));
  confab_session_set_updated_at (session, now_ms ());
  write_session (task);
}

static void
stop_module (ConfabService *self, ConfabModule *module)
{
  for (guint i = 0; i < confab_module_get_n_generations (module); i++)
    {
      ConfabRun *run = g_hash_table_lookup (self->runs, confab_module_get_generation (module, i));

      if (run != NULL)
        confab_run_stop (run, NULL, NULL, NULL);
    }
}

static void
session_deleted_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  ConfabService *self = g_task_get_source_object (task);
  Change *change = g_task_get_task_data (task);
  g_autoptr (GError) error = NULL;

  if (!confab_store_commit_finish (CONFAB_STORE (source), result, &error))
    {
      confab_service_take_session (self, change->object);
      for (guint i = 0; i < change->modules->len; i++)
        confab_service_take_module (self, g_ptr_array_index (change->modules, i));
      g_task_return_error (task, confab_service_storage_error (error));
      return;
    }

  return_object (task, change->object);
  for (guint i = 0; i < change->modules->len; i++)
    confab_service_emit_module (self, confab_module_get_id (g_ptr_array_index (change->modules, i)),
                                NULL);
  confab_service_emit_session (self, confab_session_get_id (change->object), NULL);
}

/* What is deleted is gone from memory at once, so that nothing new is written into it. */
static void
delete_session (GTask *task, ConfabSession *session)
{
  ConfabService *self = g_task_get_source_object (task);
  Change *change = g_task_get_task_data (task);
  g_autoptr (ConfabBatch) batch = confab_batch_new (CONFAB_BATCH_DURABLE);
  gpointer module;

  change->object = g_object_ref (session);
  change->modules = g_ptr_array_new_with_free_func (g_object_unref);
  while ((module = g_list_model_get_item (G_LIST_MODEL (session), 0)) != NULL)
    {
      g_ptr_array_add (change->modules, module);
      stop_module (self, module);
      confab_service_remove_module (self, module);
    }
  confab_batch_delete_session (batch, confab_session_get_id (session));
  confab_service_remove_session (self, session);
  confab_store_commit_async (self->store, batch, session_deleted_cb, g_object_ref (task));
}

/**
 * confab_service_change_session_async:
 * @self: the service
 * @call: `session:create`, `session:update` or `session:delete`
 * @payload: what came with it
 * @callback: called when the change is on disk, or refused
 * @user_data: for @callback
 *
 * Creating a session that exists answers with it as it is, so that a create can be repeated.
 */
void
confab_service_change_session_async (ConfabService *self,
                                     const char *call,
                                     JsonObject *payload,
                                     GAsyncReadyCallback callback,
                                     gpointer user_data)
{
  g_autoptr (GTask) task = NULL;
  ConfabSession *session;
  GError *error = NULL;

  g_return_if_fail (CONFAB_IS_SERVICE (self));

  task = begin (self, call, payload, confab_service_change_session_async, callback, user_data);
  if (task == NULL)
    return;
  if (g_str_equal (call, "session:create"))
    {
      create_session (task);
      return;
    }

  session =
      confab_service_require_session (self, confab_rules_get_string (payload, "sessionId"), &error);
  if (session == NULL)
    g_task_return_error (task, error);
  else if (g_str_equal (call, "session:update"))
    update_session (task, session);
  else
    delete_session (task, session);
}

/**
 * confab_service_change_session_finish:
 *
 * Returns: (transfer full) (nullable): the session as it is now; when deleted, as it was
 */
ConfabSession *
confab_service_change_session_finish (ConfabService *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), NULL);

  return g_task_propagate_pointer (G_TASK (result), error);
}

/* Modules */

/* An empty string, or null, takes a setting back to its default. */
static const char *
get_setting (JsonObject *payload, const char *name)
{
  const char *value = confab_rules_get_string (payload, name);

  return value != NULL && value[0] != '\0' ? value : NULL;
}

static void
apply_settings (ConfabModule *module, JsonObject *payload)
{
  if (json_object_has_member (payload, "title"))
    {
      const char *title = get_setting (payload, "title");

      confab_module_set_title (module, title != NULL ? title : "", title == NULL);
    }
  if (json_object_has_member (payload, "instructions"))
    confab_module_set_instructions (module, get_setting (payload, "instructions"));
  if (json_object_has_member (payload, "provider"))
    confab_module_set_provider (module, get_setting (payload, "provider"));
  if (json_object_has_member (payload, "model"))
    confab_module_set_model (module, get_setting (payload, "model"));
  if (json_object_has_member (payload, "parameters"))
    {
      JsonNode *node = json_object_get_member (payload, "parameters");

      confab_module_set_parameters (
          module, JSON_NODE_HOLDS_OBJECT (node) ? json_node_get_object (node) : NULL);
    }
}

/* How many modules it has is told of a session. */
static void
emit_session_of (ConfabService *self, ConfabModule *module)
{
  const char *id = confab_module_get_session_id (module);
  ConfabSession *session = g_hash_table_lookup (self->sessions, id);

  if (session != NULL)
    confab_service_emit_session (self, id, session);
}

static void
module_written_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  ConfabService *self = g_task_get_source_object (task);
  Change *change = g_task_get_task_data (task);
  ConfabModule *module = change->object;
  gboolean is_new = !confab_kept_is_on_disk (module);
  g_autoptr (GError) error = NULL;

  if (confab_store_commit_finish (CONFAB_STORE (source), result, &error))
    {
      confab_kept_written (module, g_steal_pointer (&change->snapshot));
      return_object (task, module);
      if (is_new)
        emit_session_of (self, module);
      confab_service_emit_module (self, confab_module_get_id (module), module);
      return;
    }

  if (confab_kept_refused (module))
    confab_service_remove_module (self, module);
  g_task_return_error (task, confab_service_storage_error (error));
}

static void
write_module (GTask *task)
{
  ConfabService *self = g_task_get_source_object (task);
  Change *change = g_task_get_task_data (task);
  g_autoptr (ConfabBatch) batch = confab_batch_new (CONFAB_BATCH_DURABLE);

  change->snapshot = confab_snapshot_new (change->object);
  confab_rows_put_module (batch, change->object);
  confab_store_commit_async (self->store, batch, module_written_cb, g_object_ref (task));
}

/* Whether the provider that @payload names, if any, can be had. */
static gboolean
knows_provider (ConfabService *self, JsonObject *payload)
{
  const char *name = get_setting (payload, "provider");

  return name == NULL
         || (self->providers != NULL
             && confab_provider_registry_lookup (self->providers, name) != NULL);
}

static void
create_module (GTask *task)
{
  ConfabService *self = g_task_get_source_object (task);
  Change *change = g_task_get_task_data (task);
  const char *session_id = confab_rules_get_string (change->payload, "sessionId");
  const char *id = confab_rules_get_string (change->payload, "moduleId");
  ConfabSession *session = g_hash_table_lookup (self->sessions, session_id);
  g_autofree char *new_id = id != NULL ? g_strdup (id) : confab_id_new ();
  ConfabModule *known = g_hash_table_lookup (self->modules, new_id);

  if (session == NULL)
    confab_service_refuse (task, CONFAB_ERROR_UNKNOWN_SESSION,
                           _ ("There is no session with this sessionId."));
  else if (known != NULL && g_str_equal (confab_module_get_session_id (known), session_id))
    return_object (task, known);
  else if (known != NULL)
    confab_service_refuse (task, CONFAB_ERROR_INVALID_REQUEST,
                           _ ("Another session has a conversation with this moduleId."));
  else if (g_hash_table_size (self->modules) >= CONFAB_MAX_MODULES)
    confab_service_refuse (task, CONFAB_ERROR_INVALID_REQUEST,
                           _ ("There are too many conversations; delete some first."));
  else
    {
      change->object = g_object_ref (confab_service_add_module (self, session, new_id));
      confab_kept_begin (change->object, TRUE);
      apply_settings (change->object, change->payload);
      write_module (task);
    }
}

static void
update_module (GTask *task, ConfabModule *module)
{
  Change *change = g_task_get_task_data (task);

  change->object = g_object_ref (module);
  confab_kept_begin (module, FALSE);
  apply_settings (module, change->payload);
  confab_module_set_updated_at (module, now_ms ());
  write_module (task);
}

static void
module_deleted_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  ConfabService *self = g_task_get_source_object (task);
  Change *change = g_task_get_task_data (task);
  g_autoptr (GError) error = NULL;

  if (!confab_store_commit_finish (CONFAB_STORE (source), result, &error))
    {
      confab_service_take_module (self, change->object);
      g_task_return_error (task, confab_service_storage_error (error));
      return;
    }

  return_object (task, change->object);
  confab_service_emit_module (self, confab_module_get_id (change->object), NULL);
  emit_session_of (self, change->object);
}

static void
delete_module (GTask *task, ConfabModule *module)
{
  ConfabService *self = g_task_get_source_object (task);
  Change *change = g_task_get_task_data (task);
  g_autoptr (ConfabBatch) batch = confab_batch_new (CONFAB_BATCH_DURABLE);

  change->object = g_object_ref (module);
  stop_module (self, module);
  confab_batch_delete_module (batch, confab_module_get_id (module));
  confab_service_remove_module (self, module);
  confab_store_commit_async (self->store, batch, module_deleted_cb, g_object_ref (task));
}

/**
 * confab_service_change_module_async:
 * @self: the service
 * @call: `module:create`, `module:update` or `module:delete`
 * @payload: what came with it; of an update only those settings change that it has
 * @callback: called when the change is on disk, or refused
 * @user_data: for @callback
 *
 * Creating a module that exists in the same session answers with it as it is, so that a create can
 * be repeated. Deleting one stops what runs in it.
 */
void
confab_service_change_module_async (ConfabService *self,
                                    const char *call,
                                    JsonObject *payload,
                                    GAsyncReadyCallback callback,
                                    gpointer user_data)
{
  g_autoptr (GTask) task = NULL;
  ConfabModule *module;

  g_return_if_fail (CONFAB_IS_SERVICE (self));

  task = begin (self, call, payload, confab_service_change_module_async, callback, user_data);
  if (task == NULL)
    return;
  if (!knows_provider (self, payload))
    {
      confab_service_refuse (task, CONFAB_ERROR_NO_PROVIDER,
                             _ ("There is no provider of this name."));
      return;
    }
  if (g_str_equal (call, "module:create"))
    {
      create_module (task);
      return;
    }

  module = g_hash_table_lookup (self->modules, confab_rules_get_string (payload, "moduleId"));
  if (module == NULL)
    confab_service_refuse (task, CONFAB_ERROR_UNKNOWN_MODULE,
                           _ ("There is no conversation with this moduleId."));
  else if (g_str_equal (call, "module:update"))
    update_module (task, module);
  else
    delete_module (task, module);
}

/**
 * confab_service_change_module_finish:
 *
 * Returns: (transfer full) (nullable): the module as it is now; when deleted, as it was
 */
ConfabModule *
confab_service_change_module_finish (ConfabService *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), NULL);

  return g_task_propagate_pointer (G_TASK (result), error);
}
