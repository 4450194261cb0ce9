/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "confab-error.h"
#include "confab-generation.h"
#include "confab-id.h"

typedef struct
{
  ConfabGeneration *generation;
  GString *heard; /* "seq:kind:text;" for each delta, "end:STATE" for the end */
} Fixture;

static void
delta_cb (ConfabGeneration *generation, const ConfabDelta *delta, gpointer user_data)
{
  GString *heard = user_data;

  g_assert_cmpuint (strlen (delta->text), ==, delta->length);
  g_string_append_printf (heard, "%" G_GUINT64_FORMAT ":%c:%s;", delta->seq,
                          delta->kind == CONFAB_DELTA_TEXT ? 't' : 'r', delta->text);
}

static void
ended_cb (ConfabGeneration *generation, gpointer user_data)
{
  GString *heard = user_data;
  ConfabState state = confab_generation_get_state (generation);

  g_assert_true (confab_generation_is_ended (generation));
  g_string_append_printf (heard, "end:%s", confab_state_to_string (state));
}

static void
set_up (Fixture *fixture, gconstpointer data)
{
  g_autoptr (ConfabMessage) question = confab_message_new_question ("q", NULL, "why?");
  g_autoptr (ConfabMessage) answer = confab_message_new_answer ("a", "q", "g");

  fixture->generation = confab_generation_new ("g", "m", "r", question, answer);
  fixture->heard = g_string_new (NULL);
  g_signal_connect (fixture->generation, "delta", G_CALLBACK (delta_cb), fixture->heard);
  g_signal_connect (fixture->generation, "ended", G_CALLBACK (ended_cb), fixture->heard);
}

static void
tear_down (Fixture *fixture, gconstpointer data)
{
  g_assert_finalize_object (fixture->generation);
  g_string_free (fixture->heard, TRUE);
}

static void
append (Fixture *fixture, ConfabDeltaKind kind, const char *text)
{
  g_assert_true (confab_generation_append (fixture->generation, kind, text, strlen (text)));
}

static void
test_new (Fixture *fixture, gconstpointer data)
{
  ConfabGeneration *generation = fixture->generation;

  g_assert_cmpstr (confab_generation_get_id (generation), ==, "g");
  g_assert_cmpstr (confab_generation_get_module_id (generation), ==, "m");
  g_assert_cmpstr (confab_generation_get_request_id (generation), ==, "r");
  g_assert_cmpint (confab_generation_get_state (generation), ==, CONFAB_STATE_QUEUED);
  g_assert_cmpstr (confab_generation_get_text (generation), ==, "");
  g_assert_cmpuint (confab_generation_get_seq (generation), ==, 0);
  g_assert_null (confab_generation_get_outcome (generation));
  g_assert_null (confab_generation_get_error (generation));
  g_assert_cmpint (confab_generation_get_started_at (generation), >, 0);
  g_assert_cmpint (confab_generation_get_ended_at (generation), ==, 0);
}

static void
test_seq (Fixture *fixture, gconstpointer data)
{
  confab_generation_begin (fixture->generation);
  append (fixture, CONFAB_DELTA_REASONING, "hm");
  append (fixture, CONFAB_DELTA_TEXT, "Be");
  append (fixture, CONFAB_DELTA_TEXT, "cause");

  g_assert_cmpstr (fixture->heard->str, ==, "1:r:hm;2:t:Be;3:t:cause;");
  g_assert_cmpuint (confab_generation_get_seq (fixture->generation), ==, 3);
  g_assert_cmpstr (confab_generation_get_text (fixture->generation), ==, "Because");
  g_assert_cmpuint (confab_generation_get_text_length (fixture->generation), ==, 7);
  g_assert_cmpstr (confab_generation_get_reasoning (fixture->generation), ==, "hm");
  g_assert_cmpint (confab_generation_get_state (fixture->generation), ==, CONFAB_STATE_STREAMING);
}

