/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <glib/gi18n-lib.h>

#include "confab-error.h"
#include "confab-parts.h"
#include "confab-rows.h"
#include "confab-run.h"

#define DEFAULT_PAGE 50

static ConfabModule *
find_module (ConfabService *self, JsonObject *payload)
{
  return g_hash_table_lookup (self->modules, confab_rules_get_string (payload, "moduleId"));
}

/* Before its question is on disk nobody is told of a generation. */
static gboolean
is_told (ConfabService *self, ConfabGeneration *generation)
{
  ConfabRun *run = g_hash_table_lookup (self->runs, generation);

  return run == NULL || confab_run_is_accepted (run);
}

/**
 * confab_service_get_running:
 * @self: the service
 * @module: one of its modules
 *
 * Returns: (transfer none) (nullable): the first generation of @module that was accepted and has
 *   not ended yet
 */
ConfabGeneration *
confab_service_get_running (ConfabService *self, ConfabModule *module)
{
  ConfabGeneration *running;

  g_return_val_if_fail (CONFAB_IS_SERVICE (self), NULL);

  running = confab_module_get_running (module);

  return running != NULL && is_told (self, running) ? running : NULL;
}

/* What is known without the store: of the generation that is asked for, if it is here. */
static ConfabGeneration *
find_here (ConfabService *self, ConfabModule *module, const char *generation_id)
{
  ConfabGeneration *running = confab_service_get_running (self, module);

  if (generation_id == NULL && running != NULL)
    return running;

  for (guint i = confab_module_get_n_generations (module); i > 0; i--)
    {
      ConfabGeneration *generation = confab_module_get_generation (module, i - 1);

      if (is_told (self, generation)
          && (generation_id == NULL
              || g_str_equal (confab_generation_get_id (generation), generation_id)))
        return generation;
    }

  return NULL;
}

static void recall (GTask *task);

/* What is deleted is gone from here at once, while reads that are on their way still find it there.
 * Remembers the module of which the store is asked; none: %NULL. */
static void
set_asked_module (GTask *task, ConfabModule *module)
{
  g_object_set_data_full (G_OBJECT (task), "confab-asked-module",
                          module != NULL ? g_object_ref (module) : NULL, g_object_unref);
}

/* Whether it was deleted, or deleted and made anew, meanwhile: what was read means nothing then. */
static gboolean
is_outdated (GTask *task, ConfabModule *module)
{
  return g_object_get_data (G_OBJECT (task), "confab-asked-module") != module;
}

static void
exchange_read_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  ConfabService *self = g_task_get_source_object (task);
  JsonObject *payload = g_task_get_task_data (task);
  const char *generation_id = confab_rules_get_string (payload, "generationId");
  ConfabModule *module = find_module (self, payload);
  g_autoptr (ConfabExchange) exchange = NULL;
  g_autoptr (GError) error = NULL;
  ConfabGeneration *here = module != NULL ? find_here (self, module, generation_id) : NULL;

  exchange = confab_store_exchange_finish (CONFAB_STORE (source), result, &error);
  if (is_outdated (task, module))
    recall (task);
  else if (here != NULL)
    g_task_return_pointer (task, g_object_ref (here), g_object_unref);
  else if (error != NULL)
    g_task_return_error (task, confab_service_storage_error (error));
  else if (exchange != NULL)
    g_task_return_pointer (task, confab_rows_read_exchange (exchange), g_object_unref);
  else if (generation_id != NULL)
    confab_service_refuse (task, CONFAB_ERROR_UNKNOWN_GENERATION,
                           _ ("There is no answer with this generationId."));
  else
    g_task_return_pointer (task, NULL, NULL);
}

/* Of which the payload is all that has to be kept. */
static GTask *
begin (ConfabService *self,
       const char *call,
       JsonObject *payload,
       gpointer tag,
       GAsyncReadyCallback callback,
       gpointer user_data)
{
  GTask *task = confab_service_begin_call (self, call, payload, tag, callback, user_data);

  if (task != NULL)
    g_task_set_task_data (task, json_object_ref (payload), (GDestroyNotify) json_object_unref);

  return task;
}

