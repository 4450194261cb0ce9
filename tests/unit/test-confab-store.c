/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "confab-store-fixture.h"

/* What goes to disk and back, with all that there is of each. */
static const ConfabSessionRecord full_session = { (char *) "s", (char *) "Über “Zitate”", 11, 12 };
static const ConfabModuleRecord full_module = { .id = (char *) "m",
                                                .session_id = (char *) "s",
                                                .title = (char *) "title",
                                                .title_is_auto = TRUE,
                                                .instructions = (char *) "Be brief.",
                                                .provider = (char *) "openai",
                                                .model = (char *) "big",
                                                .parameters = (char *) "{\"temperature\":0.5}",
                                                .created_at = 13,
                                                .updated_at = 14 };
static const ConfabMessageRecord full_message = {
  .id = (char *) "a",
  .module_id = (char *) "m",
  .parent_id = (char *) "q",
  .role = CONFAB_ROLE_ASSISTANT,
  .parts = (char *) "[{\"type\":\"reasoning\",\"text\":\"hm\"},7,"
                    "{\"type\":\"text\",\"text\":\"one \"},"
                    "{\"type\":\"image\",\"text\":\"no\"},"
                    "{\"type\":\"text\",\"text\":\"two\"}]",
  .state = CONFAB_STATE_FAILED,
  .generation_id = (char *) "g",
  .has_finish_reason = TRUE,
  .finish_reason = CONFAB_FINISH_CONTENT_FILTER,
  .provider = (char *) "openai",
  .model = (char *) "big-1",
  .has_usage = TRUE,
  .usage = { 5, 6, -1, 0 },
  .error_code = (char *) "upstream-error",
  .error_message = (char *) "It broke.",
  .created_at = 15
};
static const ConfabGenerationRecord full_generation = { .id = (char *) "g",
                                                        .module_id = (char *) "m",
                                                        .request_id = (char *) "r",
                                                        .question_id = (char *) "q",
                                                        .answer_id = (char *) "a",
                                                        .state = CONFAB_STATE_FAILED,
                                                        .seq = G_MAXINT64,
                                                        .has_finish_reason = TRUE,
                                                        .finish_reason = CONFAB_FINISH_LENGTH,
                                                        .error_code = (char *) "upstream-error",
                                                        .error_message = (char *) "It broke.",
                                                        .created_at = 16,
                                                        .ended_at = 17 };

static void
assert_module (const ConfabModuleRecord *m)
{
  g_assert_cmpstr (m->id, ==, "m");
  g_assert_cmpstr (m->session_id, ==, "s");
  g_assert_cmpstr (m->title, ==, "title");
  g_assert_true (m->title_is_auto);
  g_assert_cmpstr (m->instructions, ==, "Be brief.");
  g_assert_cmpstr (m->provider, ==, "openai");
  g_assert_cmpstr (m->model, ==, "big");
  g_assert_cmpstr (m->parameters, ==, full_module.parameters);
  g_assert_cmpint (m->created_at, ==, 13);
  g_assert_cmpint (m->updated_at, ==, 18);
  g_assert_cmpstr (m->head_id, ==, "a");
  g_assert_cmpuint (m->n_messages, ==, 2);
}

static void
assert_question (const ConfabMessageRecord *q)
{
  g_assert_cmpstr (q->id, ==, "q");
  g_assert_null (q->parent_id);
  g_assert_cmpstr (q->text, ==, "why?");
  g_assert_false (q->has_usage);
  g_assert_cmpint (q->usage.input_tokens, ==, -1);
  g_assert_false (q->has_finish_reason);
}

