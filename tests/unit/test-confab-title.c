/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "confab-title.h"

#include <string.h>

#define TEN "0123456789"
#define SIXTY TEN TEN TEN TEN TEN TEN

static void
assert_title (const char *message, const char *expected)
{
  g_autofree char *title = confab_title_from_message (message);

  g_assert_cmpstr (title, ==, expected);
}

static void
test_short (void)
{
  assert_title ("Hello", "Hello");
  assert_title ("How are you?", "How are you?");
  assert_title ("", "");
  assert_title (SIXTY, SIXTY);
}

static void
test_first_line (void)
{
  assert_title ("One\nTwo", "One");
  assert_title ("One\r\nTwo", "One");
  assert_title ("\n \n  One \nTwo", "One");
}

static void
test_spaces (void)
{
  assert_title ("  a \t b  ", "a b");
  assert_title ("a\xc2\xa0\x01"
                "b",
                "a b");
}

static void
test_cut_between_words (void)
{
  assert_title (TEN " " TEN " " TEN " " TEN " " TEN " " TEN,
                TEN " " TEN " " TEN " " TEN " " TEN "…");
  assert_title (TEN TEN TEN TEN TEN "01234 678 more", TEN TEN TEN TEN TEN "01234 678…");
}

/* A word that takes half of the title is cut, not dropped. */
static void
test_cut_in_word (void)
{
  assert_title (SIXTY "more", SIXTY "…");
  assert_title ("ab " SIXTY, "ab " TEN TEN TEN TEN TEN "0123456…");
}

/* Nothing but space follows: nothing is missing. */
static void
test_space_at_limit (void)
{
  assert_title (SIXTY " ", SIXTY);
  assert_title (SIXTY "  \n", SIXTY);
}

/* No title is longer than it may be, wherever a word ends, and each is whole UTF-8. */
static void
test_length (void)
{
  for (guint n = 1; n < 130; n++)
    for (guint gap = 0; gap <= n; gap++)
      {
        g_autoptr (GString) message = g_string_new (NULL);
        g_autofree char *title = NULL;
        glong length;

        for (guint i = 0; i < n; i++)
          g_string_append (message, i == gap ? " " : "ä");
        title = confab_title_from_message (message->str);
        g_assert_true (g_utf8_validate (title, -1, NULL));
        length = g_utf8_strlen (title, -1);
        if (g_str_has_suffix (title, "…"))
          length--;
        g_assert_cmpint (length, <=, 60);
        g_assert_cmpint (length, >=, MIN (n - 1, 30));
      }
}

static void
test_marks_of_lines (void)
{
  assert_title ("# A heading", "A heading");
  assert_title ("### A heading ###", "A heading");
  assert_title ("> Said before", "Said before");
  assert_title ("> > - Said in a list", "Said in a list");
  assert_title (">  ## Said in a heading", "Said in a heading");
  assert_title ("* One\n* Two", "One");
  assert_title ("#hashtag", "#hashtag");
  assert_title ("Learn C#", "Learn C#");
  assert_title ("-5 degrees", "-5 degrees");
  assert_title ("2. Weltkrieg", "2. Weltkrieg");
}

static void
test_emphasis (void)
{
  assert_title ("What is **bold**, and what *so-so*?", "What is bold, and what so-so?");
  assert_title ("***Both*** and __this too__ or _that_", "Both and this too or that");
  assert_title ("**Note:** ~~not~~ done", "Note: not done");
  assert_title ("**Outer with *inner* words**", "Outer with inner words");
  assert_title ("(**in brackets**)", "(in brackets)");
  assert_title ("**Größe** und **注意**请", "Größe und 注意请");
}

/* What looks like marks and is none. */
static void
test_no_emphasis (void)
{
  assert_title ("names_with_underscores stay", "names_with_underscores stay");
  assert_title ("2*3*4, 2 * 3 * 4 and 2**3**4", "2*3*4, 2 * 3 * 4 and 2**3**4");
  assert_title ("int *p, *q;", "int *p, *q;");
  assert_title ("What are *args and **kwargs?", "What are *args and **kwargs?");
  assert_title ("What does __init__ do in __main__?", "What does __init__ do in __main__?");
  assert_title ("src/*.c and lib/*.h, or src/**/*.c", "src/*.c and lib/*.h, or src/**/*.c");
  assert_title ("What does **/*.c match?", "What does **/*.c match?");
  assert_title ("**open and never closed", "**open and never closed");
  assert_title ("~5 and ~6", "~5 and ~6");
  assert_title ("the regex a\\*b\\*c", "the regex a\\*b\\*c");
  assert_title ("****", "****");
}

