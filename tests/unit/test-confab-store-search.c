/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "confab-store-fixture.h"

#include <string.h>

#include "confab-db.h"

static void
put_texts (ConfabStore *store)
{
  g_autoptr (ConfabBatch) batch = confab_batch_new (CONFAB_BATCH_RELAXED);

  put_session (batch, "s", "Garden plans");
  put_module (batch, "s", "roses", "Pruning roses");
  put_module (batch, "s", "soil", "Soil and compost");
  put_message (batch, "roses", NULL, "r1", CONFAB_STATE_COMPLETED, "When do I prune the roses?");
  put_message (batch, "roses", "r1", "r2", CONFAB_STATE_STOPPED,
               "In late winter.\nCut above an outward bud.");
  put_message (batch, "soil", NULL, "s1", CONFAB_STATE_COMPLETED,
               "Schöne Grüße! L'été, naïve café, 日本語 Ελλάδα, C++ and node.js, foo_bar, 100%");
  put_message (batch, "soil", "s1", "s2", CONFAB_STATE_STREAMING, "half an unfinished answer");
  commit_ok (store, batch);
}

static void
assert_finds (ConfabStore *store, const char *query, const char *expected)
{
  g_autoptr (GPtrArray) results = search (store, query, 50);
  g_autoptr (GString) ids = g_string_new (NULL);

  for (guint i = 0; i < results->len; i++)
    {
      ConfabSearchResult *result = results->pdata[i];

      g_assert_cmpstr (result->session_id, ==, "s");
      g_assert_nonnull (result->title);
      g_assert_nonnull (result->snippet);
      g_string_append_printf (ids, "%s%s", i > 0 ? " " : "",
                              result->message_id  ? result->message_id
                              : result->module_id ? result->module_id
                                                  : result->session_id);
    }
  g_assert_cmpstr (ids->str, ==, expected);
}

static void
test_words (Fixture *self, gconstpointer data)
{
  ConfabStore *store = open_store (self->path);

  put_texts (store);
  assert_finds (store, "winter", "r2");
  assert_finds (store, "WINTER", "r2");
  assert_finds (store, "bud winter", "r2");
  assert_finds (store, "bud summer", "");
  assert_finds (store, "wint", "r2");
  assert_finds (store, "wint late", "");
  assert_finds (store, "late wint", "r2");
  assert_finds (store, "plans", "s");
  assert_finds (store, "grusse", "");
  assert_finds (store, "grüße", "s1");
  assert_finds (store, "ete", "s1");
  assert_finds (store, "CAFE", "s1");
  assert_finds (store, "ελλάδα", "s1");
  assert_finds (store, "日本", "s1");
  assert_finds (store, "c++ node", "s1");
  assert_finds (store, "node.js", "s1");
  assert_finds (store, "foo_b", "s1");
  assert_finds (store, "\t winter \n", "r2");
  close_store (store);
}

static void
test_results (Fixture *self, gconstpointer data)
{
  ConfabStore *store = open_store (self->path);
  g_autoptr (GPtrArray) roses = NULL;
  g_autoptr (GPtrArray) limited = NULL;
  ConfabSearchResult *title;
  ConfabSearchResult *message;

  put_texts (store);

  /* a hit in a title is the better one */
  roses = search (store, "roses", 50);
  g_assert_cmpuint (roses->len, ==, 2);
  title = roses->pdata[0];
  g_assert_cmpstr (title->module_id, ==, "roses");
  g_assert_null (title->message_id);
  g_assert_cmpstr (title->title, ==, "Pruning roses");
  g_assert_cmpstr (title->snippet, ==, "Pruning roses");
  message = roses->pdata[1];
  g_assert_cmpstr (message->session_id, ==, "s");
  g_assert_cmpstr (message->module_id, ==, "roses");
  g_assert_cmpstr (message->message_id, ==, "r1");
  g_assert_cmpstr (message->title, ==, "Pruning roses");
  g_assert_cmpstr (message->snippet, ==, "When do I prune the roses?");
  g_assert_cmpint (message->created_at, ==, 1);

  limited = search (store, "roses", 1);
  g_assert_cmpuint (limited->len, ==, 1);
  close_store (store);
}

