/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <string.h>

#include "confab-error.h"
#include "confab-openai-provider.h"
#include "confab-openai-responses-provider.h"
#include "confab-provider-run.h"

#define TYPE "text/event-stream"
#define EVENT(type, rest) "event: " type "\ndata: {\"type\":\"" type "\"" rest "}\n\n"
#define CREATED                                                                                    \
  EVENT ("response.created",                                                                       \
         ",\"response\":{\"id\":\"resp_1\",\"status\":\"in_progress\",\"model\":\"m-1\","          \
         "\"error\":null,\"incomplete_details\":null,\"output\":[],\"usage\":null}")               \
  EVENT ("response.output_item.added", ",\"output_index\":0,\"item\":{\"type\":\"message\"}")
#define DELTA(kind, text) EVENT ("response." kind ".delta", ",\"delta\":\"" text "\"")
#define TEXT(text) DELTA ("output_text", text)
/* Repeats what the deltas brought. */
#define TEXT_DONE(text) EVENT ("response.output_text.done", ",\"text\":\"" text "\"")
#define COMPLETED                                                                                  \
  EVENT ("response.completed",                                                                     \
         ",\"response\":{\"status\":\"completed\",\"model\":\"m-1\",\"error\":null,"               \
         "\"output\":[{\"type\":\"message\",\"content\":[{\"type\":\"output_text\","               \
         "\"text\":\"again\"}]}],\"usage\":{\"input_tokens\":7,\"output_tokens\":3,"               \
         "\"input_tokens_details\":{\"cached_tokens\":4},"                                         \
         "\"output_tokens_details\":{\"reasoning_tokens\":2}}}")
#define INCOMPLETE(details)                                                                        \
  EVENT ("response.incomplete",                                                                    \
         ",\"response\":{\"status\":\"incomplete\",\"incomplete_details\":" details "}")
#define FAILED(code, message)                                                                      \
  EVENT ("response.failed", ",\"response\":{\"status\":\"failed\",\"error\":{\"code\":\"" code     \
                            "\",\"message\":\"" message "\"}}")
#define ERROR(code, message)                                                                       \
  EVENT ("error", ",\"code\":\"" code "\",\"message\":\"" message "\",\"param\":null")
#define REFUSAL(status, headers, body)                                                             \
  "HTTP/1.1 " status "\r\nContent-Type: application/json\r\n" headers                              \
  "Connection: close\r\n\r\n" body

