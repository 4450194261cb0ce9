/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <string.h>

#include "confab-anthropic-provider.h"
#include "confab-error.h"
#include "confab-provider-run.h"

#define TYPE "text/event-stream; charset=utf-8"
#define EVENT(type, rest) "event: " type "\ndata: {\"type\":\"" type "\"" rest "}\n\n"
#define START                                                                                      \
  EVENT ("message_start",                                                                          \
         ",\"message\":{\"id\":\"msg_1\",\"type\":\"message\",\"role\":\"assistant\","             \
         "\"model\":\"m-1\",\"content\":[],\"stop_reason\":null,"                                  \
         "\"usage\":{\"input_tokens\":7,\"output_tokens\":1}}")
#define BLOCK(kind)                                                                                \
  EVENT ("content_block_start",                                                                    \
         ",\"index\":0,\"content_block\":{\"type\":\"" kind "\",\"" kind "\":\"\"}")
#define TEXT(text)                                                                                 \
  EVENT ("content_block_delta",                                                                    \
         ",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\"" text "\"}")
#define THINKING(text)                                                                             \
  EVENT ("content_block_delta",                                                                    \
         ",\"index\":0,\"delta\":{\"type\":\"thinking_delta\",\"thinking\":\"" text "\"}")
#define BLOCK_STOP EVENT ("content_block_stop", ",\"index\":0")
#define PING EVENT ("ping", "")
#define REASON(reason)                                                                             \
  EVENT ("message_delta", ",\"delta\":{\"stop_reason\":\"" reason "\",\"stop_sequence\":null},"    \
                          "\"usage\":{\"output_tokens\":15}")
#define STOP EVENT ("message_stop", "")
#define ERROR(type, message)                                                                       \
  EVENT ("error", ",\"error\":{\"type\":\"" type "\",\"message\":\"" message "\"}")
#define REFUSAL(status, headers, type, message)                                                    \
  "HTTP/1.1 " status "\r\nContent-Type: application/json\r\n" headers "Connection: close\r\n\r\n"  \
  "{\"type\":\"error\",\"error\":{\"type\":\"" type "\",\"message\":\"" message "\"}}"

