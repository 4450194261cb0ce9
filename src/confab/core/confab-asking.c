/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <glib/gi18n-lib.h>

#include "confab-error.h"
#include "confab-id.h"
#include "confab-kept.h"
#include "confab-rows.h"
#include "confab-run.h"
#include "confab-title.h"

/*
 * A question on its way to being accepted: is its requestId known, are its ids free, is there room,
 * and is it on disk. What it reads may change while it waits for the store, so that everything is
 * looked at again, without waiting, where it is decided: in accept().
 */
typedef struct
{
  JsonObject *payload;
  const char *module_id;
  const char *request_id; /* nullable */
  const char *text;       /* nullable: the old question's */
  gboolean anew;          /* regenerate */

  /* Of that id when the store was asked; NULL: none. What is deleted is gone from here at once,
   * while reads that are on their way still find it there. */
  ConfabModule *asked_module;

  /* What is to be answered; of regenerate, from the store. */
  char *question_id;
  char *parent_id;
  guint64 depth; /* of the question: messages from the first of its branch to it */
  ConfabMessage *old_question;
  /* What the same requestId started, while it is seen whether this asks the same. */
  ConfabGeneration *known;
  /* Why it is refused, unless it turns out to be a repeat. */
  GError *refusal;

  /* Since acceptance. */
  ConfabRun *run;
  ConfabModule *module;
  ConfabSession *session;
  /* What is on disk when this is. */
  ConfabSnapshot *module_snapshot;
  ConfabSnapshot *session_snapshot;
} Asking;

/* What became of it. */
typedef struct
{
  ConfabGeneration *generation;
  gboolean repeated;
} Reply;