static void
assert_answer (const ConfabMessageRecord *a)
{
  g_assert_cmpstr (a->id, ==, "a");
  g_assert_cmpstr (a->module_id, ==, "m");
  g_assert_cmpstr (a->parent_id, ==, "q");
  g_assert_cmpint (a->role, ==, CONFAB_ROLE_ASSISTANT);
  g_assert_cmpstr (a->parts, ==, full_message.parts);
  g_assert_cmpstr (a->text, ==, "one two");
  g_assert_cmpint (a->state, ==, CONFAB_STATE_FAILED);
  g_assert_cmpstr (a->generation_id, ==, "g");
  g_assert_true (a->has_finish_reason);
  g_assert_cmpint (a->finish_reason, ==, CONFAB_FINISH_CONTENT_FILTER);
  g_assert_cmpstr (a->provider, ==, "openai");
  g_assert_cmpstr (a->model, ==, "big-1");
  g_assert_true (a->has_usage);
  g_assert_cmpint (a->usage.input_tokens, ==, 5);
  g_assert_cmpint (a->usage.output_tokens, ==, 6);
  g_assert_cmpint (a->usage.reasoning_tokens, ==, -1);
  g_assert_cmpint (a->usage.cached_input_tokens, ==, 0);
  g_assert_cmpstr (a->error_code, ==, "upstream-error");
  g_assert_cmpstr (a->error_message, ==, "It broke.");
  g_assert_cmpint (a->created_at, ==, 15);
}

static void
assert_generation (const ConfabGenerationRecord *g)
{
  g_assert_cmpstr (g->id, ==, "g");
  g_assert_cmpstr (g->module_id, ==, "m");
  g_assert_cmpstr (g->request_id, ==, "r");
  g_assert_cmpstr (g->question_id, ==, "q");
  g_assert_cmpstr (g->answer_id, ==, "a");
  g_assert_cmpint (g->state, ==, CONFAB_STATE_FAILED);
  g_assert_cmpuint (g->seq, ==, G_MAXINT64);
  g_assert_cmpint (g->finish_reason, ==, CONFAB_FINISH_LENGTH);
  g_assert_cmpstr (g->error_code, ==, "upstream-error");
  g_assert_cmpstr (g->error_message, ==, "It broke.");
  g_assert_cmpint (g->created_at, ==, 16);
  g_assert_cmpint (g->ended_at, ==, 17);
}

static void
test_round_trip (Fixture *self, gconstpointer data)
{
  g_autoptr (ConfabBatch) batch = confab_batch_new (CONFAB_BATCH_DURABLE);
  g_autoptr (ConfabOverview) overview = NULL;
  g_autoptr (ConfabExchange) exchange = NULL;
  ConfabStore *store = open_store (self->path);
  const ConfabSessionRecord *s;

  confab_batch_put_session (batch, &full_session);
  confab_batch_put_module (batch, &full_module);
  put_message (batch, "m", NULL, "q", CONFAB_STATE_COMPLETED, "why?");
  confab_batch_put_message (batch, &full_message);
  confab_batch_put_generation (batch, &full_generation);
  confab_batch_set_head (batch, "m", "a", 18);
  commit_ok (store, batch);
  close_store (store);
  store = open_store (self->path);

  overview = confab_store_read_overview (store, NULL);
  g_assert_nonnull (overview);
  g_assert_cmpuint (overview->sessions->len, ==, 1);
  g_assert_cmpuint (overview->modules->len, ==, 1);
  s = overview->sessions->pdata[0];
  g_assert_cmpstr (s->id, ==, "s");
  g_assert_cmpstr (s->title, ==, full_session.title);
  g_assert_cmpint (s->created_at, ==, 11);
  g_assert_cmpint (s->updated_at, ==, 12);
  assert_module (overview->modules->pdata[0]);

  exchange = find_request (store, "m", "r");
  g_assert_nonnull (exchange);
  assert_question (exchange->question);
  assert_answer (exchange->answer);
  assert_generation (exchange->generation);

  close_store (store);
}

/* Every name of the enums survives, so that none is missing from the tables that read them. */
static void
test_all_enums (Fixture *self, gconstpointer data)
{
  g_autoptr (ConfabBatch) batch = confab_batch_new (CONFAB_BATCH_RELAXED);
  g_autoptr (GPtrArray) messages = NULL;
  ConfabStore *store = open_store (NULL);
  guint n = 0;

  put_ground (store);
  for (guint state = 0; state < CONFAB_N_STATES; state++, n++)
    {
      g_autofree char *id = g_strdup_printf ("m%u", n);
      g_autofree char *parent = n > 0 ? g_strdup_printf ("m%u", n - 1) : NULL;

      confab_batch_put_message (batch, &(ConfabMessageRecord){ .id = id,
                                                               .module_id = (char *) "m",
                                                               .parent_id = parent,
                                                               .role = state % 3,
                                                               .parts = (char *) "[]",
                                                               .state = state,
                                                               .has_finish_reason = state < 6,
                                                               .finish_reason = state % 6 });
    }
  confab_batch_set_head (batch, "m", "m6", 1);
  commit_ok (store, batch);

  messages = branch (store, "m", NULL);
  g_assert_cmpuint (messages->len, ==, n);
  for (guint i = 0; i < n; i++)
    {
      ConfabMessageRecord *message = messages->pdata[i];

      g_assert_cmpuint (message->state, ==, i);
      g_assert_cmpuint (message->role, ==, i % 3);
      g_assert_cmpint (message->has_finish_reason, ==, i < 6);
      if (i < 6)
        g_assert_cmpuint (message->finish_reason, ==, i);
      g_assert_cmpstr (message->text, ==, "");
    }
  close_store (store);
}