static const ProviderCase cases[] = {
  { "text",
    START BLOCK ("text") TEXT ("gr\xc3\xbc\xc3\x9f ") TEXT ("\xf0\x9f\x8c\x8d")
        BLOCK_STOP REASON ("end_turn") STOP,
    "gr\xc3\xbc\xc3\x9f \xf0\x9f\x8c\x8d", "", CONFAB_FINISH_STOP },
  { "thinking",
    START BLOCK ("thinking") THINKING ("h") THINKING ("m")
        EVENT ("content_block_delta",
               ",\"index\":0,\"delta\":{\"type\":\"signature_delta\",\"signature\":\"xyz\"}")
            BLOCK_STOP BLOCK ("text") TEXT ("a") BLOCK_STOP REASON ("end_turn") STOP,
    "a", "hm", CONFAB_FINISH_STOP },
  { "ping", START PING BLOCK ("text") PING TEXT ("a") PING BLOCK_STOP REASON ("end_turn") PING STOP,
    "a", "", CONFAB_FINISH_STOP },
  { "text-in-block-start",
    START EVENT ("content_block_start",
                 ",\"index\":0,\"content_block\":{\"type\":\"text\",\"text\":\"a\"}") TEXT ("b")
        BLOCK_STOP REASON ("end_turn") STOP,
    "ab", "", CONFAB_FINISH_STOP },
  { "crlf-and-comments",
    ": hello\r\n\r\nevent: content_block_delta\r\ndata: {\"type\":\"content_block_delta\","
    "\"delta\":{\"type\":\"text_delta\",\"text\":\"a\"}}\r\n\r\n"
    "event: message_stop\r\ndata: {\"type\":\"message_stop\"}\r\n\r\n",
    "a", "", CONFAB_FINISH_STOP },
  { "type-only-in-event",
    "event: content_block_delta\ndata: {\"delta\":{\"text\":\"a\"}}\n\n"
    "event: message_stop\ndata: {}\n\n",
    "a", "", CONFAB_FINISH_STOP },
  { "type-only-in-data",
    "data: {\"type\":\"content_block_delta\",\"delta\":{\"text\":\"a\"}}\n\n"
    "data: {\"type\":\"message_stop\"}\n\n",
    "a", "", CONFAB_FINISH_STOP },
  { "unknown-event",
    START EVENT ("content_block_sung", ",\"delta\":{\"text\":\"x\"}") TEXT ("a") REASON ("end_turn")
        STOP,
    "a", "", CONFAB_FINISH_STOP },
  { "odd-types",
    "data: {\"type\":7}\n\ndata: {\"type\":\"message_start\",\"message\":[]}\n\n"
    "data: {\"type\":\"content_block_delta\",\"delta\":null}\n\n"
    "data: {\"type\":\"message_delta\",\"delta\":1,\"usage\":\"x\"}\n\n" TEXT ("a") STOP,
    "a", "", CONFAB_FINISH_STOP },
  { "after-the-end", START TEXT ("a") REASON ("end_turn") STOP TEXT ("b"), "a", "",
    CONFAB_FINISH_STOP },
  { "no-last-blank-line",
    START TEXT ("a") REASON ("end_turn") "event: message_stop\ndata: {\"type\":\"message_stop\"}",
    "a", "", CONFAB_FINISH_STOP },

  { "reason/stop-sequence", START TEXT ("a") REASON ("stop_sequence") STOP, "a", "",
    CONFAB_FINISH_STOP },
  { "reason/max-tokens", START TEXT ("a") REASON ("max_tokens") STOP, "a", "",
    CONFAB_FINISH_LENGTH },
  { "reason/context-window", START TEXT ("a") REASON ("model_context_window_exceeded") STOP, "a",
    "", CONFAB_FINISH_LENGTH },
  { "reason/tool-use", START REASON ("tool_use") STOP, "", "", CONFAB_FINISH_TOOL_CALLS },
  { "reason/refusal", START TEXT ("a") REASON ("refusal") STOP, "a", "",
    CONFAB_FINISH_CONTENT_FILTER },
  { "reason/other", START REASON ("pause_turn") STOP, "", "", CONFAB_FINISH_OTHER },

  { "truncated/after-text", START BLOCK ("text") TEXT ("a"), "a", "", -1, "upstream-truncated",
    TRUE },
  { "truncated/after-reason", START TEXT ("a") REASON ("end_turn"), "a", "", -1,
    "upstream-truncated", TRUE },
  { "truncated/with-done-mark", START TEXT ("a") REASON ("end_turn") "data: [DONE]\n\n", "a", "",
    -1, "upstream-truncated", TRUE },
  { "truncated/in-event", START TEXT ("a") "event: message_stop\ndata: {\"type\":\"mess", "a", "",
    -1, "upstream-truncated", TRUE },
  { "truncated/empty", "", "", "", -1, "upstream-truncated", TRUE },
  { "truncated/in-chunk",
    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
    "fff\r\n" START TEXT ("a"),
    "a", "", -1, "upstream-truncated", TRUE },

  { "error/overloaded", START BLOCK ("text") TEXT ("a") ERROR ("overloaded_error", "Overloaded"),
    "a", "", -1, "upstream-unavailable", TRUE, 0, "Overloaded" },
  { "error/rate-limit", START TEXT ("a") ERROR ("rate_limit_error", "slow down"), "a", "", -1,
    "upstream-rate-limit", TRUE, 0, "slow down" },
  { "error/authentication", ERROR ("authentication_error", "no such key sk-secret"), "", "", -1,
    "upstream-auth", FALSE, 0, "no such key" },
  { "error/permission", ERROR ("permission_error", "not yours"), "", "", -1, "upstream-auth", FALSE,
    0, "not yours" },
  { "error/api", START TEXT ("a") ERROR ("api_error", "Internal server error"), "a", "", -1,
    "upstream-error", TRUE, 0, "Internal server error" },
  { "error/too-long", ERROR ("invalid_request_error", "prompt is too long: 9 tokens > 8 maximum"),
    "", "", -1, "context-length", FALSE, 0, "9 tokens" },
  { "error/invalid-request", ERROR ("invalid_request_error", "max_tokens: too much"), "", "", -1,
    "upstream-error", FALSE, 0, "too much" },
  { "error/without-event-line",
    "data: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"full\"}}\n\n",
    "", "", -1, "upstream-unavailable", TRUE, 0, "full" },
  { "error/whole-json",
    "{\"type\":\"error\",\"error\":{\"type\":\"rate_limit_error\",\"message\":\"slow\"}}", "", "",
    -1, "upstream-rate-limit", TRUE, 0, "slow" },
  { "error/not-json", START TEXT ("a") "data: <b>502</b>\n\n", "a", "", -1, "upstream-error", FALSE,
    0, "502" },
  { "error/something-else", "{\"hello\":\"world\"}", "", "", -1, "upstream-error", FALSE, 0,
    "hello" },

  { "http/400-too-long",
    REFUSAL ("400 Bad Request", "", "invalid_request_error", "prompt is too long: 9 > 8"), "", "",
    -1, "context-length", FALSE, 0, "9 > 8" },
  { "http/400-with-max-tokens",
    REFUSAL ("400 Bad Request",
             "",
             "invalid_request_error",
             "input length and `max_tokens` exceed context limit: 9 + 8192 > 8193"),
    "", "", -1, "context-length", FALSE, 0, "8193" },
  { "http/400", REFUSAL ("400 Bad Request", "", "invalid_request_error", "messages: too few"), "",
    "", -1, "upstream-error", FALSE, 0, "too few" },
  { "http/401", REFUSAL ("401 Unauthorized", "", "authentication_error", "invalid x-api-key"), "",
    "", -1, "upstream-auth", FALSE, 0, "invalid x-api-key" },
  { "http/403", REFUSAL ("403 Forbidden", "", "permission_error", "not yours"), "", "", -1,
    "upstream-auth", FALSE, 0, "not yours" },
  { "http/404", REFUSAL ("404 Not Found", "", "not_found_error", "model: m"), "", "", -1,
    "upstream-error", FALSE, 0, "model: m" },
  { "http/413", REFUSAL ("413 Payload Too Large", "", "request_too_large", "32 MB"), "", "", -1,
    "context-length", FALSE, 0, "32 MB" },
  { "http/429",
    REFUSAL ("429 Too Many Requests", "retry-after: 7\r\n", "rate_limit_error", "slow down"), "",
    "", -1, "upstream-rate-limit", TRUE, 7000, "slow down" },
  { "http/500", REFUSAL ("500 Internal Server Error", "", "api_error", "oops"), "", "", -1,
    "upstream-error", TRUE, 0, "oops" },
  { "http/529", REFUSAL ("529 Overloaded", "", "overloaded_error", "Overloaded"), "", "", -1,
    "upstream-unavailable", TRUE, 0, "Overloaded" },
  { "http/web-page",
    "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 6\r\n\r\n<html>", "", "", -1,
    "upstream-error", FALSE, 0, "web page" },
};