static void
asking_free (gpointer data)
{
  Asking *asking = data;

  g_clear_pointer (&asking->payload, json_object_unref);
  g_clear_object (&asking->asked_module);
  g_free (asking->question_id);
  g_free (asking->parent_id);
  g_clear_object (&asking->old_question);
  g_clear_object (&asking->known);
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

static void
return_generation (GTask *task, ConfabGeneration *generation, gboolean repeated)
{
  Reply *reply = g_new (Reply, 1);

  *reply = (Reply){ g_object_ref (generation), repeated };
  g_task_return_pointer (task, reply, reply_free);
}

static void
refuse (GTask *task, ConfabError code, const char *message)
{
  g_task_return_new_error (task, CONFAB_ERROR, (int) code, "%s", message);
}

/* Whether @asking is about the question that @asked is, or of which it is another wording. */
static gboolean
is_about (const Asking *asking, ConfabMessage *asked)
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
is_same_question (const Asking *asking, ConfabGeneration *generation)
{
  ConfabMessage *asked = confab_generation_get_question (generation);
  const char *id = confab_rules_get_string (asking->payload, "userMessageId");

  if (asking->text != NULL && !g_str_equal (confab_message_get_content (asked), asking->text))
    return FALSE;
  if (asking->anew)
    return is_about (asking, asked);

  return id == NULL || g_str_equal (confab_message_get_id (asked), id);
}

static void
answer_repeat (GTask *task, ConfabGeneration *generation)
{
  ConfabService *self = g_task_get_source_object (task);
  ConfabRun *run = g_hash_table_lookup (self->runs, generation);

  if (!is_same_question (g_task_get_task_data (task), generation))
    refuse (task, CONFAB_ERROR_INVALID_REQUEST, _ ("This requestId was used for another message."));
  else if (run != NULL && !confab_run_is_accepted (run))
    confab_run_add_waiter (run, task);
  else
    return_generation (task, generation, TRUE);
}

/* Of the generations that are still here. */
static gboolean
has_message (ConfabModule *module, const char *message_id)
{
  for (guint i = 0; i < confab_module_get_n_generations (module); i++)
    {
      ConfabGeneration *generation = confab_module_get_generation (module, i);

      if (g_str_equal (confab_message_get_id (confab_generation_get_question (generation)),
                       message_id)
          || g_str_equal (confab_message_get_id (confab_generation_get_answer (generation)),
                          message_id))
        return TRUE;
    }

  return FALSE;
}

static void request_read_cb (GObject *source, GAsyncResult *result, gpointer user_data);
static void look_up (GTask *task);

/* Whether its module was deleted, or deleted and made anew, while the store was read: what was read
 * means nothing then, and it is looked up once more. */
static gboolean
starts_again (GTask *task)
{
  ConfabService *self = g_task_get_source_object (task);
  Asking *asking = g_task_get_task_data (task);

  if (g_hash_table_lookup (self->modules, asking->module_id) == asking->asked_module)
    return FALSE;

  g_clear_object (&asking->known);
  look_up (task);

  return TRUE;
}

/* Takes @refusal. The same request may have been accepted while this one waited for the store. */
static void
refuse_unless_repeat (GTask *task, GError *refusal)
{
  ConfabService *self = g_task_get_source_object (task);
  Asking *asking = g_task_get_task_data (task);

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

static gboolean
has_unaccepted (ConfabService *self, ConfabModule *module)
{
  for (guint i = 0; i < confab_module_get_n_generations (module); i++)
    {
      ConfabRun *run = g_hash_table_lookup (self->runs, confab_module_get_generation (module, i));

      if (run != NULL && !confab_run_is_accepted (run))
        return TRUE;
    }

  return FALSE;
}

/* As if it had not been asked. What was asked on top of it meanwhile fails too. */
static void
roll_back (ConfabService *self, Asking *asking)
{
  confab_run_abandon (asking->run);
  if (!has_unaccepted (self, asking->module))
    confab_module_restore_head (asking->module);
  if (confab_kept_refused (asking->module))
    confab_service_remove_module (self, asking->module);
  if (confab_kept_refused (asking->session))
    confab_service_remove_session (self, asking->session);
}

/* Without @storage_error the cause may be that the requestId was used, and answered, since it was
 * looked up: the store takes none twice. */
static void
not_written (GTask *task, const GError *cause, const GError *storage_error)
{
  if (storage_error == NULL)
    refuse_unless_repeat (task, g_error_copy (cause));
  else
    g_task_return_error (task, g_error_copy (storage_error));
}

static void
written_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  ConfabService *self = g_task_get_source_object (task);
  Asking *asking = g_task_get_task_data (task);
  ConfabGeneration *generation = confab_run_get_generation (asking->run);
  g_autoptr (GPtrArray) waiters = confab_run_steal_waiters (asking->run);
  g_autoptr (GError) shutting_down = NULL;
  g_autoptr (GError) storage_error = NULL;
  g_autoptr (GError) error = NULL;
  gboolean was_made;

  if (!confab_store_commit_finish (CONFAB_STORE (source), result, &error))
    {
      roll_back (self, asking);
      if (asking->request_id == NULL
          || !g_error_matches (error, CONFAB_STORE_ERROR, CONFAB_STORE_ERROR_INVALID))
        storage_error = confab_service_storage_error (error);
      not_written (task, error, storage_error);
      for (guint i = 0; i < waiters->len; i++)
        not_written (g_ptr_array_index (waiters, i), error, storage_error);
      return;
    }

  /* how many modules it has is told of a session */
  was_made = !confab_kept_is_on_disk (asking->session) || !confab_kept_is_on_disk (asking->module);
  confab_kept_written (asking->session, g_steal_pointer (&asking->session_snapshot));
  confab_kept_written (asking->module, g_steal_pointer (&asking->module_snapshot));
  confab_module_set_kept_head (asking->module,
                               confab_message_get_id (confab_generation_get_answer (generation)),
                               asking->depth + 1);
  /* they are told before anybody else */
  return_generation (task, generation, FALSE);
  for (guint i = 0; i < waiters->len; i++)
    return_generation (g_ptr_array_index (waiters, i), generation, TRUE);

  confab_run_accept (asking->run);
  if (was_made)
    confab_service_emit_session (self, confab_session_get_id (asking->session), asking->session);
  confab_service_emit_module (self, asking->module_id, asking->module);
  if (self->shut_down)
    {
      shutting_down =
          g_error_new_literal (CONFAB_ERROR, CONFAB_ERROR_SHUTTING_DOWN,
                               _ ("Confab is shutting down; the answer was interrupted."));
      confab_run_interrupt (asking->run, shutting_down);
    }
}

static void
write_question (GTask *task)
{
  ConfabService *self = g_task_get_source_object (task);
  Asking *asking = g_task_get_task_data (task);
  ConfabGeneration *generation = confab_run_get_generation (asking->run);
  g_autoptr (ConfabBatch) batch = confab_batch_new (CONFAB_BATCH_DURABLE);

  asking->session_snapshot = confab_snapshot_new (asking->session);
  asking->module_snapshot = confab_snapshot_new (asking->module);
  if (!confab_kept_is_on_disk (asking->session))
    confab_rows_put_session (batch, asking->session);
  confab_rows_put_module (batch, asking->module);
  confab_rows_put_question (batch, asking->module, generation);
  confab_rows_put_answer (batch, asking->module, generation, NULL);
  confab_rows_put_generation (batch, generation, NULL);
  confab_rows_put_head (batch, asking->module);
  confab_store_commit_async (self->store, batch, written_cb, g_object_ref (task));
}

/* Where a module that is not known yet comes to be. */
static const char *
get_session_id (const Asking *asking)
{
  const char *session_id = confab_rules_get_string (asking->payload, "sessionId");

  return session_id != NULL ? session_id : CONFAB_DEFAULT_SESSION;
}

static gboolean
check_room (ConfabService *self, Asking *asking, ConfabModule *module, GError **error)
{
  const char *user_message_id = confab_rules_get_string (asking->payload, "userMessageId");
  ConfabError code;
  const char *message;

  if (self->shut_down)
    {
      code = CONFAB_ERROR_SHUTTING_DOWN;
      message = _ ("Confab is shutting down.");
    }
  else if (confab_service_find_provider (self, module) == NULL)
    {
      code = CONFAB_ERROR_NO_PROVIDER;
      message = _ ("No model is set up to answer.");
    }
  else if (module == NULL && !self->auto_create_modules)
    {
      code = CONFAB_ERROR_UNKNOWN_MODULE;
      message = _ ("There is no conversation with this moduleId.");
    }
  else if (module == NULL && g_hash_table_size (self->modules) >= CONFAB_MAX_MODULES)
    {
      code = CONFAB_ERROR_INVALID_REQUEST;
      message = _ ("There are too many conversations; delete some first.");
    }
  else if (module == NULL && !g_hash_table_contains (self->sessions, get_session_id (asking))
           && g_hash_table_size (self->sessions) >= CONFAB_MAX_SESSIONS)
    {
      code = CONFAB_ERROR_INVALID_REQUEST;
      message = _ ("There are too many sessions; delete some first.");
    }
  else if (module != NULL && user_message_id != NULL && has_message (module, user_message_id))
    {
      code = CONFAB_ERROR_INVALID_REQUEST;
      message = _ ("A message with this userMessageId exists already.");
    }
  else if (module != NULL && confab_module_get_running (module) != NULL
           && (!self->queue || confab_module_get_n_generations (module) > CONFAB_MAX_QUEUED))
    {
      code = CONFAB_ERROR_BUSY;
      message = _ ("This conversation is still being answered.");
    }
  else
    return TRUE;

  g_set_error_literal (error, CONFAB_ERROR, code, message);

  return FALSE;
}

static void
ensure_module (ConfabService *self, Asking *asking)
{
  ConfabModule *module = g_hash_table_lookup (self->modules, asking->module_id);
  const char *session_id =
      module != NULL ? confab_module_get_session_id (module) : get_session_id (asking);
  ConfabSession *session;

  session = g_hash_table_lookup (self->sessions, session_id);
  if (session != NULL)
    confab_kept_begin (session, FALSE);
  else
    {
      session = confab_service_add_session (self, session_id);
      confab_kept_begin (session, TRUE);
    }
  asking->session = g_object_ref (session);

  if (module != NULL)
    confab_kept_begin (module, FALSE);
  else
    {
      module = confab_service_add_module (self, session, asking->module_id);
      confab_kept_begin (module, TRUE);
    }
  asking->module = g_object_ref (module);
}

static ConfabGeneration *
make_generation (Asking *asking)
{
  const char *user_message_id = confab_rules_get_string (asking->payload, "userMessageId");
  g_autoptr (ConfabMessage) question = NULL;
  g_autoptr (ConfabMessage) answer = NULL;
  g_autofree char *answer_id = confab_id_new ();
  g_autofree char *generation_id = confab_id_new ();

  if (asking->old_question != NULL && asking->text == NULL)
    question = g_object_ref (asking->old_question);
  else
    {
      g_autofree char *question_id =
          !asking->anew && user_message_id != NULL ? g_strdup (user_message_id) : confab_id_new ();

      question = confab_message_new_question (question_id, asking->parent_id, asking->text);
    }
  answer = confab_message_new_answer (answer_id, confab_message_get_id (question), generation_id);

  return confab_generation_new (generation_id, asking->module_id, asking->request_id, question,
                                answer);
}

/* Decides, without waiting. */
static void
accept (GTask *task)
{
  ConfabService *self = g_task_get_source_object (task);
  Asking *asking = g_task_get_task_data (task);
  ConfabModule *module = g_hash_table_lookup (self->modules, asking->module_id);
  g_autoptr (ConfabGeneration) generation = NULL;
  ConfabGeneration *known = NULL;
  GError *error = NULL;

  if (asking->known != NULL)
    known = asking->known;
  else if (module != NULL && asking->request_id != NULL)
    known = confab_module_lookup_request (module, asking->request_id);
  if (known != NULL)
    {
      answer_repeat (task, known);
      return;
    }
  if (!check_room (self, asking, module, &error))
    {
      g_task_return_error (task, error);
      return;
    }

  ensure_module (self, asking);
  if (!asking->anew)
    {
      asking->parent_id = g_strdup (confab_module_get_head_id (asking->module));
      asking->depth = confab_module_get_n_messages (asking->module) + 1;
    }

  generation = make_generation (asking);
  asking->run = confab_run_new (self, asking->module, generation);
  g_hash_table_insert (self->runs, generation, confab_run_ref (asking->run));
  confab_module_add_generation (asking->module, generation);
  confab_module_set_head (asking->module,
                          confab_message_get_id (confab_generation_get_answer (generation)),
                          asking->depth + 1);
  confab_module_set_updated_at (asking->module, g_get_real_time () / 1000);
  if (asking->parent_id == NULL && asking->text != NULL
      && confab_module_get_title_is_auto (asking->module))
    {
      g_autofree char *title = confab_title_from_message (asking->text);

      confab_module_set_title (asking->module, title, TRUE);
    }
  write_question (task);
}

static void
user_message_read_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  g_autoptr (ConfabMessageRecord) record = NULL;
  g_autoptr (GError) error = NULL;

  record = confab_store_get_message_finish (CONFAB_STORE (source), result, &error);
  if (starts_again (task))
    return;
  if (record != NULL)
    refuse_unless_repeat (
        task, g_error_new_literal (CONFAB_ERROR, CONFAB_ERROR_INVALID_REQUEST,
                                   _ ("A message with this userMessageId exists already.")));
  else if (error != NULL
           && !g_error_matches (error, CONFAB_STORE_ERROR, CONFAB_STORE_ERROR_NOT_FOUND))
    g_task_return_error (task, confab_service_storage_error (error));
  else
    accept (task);
}