static void
test_exchanges (Fixture *self, gconstpointer data)
{
  g_autoptr (ConfabBatch) batch = confab_batch_new (CONFAB_BATCH_RELAXED);
  g_autoptr (GAsyncResult) by_id = NULL;
  g_autoptr (GAsyncResult) unknown = NULL;
  g_autoptr (GAsyncResult) idle = NULL;
  g_autoptr (ConfabExchange) first = NULL;
  g_autoptr (GError) error = NULL;
  ConfabStore *store = open_store (self->path);

  put_tree (store);
  put_generation (batch, "m", "g1", "r1", "q1", "a1", CONFAB_STATE_COMPLETED);
  put_generation (batch, "m", "g2", NULL, "q2", "a2", CONFAB_STATE_STOPPED);
  put_generation (batch, "m", "g3", NULL, "q3", "a3", CONFAB_STATE_FAILED);
  put_module (batch, "s", "empty", "");
  commit_ok (store, batch);

  g_assert_null (find_request (store, "m", "r2"));
  g_assert_null (find_request (store, "empty", "r1"));
  g_assert_null (find_request (store, "unknown", "r1"));
  g_assert_null (get_message (store, "m", "nobody"));
  g_assert_null (get_message (store, "unknown", "q1"));

  confab_store_get_generation_async (store, "m", "g1", NULL, store_ready_cb, &by_id);
  confab_store_get_generation_async (store, "m", "g9", NULL, store_ready_cb, &unknown);
  confab_store_last_generation_async (store, "empty", NULL, store_ready_cb, &idle);
  wait_for (&by_id);
  wait_for (&unknown);
  wait_for (&idle);
  first = confab_store_exchange_finish (store, by_id, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (first->generation->request_id, ==, "r1");
  g_assert_cmpstr (first->question->id, ==, "q1");
  g_assert_cmpstr (first->answer->id, ==, "a1");
  g_assert_null (confab_store_exchange_finish (store, unknown, &error));
  g_assert_no_error (error);
  g_assert_null (confab_store_exchange_finish (store, idle, &error));
  g_assert_no_error (error);
  close_store (store);
}

static void
assert_invalid (ConfabStore *store, ConfabBatch *batch)
{
  g_autoptr (GError) error = NULL;

  g_assert_false (commit (store, batch, &error));
  g_assert_error (error, CONFAB_STORE_ERROR, CONFAB_STORE_ERROR_INVALID);
  g_test_message ("%s", error->message);
}

static void
test_request_id_is_unique (Fixture *self, gconstpointer data)
{
  g_autoptr (ConfabBatch) first = confab_batch_new (CONFAB_BATCH_RELAXED);
  g_autoptr (ConfabBatch) second = confab_batch_new (CONFAB_BATCH_RELAXED);
  g_autoptr (ConfabExchange) exchange = NULL;
  ConfabStore *store = open_store (self->path);

  put_tree (store);
  put_generation (first, "m", "g1", "r", "q1", "a1", CONFAB_STATE_COMPLETED);
  commit_ok (store, first);
  put_message (second, "m", "b3", "q4", CONFAB_STATE_COMPLETED, "again");
  put_generation (second, "m", "g2", "r", "q2", "a2", CONFAB_STATE_QUEUED);
  assert_invalid (store, second);

  /* nothing of the batch is there */
  g_assert_null (get_message (store, "m", "q4"));
  exchange = find_request (store, "m", "r");
  g_assert_cmpstr (exchange->generation->id, ==, "g1");
  close_store (store);
}

static void
test_invalid_batches (Fixture *self, gconstpointer data)
{
  static const char *const bad_parts[] = { "", "{}", "[", "text", "\"text\"" };
  ConfabStore *store = open_store (NULL);

  put_tree (store);
  for (guint i = 0; i < 7 + G_N_ELEMENTS (bad_parts); i++)
    {
      g_autoptr (ConfabBatch) batch = confab_batch_new (CONFAB_BATCH_RELAXED);
      g_autoptr (ConfabOverview) overview = NULL;

      put_session (batch, "goes too", "with the rest");
      switch (i)
        {
        case 0:
          put_module (batch, "nowhere", "n", "without a session");
          break;
        case 1:
          put_message (batch, "nowhere", NULL, "x", CONFAB_STATE_COMPLETED, "");
          break;
        case 2:
          put_message (batch, "m", "nobody", "x", CONFAB_STATE_COMPLETED, "");
          break;
        case 3:
          put_generation (batch, "nowhere", "g", NULL, "q1", "a1", CONFAB_STATE_QUEUED);
          break;
        case 4:
          put_generation (batch, "m", "g", NULL, "nobody", "a1", CONFAB_STATE_QUEUED);
          break;
        case 5:
          put_generation (batch, "m", "g", NULL, "q1", "nobody", CONFAB_STATE_QUEUED);
          break;
        case 6:
          confab_batch_set_head (batch, "m", "nobody", 1);
          break;
        default:
          confab_batch_put_message (batch,
                                    &(ConfabMessageRecord){ .id = (char *) "x",
                                                            .module_id = (char *) "m",
                                                            .parts = (char *) bad_parts[i - 7],
                                                            .state = CONFAB_STATE_COMPLETED });
        }
      assert_invalid (store, batch);
      overview = confab_store_read_overview (store, NULL);
      g_assert_cmpuint (overview->sessions->len, ==, 1);
    }
  close_store (store);
}

static void
test_put_changes (Fixture *self, gconstpointer data)
{
  g_autoptr (ConfabBatch) batch = confab_batch_new (CONFAB_BATCH_RELAXED);
  g_autoptr (ConfabOverview) overview = NULL;
  ConfabStore *store = open_store (self->path);
  ConfabModuleRecord *module;

  put_tree (store);
  confab_batch_put_session (batch,
                            &(ConfabSessionRecord){ (char *) "s", (char *) "renamed", 99, 50 });
  confab_batch_put_module (batch, &(ConfabModuleRecord){ .id = (char *) "m",
                                                         .session_id = (char *) "s",
                                                         .title = NULL,
                                                         .model = (char *) "small",
                                                         .head_id = (char *) "q1",
                                                         .created_at = 99,
                                                         .updated_at = 51 });
  commit_ok (store, batch);

  overview = confab_store_read_overview (store, NULL);
  g_assert_cmpuint (overview->sessions->len, ==, 1);
  g_assert_cmpuint (overview->modules->len, ==, 1);
  g_assert_cmpstr (((ConfabSessionRecord *) overview->sessions->pdata[0])->title, ==, "renamed");
  g_assert_cmpint (((ConfabSessionRecord *) overview->sessions->pdata[0])->created_at, ==, 1);
  module = overview->modules->pdata[0];
  g_assert_cmpstr (module->title, ==, "");
  g_assert_cmpstr (module->model, ==, "small");
  g_assert_cmpint (module->created_at, ==, 1);
  g_assert_cmpint (module->updated_at, ==, 51);
  g_assert_cmpstr (module->head_id, ==, "b3");
  close_store (store);
}

static void
test_partial_text_grows (Fixture *self, gconstpointer data)
{
  static const char *const texts[] = { "", "Once", "Once upon", "Once upon a time" };
  ConfabStore *store = open_store (self->path);

  put_ground (store);
  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    {
      g_autoptr (ConfabBatch) batch = confab_batch_new (CONFAB_BATCH_RELAXED);
      g_autoptr (ConfabMessageRecord) message = NULL;

      put_message (batch, "m", NULL, "a", i < 3 ? CONFAB_STATE_STREAMING : CONFAB_STATE_COMPLETED,
                   texts[i]);
      commit_ok (store, batch);
      message = get_message (store, "m", "a");
      g_assert_cmpstr (message->text, ==, texts[i]);
    }
  close_store (store);
}

static void
grow_message (ConfabBatch *batch, const char *id, const char *text)
{
  g_autofree char *parts = confab_parts_new (text, NULL);

  confab_batch_grow_message (batch, "m", id, CONFAB_STATE_STREAMING, parts);
}

static void
test_grown (Fixture *self, gconstpointer data)
{
  g_autoptr (ConfabBatch) start = confab_batch_new (CONFAB_BATCH_DURABLE);
  g_autoptr (ConfabBatch) growth = confab_batch_new (CONFAB_BATCH_RELAXED);
  g_autoptr (ConfabMessageRecord) grown = NULL;
  g_autoptr (ConfabMessageRecord) other = NULL;
  ConfabStore *store = open_store (self->path);

  put_ground (store);
  put_message (start, "m", NULL, "q", CONFAB_STATE_COMPLETED, "question");
  put_message (start, "m", "q", "a", CONFAB_STATE_QUEUED, "");
  put_message (start, "m", "q", "b", CONFAB_STATE_QUEUED, "");
  commit_ok (store, start);
  grow_message (growth, "a", "so far");
  grow_message (growth, "nowhere", "lost");
  commit_ok (store, growth);

  grown = get_message (store, "m", "a");
  g_assert_cmpstr (grown->text, ==, "so far");
  g_assert_cmpint (grown->state, ==, CONFAB_STATE_STREAMING);
  g_assert_cmpstr (grown->parent_id, ==, "q");
  other = get_message (store, "m", "b");
  g_assert_cmpstr (other->text, ==, "");
  g_assert_cmpint (other->state, ==, CONFAB_STATE_QUEUED);
  close_store (store);
}

/* An end is reached once: what comes late changes nothing, and is no error. */
static void
test_ended_stays (Fixture *self, gconstpointer data)
{
  g_autoptr (ConfabBatch) end = confab_batch_new (CONFAB_BATCH_DURABLE);
  g_autoptr (ConfabBatch) late = confab_batch_new (CONFAB_BATCH_RELAXED);
  g_autoptr (ConfabExchange) exchange = NULL;
  ConfabStore *store = open_store (self->path);

  put_ground (store);
  put_message (end, "m", NULL, "q", CONFAB_STATE_COMPLETED, "question");
  put_message (end, "m", "q", "a", CONFAB_STATE_STOPPED, "all of it");
  put_generation (end, "m", "g", "r", "q", "a", CONFAB_STATE_STOPPED);
  commit_ok (store, end);
  commit_ok (store, end);

  put_message (late, "m", "q", "a", CONFAB_STATE_STREAMING, "all");
  grow_message (late, "a", "al");
  put_generation (late, "m", "g", "r", "q", "a", CONFAB_STATE_COMPLETED);
  commit_ok (store, late);
  exchange = find_request (store, "m", "r");
  g_assert_cmpint (exchange->answer->state, ==, CONFAB_STATE_STOPPED);
  g_assert_cmpstr (exchange->answer->text, ==, "all of it");
  g_assert_cmpint (exchange->generation->state, ==, CONFAB_STATE_STOPPED);
  close_store (store);
}

static void
test_deletion (Fixture *self, gconstpointer data)
{
  g_autoptr (ConfabBatch) fill = confab_batch_new (CONFAB_BATCH_RELAXED);
  g_autoptr (ConfabBatch) module = confab_batch_new (CONFAB_BATCH_RELAXED);
  g_autoptr (ConfabBatch) session = confab_batch_new (CONFAB_BATCH_RELAXED);
  g_autoptr (ConfabOverview) some = NULL;
  g_autoptr (ConfabOverview) none = NULL;
  g_autoptr (GPtrArray) found = NULL;
  ConfabStore *store = open_store (self->path);

  put_tree (store);
  put_generation (fill, "m", "g1", "r1", "q1", "a1", CONFAB_STATE_COMPLETED);
  put_module (fill, "s", "n", "Another");
  put_message (fill, "n", NULL, "q", CONFAB_STATE_COMPLETED, "stays for now");
  commit_ok (store, fill);

  confab_batch_delete_module (module, "m");
  confab_batch_delete_module (module, "unknown");
  commit_ok (store, module);
  g_assert_null (get_message (store, "m", "q1"));
  g_assert_null (find_request (store, "m", "r1"));
  some = confab_store_read_overview (store, NULL);
  g_assert_cmpuint (some->modules->len, ==, 1);

  confab_batch_delete_session (session, "s");
  confab_batch_delete_session (session, "unknown");
  commit_ok (store, session);
  none = confab_store_read_overview (store, NULL);
  g_assert_cmpuint (none->sessions->len, ==, 0);
  g_assert_cmpuint (none->modules->len, ==, 0);
  g_assert_null (get_message (store, "n", "q"));
  found = search (store, "stays", 10);
  g_assert_cmpuint (found->len, ==, 0);

  /* the ids are free again */
  put_tree (store);
  assert_history (store, NULL, 1, "b3", TRUE);
  close_store (store);
}

static void
test_recover (Fixture *self, gconstpointer data)
{
  static const ConfabState states[] = { CONFAB_STATE_QUEUED, CONFAB_STATE_CONNECTING,
                                        CONFAB_STATE_STREAMING };
  g_autoptr (ConfabBatch) batch = confab_batch_new (CONFAB_BATCH_RELAXED);
  g_autoptr (ConfabExchange) done = NULL;
  g_autoptr (GPtrArray) found = NULL;
  ConfabStore *store = open_store (self->path);
  guint n = 99;

  put_ground (store);
  put_message (batch, "m", NULL, "q", CONFAB_STATE_COMPLETED, "question");
  for (guint i = 0; i < G_N_ELEMENTS (states); i++)
    {
      g_autofree char *answer = g_strdup_printf ("a%u", i);
      g_autofree char *id = g_strdup_printf ("g%u", i);

      put_message (batch, "m", "q", answer, states[i], "Unfinished sentence");
      put_generation (batch, "m", id, id, "q", answer, states[i]);
    }
  put_message (batch, "m", "q", "fine", CONFAB_STATE_COMPLETED, "whole");
  put_generation (batch, "m", "g", "g", "q", "fine", CONFAB_STATE_COMPLETED);
  commit_ok (store, batch);
  found = search (store, "unfinished", 10);
  g_assert_cmpuint (found->len, ==, 0);
  g_clear_pointer (&found, g_ptr_array_unref);
  close_store (store);

  store = open_store (self->path);
  g_assert_true (confab_store_recover (store, &n, NULL));
  g_assert_cmpuint (n, ==, 3);
  for (guint i = 0; i < G_N_ELEMENTS (states); i++)
    {
      g_autofree char *id = g_strdup_printf ("g%u", i);
      g_autoptr (ConfabExchange) exchange = find_request (store, "m", id);

      g_assert_cmpint (exchange->generation->state, ==, CONFAB_STATE_INTERRUPTED);
      g_assert_cmpstr (exchange->generation->error_code, ==, "interrupted");
      g_assert_cmpint (exchange->generation->ended_at, >, 0);
      g_assert_cmpint (exchange->answer->state, ==, CONFAB_STATE_INTERRUPTED);
      g_assert_cmpstr (exchange->answer->error_code, ==, "interrupted");
      g_assert_nonnull (exchange->answer->error_message);
      g_assert_cmpstr (exchange->answer->text, ==, "Unfinished sentence");
    }
  done = find_request (store, "m", "g");
  g_assert_cmpint (done->generation->state, ==, CONFAB_STATE_COMPLETED);
  g_assert_null (done->answer->error_code);
  found = search (store, "unfinished", 10);
  g_assert_cmpuint (found->len, ==, 3);

  g_assert_true (confab_store_recover (store, &n, NULL));
  g_assert_cmpuint (n, ==, 0);
  close_store (store);
}

int
main (int argc, char **argv)
{
  static const StoreTest tests[] = {
    { "round-trip", test_round_trip },
    { "all-enums", test_all_enums },
    { "exchanges", test_exchanges },
    { "request-id-is-unique", test_request_id_is_unique },
    { "invalid-batches", test_invalid_batches },
    { "put-changes", test_put_changes },
    { "partial-text-grows", test_partial_text_grows },
    { "grown", test_grown },
    { "ended-stays", test_ended_stays },
    { "deletion", test_deletion },
    { "recover", test_recover },
  };

  g_test_init (&argc, &argv, NULL);
  store_add_tests ("store", tests, G_N_ELEMENTS (tests));

  return g_test_run ();
}