static ConfabHttpProvider *
make (RawServer *server, const char *model)
{
  g_autofree char *base_url = server != NULL ? raw_server_dup_origin (server) : NULL;
  g_autoptr (GError) error = NULL;
  ConfabAnthropicProvider *provider =
      confab_anthropic_provider_new (base_url, "sk-secret", model, &error);

  g_assert_no_error (error);
  return CONFAB_HTTP_PROVIDER (provider);
}

static void
test_case (gconstpointer data)
{
  provider_check_case (make, TYPE, data);
}

/* Runs @prompt, and returns the body of the request that it makes. */
static char *
request_of (ConfabPrompt *prompt, char **head)
{
  ProviderStream stream = { TYPE, START TEXT ("a") REASON ("end_turn") STOP, 0, FALSE };
  g_autoptr (RawServer) server = raw_server_new (provider_stream_handler, &stream);
  g_autoptr (ConfabHttpProvider) provider = make (server, "m");
  g_autofree char *request = NULL;
  g_auto (ProviderRun) run;
  char *body;

  provider_run_init (&run);
  provider_run_start (&run, provider, prompt, NULL);
  provider_run_wait (&run);
  g_assert_no_error (run.error);
  g_assert_cmpstr (run.outcome->model, ==, "m-1");

  request = raw_server_dup_last_request (server);
  body = strstr (request, "\r\n\r\n") + 4;
  if (head != NULL)
    *head = g_strndup (request, (gsize) (body - request));
  return g_strdup (body);
}

