/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "confab-asking-private.h"

#include <glib/gi18n-lib.h>

#include "confab-error.h"
#include "confab-rows.h"

/* What became of it. */
typedef struct
{
  ConfabGeneration *generation;
  gboolean repeated;
} Reply;

/* What was read. */
static void
forget (ConfabAsking *asking)
{
  g_clear_pointer (&asking->asked_head_id, g_free);
  g_clear_pointer (&asking->parent_id, g_free);
  g_clear_object (&asking->old_question);
  g_clear_pointer (&asking->fork, confab_fork_free);
  g_clear_object (&asking->known);
}

static void
asking_free (gpointer data)
{
  ConfabAsking *asking = data;

  g_clear_pointer (&asking->payload, json_object_unref);
  g_clear_object (&asking->asked_module);
  forget (asking);
  g_clear_error (&asking->refusal);
  g_clear_pointer (&asking->run, confab_run_unref);
  g_clear_object (&asking->module);
  g_clear_object (&asking->session);
  g_clear_pointer (&asking->module_snapshot, confab_snapshot_free);
  g_clear_pointer (&asking->session_snapshot, confab_snapshot_free);
  g_free (asking);
}

static void
reply_free (gpointer data)
{
  Reply *reply = data;

  g_object_unref (reply->generation);
  g_free (reply);
}

void
confab_asking_return_generation (GTask *task, ConfabGeneration *generation, gboolean repeated)
{
  Reply *reply = g_new (Reply, 1);

  *reply = (Reply){ g_object_ref (generation), repeated };
  g_task_return_pointer (task, reply, reply_free);
}

/* Whether @asking is about the question that @asked is, or of which it is another wording. */
static gboolean
is_about (const ConfabAsking *asking, ConfabMessage *asked)
{
  gboolean is_asked;

  /* "the last" may be another one by now */
  if (asking->old_question == NULL
      || confab_rules_get_string (asking->payload, "messageId") == NULL)
    return TRUE;

  is_asked =
      g_str_equal (confab_message_get_id (asking->old_question), confab_message_get_id (asked));

  return asking->text == NULL
             ? is_asked
             : !is_asked
                   && g_strcmp0 (asking->parent_id, confab_message_get_parent_id (asked)) == 0;
}

/* Whether @asking asks again just what started @generation. */
static gboolean
is_same_question (const ConfabAsking *asking, ConfabGeneration *generation)
{
  ConfabMessage *asked = confab_generation_get_question (generation);
  const char *id = confab_rules_get_string (asking->payload, "userMessageId");

  if (asking->anew != confab_generation_is_anew (generation))
    return FALSE;
  if (asking->text != NULL && !g_str_equal (confab_message_get_content (asked), asking->text))
    return FALSE;
  if (asking->anew)
    return is_about (asking, asked);

  return id == NULL || g_str_equal (confab_message_get_id (asked), id);
}

void
confab_asking_answer_repeat (GTask *task, ConfabGeneration *generation)
{
  ConfabService *self = g_task_get_source_object (task);
  ConfabRun *run = g_hash_table_lookup (self->runs, generation);

  if (!is_same_question (g_task_get_task_data (task), generation))
    confab_service_refuse (task, CONFAB_ERROR_INVALID_REQUEST,
                           _ ("This requestId was used for another message."));
  else if (run != NULL && !confab_run_is_accepted (run))
    confab_run_add_waiter (run, task);
  else
    confab_asking_return_generation (task, generation, TRUE);
}

static void request_read_cb (GObject *source, GAsyncResult *result, gpointer user_data);

gboolean
confab_asking_starts_again (GTask *task)
{
  ConfabService *self = g_task_get_source_object (task);
  ConfabAsking *asking = g_task_get_task_data (task);

  if (g_hash_table_lookup (self->modules, asking->module_id) == asking->asked_module)
    return FALSE;

  confab_asking_look_up (task);

  return TRUE;
}

void
confab_asking_refuse_unless_repeat (GTask *task, GError *refusal)
{
  ConfabService *self = g_task_get_source_object (task);
  ConfabAsking *asking = g_task_get_task_data (task);

  if (asking->request_id == NULL)
    {
      g_task_return_error (task, refusal);
      return;
    }

  asking->refusal = refusal;
  g_set_object (&asking->asked_module, g_hash_table_lookup (self->modules, asking->module_id));
  confab_store_find_request_async (self->store, asking->module_id, asking->request_id, NULL,
                                   request_read_cb, g_object_ref (task));
}