/* Code keeps its text as it is. */
static void
test_code (void)
{
  assert_title ("Why `int **p = *q`?", "Why int **p = *q?");
  assert_title ("`` a ` b `` and `*c*`", "a ` b and *c*");
  assert_title ("**`bold code`**", "bold code");
  assert_title ("A lone ` stays, and `` too", "A lone ` stays, and `` too");
  assert_title ("```c\n**p = *q;\n```\nWhat is that?", "**p = *q;");
  assert_title ("~~~\n\n# not a heading", "# not a heading");
  assert_title ("```one line```", "one line");
}

static void
test_links (void)
{
  assert_title ("See [the **page**](https://example.org/a_b_c) there", "See the page there");
  assert_title ("[A](b.html \"Title\") ![a picture](c.png)", "A a picture");
  assert_title ("[brackets [in] it](#x)", "brackets [in] it");
  assert_title ("Look at <https://example.org/?a=*b*>", "Look at https://example.org/?a=*b*");
  assert_title ("a[0](1) and [x] (y.z) and [](e.f)", "a[0](1) and [x] (y.z) and [](e.f)");
  assert_title ("[never](closed.html", "[never](closed.html");
  assert_title ("a < b > c", "a < b > c");
}

/* Lines of nothing but marks say nothing, unless there is nothing else. */
static void
test_empty_marks (void)
{
  assert_title ("---\n\nAfter the rule", "After the rule");
  assert_title ("* * *\n#\n>\nAfter", "After");
  assert_title ("```\n```\nAfter the code", "After the code");
  assert_title ("---", "---");
  assert_title ("```", "```");
  assert_title ("#", "#");
  assert_title ("` `", "` `");
}

/* Marks take none of the room of a title. */
static void
test_marks_and_length (void)
{
  assert_title ("**" TEN TEN "** `" TEN "` _" TEN "_ " TEN, TEN TEN " " TEN " " TEN " " TEN);
  assert_title ("[" TEN "](https://example.org/" SIXTY SIXTY ") " TEN, TEN " " TEN);
}

/* Whatever marks there are, in whatever order, the title is UTF-8 and no longer than it may be. */
static void
test_any_marks (void)
{
  static const char *const pieces[] = { "*", "**", "_",  "`", "``", "[", "](",      ")", "<",
                                        ">", "~~", "\\", "!", " ",  "ä", "http://", "#", "\n" };

  for (guint run = 0; run < 20000; run++)
    {
      g_autoptr (GString) message = g_string_new (NULL);
      g_autofree char *title = NULL;

      for (gint n = g_test_rand_int_range (1, 14); n > 0; n--)
        g_string_append (message,
                         pieces[g_test_rand_int_range (0, (gint32) G_N_ELEMENTS (pieces))]);
      title = confab_title_from_message (message->str);
      g_assert_true (g_utf8_validate (title, -1, NULL));
      g_assert_cmpint (g_utf8_strlen (title, -1), <=, 61);
      g_assert_null (strchr (title, '\n'));
      if (strspn (message->str, " \n") < message->len)
        g_assert_cmpstr (title, !=, "");
    }
}

/* A message of nothing but marks, as long as one may be, is looked at in no time. */
static void
test_long_marks (void)
{
  static const char *const pieces[] = { "*", "`", "[", "<", "_a ", "**b ", "](", "#\n", "\n" };

  for (guint i = 0; i < G_N_ELEMENTS (pieces); i++)
    {
      g_autoptr (GString) message = g_string_new (NULL);
      g_autofree char *title = NULL;

      while (message->len < 256 * 1024)
        g_string_append (message, pieces[i]);
      title = confab_title_from_message (message->str);
      g_assert_cmpint (g_utf8_strlen (title, -1), <=, 61);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/confab/title/short", test_short);
  g_test_add_func ("/confab/title/first-line", test_first_line);
  g_test_add_func ("/confab/title/spaces", test_spaces);
  g_test_add_func ("/confab/title/cut-between-words", test_cut_between_words);
  g_test_add_func ("/confab/title/cut-in-word", test_cut_in_word);
  g_test_add_func ("/confab/title/space-at-limit", test_space_at_limit);
  g_test_add_func ("/confab/title/length", test_length);
  g_test_add_func ("/confab/title/marks-of-lines", test_marks_of_lines);
  g_test_add_func ("/confab/title/emphasis", test_emphasis);
  g_test_add_func ("/confab/title/no-emphasis", test_no_emphasis);
  g_test_add_func ("/confab/title/code", test_code);
  g_test_add_func ("/confab/title/links", test_links);
  g_test_add_func ("/confab/title/empty-marks", test_empty_marks);
  g_test_add_func ("/confab/title/marks-and-length", test_marks_and_length);
  g_test_add_func ("/confab/title/any-marks", test_any_marks);
  g_test_add_func ("/confab/title/long-marks", test_long_marks);

  return g_test_run ();
}
