/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "confab-store-private.h"

/* What a read asks for, and for history the second half of its answer. */
typedef struct
{
  char *id; /* of a module; or the text to search */
  char *other_id;
  guint limit;
  ConfabExchangeKey key;
} Question;

static void
question_free (gpointer data)
{
  Question *question = data;

  g_free (question->id);
  g_free (question->other_id);
  g_free (question);
}

static Question *
question_new (const char *id, const char *other_id)
{
  Question *question = g_new0 (Question, 1);

  question->id = g_strdup (id);
  question->other_id = g_strdup (other_id);

  return question;
}

static GTask *
new_task (ConfabStore *self,
          gpointer tag,
          GCancellable *cancellable,
          GAsyncReadyCallback callback,
          gpointer user_data)
{
  GTask *task = g_task_new (self, cancellable, callback, user_data);

  g_task_set_source_tag (task, tag);

  return task;
}

typedef struct
{
  GPtrArray *messages;
  gboolean more;
} History;

static void
history_free (gpointer data)
{
  History *history = data;

  g_clear_pointer (&history->messages, g_ptr_array_unref);
  g_free (history);
}

static gpointer
history_in_thread (ConfabDb *db, gpointer input, GError **error)
{
  const Question *question = input;
  History *history = g_new0 (History, 1);

  history->messages = confab_db_read_history (db, question->id, question->other_id, question->limit,
                                              &history->more, error);
  if (history->messages == NULL)
    g_clear_pointer (&history, history_free);

  return history;
}

/**
 * confab_store_history_async:
 * @self: a store
 * @module_id: a module
 * @before_id: (nullable): a message of it; %NULL: from the newest
 * @limit: how many messages at most, from 1
 * @cancellable: (nullable): to give up
 * @callback: (scope async): called with the messages
 * @user_data: for @callback
 *
 * Reads the newest messages of the visible branch before @before_id, exclusive. For a message that
 * is not on the visible branch these are the visible ones among those it follows.
 */
void
confab_store_history_async (ConfabStore *self,
                            const char *module_id,
                            const char *before_id,
                            guint limit,
                            GCancellable *cancellable,
                            GAsyncReadyCallback callback,
                            gpointer user_data)
{
  Question *question;

  g_return_if_fail (CONFAB_IS_STORE (self) && module_id != NULL && limit > 0);

  question = question_new (module_id, before_id);
  question->limit = limit;
  confab_store_thread_push (
      confab_store_get_thread (self),
      new_task (self, confab_store_history_async, cancellable, callback, user_data),
      history_in_thread, question, question_free, history_free);
}

/**
 * confab_store_history_finish:
 * @self: a store
 * @result: the result
 * @more: (out) (optional): whether there are older ones
 * @error: return location; NOT_FOUND: there is no such module or message
 *
 * Returns: (transfer full) (nullable) (element-type ConfabMessageRecord): the messages, oldest
 * first
 */
GPtrArray *
confab_store_history_finish (ConfabStore *self,
                             GAsyncResult *result,
                             gboolean *more,
                             GError **error)
{
  History *history;
  GPtrArray *messages;

  g_return_val_if_fail (g_task_is_valid (result, self), NULL);

  history = g_task_propagate_pointer (G_TASK (result), error);
  if (history == NULL)
    return NULL;

  if (more != NULL)
    *more = history->more;
  messages = g_steal_pointer (&history->messages);
  history_free (history);

  return messages;
}

static gpointer
branch_in_thread (ConfabDb *db, gpointer input, GError **error)
{
  const Question *question = input;

  return confab_db_read_branch (db, question->id, question->other_id, error);
}

/**
 * confab_store_branch_async:
 * @self: a store
 * @module_id: a module
 * @leaf_id: (nullable): the message that ends the branch; %NULL: the visible one
 * @cancellable: (nullable): to give up
 * @callback: (scope async): called with the messages
 * @user_data: for @callback
 *
 * Reads a whole branch, from the first message of the module to @leaf_id, inclusive.
 */