static const ProviderCase cases[] = {
  { "text",
    CREATED TEXT ("gr\xc3\xbc\xc3\x9f ") TEXT ("\xf0\x9f\x8c\x8d") TEXT_DONE ("again") COMPLETED,
    "gr\xc3\xbc\xc3\x9f \xf0\x9f\x8c\x8d", "", CONFAB_FINISH_STOP },
  { "reasoning",
    CREATED DELTA ("reasoning_text", "h") DELTA ("reasoning_text", "m") TEXT ("a") COMPLETED, "a",
    "hm", CONFAB_FINISH_STOP },
  { "reasoning-summary",
    CREATED DELTA ("reasoning_summary_text", "hm")
        EVENT ("response.reasoning_summary_text.done", ",\"text\":\"hm\"") TEXT ("a") COMPLETED,
    "a", "hm", CONFAB_FINISH_STOP },
  { "refusal", CREATED DELTA ("refusal", "I will not.") COMPLETED, "I will not.", "",
    CONFAB_FINISH_STOP },
  { "other-deltas",
    CREATED DELTA ("function_call_arguments", "{}") DELTA ("audio", "AAAA") TEXT ("a") COMPLETED,
    "a", "", CONFAB_FINISH_STOP },
  { "type-only-in-event",
    "event: response.output_text.delta\ndata: {\"delta\":\"a\"}\n\n"
    "event: response.completed\ndata: {\"response\":{}}\n\n",
    "a", "", CONFAB_FINISH_STOP },
  { "crlf-and-comments",
    ": hello\r\n\r\ndata: {\"type\":\"response.output_text.delta\",\"delta\":\"a\"}\r\n\r\n"
    "data: {\"type\":\"response.completed\",\"response\":{}}\r\n\r\n",
    "a", "", CONFAB_FINISH_STOP },
  { "done-mark-after-the-end", CREATED TEXT ("a") COMPLETED "data: [DONE]\n\n", "a", "",
    CONFAB_FINISH_STOP },
  { "after-the-end", CREATED TEXT ("a") COMPLETED TEXT ("b"), "a", "", CONFAB_FINISH_STOP },
  { "odd-types",
    "data: {\"type\":7}\n\ndata: {\"type\":\"response.created\",\"response\":[]}\n\n"
    "data: {\"type\":\"response.output_text.delta\",\"delta\":{}}\n\n"
    "data: {\"type\":\"response.in_progress\",\"response\":{\"usage\":3,\"model\":4}}\n\n" TEXT (
        "a") COMPLETED,
    "a", "", CONFAB_FINISH_STOP },
  { "tool-call",
    CREATED EVENT ("response.completed",
                   ",\"response\":{\"output\":[null,{\"type\":\"reasoning\"},"
                   "{\"type\":\"function_call\",\"name\":\"f\"}]}"),
    "", "", CONFAB_FINISH_TOOL_CALLS },

  { "incomplete/max-output-tokens",
    CREATED TEXT ("a") INCOMPLETE ("{\"reason\":\"max_output_tokens\"}"), "a", "",
    CONFAB_FINISH_LENGTH },
  { "incomplete/content-filter", CREATED TEXT ("a") INCOMPLETE ("{\"reason\":\"content_filter\"}"),
    "a", "", CONFAB_FINISH_CONTENT_FILTER },
  { "incomplete/other", CREATED TEXT ("a") INCOMPLETE ("{\"reason\":\"weary\"}"), "a", "",
    CONFAB_FINISH_OTHER },
  { "incomplete/null", CREATED TEXT ("a") INCOMPLETE ("null"), "a", "", CONFAB_FINISH_OTHER },

  { "truncated/after-text", CREATED TEXT ("a") TEXT_DONE ("a"), "a", "", -1, "upstream-truncated",
    TRUE },
  { "truncated/with-done-mark", CREATED TEXT ("a") "data: [DONE]\n\n", "a", "", -1,
    "upstream-truncated", TRUE },
  { "truncated/in-event", CREATED TEXT ("a") "data: {\"type\":\"response.comp", "a", "", -1,
    "upstream-truncated", TRUE },
  { "truncated/empty", "", "", "", -1, "upstream-truncated", TRUE },
  { "truncated/in-chunk",
    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
    "fff\r\n" CREATED TEXT ("a"),
    "a", "", -1, "upstream-truncated", TRUE },

  { "failed/server-error", CREATED TEXT ("a") FAILED ("server_error", "oops"), "a", "", -1,
    "upstream-error", TRUE, 0, "oops" },
  { "failed/rate-limit", CREATED FAILED ("rate_limit_exceeded", "slow down"), "", "", -1,
    "upstream-rate-limit", TRUE, 0, "slow down" },
  { "failed/too-long", CREATED FAILED ("context_length_exceeded", "9 > 8"), "", "", -1,
    "context-length", FALSE, 0, "9 > 8" },
  { "failed/without-error", CREATED EVENT ("response.failed", ",\"response\":{\"error\":null}"), "",
    "", -1, "upstream-error", FALSE, 0, NULL },
  { "error/event", CREATED TEXT ("a") ERROR ("server_error", "oops"), "a", "", -1, "upstream-error",
    TRUE, 0, "oops" },
  { "error/rate-limit", ERROR ("rate_limit_exceeded", "slow down"), "", "", -1,
    "upstream-rate-limit", TRUE, 0, "slow down" },
  { "error/nested",
    EVENT ("error",
           ",\"error\":{\"type\":\"invalid_request_error\",\"message\":\"no\","
           "\"code\":\"context_length_exceeded\"}"),
    "", "", -1, "context-length", FALSE, 0, "no" },
  { "error/without-event-line", "data: {\"type\":\"error\",\"message\":\"bad sk-secret\"}\n\n", "",
    "", -1, "upstream-error", FALSE, 0, "bad" },
  { "error/whole-json", "{\"error\":{\"message\":\"no\",\"code\":\"invalid_api_key\"}}", "", "", -1,
    "upstream-auth", FALSE, 0, "no" },
  { "error/not-json", CREATED TEXT ("a") "data: <b>502</b>\n\n", "a", "", -1, "upstream-error",
    FALSE, 0, "502" },

  { "http/400", REFUSAL ("400 Bad Request", "", "{\"error\":{\"message\":\"no such model\"}}"), "",
    "", -1, "upstream-error", FALSE, 0, "no such model" },
  { "http/401",
    REFUSAL ("401 Unauthorized", "", "{\"error\":{\"message\":\"Incorrect key sk-secret.\"}}"), "",
    "", -1, "upstream-auth", FALSE, 0, "Incorrect key …." },
  { "http/404", REFUSAL ("404 Not Found", "", "{\"error\":{\"message\":\"Not Found\"}}"), "", "",
    -1, "upstream-error", FALSE, 0, "Not Found" },
  { "http/429", REFUSAL ("429 Too Many Requests", "Retry-After: 7\r\n", "{\"error\":\"slow\"}"), "",
    "", -1, "upstream-rate-limit", TRUE, 7000, "slow" },
  { "http/500", REFUSAL ("500 Internal Server Error", "", ""), "", "", -1, "upstream-error", TRUE,
    0, "HTTP 500" },
  { "http/503", REFUSAL ("503 Service Unavailable", "", ""), "", "", -1, "upstream-unavailable",
    TRUE, 0, "HTTP 503" },
  { "http/web-page",
    "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 6\r\n\r\n<html>", "", "", -1,
    "upstream-error", FALSE, 0, "/v1" },
};

