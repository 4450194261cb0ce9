/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "confab-asking-private.h"

#include <glib/gi18n-lib.h>

#include "confab-error.h"
#include "confab-id.h"
#include "confab-store-branches.h"
#include "confab-rows.h"
#include "confab-title.h"

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
roll_back (ConfabService *self, ConfabAsking *asking)
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
    confab_asking_refuse_unless_repeat (task, g_error_copy (cause));
  else
    g_task_return_error (task, g_error_copy (storage_error));
}

static void
written_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  ConfabService *self = g_task_get_source_object (task);
  ConfabAsking *asking = g_task_get_task_data (task);
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
  confab_asking_return_generation (task, generation, FALSE);
  for (guint i = 0; i < waiters->len; i++)
    confab_asking_return_generation (g_ptr_array_index (waiters, i), generation, TRUE);

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
  ConfabAsking *asking = g_task_get_task_data (task);
  ConfabGeneration *generation = confab_run_get_generation (asking->run);
  g_autoptr (ConfabBatch) batch = confab_batch_new (CONFAB_BATCH_DURABLE);

  confab_run_read_ahead (asking->run);
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
get_session_id (const ConfabAsking *asking)
{
  const char *session_id = confab_rules_get_string (asking->payload, "sessionId");

  return session_id != NULL ? session_id : CONFAB_DEFAULT_SESSION;
}

static gboolean
check_room (ConfabService *self, ConfabAsking *asking, ConfabModule *module, GError **error)
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
ensure_module (ConfabService *self, ConfabAsking *asking)
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
make_generation (ConfabAsking *asking)
{
  const char *user_message_id = confab_rules_get_string (asking->payload, "userMessageId");
  g_autoptr (ConfabMessage) question = NULL;
  g_autoptr (ConfabMessage) answer = NULL;
  g_autofree char *answer_id = confab_id_new ();
  g_autofree char *generation_id = confab_id_new ();
  ConfabGeneration *generation;

  if (asking->old_question != NULL && asking->text == NULL)
    question = g_object_ref (asking->old_question);
  else
    {
      g_autofree char *question_id =
          !asking->anew && user_message_id != NULL ? g_strdup (user_message_id) : confab_id_new ();

      question = confab_message_new_question (question_id, asking->parent_id, asking->text);
    }
  answer = confab_message_new_answer (answer_id, confab_message_get_id (question), generation_id);
  if (asking->fork != NULL && question == asking->old_question)
    {
      confab_message_set_branches (question, asking->fork->branches);
      confab_message_set_branches (answer, asking->fork->next);
    }
  else if (asking->fork != NULL)
    confab_message_set_branches (question, asking->fork->next);

  generation = confab_generation_new (generation_id, asking->module_id, asking->request_id,
                                      question, answer);
  confab_generation_set_anew (generation, asking->anew);

  return generation;
}

static void
fork_read_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  ConfabAsking *asking = g_task_get_task_data (task);
  g_autoptr (ConfabFork) fork = NULL;
  g_autoptr (GError) error = NULL;

  fork = confab_store_fork_finish (CONFAB_STORE (source), result, &error);
  if (confab_asking_starts_again (task))
    return;
  if (fork == NULL)
    {
      g_task_return_error (task, confab_service_storage_error (error));
      return;
    }

  asking->fork = g_steal_pointer (&fork);
  confab_asking_accept (task);
}

/* The message that the new one is to follow: a question that is answered anew, or what comes before
 * a question. NULL: none. */
static const char *
get_fork_id (ConfabAsking *asking, ConfabModule *module)
{
  if (!asking->anew)
    return confab_module_get_head_id (module);

  return asking->text == NULL ? confab_message_get_id (asking->old_question) : asking->parent_id;
}

/* Whether all that was read still holds, and nothing is left to be read; else that is done. */
static gboolean
is_looked_up (GTask *task, ConfabModule *module)
{
  ConfabService *self = g_task_get_source_object (task);
  ConfabAsking *asking = g_task_get_task_data (task);
  const char *head_id = module != NULL ? confab_module_get_head_id (module) : NULL;

  /* another branch was made visible meanwhile, or something else was asked */
  if ((asking->anew || asking->fork != NULL) && g_strcmp0 (asking->asked_head_id, head_id) != 0)
    {
      confab_asking_look_up (task);
      return FALSE;
    }
  if (asking->fork != NULL || module == NULL
      || (!asking->anew && confab_module_is_head_last (module)))
    return TRUE;

  g_set_object (&asking->asked_module, module);
  g_free (asking->asked_head_id);
  asking->asked_head_id = g_strdup (head_id);
  confab_store_fork_async (self->store, asking->module_id, get_fork_id (asking, module),
                           fork_read_cb, g_object_ref (task));

  return FALSE;
}

void
confab_asking_accept (GTask *task)
{
  ConfabService *self = g_task_get_source_object (task);
  ConfabAsking *asking = g_task_get_task_data (task);
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
      confab_asking_answer_repeat (task, known);
      return;
    }
  if (module != NULL && confab_service_await_switch (self, module, confab_asking_look_up, task))
    return;
  if (!check_room (self, asking, module, &error))
    {
      g_task_return_error (task, error);
      return;
    }
  if (!is_looked_up (task, module))
    return;

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
  confab_module_mark_head_last (asking->module);
  confab_module_set_updated_at (asking->module, g_get_real_time () / 1000);
  if (asking->parent_id == NULL && asking->text != NULL
      && confab_module_get_title_is_auto (asking->module))
    {
      g_autofree char *title = confab_title_from_message (asking->text);

      confab_module_set_title (asking->module, title, TRUE);
    }
  write_question (task);
}
