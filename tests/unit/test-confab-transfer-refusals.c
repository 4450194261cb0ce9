/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <string.h>

#include "confab-error.h"
#include "confab-import-reader.h"
#include "confab-import-scanner.h"

/* Everything that an import refuses, one by one, and what it says about it. */

#define HEAD "{\"format\":\"confab-export\",\"version\":1,\"records\":["
#define TAIL "]}"
#define SESSION                                                                                    \
  "{\"type\":\"session\",\"sessionId\":\"s\",\"title\":\"\",\"createdAt\":1,\"updatedAt\":2}"
#define MODULE_REST "\"title\":\"\",\"titleIsAuto\":true,\"createdAt\":1,\"updatedAt\":2"
#define MODULE "{\"type\":\"module\",\"moduleId\":\"m\",\"sessionId\":\"s\"," MODULE_REST "}"
#define MESSAGE(id, parent, rest)                                                                  \
  "{\"type\":\"message\",\"messageId\":\"" id "\",\"parentId\":" parent                            \
  ",\"role\":\"assistant\",\"parts\":[],\"state\":\"completed\",\"createdAt\":3" rest "}"
#define GENERATION(question, rest)                                                                 \
  "\"generation\":{\"questionId\":\"" question "\",\"state\":\"completed\",\"seq\":1,"             \
  "\"createdAt\":1,\"endedAt\":2" rest "}"
#define IN_MODULE(records) HEAD SESSION ",\n" MODULE ",\n" records TAIL

#define WITH_PARAMETERS(parameters)                                                                \
  HEAD SESSION ",\n{\"type\":\"module\",\"moduleId\":\"m\",\"sessionId\":\"s\","                   \
               "\"parameters\":" parameters "," MODULE_REST "}" TAIL
#define TEXT_16 "0123456789abcdef"
#define TEXT_64 TEXT_16 TEXT_16 TEXT_16 TEXT_16
#define TEXT_256 TEXT_64 TEXT_64 TEXT_64 TEXT_64

typedef struct
{
  const char *name;
  const char *text;
  const char *says;
} Refusal;