void
confab_store_branch_async (ConfabStore *self,
                           const char *module_id,
                           const char *leaf_id,
                           GCancellable *cancellable,
                           GAsyncReadyCallback callback,
                           gpointer user_data)
{
  g_return_if_fail (CONFAB_IS_STORE (self) && module_id != NULL);

  confab_store_thread_push (
      confab_store_get_thread (self),
      new_task (self, confab_store_branch_async, cancellable, callback, user_data),
      branch_in_thread, question_new (module_id, leaf_id), question_free,
      (GDestroyNotify) g_ptr_array_unref);
}

/**
 * confab_store_lead_async:
 * @self: a store
 * @module_id: a module
 * @leaf_id: a message of it that is on disk
 * @cancellable: (nullable): to give up
 * @callback: (scope async): called with the messages; confab_store_branch_finish() gives them
 * @user_data: for @callback
 *
 * The same for those who will not wait: commits that were begun before may be done after it, or
 * not.
 */
void
confab_store_lead_async (ConfabStore *self,
                         const char *module_id,
                         const char *leaf_id,
                         GCancellable *cancellable,
                         GAsyncReadyCallback callback,
                         gpointer user_data)
{
  g_return_if_fail (CONFAB_IS_STORE (self) && module_id != NULL && leaf_id != NULL);

  confab_store_thread_push_aside (
      confab_store_get_thread (self),
      new_task (self, confab_store_lead_async, cancellable, callback, user_data), branch_in_thread,
      question_new (module_id, leaf_id), question_free, (GDestroyNotify) g_ptr_array_unref);
}

/**
 * confab_store_branch_finish:
 * @self: a store
 * @result: the result
 * @error: return location; NOT_FOUND: there is no such module or message
 *
 * Returns: (transfer full) (nullable) (element-type ConfabMessageRecord): the messages, oldest
 * first
 */
GPtrArray *
confab_store_branch_finish (ConfabStore *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), NULL);

  return g_task_propagate_pointer (G_TASK (result), error);
}

static gpointer
message_in_thread (ConfabDb *db, gpointer input, GError **error)
{
  const Question *question = input;
  ConfabMessageRecord *message;

  confab_db_read_message (db, question->id, question->other_id, &message, error);

  return message;
}

/**
 * confab_store_get_message_async:
 * @self: a store
 * @module_id: a module
 * @message_id: a message of it, on whatever branch
 * @cancellable: (nullable): to give up
 * @callback: (scope async): called with the message
 * @user_data: for @callback
 */
void
confab_store_get_message_async (ConfabStore *self,
                                const char *module_id,
                                const char *message_id,
                                GCancellable *cancellable,
                                GAsyncReadyCallback callback,
                                gpointer user_data)
{
  g_return_if_fail (CONFAB_IS_STORE (self) && module_id != NULL && message_id != NULL);

  confab_store_thread_push (
      confab_store_get_thread (self),
      new_task (self, confab_store_get_message_async, cancellable, callback, user_data),
      message_in_thread, question_new (module_id, message_id), question_free,
      (GDestroyNotify) confab_message_record_free);
}

/**
 * confab_store_get_message_finish:
 * @self: a store
 * @result: the result
 * @error: return location
 *
 * Returns: (transfer full) (nullable): the message; %NULL without @error: there is none
 */
ConfabMessageRecord *
confab_store_get_message_finish (ConfabStore *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), NULL);

  return g_task_propagate_pointer (G_TASK (result), error);
}

static gpointer
exchange_in_thread (ConfabDb *db, gpointer input, GError **error)
{
  const Question *question = input;
  ConfabExchange *exchange;

  confab_db_read_exchange (db, question->key, question->id, question->other_id, &exchange, error);

  return exchange;
}

static void
push_exchange (ConfabStore *self, ConfabExchangeKey key, Question *question, GTask *task)
{
  question->key = key;
  confab_store_thread_push (confab_store_get_thread (self), task, exchange_in_thread, question,
                            question_free, (GDestroyNotify) confab_exchange_free);
}

/**
 * confab_store_find_request_async:
 * @self: a store
 * @module_id: a module
 * @request_id: the client's name for a request
 * @cancellable: (nullable): to give up
 * @callback: (scope async): called with the generation that the request started
 * @user_data: for @callback
 */