static ConfabHttpProvider *
make (RawServer *server, const char *model)
{
  g_autofree char *origin = server != NULL ? raw_server_dup_origin (server) : NULL;
  g_autofree char *base_url = origin != NULL ? g_strconcat (origin, "/v1", NULL) : NULL;
  g_autoptr (GError) error = NULL;
  ConfabOpenaiResponsesProvider *provider =
      confab_openai_responses_provider_new (base_url, "sk-secret", model, &error);

  g_assert_no_error (error);
  return CONFAB_HTTP_PROVIDER (provider);
}

static void
test_case (gconstpointer data)
{
  provider_check_case (make, TYPE, data);
}

/* Runs @prompt against @stream, and returns the request that it makes. */
static char *
run_prompt (ProviderRun *run, ConfabPrompt *prompt, ProviderStream *stream)
{
  g_autoptr (RawServer) server = raw_server_new (provider_stream_handler, stream);
  g_autoptr (ConfabHttpProvider) provider = make (server, "m");

  provider_run_init (run);
  provider_run_start (run, provider, prompt, NULL);
  provider_run_wait (run);
  g_assert_no_error (run->error);
  return raw_server_dup_last_request (server);
}

static void
test_request (void)
{
  ProviderStream stream = { TYPE, CREATED TEXT ("a") COMPLETED, 0, FALSE };
  g_autoptr (ConfabPrompt) prompt = confab_prompt_new ();
  g_autoptr (JsonNode) parameters = NULL;
  g_autofree char *request = NULL;
  g_auto (ProviderRun) run;

  parameters = json_from_string ("{\"temperature\":0.5,\"top_p\":0.9,\"seed\":3,\"max_tokens\":64,"
                                 "\"store\":true,\"stream\":false,\"input\":[],"
                                 "\"reasoning\":{\"effort\":\"low\"}}",
                                 NULL);
  confab_prompt_set_parameters (prompt, json_node_get_object (parameters));
  confab_prompt_set_instructions (prompt, "Be \"brief\".");
  confab_prompt_add_turn (prompt, CONFAB_ROLE_USER, "one\ntwo");
  confab_prompt_add_turn (prompt, CONFAB_ROLE_ASSISTANT, "three");
  confab_prompt_add_turn (prompt, CONFAB_ROLE_USER, "four");
  request = run_prompt (&run, prompt, &stream);

  g_assert_true (g_str_has_prefix (request, "POST /v1/responses HTTP/1.1\r\n"));
  g_assert_nonnull (strstr (request, "\r\nAuthorization: Bearer sk-secret\r\n"));
  g_assert_cmpstr (strstr (request, "\r\n\r\n") + 4, ==,
                   "{\"model\":\"m\",\"input\":["
                   "{\"role\":\"user\",\"content\":\"one\\ntwo\"},"
                   "{\"role\":\"assistant\",\"content\":\"three\"},"
                   "{\"role\":\"user\",\"content\":\"four\"}],"
                   "\"instructions\":\"Be \\\"brief\\\".\",\"stream\":true,\"store\":false,"
                   "\"temperature\":0.5,\"top_p\":0.9,\"max_output_tokens\":64,"
                   "\"reasoning\":{\"effort\":\"low\"}}");
}

static void
test_request_without_parameters (void)
{
  ProviderStream stream = { TYPE, CREATED TEXT ("a") COMPLETED, 0, FALSE };
  g_auto (ProviderRun) run;
  g_autofree char *request = run_prompt (&run, NULL, &stream);

  g_assert_cmpstr (strstr (request, "\r\n\r\n") + 4, ==,
                   "{\"model\":\"m\",\"input\":[{\"role\":\"user\",\"content\":\"hello\"}],"
                   "\"stream\":true,\"store\":false}");
}