static const Refusal refusals[] = {
  /* whole files */
  { "empty", "", "empty" },
  { "white-space", " \n\n ", "empty" },
  { "no-object", "[]", "does not begin" },
  { "no-text", "\177ELF", "does not begin" },
  { "cut-in-head", "{\"format\":\"confab-export\",\"ver", "cut off" },
  { "cut-in-record", HEAD "\n" SESSION ",\n{\"type\":\"mod", "Line 3: the export ends too early" },
  { "cut-between-records", HEAD SESSION ",", "cut off" },
  { "cut-after-record", HEAD SESSION, "cut off" },
  { "cut-before-end", HEAD SESSION "]", "cut off" },
  { "more-after-end", HEAD SESSION TAIL "\n{}", "Line 2: there is more after the end" },
  { "no-comma", HEAD SESSION SESSION TAIL, "no JSON" },
  { "comma-before-end", HEAD SESSION "," TAIL, "no JSON" },
  { "comma-first", HEAD "," SESSION TAIL, "no JSON" },
  { "no-colon", "{\"format\" \"confab-export\"}", "no JSON" },
  { "no-key", "{format:1}", "no JSON" },
  { "wrong-bracket", HEAD SESSION "}", "no JSON" },
  /* what it says about itself */
  { "nothing-in-it", "{}", "records is missing" },
  { "no-records", "{\"format\":\"confab-export\",\"version\":1}", "records is missing" },
  { "no-format", "{\"version\":1,\"records\":[]}", "format and version are missing" },
  { "no-version", "{\"format\":\"confab-export\",\"records\":[" SESSION "]}",
    "format and version are missing" },
  { "version-later", "{\"format\":\"confab-export\",\"records\":[" SESSION "],\"version\":1}",
    "before the records" },
  { "other-format", "{\"format\":\"something\",\"version\":1,\"records\":[]}", "another one" },
  { "format-of-other-type", "{\"format\":1,\"version\":1,\"records\":[]}", "another one" },
  { "newer-version", "{\"format\":\"confab-export\",\"version\":2,\"records\":[]}", "version 1" },
  { "version-as-text", "{\"format\":\"confab-export\",\"version\":\"1\",\"records\":[]}",
    "version 1" },
  { "version-twice", "{\"format\":\"confab-export\",\"version\":1,\"version\":1,\"records\":[]}",
    "twice" },
  { "unknown-head", "{\"format\":\"confab-export\",\"version\":1,\"secret\":1,\"records\":[]}",
    "outside its records" },
  { "records-twice", HEAD "],\"records\":[" TAIL, "twice" },
  { "records-no-array", "{\"format\":\"confab-export\",\"version\":1,\"records\":{}}",
    "must be an array" },
  /* records */
  { "record-no-object", HEAD "1" TAIL, "does not know" },
  { "record-no-type", HEAD "{}" TAIL, "does not know" },
  { "record-unknown", HEAD "{\"type\":\"note\"}" TAIL, "does not know" },
  { "record-type-number", HEAD "{\"type\":1}" TAIL, "does not know" },
  { "record-type-object", HEAD "{\"type\":{}}" TAIL, "does not know" },
  { "record-no-json", HEAD "\n{\"type\":session}" TAIL, "Line 2: this is not JSON" },
  { "record-no-utf8",
    HEAD "{\"type\":\"session\",\"sessionId\":\"s\",\"title\":\"\xff\",\"createdAt\":1,"
         "\"updatedAt\":2}" TAIL,
    "UTF-8" },
  { "field-unknown",
    HEAD "{\"type\":\"session\",\"sessionId\":\"s\",\"title\":\"\",\"createdAt\":1,"
         "\"updatedAt\":2,\"colour\":null}" TAIL,
    "“colour” is not known" },
  { "field-twice",
    HEAD "{\"type\":\"session\",\"sessionId\":\"s\",\"title\":\"\",\"title\":\"\","
         "\"createdAt\":1,\"updatedAt\":2}" TAIL,
    "twice" },
  { "field-missing",
    HEAD "{\"type\":\"session\",\"sessionId\":\"s\",\"createdAt\":1,\"updatedAt\":2}" TAIL,
    "title is missing" },
  { "field-null",
    HEAD "{\"type\":\"session\",\"sessionId\":\"s\",\"title\":null,\"createdAt\":1,"
         "\"updatedAt\":2}" TAIL,
    "title is missing" },
  { "title-number",
    HEAD "{\"type\":\"session\",\"sessionId\":\"s\",\"title\":1,\"createdAt\":1,"
         "\"updatedAt\":2}" TAIL,
    "title must be a string" },
  { "id-wrong",
    HEAD "{\"type\":\"session\",\"sessionId\":\"a b\",\"title\":\"\",\"createdAt\":1,"
         "\"updatedAt\":2}" TAIL,
    "sessionId must be 1 to 128" },
  { "time-negative",
    HEAD "{\"type\":\"session\",\"sessionId\":\"s\",\"title\":\"\",\"createdAt\":-1,"
         "\"updatedAt\":2}" TAIL,
    "createdAt must be a whole number" },
  { "time-fraction",
    HEAD "{\"type\":\"session\",\"sessionId\":\"s\",\"title\":\"\",\"createdAt\":1.5,"
         "\"updatedAt\":2}" TAIL,
    "createdAt must be a whole number" },
  { "flag-number",
    HEAD SESSION ",{\"type\":\"module\",\"moduleId\":\"m\",\"sessionId\":\"s\",\"title\":\"\","
                 "\"titleIsAuto\":1,\"createdAt\":1,\"updatedAt\":2}" TAIL,
    "titleIsAuto must be true or false" },
  { "parameters-array",
    HEAD SESSION ",{\"type\":\"module\",\"moduleId\":\"m\",\"sessionId\":\"s\","
                 "\"parameters\":[]," MODULE_REST "}" TAIL,
    "parameters must be an object" },
  { "parameters-tools",
    WITH_PARAMETERS ("{\"temperature\":1,\"tools\":[{\"type\":\"mcp\","
                     "\"server_url\":\"https://evil.example/\"}]}"),
    "Line 2: the parameter “tools” is none" },
  { "parameters-servers",
    WITH_PARAMETERS ("{\"mcp_servers\":[{\"url\":\"https://evil.example/\"}]}"), "“mcp_servers”" },
  { "parameters-kept-there", WITH_PARAMETERS ("{\"store\":true}"), "“store”" },
  { "parameters-search", WITH_PARAMETERS ("{\"web_search_options\":{}}"), "“web_search_options”" },
  { "parameters-other-case", WITH_PARAMETERS ("{\"Temperature\":1}"), "“Temperature”" },
  { "parameters-nested",
    WITH_PARAMETERS ("{\"response_format\":{\"schema\":{\"$ref\":\"https://evil.example/\"}}}"),
    "“response_format”" },
  { "parameters-nested-list", WITH_PARAMETERS ("{\"stop\":[[\"a\"]]}"), "“stop”" },
  { "parameters-long-text", WITH_PARAMETERS ("{\"stop\":\"" TEXT_256 "x\"}"), "“stop”" },
  { "parameters-long-name", WITH_PARAMETERS ("{\"" TEXT_256 "\":1}"), "“" TEXT_64 "”" },
  { "role-unknown",
    IN_MODULE ("{\"type\":\"message\",\"messageId\":\"a\",\"role\":\"tool\",\"parts\":[],"
               "\"state\":\"completed\",\"createdAt\":3}"),
    "Line 3: the field role holds something" },
  { "state-unknown",
    IN_MODULE ("{\"type\":\"message\",\"messageId\":\"a\",\"role\":\"user\",\"parts\":[],"
               "\"state\":\"thinking\",\"createdAt\":3}"),
    "state holds something" },
  { "finish-reason-unknown", IN_MODULE (MESSAGE ("a", "null", ",\"finishReason\":\"tired\"")),
    "finishReason holds something" },
  { "parts-object",
    IN_MODULE ("{\"type\":\"message\",\"messageId\":\"a\",\"role\":\"user\",\"parts\":{},"
               "\"state\":\"completed\",\"createdAt\":3}"),
    "parts must be an array" },
  { "part-without-type",
    IN_MODULE ("{\"type\":\"message\",\"messageId\":\"a\",\"role\":\"user\",\"parts\":[{}],"
               "\"state\":\"completed\",\"createdAt\":3}"),
    "parts must be an array" },
  { "usage-number", IN_MODULE (MESSAGE ("a", "null", ",\"usage\":3")), "usage must be an object" },
  { "usage-unknown", IN_MODULE (MESSAGE ("a", "null", ",\"usage\":{\"tokens\":3}")),
    "“tokens” is not known" },
  { "usage-negative", IN_MODULE (MESSAGE ("a", "null", ",\"usage\":{\"inputTokens\":-1}")),
    "inputTokens must be a whole number" },
  { "generation-without-id", IN_MODULE (MESSAGE ("a", "null", "," GENERATION ("a", ""))),
    "only an answer" },
  { "generation-of-a-question",
    IN_MODULE (
        "{\"type\":\"message\",\"messageId\":\"a\",\"role\":\"user\",\"parts\":[],"
        "\"state\":\"completed\",\"createdAt\":3,\"generationId\":\"g\"," GENERATION ("a", "") "}"),
    "only an answer" },
  { "generation-unknown-field",
    IN_MODULE (MESSAGE ("a", "null", ",\"generationId\":\"g\"," GENERATION ("a", ",\"x\":1"))),
    "“x” is not known" },
  /* what does not fit together */
  { "session-twice", HEAD SESSION ",\n" SESSION TAIL, "Line 2: There are two sessions “s”" },
  { "module-twice", HEAD SESSION "," MODULE ",\n" MODULE TAIL, "Line 2: There are two modules" },
  { "module-before-session", HEAD MODULE "," SESSION TAIL, "no session “s” before it" },
  { "message-first", HEAD SESSION "," MESSAGE ("a", "null", "") TAIL, "no module before" },
  { "message-twice", IN_MODULE (MESSAGE ("a", "null", "") "," MESSAGE ("a", "null", "")),
    "two messages “a”" },
  { "parent-missing", IN_MODULE (MESSAGE ("a", "\"b\"", "")), "which is its parentId" },
  { "parent-later", IN_MODULE (MESSAGE ("a", "\"b\"", "") "," MESSAGE ("b", "null", "")),
    "which is its parentId" },
  { "parent-itself", IN_MODULE (MESSAGE ("a", "\"a\"", "")), "which is its parentId" },
  { "parent-elsewhere",
    IN_MODULE (
        MESSAGE ("a",
                 "null",
                 "") ",{\"type\":\"module\",\"moduleId\":\"n\",\"sessionId\":\"s\"," MODULE_REST
                     "}," MESSAGE ("b", "\"a\"", "")),
    "which is its parentId" },
  { "head-missing",
    HEAD SESSION ",{\"type\":\"module\",\"moduleId\":\"m\",\"sessionId\":\"s\","
                 "\"headId\":\"z\"," MODULE_REST "}," MESSAGE ("a", "null", "") TAIL,
    "“z”, which is its headId" },
  { "head-missing-before-next",
    HEAD SESSION ",{\"type\":\"module\",\"moduleId\":\"m\",\"sessionId\":\"s\","
                 "\"headId\":\"z\"," MODULE_REST "},"
                 "{\"type\":\"module\",\"moduleId\":\"n\",\"sessionId\":\"s\"," MODULE_REST
                 "}" TAIL,
    "“z”, which is its headId" },
  { "question-missing",
    IN_MODULE (MESSAGE ("a", "null", ",\"generationId\":\"g\"," GENERATION ("q", ""))),
    "which is its questionId" },
  { "generation-twice",
    IN_MODULE (MESSAGE ("a", "null", ",\"generationId\":\"g\"," GENERATION ("a", "")) "," MESSAGE (
        "b",
        "null",
        ",\"generationId\":\"g\"," GENERATION ("a", ""))),
    "Another answer" },
  { "request-twice",
    IN_MODULE (
        MESSAGE ("a",
                 "null",
                 ",\"generationId\":\"g\"," GENERATION (
                     "a",
                     ",\"requestId\":\"r\"")) "," MESSAGE ("b",
                                                           "null",
                                                           ",\"generationId\":\"h\"," GENERATION (
                                                               "a",
                                                               ",\"requestId\":\"r\""))),
    "Another answer" },
};