static void
user_message_read_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  g_autoptr (ConfabMessageRecord) record = NULL;
  g_autoptr (GError) error = NULL;

  record = confab_store_get_message_finish (CONFAB_STORE (source), result, &error);
  if (confab_asking_starts_again (task))
    return;
  if (record != NULL)
    confab_asking_refuse_unless_repeat (
        task, g_error_new_literal (CONFAB_ERROR, CONFAB_ERROR_INVALID_REQUEST,
                                   _ ("A message with this userMessageId exists already.")));
  else if (error != NULL
           && !g_error_matches (error, CONFAB_STORE_ERROR, CONFAB_STORE_ERROR_NOT_FOUND))
    g_task_return_error (task, confab_service_storage_error (error));
  else
    confab_asking_accept (task);
}

static void
old_question_read_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  ConfabService *self = g_task_get_source_object (task);
  ConfabAsking *asking = g_task_get_task_data (task);
  g_autoptr (ConfabMessageRecord) record = NULL;
  g_autoptr (GError) error = NULL;

  record = confab_store_get_message_finish (CONFAB_STORE (source), result, &error);
  if (confab_asking_starts_again (task))
    return;
  if (error != NULL && !g_error_matches (error, CONFAB_STORE_ERROR, CONFAB_STORE_ERROR_NOT_FOUND))
    g_task_return_error (task, confab_service_storage_error (error));
  else if (record == NULL)
    confab_service_refuse (task, CONFAB_ERROR_UNKNOWN_MESSAGE,
                           _ ("There is no message with this messageId."));
  else if (record->role == CONFAB_ROLE_ASSISTANT)
    confab_store_get_message_async (self->store, asking->module_id, record->parent_id, NULL,
                                    old_question_read_cb, g_steal_pointer (&task));
  else
    {
      asking->old_question = confab_rows_read_message (record);
      asking->parent_id = g_strdup (record->parent_id);
      asking->depth = record->depth;
      confab_asking_accept (task);
    }
}

/* The requestId is new, as far as can be seen from here. */
static void
read_messages (GTask *task)
{
  ConfabService *self = g_task_get_source_object (task);
  ConfabAsking *asking = g_task_get_task_data (task);
  const char *user_message_id = confab_rules_get_string (asking->payload, "userMessageId");
  const char *message_id = confab_rules_get_string (asking->payload, "messageId");
  ConfabModule *module = g_hash_table_lookup (self->modules, asking->module_id);

  g_free (asking->asked_head_id);
  asking->asked_head_id = module != NULL ? g_strdup (confab_module_get_head_id (module)) : NULL;
  if (asking->anew && message_id == NULL)
    message_id = asking->asked_head_id;

  if (asking->anew && message_id == NULL)
    confab_service_refuse (task, CONFAB_ERROR_UNKNOWN_MESSAGE,
                           _ ("There is nothing to answer anew."));
  else if (asking->anew)
    confab_store_get_message_async (self->store, asking->module_id, message_id, NULL,
                                    old_question_read_cb, g_object_ref (task));
  else if (module != NULL && user_message_id != NULL)
    confab_store_get_message_async (self->store, asking->module_id, user_message_id, NULL,
                                    user_message_read_cb, g_object_ref (task));
  else
    confab_asking_accept (task);
}

static void
request_read_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  ConfabService *self = g_task_get_source_object (task);
  ConfabAsking *asking = g_task_get_task_data (task);
  ConfabModule *module = g_hash_table_lookup (self->modules, asking->module_id);
  g_autoptr (ConfabExchange) exchange = NULL;
  g_autoptr (ConfabGeneration) generation = NULL;
  g_autoptr (GError) error = NULL;

  exchange = confab_store_exchange_finish (CONFAB_STORE (source), result, &error);
  if (asking->refusal == NULL && confab_asking_starts_again (task))
    return;
  if (error != NULL)
    {
      g_task_return_error (task, confab_service_storage_error (error));
      return;
    }
  if (module != asking->asked_module)
    g_clear_pointer (&exchange, confab_exchange_free);

  /* one that is still here is newer than its row */
  if (exchange != NULL && module != NULL)
    generation = confab_module_lookup_generation (module, exchange->generation->id);
  if (generation != NULL)
    g_object_ref (generation);
  else if (exchange != NULL)
    generation = confab_rows_read_exchange (exchange);

  if (generation != NULL && asking->anew
      && confab_rules_get_string (asking->payload, "messageId") != NULL && asking->refusal == NULL)
    {
      asking->known = g_steal_pointer (&generation);
      read_messages (task);
    }
  else if (generation != NULL)
    confab_asking_answer_repeat (task, generation);
  else if (asking->refusal != NULL && asking->refusal->domain == CONFAB_STORE_ERROR)
    g_task_return_error (task, confab_service_storage_error (asking->refusal));
  else if (asking->refusal != NULL)
    g_task_return_error (task, g_steal_pointer (&asking->refusal));
  else
    read_messages (task);
}