static void
recall (GTask *task)
{
  ConfabService *self = g_task_get_source_object (task);
  JsonObject *payload = g_task_get_task_data (task);
  const char *module_id = confab_rules_get_string (payload, "moduleId");
  const char *generation_id = confab_rules_get_string (payload, "generationId");
  ConfabModule *module = g_hash_table_lookup (self->modules, module_id);
  ConfabGeneration *here = module != NULL ? find_here (self, module, generation_id) : NULL;

  set_asked_module (task, module);
  if (here != NULL)
    g_task_return_pointer (task, g_object_ref (here), g_object_unref);
  else if (module == NULL)
    g_task_return_pointer (task, NULL, NULL);
  else if (generation_id != NULL)
    confab_store_get_generation_async (self->store, module_id, generation_id, NULL,
                                       exchange_read_cb, g_object_ref (task));
  else
    confab_store_last_generation_async (self->store, module_id, NULL, exchange_read_cb,
                                        g_object_ref (task));
}

/**
 * confab_service_recall_async:
 * @self: the service
 * @payload: of `ai:chat:resume`
 * @callback: called with the generation
 * @user_data: for @callback
 *
 * Looks up the generation that is asked for, else the one that runs, else the last one.
 */
void
confab_service_recall_async (ConfabService *self,
                             JsonObject *payload,
                             GAsyncReadyCallback callback,
                             gpointer user_data)
{
  g_autoptr (GTask) task = NULL;

  g_return_if_fail (CONFAB_IS_SERVICE (self));

  task = begin (self, "ai:chat:resume", payload, confab_service_recall_async, callback, user_data);
  if (task == NULL)
    return;

  recall (task);
}

/**
 * confab_service_recall_finish:
 * @self: the service
 * @result: of confab_service_recall_async()
 * @error: return location for a %CONFAB_ERROR
 *
 * Returns: (transfer full) (nullable): the generation, as it is now; %NULL without @error if there
 *   is none
 */
ConfabGeneration *
confab_service_recall_finish (ConfabService *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), NULL);

  return g_task_propagate_pointer (G_TASK (result), error);
}

typedef struct
{
  GPtrArray *messages;
  gboolean more;
} Page;

static void
page_free (gpointer data)
{
  Page *page = data;

  g_clear_pointer (&page->messages, g_ptr_array_unref);
  g_free (page);
}

/* As it stands now, while its text still grows elsewhere. */
static ConfabMessage *
make_answer_so_far (ConfabGeneration *generation, const ConfabBranches *branches)
{
  ConfabMessage *answer = confab_generation_get_answer (generation);
  g_autofree char *parts = confab_parts_new (confab_generation_get_text (generation),
                                             confab_generation_get_reasoning (generation));
  ConfabMessageFields fields = {
    .id = confab_message_get_id (answer),
    .parent_id = confab_message_get_parent_id (answer),
    .generation_id = confab_message_get_generation_id (answer),
    .role = CONFAB_ROLE_ASSISTANT,
    .state = confab_message_get_state (answer),
    .parts = parts,
    .outcome = confab_message_get_outcome (answer),
    .error = confab_message_get_error (answer),
    .branches = branches,
    .created_at = confab_message_get_created_at (answer),
  };

  return confab_message_new (&fields);
}

/* An answer that is still here knows more than its row. */
static void
take_those_here (ConfabModule *module, GPtrArray *messages)
{
  for (guint i = 0; i < messages->len; i++)
    {
      g_autoptr (ConfabMessage) kept = g_object_ref (g_ptr_array_index (messages, i));
      const char *id = confab_message_get_generation_id (kept);
      ConfabGeneration *here = id != NULL ? confab_module_lookup_generation (module, id) : NULL;

      if (here == NULL)
        continue;
      g_object_unref (kept);
      g_ptr_array_index (messages, i) =
          make_answer_so_far (here, confab_message_get_branches (kept));
    }
}

static void history_read_cb (GObject *source, GAsyncResult *result, gpointer user_data);

static void
read_history (GTask *task)
{
  ConfabService *self = g_task_get_source_object (task);
  JsonObject *payload = g_task_get_task_data (task);
  ConfabModule *module = find_module (self, payload);

  if (module == NULL)
    {
      confab_service_refuse (task, CONFAB_ERROR_UNKNOWN_MODULE,
                             _ ("There is no conversation with this moduleId."));
      return;
    }

  set_asked_module (task, module);
  confab_store_history_async (self->store, confab_rules_get_string (payload, "moduleId"),
                              confab_rules_get_string (payload, "before"),
                              (guint) confab_rules_get_int (payload, "limit", DEFAULT_PAGE), NULL,
                              history_read_cb, g_object_ref (task));
}