/* Feeds @text in pieces of @step bytes. */
static gboolean
read_text (const char *text, gsize length, gsize step, GError **error)
{
  g_autoptr (ConfabStaging) staging = confab_staging_new ();
  g_autoptr (ConfabImportReader) reader = confab_import_reader_new (staging);

  for (gsize at = 0; at < length; at += step)
    if (!confab_import_reader_feed (reader, text + at, MIN (step, length - at), error))
      return FALSE;

  return confab_import_reader_finish (reader, error);
}

static void
assert_refused (const char *text, gsize length, ConfabError code, const char *says)
{
  g_autoptr (GError) whole = NULL;
  g_autoptr (GError) bytes = NULL;

  g_assert_false (read_text (text, length, length + 1, &whole));
  g_assert_error (whole, CONFAB_ERROR, (int) code);
  if (strstr (whole->message, says) == NULL)
    g_error ("“%s” does not say “%s”", whole->message, says);
  g_assert_true (g_utf8_validate (whole->message, -1, NULL));

  /* the same, wherever the pieces end */
  if (length < 4096)
    {
      g_assert_false (read_text (text, length, 1, &bytes));
      g_assert_cmpstr (bytes->message, ==, whole->message);
    }
}

static void
test_refusal (gconstpointer data)
{
  const Refusal *refusal = data;

  assert_refused (refusal->text, strlen (refusal->text), CONFAB_ERROR_INVALID_REQUEST,
                  refusal->says);
}

