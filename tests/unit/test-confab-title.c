/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "confab-title.h"

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

  return g_test_run ();
}