static void
test_complete (Fixture *fixture, gconstpointer data)
{
  ConfabMessage *answer = confab_generation_get_answer (fixture->generation);
  ConfabOutcome *outcome = confab_outcome_new (CONFAB_FINISH_LENGTH);

  outcome->has_usage = TRUE;
  outcome->usage.output_tokens = 2;
  confab_generation_begin (fixture->generation);
  append (fixture, CONFAB_DELTA_REASONING, "hm");
  append (fixture, CONFAB_DELTA_TEXT, "So");
  g_assert_cmpstr (confab_message_get_content (answer), ==, "");
  g_assert_true (confab_generation_complete (fixture->generation, outcome));

  g_assert_cmpstr (fixture->heard->str, ==, "1:r:hm;2:t:So;end:completed");
  g_assert_cmpstr (confab_generation_get_text (fixture->generation), ==, "So");
  g_assert_cmpint (confab_generation_get_outcome (fixture->generation)->finish_reason, ==,
                   CONFAB_FINISH_LENGTH);
  g_assert_cmpstr (confab_message_get_content (answer), ==, "So");
  g_assert_cmpstr (confab_message_get_reasoning (answer), ==, "hm");
  g_assert_cmpint (confab_message_get_state (answer), ==, CONFAB_STATE_COMPLETED);
  g_assert_cmpint (confab_message_get_outcome (answer)->usage.output_tokens, ==, 2);
  g_assert_cmpint (confab_generation_get_ended_at (fixture->generation), >, 0);
}

static void
test_complete_empty (Fixture *fixture, gconstpointer data)
{
  confab_generation_begin (fixture->generation);
  g_assert_true (
      confab_generation_complete (fixture->generation, confab_outcome_new (CONFAB_FINISH_STOP)));
  g_assert_cmpstr (fixture->heard->str, ==, "end:completed");
}

static void
test_complete_needs_begin (Fixture *fixture, gconstpointer data)
{
  g_assert_false (
      confab_generation_complete (fixture->generation, confab_outcome_new (CONFAB_FINISH_STOP)));
  g_assert_cmpstr (fixture->heard->str, ==, "");
}

static void
test_stop (Fixture *fixture, gconstpointer data)
{
  confab_generation_begin (fixture->generation);
  append (fixture, CONFAB_DELTA_TEXT, "half");
  g_assert_true (confab_generation_stop (fixture->generation));

  g_assert_cmpstr (fixture->heard->str, ==, "1:t:half;end:stopped");
  g_assert_cmpint (confab_generation_get_outcome (fixture->generation)->finish_reason, ==,
                   CONFAB_FINISH_STOPPED);
  g_assert_null (confab_generation_get_error (fixture->generation));
}

static void
test_stop_before_begin (Fixture *fixture, gconstpointer data)
{
  g_assert_true (confab_generation_stop (fixture->generation));
  g_assert_false (confab_generation_begin (fixture->generation));
  g_assert_cmpstr (fixture->heard->str, ==, "end:stopped");
}

static void
test_fail (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error =
      g_error_new_literal (CONFAB_ERROR, CONFAB_ERROR_UPSTREAM_TRUNCATED, "cut");

  confab_generation_begin (fixture->generation);
  append (fixture, CONFAB_DELTA_TEXT, "half");
  g_assert_true (confab_generation_fail (fixture->generation, error));

  g_assert_cmpstr (fixture->heard->str, ==, "1:t:half;end:failed");
  g_assert_error ((GError *) confab_generation_get_error (fixture->generation), CONFAB_ERROR,
                  CONFAB_ERROR_UPSTREAM_TRUNCATED);
  g_assert_cmpstr (confab_generation_get_text (fixture->generation), ==, "half");
  g_assert_cmpint (confab_message_get_state (confab_generation_get_answer (fixture->generation)),
                   ==, CONFAB_STATE_FAILED);
}