static void
test_nul (void)
{
  static const char text[] = "{\"format\":\"confab\0export\"}";

  assert_refused (text, sizeof text - 1, CONFAB_ERROR_INVALID_REQUEST, "no text");
}

/* What would be lost: a string of C cannot hold it. */
static void
test_escaped_nul (void)
{
  static const char text[] =
      HEAD "{\"type\":\"session\",\"sessionId\":\"s\",\"title\":\"\\u0000\",\"createdAt\":1,"
           "\"updatedAt\":2}" TAIL;

  assert_refused (text, sizeof text - 1, CONFAB_ERROR_INVALID_REQUEST, "cannot be kept");
}

static void
test_too_long (void)
{
  g_autofree char *long_title = g_strnfill (1025, 'x');
  g_autofree char *long_question = g_strnfill (256 * 1024 + 1, 'x');
  g_autofree char *long_record = g_strnfill (CONFAB_IMPORT_MAX_RECORD_BYTES + 1, 'x');
  g_autofree char *title =
      g_strconcat (HEAD "{\"type\":\"session\",\"sessionId\":\"s\",\"title\":\"", long_title,
                   "\",\"createdAt\":1,\"updatedAt\":2}" TAIL, NULL);
  g_autofree char *question = g_strconcat (
      HEAD SESSION "," MODULE ",{\"type\":\"message\",\"messageId\":\"a\",\"role\":\"user\","
                   "\"parts\":[{\"type\":\"text\",\"text\":\"",
      long_question, "\"}],\"state\":\"completed\",\"createdAt\":3}" TAIL, NULL);
  g_autofree char *record = g_strconcat (HEAD "\"", long_record, NULL);

  assert_refused (title, strlen (title), CONFAB_ERROR_TOO_LARGE, "title is longer than 1024");
  assert_refused (question, strlen (question), CONFAB_ERROR_TOO_LARGE, "256 KiB");
  assert_refused (record, strlen (record), CONFAB_ERROR_TOO_LARGE, "longer than 33554432 bytes");
}