static void
old_question_read_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  ConfabService *self = g_task_get_source_object (task);
  Asking *asking = g_task_get_task_data (task);
  g_autoptr (ConfabMessageRecord) record = NULL;
  g_autoptr (GError) error = NULL;

  record = confab_store_get_message_finish (CONFAB_STORE (source), result, &error);
  if (starts_again (task))
    return;
  if (error != NULL && !g_error_matches (error, CONFAB_STORE_ERROR, CONFAB_STORE_ERROR_NOT_FOUND))
    g_task_return_error (task, confab_service_storage_error (error));
  else if (record == NULL)
    refuse (task, CONFAB_ERROR_UNKNOWN_MESSAGE, _ ("There is no message with this messageId."));
  else if (record->role == CONFAB_ROLE_ASSISTANT)
    confab_store_get_message_async (self->store, asking->module_id, record->parent_id, NULL,
                                    old_question_read_cb, g_steal_pointer (&task));
  else
    {
      asking->old_question = confab_rows_read_message (record);
      asking->parent_id = g_strdup (record->parent_id);
      asking->depth = record->depth;
      accept (task);
    }
}

/* The requestId is new, as far as can be seen from here. */
static void
read_messages (GTask *task)
{
  ConfabService *self = g_task_get_source_object (task);
  Asking *asking = g_task_get_task_data (task);
  const char *user_message_id = confab_rules_get_string (asking->payload, "userMessageId");
  const char *message_id = confab_rules_get_string (asking->payload, "messageId");
  ConfabModule *module = g_hash_table_lookup (self->modules, asking->module_id);

  if (asking->anew && message_id == NULL && module != NULL)
    message_id = confab_module_get_head_id (module);

  if (asking->anew && message_id == NULL)
    refuse (task, CONFAB_ERROR_UNKNOWN_MESSAGE, _ ("There is nothing to answer anew."));
  else if (asking->anew)
    confab_store_get_message_async (self->store, asking->module_id, message_id, NULL,
                                    old_question_read_cb, g_object_ref (task));
  else if (module != NULL && user_message_id != NULL)
    confab_store_get_message_async (self->store, asking->module_id, user_message_id, NULL,
                                    user_message_read_cb, g_object_ref (task));
  else
    accept (task);
}

