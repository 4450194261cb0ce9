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

/* Every character that JSON, json-glib or a line of JavaScript treats in its own way: it is written
 * as JSON that a strict reader takes, and comes back. */
static void
test_special_characters (void)
{
  static const gunichar more[] = { 0x7f,   0x80,   0x9f,   0x2028,  0x2029,
                                   0xfeff, 0xfffd, 0xffff, 0x1f600, 0x10ffff };

  for (guint i = 1; i < 0x20 + G_N_ELEMENTS (more); i++)
    {
      gunichar character = i < 0x20 ? i : more[i - 0x20];
      g_autoptr (GString) text = g_string_new ("a");
      g_autofree char *parts = NULL;

      g_string_append_unichar (text, character);
      g_string_append_c (text, 'b');
      parts = confab_parts_new (text->str, text->str);
      for (const char *at = parts; *at != '\0'; at++)
        g_assert_cmpint ((guchar) *at, >=, 0x20);
      assert_joined (parts, "text", text->str);
      assert_joined (parts, "reasoning", text->str);
    }
}

static void
test_exact (void)
{
  g_autofree char *both = confab_parts_new ("t\037", "r");
  g_autofree char *none = confab_parts_new ("", NULL);

  g_assert_cmpstr (both, ==,
                   "[{\"type\":\"reasoning\",\"text\":\"r\"},"
                   "{\"type\":\"text\",\"text\":\"t\\u001f\"}]");
  g_assert_cmpstr (none, ==, "[]");
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
  g_test_add_func ("/confab/parts/special-characters", test_special_characters);
  g_test_add_func ("/confab/parts/exact", test_exact);
  g_test_add_func ("/confab/parts/no-reasoning", test_no_reasoning);
  g_test_add_func ("/confab/parts/several", test_several);
  g_test_add_func ("/confab/parts/odd-parts", test_odd_parts);
  g_test_add_func ("/confab/parts/no-array", test_no_array);
  g_test_add_func ("/confab/parts/no-json", test_no_json);
  g_test_add_func ("/confab/parts/deep", test_deep);

  return g_test_run ();
}