void
confab_store_find_request_async (ConfabStore *self,
                                 const char *module_id,
                                 const char *request_id,
                                 GCancellable *cancellable,
                                 GAsyncReadyCallback callback,
                                 gpointer user_data)
{
  g_return_if_fail (CONFAB_IS_STORE (self) && module_id != NULL && request_id != NULL);

  push_exchange (
      self, CONFAB_EXCHANGE_BY_REQUEST, question_new (module_id, request_id),
      new_task (self, confab_store_find_request_async, cancellable, callback, user_data));
}

/**
 * confab_store_get_generation_async:
 * @self: a store
 * @module_id: a module
 * @generation_id: a generation of it
 * @cancellable: (nullable): to give up
 * @callback: (scope async): called with the generation
 * @user_data: for @callback
 */
void
confab_store_get_generation_async (ConfabStore *self,
                                   const char *module_id,
                                   const char *generation_id,
                                   GCancellable *cancellable,
                                   GAsyncReadyCallback callback,
                                   gpointer user_data)
{
  g_return_if_fail (CONFAB_IS_STORE (self) && module_id != NULL && generation_id != NULL);

  push_exchange (
      self, CONFAB_EXCHANGE_BY_GENERATION, question_new (module_id, generation_id),
      new_task (self, confab_store_get_generation_async, cancellable, callback, user_data));
}

/**
 * confab_store_last_generation_async:
 * @self: a store
 * @module_id: a module
 * @cancellable: (nullable): to give up
 * @callback: (scope async): called with its newest generation
 * @user_data: for @callback
 */
void
confab_store_last_generation_async (ConfabStore *self,
                                    const char *module_id,
                                    GCancellable *cancellable,
                                    GAsyncReadyCallback callback,
                                    gpointer user_data)
{
  g_return_if_fail (CONFAB_IS_STORE (self) && module_id != NULL);

  push_exchange (
      self, CONFAB_EXCHANGE_LAST, question_new (module_id, NULL),
      new_task (self, confab_store_last_generation_async, cancellable, callback, user_data));
}

/**
 * confab_store_exchange_finish:
 * @self: a store
 * @result: the result of one of the three above
 * @error: return location
 *
 * Returns: (transfer full) (nullable): the generation with its question and its answer; %NULL
 * without
 *   @error: there is none
 */
ConfabExchange *
confab_store_exchange_finish (ConfabStore *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), NULL);

  return g_task_propagate_pointer (G_TASK (result), error);
}

static gpointer
search_in_thread (ConfabDb *db, gpointer input, GError **error)
{
  const Question *question = input;

  return confab_db_search (db, question->id, question->limit, error);
}

/**
 * confab_store_search_async:
 * @self: a store
 * @query: what a person typed; every content is safe
 * @limit: how many results at most, from 1
 * @cancellable: (nullable): to give up
 * @callback: (scope async): called with the results
 * @user_data: for @callback
 *
 * Finds titles, and messages that ended, with all words of @query (the first 32), the last of which
 * may be the beginning of one. Case makes no difference, nor do the accents of Latin letters.
 * Scripts that do not part their words are found from the beginning of a run of letters only.
 * Messages of hidden branches are found too.
 */
void
confab_store_search_async (ConfabStore *self,
                           const char *query,
                           guint limit,
                           GCancellable *cancellable,
                           GAsyncReadyCallback callback,
                           gpointer user_data)
{
  Question *question;

  g_return_if_fail (CONFAB_IS_STORE (self) && query != NULL && limit > 0);

  question = question_new (query, NULL);
  question->limit = limit;
  confab_store_thread_push (
      confab_store_get_thread (self),
      new_task (self, confab_store_search_async, cancellable, callback, user_data),
      search_in_thread, question, question_free, (GDestroyNotify) g_ptr_array_unref);
}

/**
 * confab_store_search_finish:
 * @self: a store
 * @result: the result
 * @error: return location
 *
 * Returns: (transfer full) (nullable) (element-type ConfabSearchResult): the best first
 */
GPtrArray *
confab_store_search_finish (ConfabStore *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), NULL);

  return g_task_propagate_pointer (G_TASK (result), error);
}