static void
test_interrupt (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = g_error_new_literal (CONFAB_ERROR, CONFAB_ERROR_SHUTTING_DOWN, "bye");

  g_assert_true (confab_generation_interrupt (fixture->generation, error));
  g_assert_cmpstr (fixture->heard->str, ==, "end:interrupted");
}

static void
test_one_end (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = g_error_new_literal (CONFAB_ERROR, CONFAB_ERROR_INTERNAL, "late");

  confab_generation_begin (fixture->generation);
  append (fixture, CONFAB_DELTA_TEXT, "x");
  g_assert_true (confab_generation_stop (fixture->generation));

  g_assert_false (confab_generation_append (fixture->generation, CONFAB_DELTA_TEXT, "y", 1));
  g_assert_false (confab_generation_stop (fixture->generation));
  g_assert_false (confab_generation_fail (fixture->generation, error));
  g_assert_false (confab_generation_interrupt (fixture->generation, error));
  g_assert_false (
      confab_generation_complete (fixture->generation, confab_outcome_new (CONFAB_FINISH_STOP)));
  g_assert_cmpstr (fixture->heard->str, ==, "1:t:x;end:stopped");
  g_assert_cmpuint (confab_generation_get_seq (fixture->generation), ==, 1);
}

static void
stop_at_once_cb (ConfabGeneration *generation, const ConfabDelta *delta, gpointer user_data)
{
  confab_generation_stop (generation);
}

static void
test_stop_from_delta (Fixture *fixture, gconstpointer data)
{
  g_signal_connect (fixture->generation, "delta", G_CALLBACK (stop_at_once_cb), NULL);
  confab_generation_begin (fixture->generation);
  append (fixture, CONFAB_DELTA_TEXT, "x");
  g_assert_cmpstr (fixture->heard->str, ==, "1:t:x;end:stopped");
}

static void
stretch_cb (ConfabDeltaKind kind,
            guint64 from_seq,
            guint64 seq,
            const char *text,
            gsize length,
            gpointer user_data)
{
  g_string_append_printf (user_data, "%u-%u:%c:%.*s;", (guint) from_seq, (guint) seq,
                          kind == CONFAB_DELTA_TEXT ? 't' : 'r', (int) length, text);
}

static void
assert_replay (Fixture *fixture, guint64 after_seq, const char *expected)
{
  g_autoptr (GString) told = g_string_new (NULL);

  confab_generation_replay (fixture->generation, after_seq, stretch_cb, told);
  g_assert_cmpstr (told->str, ==, expected);
}

static void
test_replay (Fixture *fixture, gconstpointer data)
{
  assert_replay (fixture, 0, "");
  confab_generation_begin (fixture->generation);
  append (fixture, CONFAB_DELTA_REASONING, "a");
  append (fixture, CONFAB_DELTA_REASONING, "b");
  append (fixture, CONFAB_DELTA_TEXT, "c");
  append (fixture, CONFAB_DELTA_REASONING, "d");
  append (fixture, CONFAB_DELTA_TEXT, "e");
  append (fixture, CONFAB_DELTA_TEXT, "f");

  /* while it runs, and from the message once it has ended */
  for (guint i = 0; i < 2; i++)
    {
      assert_replay (fixture, 0, "1-2:r:ab;3-3:t:c;4-4:r:d;5-6:t:ef;");
      assert_replay (fixture, 1, "2-2:r:b;3-3:t:c;4-4:r:d;5-6:t:ef;");
      assert_replay (fixture, 3, "4-4:r:d;5-6:t:ef;");
      assert_replay (fixture, 5, "6-6:t:f;");
      assert_replay (fixture, 6, "");
      g_assert_false (confab_generation_can_replay (fixture->generation, 7));
      confab_generation_stop (fixture->generation);
    }
}

