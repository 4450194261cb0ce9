/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <string.h>

#include "confab-error.h"
#include "confab-rules.h"

#define GOOD -1

static JsonObject *
parse (const char *json)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonNode) node = json_from_string (json, &error);

  g_assert_no_error (error);

  return json_node_dup_object (node);
}

/* @code: GOOD or a ConfabError, with which @payload is refused in a sentence that names @field. */
static void
assert_check (const char *call, JsonObject *payload, gint code, const char *field)
{
  g_autoptr (GError) error = NULL;
  gboolean fit = confab_rules_check (call, payload, &error);

  if (code == GOOD)
    {
      g_assert_no_error (error);
      g_assert_true (fit);
      return;
    }

  g_assert_false (fit);
  g_assert_error (error, CONFAB_ERROR, code);
  g_assert_true (g_str_has_suffix (error->message, "."));
  if (field != NULL)
    g_assert_nonnull (strstr (error->message, field));
}

static void
assert_json (const char *call, const char *json, gint code, const char *field)
{
  g_autoptr (JsonObject) payload = parse (json);

  g_test_message ("%s %s", call, json);
  assert_check (call, payload, code, field);
}

/* What each call needs at least; nothing less will do. */
static void
test_required (void)
{
  static const struct
  {
    const char *call;
    const char *names[3];
  } calls[] = {
    { "ai:chat:generate", { "moduleId", "message" } },
    { "ai:chat:regenerate", { "moduleId" } },
    { "ai:chat:stop", { "moduleId" } },
    { "ai:chat:resume", { "moduleId" } },
    { "ai:chat:leave", { "moduleId" } },
    { "ai:chat:history", { "moduleId" } },
    { "ai:chat:branch", { "moduleId", "messageId" } },
    { "ai:chat:search", { "query" } },
    { "session:list", { NULL } },
    { "session:create", { NULL } },
    { "session:update", { "sessionId", "title" } },
    { "session:delete", { "sessionId" } },
    { "module:list", { "sessionId" } },
    { "module:create", { "sessionId" } },
    { "module:update", { "moduleId" } },
    { "module:delete", { "moduleId" } },
  };

  for (guint i = 0; i < G_N_ELEMENTS (calls); i++)
    {
      g_autoptr (JsonObject) payload = json_object_new ();

      for (guint j = 0; calls[i].names[j] != NULL; j++)
        json_object_set_string_member (payload, calls[i].names[j], "x");
      assert_check (calls[i].call, payload, GOOD, NULL);
      assert_check (calls[i].call, NULL, CONFAB_ERROR_INVALID_REQUEST, NULL);

      for (guint j = 0; calls[i].names[j] != NULL; j++)
        {
          json_object_remove_member (payload, calls[i].names[j]);
          assert_check (calls[i].call, payload, CONFAB_ERROR_INVALID_REQUEST, calls[i].names[j]);
          json_object_set_null_member (payload, calls[i].names[j]);
          assert_check (calls[i].call, payload, CONFAB_ERROR_INVALID_REQUEST, calls[i].names[j]);
          json_object_set_string_member (payload, calls[i].names[j], "x");
        }
    }
}

typedef enum
{
  ID,
  MESSAGE,
  TEXT,
} StringKind;

static void
assert_string (const char *call, const char *name, StringKind kind, gsize max)
{
  /* with all that any call needs, so that only @name can be wrong */
  g_autoptr (JsonObject) payload =
      parse ("{\"moduleId\":\"m\",\"messageId\":\"q\",\"sessionId\":\"s\",\"message\":\"x\","
             "\"title\":\"x\",\"query\":\"x\"}");
  g_autofree char *longest = g_strnfill (max, 'a');
  g_autofree char *too_long = g_strnfill (max + 1, 'a');

  g_test_message ("%s %s", call, name);
  json_object_set_string_member (payload, name, longest);
  assert_check (call, payload, GOOD, NULL);
  json_object_set_string_member (payload, name, too_long);
  assert_check (call, payload, kind == ID ? CONFAB_ERROR_INVALID_REQUEST : CONFAB_ERROR_TOO_LARGE,
                name);
  json_object_set_string_member (payload, name, "a b/ä");
  assert_check (call, payload, kind == ID ? CONFAB_ERROR_INVALID_REQUEST : GOOD, name);
  json_object_set_string_member (payload, name, "");
  assert_check (call, payload, kind == TEXT ? GOOD : CONFAB_ERROR_INVALID_REQUEST, name);
  json_object_set_string_member (payload, name, " \n\t\xc2\xa0");
  assert_check (call, payload, kind == TEXT ? GOOD : CONFAB_ERROR_INVALID_REQUEST, name);
  json_object_set_int_member (payload, name, 1);
  assert_check (call, payload, CONFAB_ERROR_INVALID_REQUEST, name);
  json_object_set_boolean_member (payload, name, TRUE);
  assert_check (call, payload, CONFAB_ERROR_INVALID_REQUEST, name);
  json_object_set_array_member (payload, name, json_array_new ());
  assert_check (call, payload, CONFAB_ERROR_INVALID_REQUEST, name);
  json_object_set_object_member (payload, name, json_object_new ());
  assert_check (call, payload, CONFAB_ERROR_INVALID_REQUEST, name);
}