static void
test_usage (void)
{
  ProviderStream told_stream = { TYPE, CREATED TEXT ("a") COMPLETED, 0, FALSE };
  ProviderStream untold_stream = {
    TYPE, "data: {\"type\":\"response.completed\",\"response\":{\"usage\":null}}\n\n", 0, FALSE
  };
  g_autofree char *request = NULL;
  g_autofree char *other_request = NULL;
  g_auto (ProviderRun) told;
  g_auto (ProviderRun) untold;

  request = run_prompt (&told, NULL, &told_stream);
  g_assert_cmpstr (told.outcome->model, ==, "m-1");
  g_assert_true (told.outcome->has_usage);
  g_assert_cmpint (told.outcome->usage.input_tokens, ==, 7);
  g_assert_cmpint (told.outcome->usage.output_tokens, ==, 3);
  g_assert_cmpint (told.outcome->usage.reasoning_tokens, ==, 2);
  g_assert_cmpint (told.outcome->usage.cached_input_tokens, ==, 4);

  other_request = run_prompt (&untold, NULL, &untold_stream);
  g_assert_false (untold.outcome->has_usage);
  g_assert_null (untold.outcome->model);
}

static RawEnd
models_handler (RawServer *server, int fd, const char *request, gpointer user_data)
{
  if (g_str_has_prefix (request, "GET /v1/models "))
    raw_reply (fd, "200 OK", "Content-Type: application/json\r\n", user_data);
  else if (strstr (request, "{\"model\":\"first\",") != NULL)
    provider_send_stream (fd, &(ProviderStream){ TYPE, TEXT ("a") COMPLETED, 0, FALSE });
  else
    raw_reply (fd, "404 Not Found", NULL, "{}");
  return RAW_NEXT;
}

static void
test_first_model (void)
{
  g_autoptr (RawServer) server = raw_server_new (
      models_handler, (gpointer) "{\"data\":[{\"id\":\"first\"},{\"id\":\"2nd\"}]}");
  g_autoptr (ConfabHttpProvider) provider = make (server, NULL);
  g_auto (ProviderRun) run;

  provider_run_init (&run);
  provider_run_start (&run, provider, NULL, NULL);
  provider_run_wait (&run);
  g_assert_no_error (run.error);
  g_assert_cmpstr (run.text->str, ==, "a");
}

static void
test_settings (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (ConfabOpenaiResponsesProvider) usual =
      confab_openai_responses_provider_new (NULL, NULL, NULL, &error);

  g_assert_no_error (error);
  g_assert_cmpstr (confab_http_provider_get_base_url (CONFAB_HTTP_PROVIDER (usual)), ==,
                   CONFAB_OPENAI_BASE_URL);
  g_assert_cmpstr (confab_provider_get_name (CONFAB_PROVIDER (usual)), ==, "openai-responses");
  g_assert_null (confab_openai_responses_provider_new ("nonsense", NULL, NULL, &error));
  g_assert_error (error, CONFAB_ERROR, CONFAB_ERROR_INVALID_REQUEST);
}

static void
test_every_byte_alone (void)
{
  ProviderStream stream = { TYPE, TEXT ("\xf0\x9f\x8c\x8d!") COMPLETED, 1, TRUE };
  g_auto (ProviderRun) run;
  g_autofree char *request = run_prompt (&run, NULL, &stream);

  g_assert_cmpstr (run.text->str, ==, "\xf0\x9f\x8c\x8d!");
}

static void
test_stop_before_head (void)
{
  provider_check_stop_before_head (make);
}

static void
test_stop_in_body (void)
{
  provider_check_stop_in_body (make, TYPE,
                               CREATED DELTA ("reasoning_text", "h") TEXT ("a")
                                   DELTA ("reasoning_text", "m") TEXT ("b"));
}

static void
test_end_does_not_wait (void)
{
  provider_check_end_does_not_wait (make, TYPE,
                                    CREATED DELTA ("reasoning_text", "h")
                                        DELTA ("reasoning_text", "m") TEXT ("a") TEXT ("b")
                                            COMPLETED);
}

static void
test_stall (void)
{
  provider_check_stall (make, TYPE, CREATED TEXT ("a"));
}

int
main (int argc, char **argv)
{
  provider_test_init (&argc, &argv);

  provider_add_cases ("/confab/openai-responses", cases, G_N_ELEMENTS (cases), test_case);
  g_test_add_func ("/confab/openai-responses/request", test_request);
  g_test_add_func ("/confab/openai-responses/request-without-parameters",
                   test_request_without_parameters);
  g_test_add_func ("/confab/openai-responses/usage", test_usage);
  g_test_add_func ("/confab/openai-responses/models/first", test_first_model);
  g_test_add_func ("/confab/openai-responses/settings", test_settings);
  g_test_add_func ("/confab/openai-responses/every-byte-alone", test_every_byte_alone);
  g_test_add_func ("/confab/openai-responses/stop/before-head", test_stop_before_head);
  g_test_add_func ("/confab/openai-responses/stop/in-body", test_stop_in_body);
  g_test_add_func ("/confab/openai-responses/end-does-not-wait", test_end_does_not_wait);
  g_test_add_func ("/confab/openai-responses/stall", test_stall);

  return g_test_run ();
}
