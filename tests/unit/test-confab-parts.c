/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "confab-parts.h"

static void
assert_joined (const char *parts, const char *type, const char *expected)
{
  g_autofree char *joined = confab_parts_join (parts, type);

  g_assert_cmpstr (joined, ==, expected);
}

static void
test_back (void)
{
  static const char text[] = "plain \303\251 \"quoted\" \\ \n\t\001\177";
  g_autofree char *parts = confab_parts_new (text, "thought");

  assert_joined (parts, "text", text);
  assert_joined (parts, "reasoning", "thought");
}

static void
test_no_reasoning (void)
{
  g_autofree char *parts = confab_parts_new ("text", NULL);

  assert_joined (parts, "text", "text");
  assert_joined (parts, "reasoning", "");
}

static void
test_several (void)
{
  assert_joined ("[{\"type\":\"text\",\"text\":\"a\"},{\"type\":\"file\",\"text\":\"b\"},"
                 "{\"type\":\"text\",\"text\":\"c\"}]",
                 "text", "ac");
}

/* What is no part, or one without a text, adds nothing. */
static void
test_odd_parts (void)
{
  assert_joined ("[1,null,[],\"text\",{\"type\":1,\"text\":\"a\"},{\"type\":\"text\"},"
                 "{\"type\":\"text\",\"text\":2}]",
                 "text", "");
  assert_joined ("[]", "text", "");
}

static void
test_no_array (void)
{
  assert_joined ("{\"type\":\"text\",\"text\":\"a\"}", "text", NULL);
  assert_joined ("\"text\"", "text", NULL);
  assert_joined ("", "text", NULL);
}

/* Under LeakSanitizer, this is also where json-glib's parser leaks. */
static void
test_no_json (void)
{
  assert_joined ("1{\"type\":\"x\",\"text\":\"hm\"},{\"a\":}", "text", NULL);
  assert_joined ("[{\"type\":\"text\",\"text\":\"a\"}] x", "text", NULL);
  assert_joined ("[/* a comment */]", "text", NULL);
}

static void
test_deep (void)
{
  g_autoptr (GString) parts = g_string_new (NULL);

  for (guint i = 0; i < 1000000; i++)
    g_string_append_c (parts, '[');
  assert_joined (parts->str, "text", NULL);
  for (guint i = 0; i < 1000000; i++)
    g_string_append_c (parts, ']');
  assert_joined (parts->str, "text", NULL);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/confab/parts/back", test_back);
  g_test_add_func ("/confab/parts/no-reasoning", test_no_reasoning);
  g_test_add_func ("/confab/parts/several", test_several);
  g_test_add_func ("/confab/parts/odd-parts", test_odd_parts);
  g_test_add_func ("/confab/parts/no-array", test_no_array);
  g_test_add_func ("/confab/parts/no-json", test_no_json);
  g_test_add_func ("/confab/parts/deep", test_deep);

  return g_test_run ();
}