static void
test_strings (void)
{
  static const struct
  {
    const char *call;
    const char *name;
    StringKind kind;
    gsize max;
  } strings[] = {
    { "ai:chat:generate", "moduleId", ID, 128 },
    { "ai:chat:generate", "message", MESSAGE, 256 * 1024 },
    { "ai:chat:generate", "sessionId", ID, 128 },
    { "ai:chat:generate", "requestId", ID, 128 },
    { "ai:chat:generate", "userMessageId", ID, 128 },
    { "ai:chat:regenerate", "moduleId", ID, 128 },
    { "ai:chat:regenerate", "messageId", ID, 128 },
    { "ai:chat:regenerate", "message", MESSAGE, 256 * 1024 },
    { "ai:chat:regenerate", "requestId", ID, 128 },
    { "ai:chat:stop", "moduleId", ID, 128 },
    { "ai:chat:stop", "generationId", ID, 128 },
    { "ai:chat:resume", "moduleId", ID, 128 },
    { "ai:chat:resume", "generationId", ID, 128 },
    { "ai:chat:leave", "moduleId", ID, 128 },
    { "ai:chat:history", "moduleId", ID, 128 },
    { "ai:chat:history", "before", ID, 128 },
    { "ai:chat:branch", "moduleId", ID, 128 },
    { "ai:chat:branch", "messageId", ID, 128 },
    { "ai:chat:search", "query", MESSAGE, 1024 },
    { "session:create", "sessionId", ID, 128 },
    { "session:create", "title", TEXT, 1024 },
    { "session:update", "sessionId", ID, 128 },
    { "session:update", "title", TEXT, 1024 },
    { "session:delete", "sessionId", ID, 128 },
    { "module:list", "sessionId", ID, 128 },
    { "module:create", "sessionId", ID, 128 },
    { "module:create", "moduleId", ID, 128 },
    { "module:create", "title", TEXT, 1024 },
    { "module:create", "instructions", TEXT, 64 * 1024 },
    { "module:create", "provider", TEXT, 256 },
    { "module:create", "model", TEXT, 256 },
    { "module:update", "moduleId", ID, 128 },
    { "module:update", "sessionId", ID, 128 },
    { "module:update", "title", TEXT, 1024 },
    { "module:update", "instructions", TEXT, 64 * 1024 },
    { "module:update", "provider", TEXT, 256 },
    { "module:update", "model", TEXT, 256 },
    { "module:delete", "moduleId", ID, 128 },
    { "module:delete", "sessionId", ID, 128 },
  };

  for (guint i = 0; i < G_N_ELEMENTS (strings); i++)
    assert_string (strings[i].call, strings[i].name, strings[i].kind, strings[i].max);
}

/* Lengths are those of UTF-8. */
static void
test_bytes (void)
{
  g_autoptr (JsonObject) payload = json_object_new ();
  g_autoptr (GString) text = g_string_new (NULL);

  for (guint i = 0; i < CONFAB_MAX_MESSAGE_BYTES / 2; i++)
    g_string_append (text, "ä");
  json_object_set_string_member (payload, "moduleId", "m");
  json_object_set_string_member (payload, "message", text->str);
  assert_check ("ai:chat:generate", payload, GOOD, NULL);
  g_string_append (text, "ä");
  json_object_set_string_member (payload, "message", text->str);
  assert_check ("ai:chat:generate", payload, CONFAB_ERROR_TOO_LARGE, "message");
}