/* The tables above refuse for the one reason that they say: without it they are fit. */
static void
test_fit (void)
{
  static const char *const texts[] = {
    HEAD TAIL,
    " \n{ \"format\" : \"confab-export\" , \"version\" : 1 , \"records\" : [ ] , "
    "\"exportedAt\" : 1, \"generator\":\"x\" }\n ",
    IN_MODULE (MESSAGE ("a", "null", "") ",\n" MESSAGE ("b", "\"a\"", "")),
    IN_MODULE (
        MESSAGE ("a", "null", ",\"generationId\":\"g\"," GENERATION ("a", ",\"requestId\":\"r\""))),
    IN_MODULE (MESSAGE ("a", "null", ",\"usage\":{\"inputTokens\":null,\"outputTokens\":5}")),
    HEAD SESSION ",{\"type\":\"module\",\"moduleId\":\"m\",\"sessionId\":\"s\","
                 "\"headId\":\"a\",\"parameters\":{}," MODULE_REST "}," MESSAGE ("a", "null", "")
                     TAIL,
    WITH_PARAMETERS ("{\"temperature\":0.5,\"max_tokens\":100,\"seed\":-1,\"think\":true,"
                     "\"top_p\":null,\"stop\":[\"https://a\",\"b\"],\"format\":\"json\","
                     "\"reasoning_effort\":\"" TEXT_256 "\",\"logit_bias\":{\"50256\":-100},"
                     "\"thinking\":{\"type\":\"enabled\",\"budget_tokens\":1024}}"),
  };

  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    for (gsize step = 1; step < 4096; step *= 7)
      {
        g_autoptr (GError) error = NULL;

        read_text (texts[i], strlen (texts[i]), step, &error);
        g_assert_no_error (error);
      }
}

/* All or nothing, unless whoever imports trusts the file. */
static void
test_all_parameters (void)
{
  static const char text[] =
      WITH_PARAMETERS ("{\"tools\":[{\"server_url\":\"https://a.example/\",\"a\":{\"b\":[1]}}]}");
  g_autoptr (ConfabStaging) staging = confab_staging_new ();
  g_autoptr (ConfabImportReader) reader = confab_import_reader_new (staging);
  g_autoptr (ConfabOverview) overview = NULL;
  g_autoptr (GError) error = NULL;
  const ConfabModuleRecord *module;

  confab_import_reader_take_all_parameters (reader);
  confab_import_reader_feed (reader, text, strlen (text), &error);
  g_assert_no_error (error);
  confab_import_reader_finish (reader, &error);
  g_assert_no_error (error);

  overview = confab_staging_read_overview (staging, &error);
  g_assert_no_error (error);
  module = g_ptr_array_index (overview->modules, 0);
  g_assert_cmpstr (module->parameters, ==,
                   "{\"tools\":[{\"server_url\":\"https://a.example/\",\"a\":{\"b\":[1]}}]}");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  for (guint i = 0; i < G_N_ELEMENTS (refusals); i++)
    {
      g_autofree char *path =
          g_strconcat ("/confab/transfer-refusals/table/", refusals[i].name, NULL);

      g_test_add_data_func (path, &refusals[i], test_refusal);
    }
  g_test_add_func ("/confab/transfer-refusals/nul", test_nul);
  g_test_add_func ("/confab/transfer-refusals/escaped-nul", test_escaped_nul);
  g_test_add_func ("/confab/transfer-refusals/too-long", test_too_long);
  g_test_add_func ("/confab/transfer-refusals/fit", test_fit);
  g_test_add_func ("/confab/transfer-refusals/all-parameters", test_all_parameters);

  return g_test_run ();
}
