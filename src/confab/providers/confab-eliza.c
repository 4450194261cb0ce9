/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <math.h>
#include <string.h>
#include <glib/gi18n-lib.h>

#include "confab-eliza.h"
#include "confab-eliza-rules.h"

/* More than that of a remark is not looked at; and no more words are taken over into an answer. */
#define MAX_REMARK_CHARS 2000
#define MAX_REST_WORDS 24

/* Stands between clauses in a list of words. */
#define BREAK ","

/* Subjects that are answered plainly, before any rule. */
typedef char *(*SubjectFunc) (GDateTime *now);

static const char *
about_self (void)
{
  return _ ("I am a small program built into Confab, not an AI model: I know nothing and only "
            "follow a few fixed rules, in the manner of the ELIZA of 1966.");
}

static const char *
how_to_connect (void)
{
  return _ ("To talk to a real model, start Ollama, llama.cpp or LM Studio on this computer and "
            "then restart Confab; or set OPENAI_API_KEY (and OPENAI_BASE_URL for a server other "
            "than OpenAI's) before starting it; or start it with --base-url and --model.");
}

static char *
say_who (GDateTime *now)
{
  return g_strdup_printf ("%s\n\n%s", about_self (), how_to_connect ());
}

static char *
say_help (GDateTime *now)
{
  return g_strdup_printf ("%s\n\n%s\n\n%s",
                          _ ("You can chat with me about anything, ask “what is 12 * 7” or “what "
                             "time is it”, and see how Confab streams an answer."),
                          about_self (), how_to_connect ());
}

static char *
say_time (GDateTime *now)
{
  g_autofree char *time = g_date_time_format (now, "%H:%M");

  return g_strdup_printf (_ ("It is %s."), time);
}

static char *
say_date (GDateTime *now)
{
  g_autofree char *date = g_date_time_format (now, "%A, %-d %B %Y");

  return g_strdup_printf (_ ("It is %s."), date);
}

static char *
say_thanks (GDateTime *now)
{
  return g_strdup (_ ("You are welcome."));
}

static char *
say_goodbye (GDateTime *now)
{
  return g_strdup (_ ("Goodbye. It was good to talk with you."));
}

static char *
say_hello (GDateTime *now)
{
  return g_strdup (_ ("Hello. What would you like to talk about?"));
}

/* whole: the phrase must be all that was said; start: it must come first. */
static const struct
{
  const char *phrases;
  enum
  {
    ANYWHERE,
    AT_START,
    WHOLE,
  } where;
  SubjectFunc say;
} subjects[] = {
  { "who are you|what are you|are you an ai|are you ai|are you a model|are you an ai model"
    "|are you real|are you human|are you a robot|are you a bot|are you chatgpt|your name",
    ANYWHERE, say_who },
  { "connect a model|connect a real|connect an ai|real model|use ollama|openai_api_key|openai",
    ANYWHERE, say_help },
  { "help|help me|what can you do|how do you work|how does this work", WHOLE, say_help },
  { "what time is it|what's the time|what is the time|tell me the time", ANYWHERE, say_time },
  { "what day is it|what is the date|what's the date|what date is it|what day is today", ANYWHERE,
    say_date },
  { "thanks|thank you|thx|many thanks", AT_START, say_thanks },
  { "bye|goodbye|good bye|see you|good night|farewell", AT_START, say_goodbye },
  { "hello|hi|hey|hello there|hi there|good morning|good evening|good afternoon|good day|greetings",
    WHOLE, say_hello },
};

/* Words of one side and what they become when the other side says them. Pairs come first. */
static const struct
{
  const char *from;
  const char *to;
} reflections[] = {
  { "i am", "you are" },   { "you are", "I am" },    { "i was", "you were" },
  { "you were", "I was" }, { "i'm", "you are" },     { "you're", "I am" },
  { "i've", "you have" },  { "you've", "I have" },   { "i'll", "you will" },
  { "you'll", "I will" },  { "i'd", "you would" },   { "you'd", "I would" },
  { "i", "you" },          { "me", "you" },          { "my", "your" },
  { "mine", "yours" },     { "myself", "yourself" }, { "you", "I" },
  { "your", "my" },        { "yours", "mine" },      { "yourself", "myself" },
  { "am", "are" },
};

/* Lower case, with plain apostrophes. */
static char *
normalise (const char *text)
{
  gsize n_chars = (gsize) g_utf8_strlen (text, -1);
  g_autofree char *part = g_utf8_substring (text, 0, (glong) MIN (n_chars, MAX_REMARK_CHARS));
  g_autofree char *lower = g_utf8_strdown (part, -1);
  g_auto (GStrv) parts = g_strsplit (lower, "’", -1);

  return g_strstrip (g_strjoinv ("'", parts));
}