static void
test_long_text_gives_snippet (Fixture *self, gconstpointer data)
{
  g_autofree char *before = g_strnfill (20000, 'a');
  g_autoptr (ConfabBatch) batch = confab_batch_new (CONFAB_BATCH_RELAXED);
  g_autoptr (GPtrArray) results = NULL;
  g_autofree char *text = NULL;
  ConfabStore *store = open_store (NULL);

  for (guint i = 3; i < 20000; i += 4)
    before[i] = ' ';
  text = g_strconcat (before, "needle", before, NULL);
  put_ground (store);
  put_message (batch, "m", NULL, "long", CONFAB_STATE_COMPLETED, text);
  commit_ok (store, batch);
  results = search (store, "needle", 5);
  g_assert_cmpuint (results->len, ==, 1);
  g_assert_nonnull (strstr (((ConfabSearchResult *) results->pdata[0])->snippet, "needle"));
  g_assert_cmpuint (strlen (((ConfabSearchResult *) results->pdata[0])->snippet), <, 300);
  close_store (store);
}

/* The index follows what it indexes. */
static void
test_index_follows (Fixture *self, gconstpointer data)
{
  g_autoptr (ConfabBatch) end = confab_batch_new (CONFAB_BATCH_RELAXED);
  g_autoptr (ConfabBatch) rename = confab_batch_new (CONFAB_BATCH_RELAXED);
  g_autoptr (ConfabBatch) delete_module = confab_batch_new (CONFAB_BATCH_RELAXED);
  g_autoptr (ConfabBatch) delete_session = confab_batch_new (CONFAB_BATCH_RELAXED);
  ConfabStore *store = open_store (self->path);

  put_texts (store);

  /* partial text is not found, the end is */
  assert_finds (store, "unfinished", "");
  put_message (end, "soil", "s1", "s2", CONFAB_STATE_COMPLETED, "a finished answer");
  commit_ok (store, end);
  assert_finds (store, "unfinished", "");
  assert_finds (store, "finished", "s2");

  put_session (rename, "s", "Balcony plans");
  put_module (rename, "s", "roses", "Pruning lilies");
  commit_ok (store, rename);
  assert_finds (store, "garden", "");
  assert_finds (store, "balcony", "s");
  assert_finds (store, "lilies", "roses");
  assert_finds (store, "roses", "r1");

  confab_batch_delete_module (delete_module, "roses");
  commit_ok (store, delete_module);
  assert_finds (store, "roses", "");
  assert_finds (store, "lilies", "");
  assert_finds (store, "winter", "");

  confab_batch_delete_session (delete_session, "s");
  commit_ok (store, delete_session);
  assert_finds (store, "balcony", "");
  assert_finds (store, "compost", "");
  assert_finds (store, "finished", "");
  close_store (store);
}

static void
test_reasoning_is_not_found (Fixture *self, gconstpointer data)
{
  g_autoptr (ConfabBatch) batch = confab_batch_new (CONFAB_BATCH_RELAXED);
  g_autofree char *parts = confab_parts_new ("spoken", "thought");
  ConfabStore *store = open_store (NULL);

  put_ground (store);
  confab_batch_put_message (batch, &(ConfabMessageRecord){ .id = (char *) "x",
                                                           .module_id = (char *) "m",
                                                           .parts = parts,
                                                           .state = CONFAB_STATE_COMPLETED });
  commit_ok (store, batch);
  assert_finds (store, "spoken", "x");
  assert_finds (store, "thought", "");
  close_store (store);
}

static const char *const hostile_queries[] = {
  "",
  " ",
  "\"",
  "\"\"",
  "\"\"\"",
  "'",
  "*",
  "**",
  "^",
  "(",
  ")",
  "()",
  "((((((((((",
  "a AND",
  "AND",
  "OR",
  "NOT",
  "NOT winter",
  "NEAR(a b)",
  "NEAR/3",
  "title:roses",
  "-title:roses",
  "{title text}: x",
  "winter OR",
  "winter*",
  "^winter",
  "winter\"",
  "\"winter",
  "'; DROP TABLE messages; --",
  "search MATCH 'x'",
  ":a ?1 @b $c",
  "%",
  "_",
  "\\",
  "\x01\x02\x7f",
  "\xff\xfe",
  "winter \xc3",
  "—",
  "winter —",
  "— winter",
  "🙂",
  "winter 🙂",
  "\xe2\x80\x8b",
  "\xcc\x81",
  "a\xcc\x81",
  "+",
  "a + b",
  "rank",
  "rowid:1",
};