static void
test_request (void)
{
  g_autoptr (ConfabPrompt) prompt = confab_prompt_new ();
  g_autofree char *head = NULL;
  g_autofree char *body = NULL;

  confab_prompt_set_instructions (prompt, "Be \"brief\".");
  confab_prompt_add_turn (prompt, CONFAB_ROLE_USER, "one\ntwo");
  confab_prompt_add_turn (prompt, CONFAB_ROLE_ASSISTANT, "three");
  confab_prompt_add_turn (prompt, CONFAB_ROLE_USER, "four");
  body = request_of (prompt, &head);

  g_assert_true (g_str_has_prefix (head, "POST /v1/messages HTTP/1.1\r\n"));
  g_assert_nonnull (strstr (head, "\r\nx-api-key: sk-secret\r\n"));
  g_assert_nonnull (strstr (head, "\r\nanthropic-version: 2023-06-01\r\n"));
  g_assert_nonnull (strstr (head, "\r\nAccept-Encoding: identity\r\n"));
  g_assert_null (strstr (head, "Authorization"));
  g_assert_cmpstr (body, ==,
                   "{\"model\":\"m\",\"max_tokens\":8192,\"system\":\"Be \\\"brief\\\".\","
                   "\"messages\":[{\"role\":\"user\",\"content\":\"one\\ntwo\"},"
                   "{\"role\":\"assistant\",\"content\":\"three\"},"
                   "{\"role\":\"user\",\"content\":\"four\"}],\"stream\":true}");
}

/* Roles alternate, the user is first, and nothing is blank. */
static void
test_roles (void)
{
  static const struct
  {
    ConfabRole role;
    const char *content;
  } turns[] = {
    { CONFAB_ROLE_ASSISTANT, "welcome" }, { CONFAB_ROLE_USER, "one" },
    { CONFAB_ROLE_USER, "two" },          { CONFAB_ROLE_ASSISTANT, "" },
    { CONFAB_ROLE_USER, "three" },        { CONFAB_ROLE_SYSTEM, "be kind" },
    { CONFAB_ROLE_ASSISTANT, "four" },    { CONFAB_ROLE_ASSISTANT, "five" },
    { CONFAB_ROLE_USER, " \n" },          { CONFAB_ROLE_USER, "six" },
  };
  g_autoptr (ConfabPrompt) prompt = confab_prompt_new ();
  g_autofree char *body = NULL;

  for (gsize i = 0; i < G_N_ELEMENTS (turns); i++)
    confab_prompt_add_turn (prompt, turns[i].role, turns[i].content);
  body = request_of (prompt, NULL);
  g_assert_cmpstr (body, ==,
                   "{\"model\":\"m\",\"max_tokens\":8192,\"system\":\"be kind\",\"messages\":["
                   "{\"role\":\"user\",\"content\":\"one\\n\\ntwo\\n\\nthree\"},"
                   "{\"role\":\"assistant\",\"content\":\"four\\n\\nfive\"},"
                   "{\"role\":\"user\",\"content\":\"six\"}],\"stream\":true}");
}

static void
check_parameters (const char *json, const char *max_tokens, const char *rest)
{
  g_autoptr (ConfabPrompt) prompt = confab_prompt_new ();
  g_autoptr (JsonNode) node = json_from_string (json, NULL);
  g_autofree char *expected = NULL;
  g_autofree char *body = NULL;

  confab_prompt_set_parameters (prompt, json_node_get_object (node));
  confab_prompt_add_turn (prompt, CONFAB_ROLE_USER, "a");
  body = request_of (prompt, NULL);
  expected = g_strdup_printf ("{\"model\":\"m\",\"max_tokens\":%s,\"messages\":[{\"role\":\"user\","
                              "\"content\":\"a\"}],\"stream\":true%s}",
                              max_tokens, rest);
  g_assert_cmpstr (body, ==, expected);
}

