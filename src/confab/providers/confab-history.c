/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "confab-history.h"
#include "confab-json-peek.h"

/* The marks of a role and of a turn's end, in the templates of all known models. */
#define TOKENS_PER_TURN 5

/* What an answer is left if nobody says how long it may be. */
#define USUAL_ANSWER_TOKENS 1024

/* Tenths of a token for a character of so many bytes. */
static const guint tenths_by_length[] = { 0, 3, 6, 15, 30 };
#define TENTHS_PER_MARK 5

/* A turn as it is to be said. */
typedef struct
{
  ConfabRole role;
  GString *content;
  gint64 tokens;
  gboolean dropped;
} Turn;

static void
turn_clear (gpointer data)
{
  Turn *turn = data;

  g_string_free (turn->content, TRUE);
}

/**
 * confab_history_estimate_tokens:
 * @text: valid UTF-8
 *
 * Says without a tokenizer how many tokens a text may be, rather too many than too few. Of English
 * four letters are about a token; here it is three and a third, and punctuation counts half a token
 * each, as in code and tables. Beyond ASCII it goes by the bytes in UTF-8: two (Greek, Cyrillic,
 * Arabic and so on) are 0.6 tokens, three (Chinese, Japanese, Korean, Indic scripts) 1.5, four
 * (emoji, rare characters) 3.
 *
 * Returns: 0 for an empty text, else 1 or more
 */
gint64
confab_history_estimate_tokens (const char *text)
{
  gint64 tenths = 0;

  g_return_val_if_fail (text != NULL, 0);

  for (const char *p = text; *p != '\0'; p = g_utf8_next_char (p))
    {
      guint length = (guint) (g_utf8_next_char (p) - p);

      if (length == 1 && !g_ascii_isalnum (*p) && *p != ' ')
        tenths += TENTHS_PER_MARK;
      else
        tenths += tenths_by_length[MIN (length, G_N_ELEMENTS (tenths_by_length) - 1)];
    }

  return (tenths + 9) / 10;
}

/**
 * confab_history_get_budget:
 * @context_tokens: what the model's context holds, question and answer together; 0 for unknown
 * @parameters: (nullable): a prompt's, which may say how long the answer may get
 *
 * Leaves room for the answer: as much as it may need by `max_tokens`, or 1024 tokens, but never
 * more than half.
 *
 * Returns: how many tokens the prompt may have, 0 for any number
 */
gint64
confab_history_get_budget (gint64 context_tokens, JsonObject *parameters)
{
  gint64 answer = confab_json_peek_count (parameters, "max_tokens");

  if (context_tokens <= 0)
    return 0;

  if (answer < 1)
    answer = confab_json_peek_count (parameters, "max_completion_tokens");
  if (answer < 1)
    answer = USUAL_ANSWER_TOKENS;

  return context_tokens - MIN (answer, context_tokens / 2);
}

static gboolean
is_blank (const char *text)
{
  for (; *text != '\0'; text++)
    {
      if (!g_ascii_isspace (*text))
        return FALSE;
    }

  return TRUE;
}

/* After an answer that failed two questions follow each other, which strict servers refuse. */
static GArray *
join_turns (ConfabPrompt *prompt)
{
  GArray *turns = g_array_new (FALSE, TRUE, sizeof (Turn));

  g_array_set_clear_func (turns, turn_clear);
  for (guint i = 0; i < confab_prompt_get_n_turns (prompt); i++)
    {
      ConfabRole role = confab_prompt_get_turn_role (prompt, i);
      const char *content = confab_prompt_get_turn_content (prompt, i);
      Turn *last = turns->len > 0 ? &g_array_index (turns, Turn, turns->len - 1) : NULL;

      /* An answer that never came; but what was asked last is asked, whatever it is. */
      if (is_blank (content)
          && (i + 1 < confab_prompt_get_n_turns (prompt) || (last != NULL && last->role == role)))
        continue;

      if (last != NULL && last->role == role)
        {
          g_string_append (last->content, "\n\n");
          g_string_append (last->content, content);
        }
      else
        {
          Turn turn = { .role = role, .content = g_string_new (content) };

          g_array_append_val (turns, turn);
        }
    }

  return turns;
}

static gint64
count_tokens (GArray *turns, const char *instructions)
{
  gint64 tokens = 0;

  if (instructions != NULL)
    tokens += confab_history_estimate_tokens (instructions) + TOKENS_PER_TURN;
  for (guint i = 0; i < turns->len; i++)
    {
      Turn *turn = &g_array_index (turns, Turn, i);

      turn->tokens = confab_history_estimate_tokens (turn->content->str) + TOKENS_PER_TURN;
      tokens += turn->tokens;
    }

  return tokens;
}

/* Returns: the first turn after @index that is the user's, or the number of turns */
static guint
find_question (GArray *turns, guint index)
{
  for (guint i = index + 1; i < turns->len; i++)
    {
      if (g_array_index (turns, Turn, i).role == CONFAB_ROLE_USER)
        return i;
    }

  return turns->len;
}

/*
 * Drops from the oldest on, a question together with what was answered, so that what is left begins
 * with a question. The last question stays, however long it is: the server then tells that it is.
 * What the system says between turns is instructions as well, and stays.
 */
static void
drop_oldest (GArray *turns, gint64 tokens, gint64 budget)
{
  guint start = 0;

  while (tokens > budget)
    {
      guint end = find_question (turns, start);

      if (end == turns->len)
        return;
      for (; start < end; start++)
        {
          Turn *turn = &g_array_index (turns, Turn, start);

          turn->dropped = turn->role != CONFAB_ROLE_SYSTEM;
          if (turn->dropped)
            tokens -= turn->tokens;
        }
    }
}

/**
 * confab_history_fit:
 * @budget: how many tokens @prompt may have, by confab_history_estimate_tokens(); 0 for any number
 *
 * Makes of a conversation what a model can be told: turns of one role that follow each other become
 * one, with a blank line between them; blank ones are left out; and if it is too long, the oldest
 * questions go, each with its answer. The instructions and the newest question always stay.
 *
 * Returns: (transfer full): a new prompt
 */
ConfabPrompt *
confab_history_fit (ConfabPrompt *prompt, gint64 budget)
{
  g_autoptr (ConfabPrompt) fitting = confab_prompt_new ();
  g_autoptr (GArray) turns = NULL;
  gint64 tokens;

  g_return_val_if_fail (prompt != NULL, NULL);

  turns = join_turns (prompt);
  tokens = count_tokens (turns, confab_prompt_get_instructions (prompt));
  if (budget > 0)
    drop_oldest (turns, tokens, budget);

  confab_prompt_set_model (fitting, confab_prompt_get_model (prompt));
  confab_prompt_set_instructions (fitting, confab_prompt_get_instructions (prompt));
  confab_prompt_set_parameters (fitting, confab_prompt_get_parameters (prompt));
  for (guint i = 0; i < turns->len; i++)
    {
      const Turn *turn = &g_array_index (turns, Turn, i);

      if (!turn->dropped)
        confab_prompt_add_turn (fitting, turn->role, turn->content->str);
    }

  return g_steal_pointer (&fitting);
}