void
confab_asking_look_up (GTask *task)
{
  ConfabService *self = g_task_get_source_object (task);
  ConfabAsking *asking = g_task_get_task_data (task);
  ConfabModule *module = g_hash_table_lookup (self->modules, asking->module_id);

  forget (asking);
  g_set_object (&asking->asked_module, module);
  if (self->shut_down)
    confab_service_refuse (task, CONFAB_ERROR_SHUTTING_DOWN, _ ("Confab is shutting down."));
  else if (asking->anew && module == NULL)
    confab_service_refuse (task, CONFAB_ERROR_UNKNOWN_MODULE,
                           _ ("There is no conversation with this moduleId."));
  else if (module != NULL && asking->request_id != NULL)
    confab_store_find_request_async (self->store, asking->module_id, asking->request_id, NULL,
                                     request_read_cb, g_object_ref (task));
  else
    read_messages (task);
}

static void
ask (ConfabService *self,
     const char *call,
     JsonObject *payload,
     GAsyncReadyCallback callback,
     gpointer user_data)
{
  g_autoptr (GTask) task =
      confab_service_begin_call (self, call, payload, ask, callback, user_data);
  ConfabAsking *asking;

  if (task == NULL)
    return;

  asking = g_new0 (ConfabAsking, 1);
  g_task_set_task_data (task, asking, asking_free);
  asking->payload = json_object_ref (payload);
  asking->module_id = confab_rules_get_string (payload, "moduleId");
  asking->request_id = confab_rules_get_string (payload, "requestId");
  asking->text = confab_rules_get_string (payload, "message");
  asking->anew = g_str_equal (call, "ai:chat:regenerate");
  confab_asking_look_up (task);
}

/**
 * confab_service_generate_async:
 * @self: the service
 * @payload: of `ai:chat:generate`; it must not change afterwards
 * @callback: called when the question is on disk, or refused
 * @user_data: for @callback
 *
 * Asks a question. A module that is not known yet is made.
 */
void
confab_service_generate_async (ConfabService *self,
                               JsonObject *payload,
                               GAsyncReadyCallback callback,
                               gpointer user_data)
{
  g_return_if_fail (CONFAB_IS_SERVICE (self));

  ask (self, "ai:chat:generate", payload, callback, user_data);
}

/**
 * confab_service_regenerate_async:
 * @self: the service
 * @payload: of `ai:chat:regenerate`; it must not change afterwards
 * @callback: called when the new answer is on disk, still empty, or refused
 * @user_data: for @callback
 *
 * Has a question answered anew, maybe with another text. What followed it leaves the visible
 * branch, and is kept.
 */
void
confab_service_regenerate_async (ConfabService *self,
                                 JsonObject *payload,
                                 GAsyncReadyCallback callback,
                                 gpointer user_data)
{
  g_return_if_fail (CONFAB_IS_SERVICE (self));

  ask (self, "ai:chat:regenerate", payload, callback, user_data);
}

/**
 * confab_service_generate_finish:
 * @self: the service
 * @result: of confab_service_generate_async() or confab_service_regenerate_async()
 * @repeated: (out): whether this repeats a request; it started nothing then
 * @error: return location for a %CONFAB_ERROR
 *
 * Returns: (transfer full) (nullable): the generation; of a repeat maybe ended
 */
ConfabGeneration *
confab_service_generate_finish (ConfabService *self,
                                GAsyncResult *result,
                                gboolean *repeated,
                                GError **error)
{
  Reply *reply;
  ConfabGeneration *generation;

  g_return_val_if_fail (g_task_is_valid (result, self), NULL);

  reply = g_task_propagate_pointer (G_TASK (result), error);
  if (reply == NULL)
    return NULL;

  *repeated = reply->repeated;
  generation = g_object_ref (reply->generation);
  reply_free (reply);

  return generation;
}