static void
test_parameters (void)
{
  check_parameters ("{\"max_tokens\":5,\"temperature\":0.5,\"top_p\":0.9,\"seed\":3}", "5",
                    ",\"temperature\":0.5,\"top_p\":0.9");
  check_parameters ("{\"max_completion_tokens\":6,\"temperature\":1.7}", "6", ",\"temperature\":1");
  check_parameters ("{\"max_tokens\":-1,\"temperature\":0,\"stream\":false,\"system\":\"x\"}",
                    "8192", ",\"temperature\":0");
  check_parameters ("{\"max_tokens\":\"x\",\"temperature\":\"hot\",\"model\":\"n\"}", "8192", "");
  check_parameters ("{\"thinking\":{\"type\":\"enabled\",\"budget_tokens\":1024}}", "8192",
                    ",\"thinking\":{\"type\":\"enabled\",\"budget_tokens\":1024}");
}

static void
check_usage (const char *start, const char *end, ConfabUsage expected)
{
  g_autofree char *body =
      g_strdup_printf ("data: {\"type\":\"message_start\",\"message\":{%s}}\n\n"
                       "data: {\"type\":\"message_delta\",\"delta\":{}%s}\n\n" STOP,
                       start, end);
  ProviderStream stream = { TYPE, body, 0, FALSE };
  g_autoptr (RawServer) server = raw_server_new (provider_stream_handler, &stream);
  g_autoptr (ConfabHttpProvider) provider = make (server, "m");
  g_auto (ProviderRun) run;

  provider_run_init (&run);
  provider_run_start (&run, provider, NULL, NULL);
  provider_run_wait (&run);
  g_assert_no_error (run.error);
  g_assert_cmpint (run.outcome->usage.input_tokens, ==, expected.input_tokens);
  g_assert_cmpint (run.outcome->usage.output_tokens, ==, expected.output_tokens);
  g_assert_cmpint (run.outcome->usage.cached_input_tokens, ==, expected.cached_input_tokens);
  g_assert_cmpint (run.outcome->usage.reasoning_tokens, ==, expected.reasoning_tokens);
  g_assert_cmpint (run.outcome->has_usage, ==, *start != '\0' || *end != '\0');
}

static void
test_usage (void)
{
  check_usage ("\"usage\":{\"input_tokens\":7,\"output_tokens\":1}",
               ",\"usage\":{\"output_tokens\":15}", (ConfabUsage){ 7, 15, -1, -1 });
  /* what came from a cache, and what went into it, are input too */
  check_usage ("\"usage\":{\"input_tokens\":7,\"cache_read_input_tokens\":100,"
               "\"cache_creation_input_tokens\":20,\"output_tokens\":1}",
               ",\"usage\":{\"output_tokens\":15}", (ConfabUsage){ 127, 15, -1, 100 });
  /* gateways that know it only at the end */
  check_usage ("\"usage\":{\"input_tokens\":0,\"output_tokens\":0}",
               ",\"usage\":{\"input_tokens\":9,\"output_tokens\":4,\"cache_read_input_tokens\":0}",
               (ConfabUsage){ 9, 4, -1, 0 });
  check_usage ("\"usage\":{\"input_tokens\":-3,\"output_tokens\":\"x\"}", "",
               (ConfabUsage){ -1, -1, -1, -1 });
  check_usage ("", "", (ConfabUsage){ -1, -1, -1, -1 });
}

static RawEnd
models_handler (RawServer *server, int fd, const char *request, gpointer user_data)
{
  if (g_str_has_prefix (request, "GET /v1/models ")
      && strstr (request, "\r\nx-api-key: sk-secret\r\n") != NULL
      && strstr (request, "\r\nanthropic-version: ") != NULL)
    raw_reply (fd, "200 OK", "Content-Type: application/json\r\n", user_data);
  else if (strstr (request, "{\"model\":\"first\",") != NULL)
    provider_send_stream (fd, &(ProviderStream){ TYPE, START TEXT ("a") STOP, 0, FALSE });
  else
    raw_reply (fd, "404 Not Found", NULL, "{}");
  return RAW_NEXT;
}