static void
test_integers (void)
{
  static const char *const paged[] = { "ai:chat:history", "ai:chat:search", "session:list",
                                       "module:list" };
  static const struct
  {
    const char *limit;
    gint code;
  } limits[] = {
    { "1", GOOD },
    { "200", GOOD },
    { "50.0", GOOD },
    { "null", GOOD },
    { "0", CONFAB_ERROR_INVALID_REQUEST },
    { "201", CONFAB_ERROR_INVALID_REQUEST },
    { "-1", CONFAB_ERROR_INVALID_REQUEST },
    { "1.5", CONFAB_ERROR_INVALID_REQUEST },
    { "1e300", CONFAB_ERROR_INVALID_REQUEST },
    { "-1e300", CONFAB_ERROR_INVALID_REQUEST },
    { "9223372036854775807", CONFAB_ERROR_INVALID_REQUEST },
    { "\"1\"", CONFAB_ERROR_INVALID_REQUEST },
    { "true", CONFAB_ERROR_INVALID_REQUEST },
    { "[1]", CONFAB_ERROR_INVALID_REQUEST },
    { "{}", CONFAB_ERROR_INVALID_REQUEST },
  };

  for (guint i = 0; i < G_N_ELEMENTS (paged); i++)
    for (guint j = 0; j < G_N_ELEMENTS (limits); j++)
      {
        g_autofree char *json = g_strdup_printf (
            "{\"moduleId\":\"m\",\"sessionId\":\"s\",\"query\":\"q\",\"limit\":%s}",
            limits[j].limit);

        assert_json (paged[i], json, limits[j].code, "limit");
      }
}

static void
test_cursors (void)
{
  static const struct
  {
    const char *cursor;
    gint code;
  } cursors[] = {
    { "\"0\"", GOOD },
    { "\"18446744073709551615\"", GOOD },
    { "null", GOOD },
    { "\"\"", CONFAB_ERROR_INVALID_REQUEST },
    { "\"x\"", CONFAB_ERROR_INVALID_REQUEST },
    { "\"1x\"", CONFAB_ERROR_INVALID_REQUEST },
    { "\"-1\"", CONFAB_ERROR_INVALID_REQUEST },
    { "\" 1\"", CONFAB_ERROR_INVALID_REQUEST },
    { "\"18446744073709551616\"", CONFAB_ERROR_INVALID_REQUEST },
    { "1", CONFAB_ERROR_INVALID_REQUEST },
    { "true", CONFAB_ERROR_INVALID_REQUEST },
    { "[]", CONFAB_ERROR_INVALID_REQUEST },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cursors); i++)
    {
      g_autofree char *json =
          g_strdup_printf ("{\"sessionId\":\"s\",\"cursor\":%s}", cursors[i].cursor);

      assert_json ("session:list", json, cursors[i].code, "cursor");
      assert_json ("module:list", json, cursors[i].code, "cursor");
    }
}

static void
test_seq (void)
{
  assert_json ("ai:chat:resume", "{\"moduleId\":\"m\",\"seq\":0}", GOOD, NULL);
  assert_json ("ai:chat:resume", "{\"moduleId\":\"m\",\"seq\":2147483647}", GOOD, NULL);
  assert_json ("ai:chat:resume", "{\"moduleId\":\"m\",\"seq\":-1}", CONFAB_ERROR_INVALID_REQUEST,
               "seq");
  assert_json ("ai:chat:resume", "{\"moduleId\":\"m\",\"seq\":0.5}", CONFAB_ERROR_INVALID_REQUEST,
               "seq");
}