/* Returns: (transfer full) (element-type utf8): words, with BREAK between clauses, never two of
 * them in a row, none at the start or end. Quote marks and the like are left out. */
static GPtrArray *
split_words (const char *text)
{
  GPtrArray *words = g_ptr_array_new_with_free_func (g_free);
  gboolean broken = FALSE;

  for (const char *p = text; *p != '\0';)
    {
      const char *start = p;

      while (*p != '\0'
             && (g_unichar_isalnum (g_utf8_get_char (p)) || strchr ("'_-", *p) != NULL
                 || g_unichar_ismark (g_utf8_get_char (p))))
        p = g_utf8_next_char (p);

      if (p == start)
        {
          broken |= strchr (".,;:!?\n", *p) != NULL;
          p = g_utf8_next_char (p);
          continue;
        }

      if (broken && words->len > 0)
        g_ptr_array_add (words, g_strdup (BREAK));
      broken = FALSE;
      g_ptr_array_add (words, g_strndup (start, (gsize) (p - start)));
    }

  return words;
}

/* Whether the words of @phrase, which ends at "|" or NUL, stand at @at. Returns: their number, or 0
 */
static guint
match_at (GPtrArray *words, guint at, const char *phrase)
{
  guint n = 0;

  for (const char *p = phrase;; n++)
    {
      gsize length = strcspn (p, " |");
      const char *word;

      if (at + n >= words->len)
        return 0;

      word = g_ptr_array_index (words, at + n);
      if (strncmp (word, p, length) != 0 || word[length] != '\0')
        return 0;

      p += length;
      if (*p != ' ')
        return n + 1;
      p++;
    }
}

/* Looks for any of @phrases. Returns: whether one is there, its place, and its length in words */
static gboolean
find_phrase (GPtrArray *words, const char *phrases, guint *at, guint *length)
{
  for (guint i = 0; i < words->len; i++)
    {
      const char *phrase = phrases;

      while (phrase != NULL)
        {
          *length = match_at (words, i, phrase);
          *at = i;
          if (*length > 0)
            return TRUE;

          phrase = strchr (phrase, '|');
          if (phrase != NULL)
            phrase++;
        }
    }

  return FALSE;
}

static char *
answer_subject (GPtrArray *words, GDateTime *now)
{
  for (gsize i = 0; i < G_N_ELEMENTS (subjects); i++)
    {
      guint at, length;

      if (!find_phrase (words, subjects[i].phrases, &at, &length))
        continue;
      if (subjects[i].where == AT_START && at != 0)
        continue;
      /* "hello there" is whole, whichever of its phrases was found. */
      if (subjects[i].where == WHOLE && (at != 0 || words->len > length + 1))
        continue;

      return subjects[i].say (now);
    }

  return NULL;
}

static char *
answer_sum (const char *text)
{
  static const char *const openings[] = { "what is",   "what's",  "how much is",
                                          "calculate", "compute", NULL };
  const char *start = text;
  g_autofree char *sum = NULL;
  char number[G_ASCII_DTOSTR_BUF_SIZE];
  double value;
  gsize length;

  for (gsize i = 0; openings[i] != NULL; i++)
    {
      if (g_str_has_prefix (start, openings[i]))
        start += strlen (openings[i]);
    }

  sum = g_strdup (start);
  length = strlen (sum);
  while (length > 0 && strchr ("?=.! ", sum[length - 1]) != NULL)
    sum[--length] = '\0';

  if (!confab_eliza_calculate (sum, &value))
    return NULL;

  if (!isfinite (value))
    return g_strdup (_ ("That has no result: nothing can be divided by zero."));

  g_ascii_formatd (number, sizeof number, "%.12g", value);
  return g_strdup_printf (_ ("That is %s."), number);
}

/* Says the words after @start from the other side, up to the end of the clause. */
static char *
reflect (GPtrArray *words, guint start)
{
  g_autoptr (GString) out = g_string_new (NULL);
  guint end = start;

  while (end < words->len && end < start + MAX_REST_WORDS
         && strcmp (g_ptr_array_index (words, end), BREAK) != 0)
    end++;

  for (guint i = start; i < end;)
    {
      const char *word = g_ptr_array_index (words, i);
      guint used = 1;

      for (gsize j = 0; j < G_N_ELEMENTS (reflections); j++)
        {
          guint length = match_at (words, i, reflections[j].from);

          if (length == 0 || i + length > end)
            continue;

          word = reflections[j].to;
          used = length;
          /* As the last word it is whom something is done to. */
          if (strcmp (word, "I") == 0 && i + 1 == end)
            word = "me";
          break;
        }

      if (out->len > 0)
        g_string_append_c (out, ' ');
      g_string_append (out, word);
      i += used;
    }

  return g_string_free (g_steal_pointer (&out), FALSE);
}