static void
test_first_model (void)
{
  g_autoptr (RawServer) server =
      raw_server_new (models_handler, (gpointer) "{\"data\":[{\"type\":\"model\",\"id\":\"first\","
                                                 "\"display_name\":\"First\"},{\"id\":\"2nd\"}],"
                                                 "\"has_more\":false}");
  g_autoptr (ConfabHttpProvider) provider = make (server, NULL);
  g_auto (ProviderRun) run;

  provider_run_init (&run);
  provider_run_start (&run, provider, NULL, NULL);
  provider_run_wait (&run);
  g_assert_no_error (run.error);
  g_assert_cmpstr (run.text->str, ==, "a");
  g_assert_cmpuint (raw_server_get_n_requests (server), ==, 2);
}

static void
test_no_models (void)
{
  g_autoptr (RawServer) server = raw_server_new (models_handler, (gpointer) "{\"data\":[]}");
  g_autoptr (ConfabHttpProvider) provider = make (server, NULL);
  g_auto (ProviderRun) run;

  provider_run_init (&run);
  provider_run_start (&run, provider, NULL, NULL);
  provider_run_wait (&run);
  g_assert_error (run.error, CONFAB_ERROR, CONFAB_ERROR_NO_PROVIDER);
}

static void
test_settings (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (ConfabAnthropicProvider) usual = NULL;

  g_assert_null (confab_anthropic_provider_new ("nonsense", NULL, NULL, &error));
  g_assert_error (error, CONFAB_ERROR, CONFAB_ERROR_INVALID_REQUEST);
  g_clear_error (&error);
  g_assert_null (confab_anthropic_provider_new (NULL, "key\r\nX-Evil: 1", NULL, &error));
  g_assert_error (error, CONFAB_ERROR, CONFAB_ERROR_INVALID_REQUEST);
  g_assert_null (strstr (error->message, "Evil"));
  g_clear_error (&error);

  usual = confab_anthropic_provider_new ("", "", "", &error);
  g_assert_no_error (error);
  g_assert_cmpstr (confab_http_provider_get_base_url (CONFAB_HTTP_PROVIDER (usual)), ==,
                   CONFAB_ANTHROPIC_BASE_URL);
  g_assert_cmpstr (confab_provider_get_name (CONFAB_PROVIDER (usual)), ==, "anthropic");
}

static void
test_every_byte_alone (void)
{
  ProviderStream stream = { TYPE, START TEXT ("\xf0\x9f\x8c\x8d!") REASON ("end_turn") STOP, 1,
                            TRUE };
  g_autoptr (RawServer) server = raw_server_new (provider_stream_handler, &stream);
  g_autoptr (ConfabHttpProvider) provider = make (server, "m");
  g_auto (ProviderRun) run;

  provider_run_init (&run);
  provider_run_start (&run, provider, NULL, NULL);
  provider_run_wait (&run);
  g_assert_no_error (run.error);
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
                               START THINKING ("h") TEXT ("a") THINKING ("m") TEXT ("b"));
}

static void
test_end_does_not_wait (void)
{
  provider_check_end_does_not_wait (make, TYPE,
                                    START THINKING ("h") THINKING ("m") TEXT ("a") TEXT ("b")
                                        REASON ("end_turn") STOP);
}

static void
test_stall (void)
{
  provider_check_stall (make, TYPE, START TEXT ("a"));
}

int
main (int argc, char **argv)
{
  provider_test_init (&argc, &argv);

  provider_add_cases ("/confab/anthropic", cases, G_N_ELEMENTS (cases), test_case);
  g_test_add_func ("/confab/anthropic/request", test_request);
  g_test_add_func ("/confab/anthropic/roles", test_roles);
  g_test_add_func ("/confab/anthropic/parameters", test_parameters);
  g_test_add_func ("/confab/anthropic/usage", test_usage);
  g_test_add_func ("/confab/anthropic/models/first", test_first_model);
  g_test_add_func ("/confab/anthropic/models/none", test_no_models);
  g_test_add_func ("/confab/anthropic/settings", test_settings);
  g_test_add_func ("/confab/anthropic/every-byte-alone", test_every_byte_alone);
  g_test_add_func ("/confab/anthropic/stop/before-head", test_stop_before_head);
  g_test_add_func ("/confab/anthropic/stop/in-body", test_stop_in_body);
  g_test_add_func ("/confab/anthropic/end-does-not-wait", test_end_does_not_wait);
  g_test_add_func ("/confab/anthropic/stall", test_stall);

  return g_test_run ();
}