/* Beyond the bound only what is newest can be told, and that exactly. */
static void
test_bounded_log (Fixture *fixture, gconstpointer data)
{
  const guint n = CONFAB_DELTA_LOG_MAX + 2;
  g_autoptr (GString) told = g_string_new (NULL);
  guint64 oldest = 0;

  g_signal_handlers_disconnect_by_data (fixture->generation, fixture->heard);
  confab_generation_begin (fixture->generation);
  for (guint i = 1; i <= n; i++)
    {
      g_autofree char *text = g_strdup_printf ("%u.", i);

      append (fixture, i % 3 == 0 ? CONFAB_DELTA_REASONING : CONFAB_DELTA_TEXT, text);
      if (i == CONFAB_DELTA_LOG_MAX)
        g_assert_true (confab_generation_can_replay (fixture->generation, 0));
    }

  g_assert_false (confab_generation_can_replay (fixture->generation, 0));
  while (!confab_generation_can_replay (fixture->generation, oldest))
    oldest++;
  /* at least half of the bound is always there */
  g_assert_cmpuint (oldest, <=, n - CONFAB_DELTA_LOG_MAX / 2);
  for (guint64 after = oldest; after <= n; after++)
    g_assert_true (confab_generation_can_replay (fixture->generation, after));

  confab_generation_replay (fixture->generation, oldest, stretch_cb, told);
  for (guint i = (guint) oldest + 1; i <= n;)
    {
      gboolean reasoning = i % 3 == 0;
      guint last = !reasoning && i % 3 == 1 && i < n ? i + 1 : i;
      g_autoptr (GString) stretch = g_string_new (NULL);

      g_string_append_printf (stretch, "%u-%u:%c:", i, last, reasoning ? 'r' : 't');
      for (guint j = i; j <= last; j++)
        g_string_append_printf (stretch, "%u.", j);
      g_string_append_c (stretch, ';');
      g_assert_cmpint (strncmp (told->str, stretch->str, stretch->len), ==, 0);
      g_string_erase (told, 0, (gssize) stretch->len);
      i = last + 1;
    }
  g_assert_cmpstr (told->str, ==, "");
  assert_replay (fixture, n, "");
}

/* One that was kept: its end stands, and single deltas are not known any more. */
static void
test_new_ended (void)
{
  g_autoptr (GError) error = g_error_new_literal (CONFAB_ERROR, CONFAB_ERROR_INTERRUPTED, "crash");
  g_autoptr (ConfabMessage) question = confab_message_new_question ("q", NULL, "why?");
  g_autoptr (ConfabMessage) answer = confab_message_new (&(ConfabMessageFields){
      .id = "a",
      .parent_id = "q",
      .generation_id = "g",
      .role = CONFAB_ROLE_ASSISTANT,
      .state = CONFAB_STATE_INTERRUPTED,
      .parts = "[{\"type\":\"reasoning\",\"text\":\"hm\"},{\"type\":\"text\",\"text\":\"So\"}]",
      .error = error,
      .created_at = 7,
  });
  g_autoptr (ConfabGeneration) generation =
      confab_generation_new_ended ("g", "m", "r", question, answer, 5);

  g_assert_true (confab_generation_is_ended (generation));
  g_assert_cmpint (confab_generation_get_state (generation), ==, CONFAB_STATE_INTERRUPTED);
  g_assert_cmpstr (confab_generation_get_text (generation), ==, "So");
  g_assert_cmpuint (confab_generation_get_text_length (generation), ==, 2);
  g_assert_cmpstr (confab_generation_get_reasoning (generation), ==, "hm");
  g_assert_cmpuint (confab_generation_get_seq (generation), ==, 5);
  g_assert_null (confab_generation_get_outcome (generation));
  g_assert_error ((GError *) confab_generation_get_error (generation), CONFAB_ERROR,
                  CONFAB_ERROR_INTERRUPTED);
  g_assert_cmpint (confab_message_get_created_at (answer), ==, 7);
  g_assert_false (confab_generation_can_replay (generation, 0));
  g_assert_false (confab_generation_can_replay (generation, 5));
  g_assert_false (confab_generation_stop (generation));
  g_assert_false (confab_generation_append (generation, CONFAB_DELTA_TEXT, "x", 1));
}