static void
history_read_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  ConfabService *self = g_task_get_source_object (task);
  ConfabModule *module = find_module (self, g_task_get_task_data (task));
  g_autoptr (GPtrArray) records = NULL;
  g_autoptr (GError) error = NULL;
  gboolean more = FALSE;
  Page *page;

  records = confab_store_history_finish (CONFAB_STORE (source), result, &more, &error);
  if (is_outdated (task, module))
    {
      read_history (task);
      return;
    }
  if (g_error_matches (error, CONFAB_STORE_ERROR, CONFAB_STORE_ERROR_NOT_FOUND))
    {
      confab_service_refuse (task, CONFAB_ERROR_UNKNOWN_MESSAGE,
                             _ ("There is no message with the id in the field before."));
      return;
    }
  if (records == NULL)
    {
      g_task_return_error (task, confab_service_storage_error (error));
      return;
    }

  page = g_new (Page, 1);
  *page = (Page){ confab_rows_read_messages (records), more };
  if (module != NULL)
    take_those_here (module, page->messages);
  g_task_return_pointer (task, page, page_free);
}

/**
 * confab_service_history_async:
 * @self: the service
 * @payload: of `ai:chat:history`
 * @callback: called with the messages
 * @user_data: for @callback
 *
 * Reads a page of the visible branch.
 */
void
confab_service_history_async (ConfabService *self,
                              JsonObject *payload,
                              GAsyncReadyCallback callback,
                              gpointer user_data)
{
  g_autoptr (GTask) task = NULL;

  g_return_if_fail (CONFAB_IS_SERVICE (self));

  task =
      begin (self, "ai:chat:history", payload, confab_service_history_async, callback, user_data);
  if (task == NULL)
    return;

  read_history (task);
}

/**
 * confab_service_history_finish:
 * @self: the service
 * @result: of confab_service_history_async()
 * @more: (out): whether the branch has older ones
 * @error: return location for a %CONFAB_ERROR
 *
 * Returns: (transfer full) (nullable) (element-type ConfabMessage): oldest first
 */
GPtrArray *
confab_service_history_finish (ConfabService *self,
                               GAsyncResult *result,
                               gboolean *more,
                               GError **error)
{
  GPtrArray *messages;
  Page *page;

  g_return_val_if_fail (g_task_is_valid (result, self), NULL);

  page = g_task_propagate_pointer (G_TASK (result), error);
  if (page == NULL)
    return NULL;

  *more = page->more;
  messages = g_steal_pointer (&page->messages);
  page_free (page);

  return messages;
}

static void
search_read_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  g_autoptr (GError) error = NULL;
  GPtrArray *results = confab_store_search_finish (CONFAB_STORE (source), result, &error);

  if (results == NULL)
    g_task_return_error (task, confab_service_storage_error (error));
  else
    g_task_return_pointer (task, results, (GDestroyNotify) g_ptr_array_unref);
}

/**
 * confab_service_search_async:
 * @self: the service
 * @payload: of `ai:chat:search`
 * @callback: called with the results
 * @user_data: for @callback
 *
 * Searches titles and messages for words.
 */
void
confab_service_search_async (ConfabService *self,
                             JsonObject *payload,
                             GAsyncReadyCallback callback,
                             gpointer user_data)
{
  g_autoptr (GTask) task = NULL;

  g_return_if_fail (CONFAB_IS_SERVICE (self));

  task = begin (self, "ai:chat:search", payload, confab_service_search_async, callback, user_data);
  if (task != NULL)
    confab_store_search_async (self->store, confab_rules_get_string (payload, "query"),
                               (guint) confab_rules_get_int (payload, "limit", DEFAULT_PAGE), NULL,
                               search_read_cb, g_object_ref (task));
}

/**
 * confab_service_search_finish:
 *
 * Returns: (transfer full) (nullable) (element-type ConfabSearchResult): the best first
 */
GPtrArray *
confab_service_search_finish (ConfabService *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), NULL);

  return g_task_propagate_pointer (G_TASK (result), error);
}