/* No input is an error, and none means more than its words. */
static void
test_hostile_queries (Fixture *self, gconstpointer data)
{
  ConfabStore *store = open_store (self->path);

  put_texts (store);
  for (guint i = 0; i < G_N_ELEMENTS (hostile_queries); i++)
    g_ptr_array_unref (search (store, hostile_queries[i], 10));

  /* operators are words */
  assert_finds (store, "NOT winter", "");
  assert_finds (store, "winter OR roses", "");
  assert_finds (store, "title:roses", "");
  assert_finds (store, "^winter", "r2");
  assert_finds (store, "winter*", "r2");
  assert_finds (store, "\"winter\"", "r2");
  assert_finds (store, "winter \"", "r2");
  assert_finds (store, "— winter", "r2");
  assert_finds (store, "*", "");
  assert_finds (store, "\xcc\x81", "");
  close_store (store);
}

static void
test_every_character (Fixture *self, gconstpointer data)
{
  ConfabStore *store = open_store (NULL);

  put_texts (store);
  for (int i = 1; i < 256; i++)
    for (guint form = 0; form < 3; form++)
      {
        char query[16];

        g_snprintf (query, sizeof query, form == 0 ? "%c" : form == 1 ? "a%c" : "%c a", i);
        g_ptr_array_unref (search (store, query, 10));
      }
  close_store (store);
}

static void
test_huge_queries (Fixture *self, gconstpointer data)
{
  g_autofree char *word = g_strnfill (1024 * 1024, 'a');
  g_autofree char *quotes = g_strnfill (1024 * 1024, '"');
  g_autofree char *words = g_strnfill (1024 * 1024, 'b');
  g_autofree char *umlauts = NULL;
  g_autoptr (GString) many = g_string_new (NULL);
  ConfabStore *store = open_store (NULL);

  for (gsize i = 1; i < 1024 * 1024; i += 2)
    words[i] = ' ';
  for (guint i = 0; i < 200; i++)
    g_string_append (many, "ü");
  umlauts = g_strconcat ("x", many->str, NULL);

  put_texts (store);
  g_ptr_array_unref (search (store, word, 10));
  g_ptr_array_unref (search (store, quotes, 10));
  g_ptr_array_unref (search (store, words, 10));
  g_ptr_array_unref (search (store, umlauts, 10));
  close_store (store);
}

static void
test_expressions (Fixture *self, gconstpointer data)
{
  static const struct
  {
    const char *query;
    const char *expression;
  } cases[] = {
    { "", NULL },
    { " \t\n", NULL },
    { "*", NULL },
    { "\"(-)\"", NULL },
    { "one", "\"one\"*" },
    { "one  two ", "\"one\" \"two\"*" },
    { "say \"hi\"", "\"say\" \"\"\"hi\"\"\"*" },
    { "a - b", "\"a\" \"b\"*" },
    { "NEAR(a", "\"NEAR(a\"*" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *expression = confab_db_search_expression (cases[i].query);

      g_assert_cmpstr (expression, ==, cases[i].expression);
    }
}

int
main (int argc, char **argv)
{
  static const StoreTest tests[] = {
    { "words", test_words },
    { "results", test_results },
    { "long-text-gives-snippet", test_long_text_gives_snippet },
    { "index-follows", test_index_follows },
    { "reasoning-is-not-found", test_reasoning_is_not_found },
    { "hostile-queries", test_hostile_queries },
    { "every-character", test_every_character },
    { "huge-queries", test_huge_queries },
    { "expressions", test_expressions },
  };

  g_test_init (&argc, &argv, NULL);
  store_add_tests ("store/search", tests, G_N_ELEMENTS (tests));

  return g_test_run ();
}