static void
request_read_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  ConfabService *self = g_task_get_source_object (task);
  Asking *asking = g_task_get_task_data (task);
  ConfabModule *module = g_hash_table_lookup (self->modules, asking->module_id);
  g_autoptr (ConfabExchange) exchange = NULL;
  g_autoptr (ConfabGeneration) generation = NULL;
  g_autoptr (GError) error = NULL;

  exchange = confab_store_exchange_finish (CONFAB_STORE (source), result, &error);
  if (asking->refusal == NULL && starts_again (task))
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
    answer_repeat (task, generation);
  else if (asking->refusal != NULL && asking->refusal->domain == CONFAB_STORE_ERROR)
    g_task_return_error (task, confab_service_storage_error (asking->refusal));
  else if (asking->refusal != NULL)
    g_task_return_error (task, g_steal_pointer (&asking->refusal));
  else
    read_messages (task);
}

/* Begins, or begins again, with what is here. */
static void
look_up (GTask *task)
{
  ConfabService *self = g_task_get_source_object (task);
  Asking *asking = g_task_get_task_data (task);
  ConfabModule *module = g_hash_table_lookup (self->modules, asking->module_id);

  g_set_object (&asking->asked_module, module);
  if (self->shut_down)
    refuse (task, CONFAB_ERROR_SHUTTING_DOWN, _ ("Confab is shutting down."));
  else if (asking->anew && module == NULL)
    refuse (task, CONFAB_ERROR_UNKNOWN_MODULE, _ ("There is no conversation with this moduleId."));
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
  g_autoptr (GTask) task = g_task_new (self, NULL, callback, user_data);
  Asking *asking = g_new0 (Asking, 1);
  GError *error = NULL;

  g_task_set_source_tag (task, ask);
  g_task_set_task_data (task, asking, asking_free);
  if (!confab_rules_check (call, payload, &error))
    {
      g_task_return_error (task, error);
      return;
    }

  asking->payload = json_object_ref (payload);
  asking->module_id = confab_rules_get_string (payload, "moduleId");
  asking->request_id = confab_rules_get_string (payload, "requestId");
  asking->text = confab_rules_get_string (payload, "message");
  asking->anew = g_str_equal (call, "ai:chat:regenerate");
  look_up (task);
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