/* Parts of kinds that are not known here outlive a round trip. */
static void
test_message_parts (void)
{
  const char *const parts =
      "[{\"type\":\"image\",\"url\":\"x\"},{\"type\":\"text\",\"text\":\"a\"},"
      "{\"type\":\"text\",\"text\":\"b\"}]";
  g_autoptr (ConfabMessage) message = confab_message_new (&(ConfabMessageFields){
      .id = "q", .role = CONFAB_ROLE_USER, .state = CONFAB_STATE_COMPLETED, .parts = parts });
  g_autofree char *kept = confab_message_dup_parts (message);

  g_assert_cmpstr (confab_message_get_content (message), ==, "ab");
  g_assert_cmpstr (kept, ==, parts);
  g_assert_null (confab_message_get_parent_id (message));
  g_assert_null (confab_message_get_outcome (message));
  g_assert_null (confab_message_get_error (message));
}

static void
test_state_table (void)
{
  for (ConfabState from = 0; from < CONFAB_N_STATES; from++)
    {
      guint n_next = 0;

      for (ConfabState to = 0; to < CONFAB_N_STATES; to++)
        if (confab_state_may_follow (from, to))
          {
            g_assert_cmpint (to, >, from);
            n_next++;
          }
      g_assert_cmpint (confab_state_is_end (from), ==, n_next == 0);
      g_assert_nonnull (confab_state_to_string (from));
    }
  g_assert_false (confab_state_may_follow (CONFAB_STATE_QUEUED, CONFAB_STATE_STREAMING));
  g_assert_false (confab_state_may_follow (CONFAB_STATE_QUEUED, CONFAB_STATE_COMPLETED));
}

static void
test_ids (void)
{
  g_autofree char *made = confab_id_new ();
  g_autofree char *longest = g_strnfill (CONFAB_ID_MAX_LENGTH, 'a');
  g_autofree char *too_long = g_strnfill (CONFAB_ID_MAX_LENGTH + 1, 'a');

  g_assert_true (confab_id_is_valid (made));
  g_assert_true (confab_id_is_valid ("Az09._~:@-"));
  g_assert_true (confab_id_is_valid (longest));
  g_assert_false (confab_id_is_valid (too_long));
  g_assert_false (confab_id_is_valid (NULL));
  g_assert_false (confab_id_is_valid (""));
  g_assert_false (confab_id_is_valid ("a b"));
  g_assert_false (confab_id_is_valid ("a/b"));
  g_assert_false (confab_id_is_valid ("a\"b"));
  g_assert_false (confab_id_is_valid ("a\n"));
  g_assert_false (confab_id_is_valid ("\xc3\xa4"));
}

#define ADD(name, func)                                                                            \
  g_test_add ("/confab/generation/" name, Fixture, NULL, set_up, func, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  ADD ("new", test_new);
  ADD ("seq", test_seq);
  ADD ("complete", test_complete);
  ADD ("complete-empty", test_complete_empty);
  ADD ("complete-needs-begin", test_complete_needs_begin);
  ADD ("stop", test_stop);
  ADD ("stop-before-begin", test_stop_before_begin);
  ADD ("fail", test_fail);
  ADD ("interrupt", test_interrupt);
  ADD ("one-end", test_one_end);
  ADD ("stop-from-delta", test_stop_from_delta);
  ADD ("replay", test_replay);
  ADD ("bounded-log", test_bounded_log);
  g_test_add_func ("/confab/generation/new-ended", test_new_ended);
  g_test_add_func ("/confab/generation/message-parts", test_message_parts);
  g_test_add_func ("/confab/generation/state-table", test_state_table);
  g_test_add_func ("/confab/generation/ids", test_ids);

  return g_test_run ();
}