static char *
fill_in (const char *template, const char *rest)
{
  g_auto (GStrv) parts = g_strsplit (template, "{}", -1);

  return g_strjoinv (rest, parts);
}

static gsize
count_answers (const char *const *answers)
{
  gsize n = 0;

  while (n < CONFAB_ELIZA_MAX_ANSWERS && answers[n] != NULL)
    n++;

  return n;
}

static char *
answer_rule (GPtrArray *words, guint choice)
{
  const ConfabElizaRule *best = NULL;
  guint best_at = 0, best_length = 0;
  g_autofree char *rest = NULL;
  const char *const *answers;
  guint n_answers;

  for (gsize i = 0; i < confab_eliza_n_rules; i++)
    {
      const ConfabElizaRule *rule = &confab_eliza_rules[i];
      guint at, length;

      if (best != NULL && rule->rank <= best->rank)
        continue;
      if (!find_phrase (words, rule->phrases, &at, &length))
        continue;
      best = rule;
      best_at = at;
      best_length = length;
    }

  if (best == NULL)
    return NULL;

  rest = reflect (words, best_at + best_length);
  answers = *rest != '\0' && best->with_rest[0] != NULL ? best->with_rest : best->alone;

  n_answers = count_answers (answers);
  g_assert (n_answers > 0);

  return fill_in (_ (answers[choice % n_answers]), rest);
}

/* Comes back to something that was called "my …" in an earlier turn. */
static char *
answer_from_memory (ConfabPrompt *prompt, guint choice)
{
  guint n_turns = confab_prompt_get_n_turns (prompt);

  for (guint i = 0; i + 1 < n_turns; i++)
    {
      g_autofree char *text = NULL;
      g_autofree char *rest = NULL;
      g_autoptr (GPtrArray) words = NULL;
      guint at, length;

      if (confab_prompt_get_turn_role (prompt, i) != CONFAB_ROLE_USER)
        continue;

      text = normalise (confab_prompt_get_turn_content (prompt, i));
      words = split_words (text);
      if (!find_phrase (words, "my", &at, &length))
        continue;

      rest = reflect (words, at + length);
      if (*rest != '\0')
        return fill_in (_ (confab_eliza_memories[choice % confab_eliza_n_memories]), rest);
    }

  return NULL;
}

/* Returns: (nullable): what was said last */
static const char *
last_remark (ConfabPrompt *prompt, guint *n_remarks, gboolean *first_answer)
{
  const char *remark = NULL;

  *n_remarks = 0;
  *first_answer = TRUE;
  for (guint i = 0; i < confab_prompt_get_n_turns (prompt); i++)
    {
      ConfabRole role = confab_prompt_get_turn_role (prompt, i);

      if (role == CONFAB_ROLE_ASSISTANT)
        *first_answer = FALSE;
      if (role != CONFAB_ROLE_USER)
        continue;
      remark = confab_prompt_get_turn_content (prompt, i);
      (*n_remarks)++;
    }

  return remark;
}

/**
 * confab_eliza_answer:
 * @prompt: the turns; instructions and parameters are not looked at
 * @now: what time it is, in the zone of the one who asks
 *
 * Answers the last thing that was said. The first answer of a chat also says what is speaking.
 *
 * Returns: (transfer full): never empty
 */
char *
confab_eliza_answer (ConfabPrompt *prompt, GDateTime *now)
{
  g_autoptr (GPtrArray) words = NULL;
  g_autofree char *text = NULL;
  g_autofree char *answer = NULL;
  const char *remark;
  gboolean first_answer;
  guint n_remarks, choice;

  g_return_val_if_fail (prompt != NULL && now != NULL, NULL);

  remark = last_remark (prompt, &n_remarks, &first_answer);
  text = normalise (remark != NULL ? remark : "");
  words = split_words (text);
  /* Differs from turn to turn, and is the same whenever the turns are. */
  choice = g_str_hash (text) + n_remarks;

  answer = answer_sum (text);
  if (answer == NULL)
    answer = answer_subject (words, now);
  if (answer == NULL)
    answer = answer_rule (words, choice);
  if (answer == NULL)
    answer = answer_from_memory (prompt, choice);
  if (answer == NULL)
    answer = g_strdup (_ (confab_eliza_fallbacks[choice % confab_eliza_n_fallbacks]));

  if (first_answer && strstr (answer, about_self ()) == NULL)
    return g_strdup_printf ("%s\n\n%s\n\n%s", answer, about_self (), how_to_connect ());

  return g_steal_pointer (&answer);
}