static void
test_parameters (void)
{
  static const struct
  {
    const char *parameters;
    gint code;
    const char *field;
  } rows[] = {
    { "null", GOOD },
    { "{}", GOOD },
    { "{\"temperature\":0,\"top_p\":1,\"max_tokens\":1,\"seed\":-7}", GOOD },
    { "{\"temperature\":2,\"top_p\":0.5,\"max_tokens\":10000000,\"seed\":9007199254740991}", GOOD },
    { "{\"temperature\":null,\"something\":[1,{}]}", GOOD },
    { "[]", CONFAB_ERROR_INVALID_REQUEST, "parameters" },
    { "\"x\"", CONFAB_ERROR_INVALID_REQUEST, "parameters" },
    { "1", CONFAB_ERROR_INVALID_REQUEST, "parameters" },
    { "{\"temperature\":2.1}", CONFAB_ERROR_INVALID_REQUEST, "temperature" },
    { "{\"temperature\":-0.1}", CONFAB_ERROR_INVALID_REQUEST, "temperature" },
    { "{\"temperature\":\"1\"}", CONFAB_ERROR_INVALID_REQUEST, "temperature" },
    { "{\"top_p\":1.01}", CONFAB_ERROR_INVALID_REQUEST, "top_p" },
    { "{\"top_p\":true}", CONFAB_ERROR_INVALID_REQUEST, "top_p" },
    { "{\"max_tokens\":0}", CONFAB_ERROR_INVALID_REQUEST, "max_tokens" },
    { "{\"max_tokens\":10000001}", CONFAB_ERROR_INVALID_REQUEST, "max_tokens" },
    { "{\"max_tokens\":1.5}", CONFAB_ERROR_INVALID_REQUEST, "max_tokens" },
    { "{\"seed\":0.5}", CONFAB_ERROR_INVALID_REQUEST, "seed" },
    { "{\"seed\":9007199254740992}", CONFAB_ERROR_INVALID_REQUEST, "seed" },
    { "{\"seed\":-9007199254740992}", CONFAB_ERROR_INVALID_REQUEST, "seed" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autofree char *json = g_strdup_printf (
          "{\"moduleId\":\"m\",\"sessionId\":\"s\",\"parameters\":%s}", rows[i].parameters);

      assert_json ("module:create", json, rows[i].code, rows[i].field);
      assert_json ("module:update", json, rows[i].code, rows[i].field);
    }
}

static void
test_parameters_size (void)
{
  g_autofree char *text = g_strnfill (16 * 1024, 'x');
  g_autofree char *json =
      g_strdup_printf ("{\"moduleId\":\"m\",\"parameters\":{\"stop\":\"%s\"}}", text);

  assert_json ("module:update", json, CONFAB_ERROR_TOO_LARGE, "parameters");
  text[16 * 1024 - 100] = '\0';
  g_free (json);
  json = g_strdup_printf ("{\"moduleId\":\"m\",\"parameters\":{\"stop\":\"%s\"}}", text);
  assert_json ("module:update", json, GOOD, NULL);
}

/* What a call does not know it does not look at. */
static void
test_unknown (void)
{
  assert_json ("ai:chat:stop", "{\"moduleId\":\"m\",\"message\":7,\"limit\":\"x\"}", GOOD, NULL);
  assert_json ("server:info", "{\"moduleId\":7}", GOOD, NULL);
  assert_json ("provider:list", "{}", GOOD, NULL);
}

static void
test_optional_null (void)
{
  assert_json ("ai:chat:generate",
               "{\"moduleId\":\"m\",\"message\":\"x\",\"sessionId\":null,\"requestId\":null,"
               "\"userMessageId\":null}",
               GOOD, NULL);
}

static void
test_get (void)
{
  g_autoptr (JsonObject) payload =
      parse ("{\"text\":\"x\",\"number\":7,\"float\":8.0,\"null\":null,\"object\":{}}");

  g_assert_cmpstr (confab_rules_get_string (payload, "text"), ==, "x");
  g_assert_null (confab_rules_get_string (payload, "absent"));
  g_assert_null (confab_rules_get_string (payload, "null"));
  g_assert_null (confab_rules_get_string (payload, "number"));
  g_assert_null (confab_rules_get_string (payload, "object"));
  g_assert_null (confab_rules_get_string (NULL, "text"));
  g_assert_cmpint (confab_rules_get_int (payload, "number", 3), ==, 7);
  g_assert_cmpint (confab_rules_get_int (payload, "float", 3), ==, 8);
  g_assert_cmpint (confab_rules_get_int (payload, "absent", 3), ==, 3);
  g_assert_cmpint (confab_rules_get_int (payload, "null", 3), ==, 3);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/confab/rules/required", test_required);
  g_test_add_func ("/confab/rules/strings", test_strings);
  g_test_add_func ("/confab/rules/bytes", test_bytes);
  g_test_add_func ("/confab/rules/integers", test_integers);
  g_test_add_func ("/confab/rules/cursors", test_cursors);
  g_test_add_func ("/confab/rules/seq", test_seq);
  g_test_add_func ("/confab/rules/parameters", test_parameters);
  g_test_add_func ("/confab/rules/parameters-size", test_parameters_size);
  g_test_add_func ("/confab/rules/unknown", test_unknown);
  g_test_add_func ("/confab/rules/optional-null", test_optional_null);
  g_test_add_func ("/confab/rules/get", test_get);

  return g_test_run ();
}
