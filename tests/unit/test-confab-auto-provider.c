/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <string.h>
#include <unistd.h>

#include "confab-anthropic-provider.h"
#include "confab-auto-provider.h"
#include "confab-error.h"
#include "confab-ollama-provider.h"
#include "confab-openai-provider.h"
#include "confab-raw-server.h"

#define ANSWER                                                                                     \
  "{\"choices\":[{\"message\":{\"content\":\"from upstream\"},\"finish_reason\":\"stop\"}]}"

/* What a server answers to which path; what is asked for and not listed is 404. */
typedef struct
{
  const char *path;
  const char *body;
} Page;

static const Page ollama_pages[] = {
  { "GET /api/version ", "{\"version\":\"0.5.1\"}" },
  { "POST /api/chat ", "{\"message\":{\"content\":\"from upstream\"},\"done\":true}\n" },
  { NULL, NULL },
};

static const Page llama_cpp_pages[] = {
  { "GET /props ", "{\"default_generation_settings\":{}}" },
  { "POST /v1/chat/completions ", ANSWER },
  { NULL, NULL },
};

static const Page old_llama_cpp_pages[] = {
  { "GET /v1/models ", "{\"data\":[{\"id\":\"m\",\"owned_by\":\"llamacpp\"}]}" },
  { "POST /v1/chat/completions ", ANSWER },
  { NULL, NULL },
};

static const Page lm_studio_pages[] = {
  { "GET /api/v0/models ",
    "{\"data\":[{\"id\":\"m\",\"state\":\"loaded\",\"compatibility_type\":\"gguf\"}]}" },
  { "POST /v1/chat/completions ", ANSWER },
  { NULL, NULL },
};

/* Looks like a model server, but is none of those that are known. */
static const Page stranger_pages[] = {
  { "GET /props ", "{}" },
  { "GET /v1/models ", "{\"data\":[{\"id\":\"m\",\"owned_by\":\"somebody\"}]}" },
  { "GET /api/version ", "{\"release\":\"1\"}" },
  { "GET /api/v0/models ", "{\"data\":[{\"id\":\"m\"}]}" },
  { "POST /v1/chat/completions ", ANSWER },
  { NULL, NULL },
};

static RawEnd
pages_handler (RawServer *server, int fd, const char *request, gpointer user_data)
{
  for (const Page *page = user_data; page->path != NULL; page++)
    {
      if (g_str_has_prefix (request, page->path))
        {
          raw_reply (fd, "200 OK", "Content-Type: application/json\r\n", page->body);
          return RAW_NEXT;
        }
    }
  raw_reply (fd, "404 Not Found", NULL, "{}");
  return RAW_NEXT;
}

static RawEnd
silent_handler (RawServer *server, int fd, const char *request, gpointer user_data)
{
  return RAW_HOLD;
}

static RawEnd
late_handler (RawServer *server, int fd, const char *request, gpointer user_data)
{
  g_usleep (80 * 1000);
  return pages_handler (server, fd, request, user_data);
}

typedef struct
{
  GString *text;
  guint n_callbacks;
  ConfabOutcome *outcome;
  GError *error;
} Run;

static void
run_clear (Run *run)
{
  g_string_free (run->text, TRUE);
  g_clear_pointer (&run->outcome, confab_outcome_free);
  g_clear_error (&run->error);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Run, run_clear)

static void
delta_cb (ConfabDeltaKind kind, const char *text, gsize length, gpointer user_data)
{
  Run *run = user_data;

  g_string_append_len (run->text, text, (gssize) length);
}

static void
done_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Run *run = user_data;

  run->n_callbacks++;
  run->outcome = confab_provider_generate_finish (CONFAB_PROVIDER (source), result, &run->error);
}

static void
run_start (Run *run, ConfabAutoProvider *provider, GCancellable *cancellable)
{
  g_autoptr (ConfabPrompt) prompt = confab_prompt_new ();

  *run = (Run){ .text = g_string_new (NULL) };
  confab_prompt_add_turn (prompt, CONFAB_ROLE_USER, "a secret remark");
  confab_provider_generate_async (CONFAB_PROVIDER (provider), prompt, delta_cb, run, cancellable,
                                  done_cb, run);
}

static void
run_wait (Run *run)
{
  while (run->n_callbacks == 0)
    g_main_context_iteration (NULL, TRUE);
  while (g_main_context_iteration (NULL, FALSE))
    ;
  g_assert_cmpuint (run->n_callbacks, ==, 1);
}

static void
wait_for_choice (ConfabAutoProvider *provider)
{
  gint64 end = g_get_monotonic_time () + 10 * G_USEC_PER_SEC;

  confab_auto_provider_start (provider);
  while (confab_auto_provider_get_chosen (provider) == NULL)
    {
      g_assert_cmpint (g_get_monotonic_time (), <, end);
      g_main_context_iteration (NULL, FALSE);
      g_usleep (200);
    }
}

static void
assert_ollama (ConfabAutoProvider *provider, RawServer *server)
{
  ConfabProvider *chosen = confab_auto_provider_get_chosen (provider);
  g_autofree char *origin = raw_server_dup_origin (server);

  g_assert_true (CONFAB_IS_OLLAMA_PROVIDER (chosen));
  g_assert_cmpstr (confab_http_provider_get_base_url (CONFAB_HTTP_PROVIDER (chosen)), ==, origin);
  g_assert_cmpstr (confab_provider_get_name (CONFAB_PROVIDER (provider)), ==, "ollama");
}

static void
assert_base_url (ConfabAutoProvider *provider, RawServer *server)
{
  ConfabProvider *chosen = confab_auto_provider_get_chosen (provider);
  g_autofree char *origin = raw_server_dup_origin (server);
  g_autofree char *base_url = g_strconcat (origin, "/v1", NULL);

  g_assert_true (CONFAB_IS_OPENAI_PROVIDER (chosen));
  g_assert_cmpstr (confab_openai_provider_get_base_url (CONFAB_OPENAI_PROVIDER (chosen)), ==,
                   base_url);
  g_assert_cmpstr (confab_provider_get_name (CONFAB_PROVIDER (provider)), ==, "openai");
}

#define STRANGER 4242

/* Patience for slow machines, where the time itself is not what is tested: all answer anyway. */
#define PATIENCE_MS 10000

/* One server alone: is it taken for what it is asked to be? */
typedef struct
{
  const char *name;
  ConfabLocalServerKind kind;
  const Page *pages;
  gboolean taken;
} KindCase;

static const KindCase kind_cases[] = {
  { "ollama", CONFAB_LOCAL_SERVER_OLLAMA, ollama_pages, TRUE },
  { "llama-cpp", CONFAB_LOCAL_SERVER_LLAMA_CPP, llama_cpp_pages, TRUE },
  { "llama-cpp-by-models", CONFAB_LOCAL_SERVER_LLAMA_CPP, old_llama_cpp_pages, TRUE },
  { "lm-studio", CONFAB_LOCAL_SERVER_LM_STUDIO, lm_studio_pages, TRUE },
  { "snap-by-models", CONFAB_LOCAL_SERVER_INFERENCE_SNAP, old_llama_cpp_pages, TRUE },
  { "snap-by-props", CONFAB_LOCAL_SERVER_INFERENCE_SNAP, llama_cpp_pages, TRUE },
  { "no-ollama", CONFAB_LOCAL_SERVER_OLLAMA, stranger_pages, FALSE },
  { "no-llama-cpp", CONFAB_LOCAL_SERVER_LLAMA_CPP, stranger_pages, FALSE },
  { "no-lm-studio", CONFAB_LOCAL_SERVER_LM_STUDIO, stranger_pages, FALSE },
  { "no-snap", CONFAB_LOCAL_SERVER_INFERENCE_SNAP, stranger_pages, FALSE },
};

static void
test_kind (gconstpointer data)
{
  const KindCase *c = data;
  g_autoptr (RawServer) server = raw_server_new (pages_handler, (gpointer) c->pages);
  g_autofree char *origin = raw_server_dup_origin (server);
  const ConfabLocalServer servers[] = { { c->kind, origin } };
  g_autoptr (ConfabAutoProvider) provider =
      confab_auto_provider_new_full ("m", NULL, NULL, servers, 1);
  g_autofree char *request = NULL;
  g_auto (Run) run;

  confab_auto_provider_set_ask_timeout (provider, PATIENCE_MS);
  g_assert_cmpstr (confab_provider_get_name (CONFAB_PROVIDER (provider)), ==, "auto");
  run_start (&run, provider, NULL);
  run_wait (&run);
  g_assert_no_error (run.error);

  request = raw_server_dup_last_request (server);
  if (c->taken)
    {
      if (c->kind == CONFAB_LOCAL_SERVER_OLLAMA)
        assert_ollama (provider, server);
      else
        assert_base_url (provider, server);
      g_assert_cmpstr (run.text->str, ==, "from upstream");
      return;
    }

  /* No chat to a server that did not say who it is. */
  g_assert_cmpstr (confab_provider_get_name (CONFAB_PROVIDER (provider)), ==, "builtin");
  g_assert_true (g_str_has_prefix (request, "GET "));
  g_assert_null (strstr (request, "secret"));
}

static void
test_preference (void)
{
  g_autoptr (RawServer) slow = raw_server_new (late_handler, (gpointer) ollama_pages);
  g_autoptr (RawServer) quick = raw_server_new (pages_handler, (gpointer) llama_cpp_pages);
  g_autofree char *slow_origin = raw_server_dup_origin (slow);
  g_autofree char *quick_origin = raw_server_dup_origin (quick);
  const ConfabLocalServer servers[] = { { CONFAB_LOCAL_SERVER_OLLAMA, slow_origin },
                                        { CONFAB_LOCAL_SERVER_LLAMA_CPP, quick_origin } };
  g_autoptr (ConfabAutoProvider) provider =
      confab_auto_provider_new_full ("m", NULL, NULL, servers, 2);

  confab_auto_provider_set_ask_timeout (provider, PATIENCE_MS);
  wait_for_choice (provider);
  assert_ollama (provider, slow);
}

static void
test_time_is_limited (void)
{
  g_autoptr (RawServer) silent = raw_server_new (silent_handler, NULL);
  g_autoptr (RawServer) quick = raw_server_new (pages_handler, (gpointer) llama_cpp_pages);
  g_autofree char *silent_origin = raw_server_dup_origin (silent);
  g_autofree char *quick_origin = raw_server_dup_origin (quick);
  const ConfabLocalServer servers[] = { { CONFAB_LOCAL_SERVER_OLLAMA, silent_origin },
                                        { CONFAB_LOCAL_SERVER_LLAMA_CPP, quick_origin } };
  g_autoptr (ConfabAutoProvider) provider =
      confab_auto_provider_new_full ("m", NULL, NULL, servers, 2);
  gint64 start, taken;

  start = g_get_monotonic_time ();
  wait_for_choice (provider);
  taken = g_get_monotonic_time () - start;
  g_assert_cmpint (taken, >=, 295 * 1000);
  g_assert_cmpint (taken, <, 600 * 1000);
  assert_base_url (provider, quick);
  g_assert_cmpint (raw_server_wait_for_close (silent, 1000), !=, 0);
}

static void
test_nobody_there (void)
{
  char origin[] = "http://127.0.0.1:1";
  const ConfabLocalServer servers[] = { { CONFAB_LOCAL_SERVER_OLLAMA, origin } };
  g_autoptr (ConfabAutoProvider) provider =
      confab_auto_provider_new_full (NULL, NULL, NULL, servers, 1);
  gint64 start = g_get_monotonic_time ();

  confab_auto_provider_set_ask_timeout (provider, PATIENCE_MS);
  wait_for_choice (provider);
  g_assert_cmpint (g_get_monotonic_time () - start, <, PATIENCE_MS * 1000 / 2);
  g_assert_cmpstr (confab_provider_get_name (CONFAB_PROVIDER (provider)), ==, "builtin");
}

/* Of another user of this machine: no chat is sent there, whether that was so from the start or has
 * become so. */
static void
test_stranger (void)
{
  g_autoptr (RawServer) server = raw_server_new (pages_handler, (gpointer) ollama_pages);
  g_autofree char *origin = raw_server_dup_origin (server);
  const ConfabLocalServer servers[] = {
    { CONFAB_LOCAL_SERVER_OLLAMA, origin, raw_server_get_port (server) },
  };
  g_autoptr (ConfabAutoProvider) early =
      confab_auto_provider_new_full ("m", NULL, NULL, servers, 1);
  g_autoptr (ConfabAutoProvider) late = confab_auto_provider_new_full ("m", NULL, NULL, servers, 1);
  g_autofree char *request = NULL;
  g_auto (Run) before, at_once, after;

  confab_auto_provider_set_ask_timeout (early, PATIENCE_MS);
  confab_auto_provider_set_ask_timeout (late, PATIENCE_MS);
  run_start (&before, early, NULL);
  run_wait (&before);
  g_assert_no_error (before.error);
  assert_ollama (early, server);

  if (!raw_server_give_to (server, STRANGER))
    g_test_skip ("only root can give a socket to somebody else");
  run_start (&after, early, NULL);
  run_wait (&after);
  run_start (&at_once, late, NULL);
  run_wait (&at_once);
  if (geteuid () != 0)
    return;

  g_assert_error (after.error, CONFAB_ERROR, CONFAB_ERROR_UPSTREAM_UNAVAILABLE);
  g_assert_no_error (at_once.error);
  g_assert_cmpstr (confab_provider_get_name (CONFAB_PROVIDER (late)), ==, "builtin");
  request = raw_server_dup_last_request (server);
  g_assert_true (g_str_has_prefix (request, "GET "));
}

/* Who was named is asked, whoever he is. */
static void
test_named_stranger (void)
{
  g_autoptr (RawServer) server = raw_server_new (pages_handler, (gpointer) ollama_pages);
  g_autofree char *origin = raw_server_dup_origin (server);
  const ConfabLocalServer servers[] = { { CONFAB_LOCAL_SERVER_OLLAMA, origin } };
  g_autoptr (ConfabAutoProvider) provider =
      confab_auto_provider_new_full ("m", NULL, NULL, servers, 1);
  g_auto (Run) run;

  raw_server_give_to (server, STRANGER);
  confab_auto_provider_set_ask_timeout (provider, PATIENCE_MS);
  run_start (&run, provider, NULL);
  run_wait (&run);
  g_assert_no_error (run.error);
  assert_ollama (provider, server);
}

static void
test_stop_while_waiting (void)
{
  g_autoptr (RawServer) silent = raw_server_new (silent_handler, NULL);
  g_autofree char *origin = raw_server_dup_origin (silent);
  const ConfabLocalServer servers[] = { { CONFAB_LOCAL_SERVER_OLLAMA, origin } };
  g_autoptr (ConfabAutoProvider) provider =
      confab_auto_provider_new_full ("m", NULL, NULL, servers, 1);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  gint64 start = g_get_monotonic_time ();
  g_auto (Run) run;

  confab_auto_provider_set_ask_timeout (provider, PATIENCE_MS / 5);
  run_start (&run, provider, cancellable);
  g_assert_true (raw_server_wait_for_requests (silent, 1, PATIENCE_MS));
  g_cancellable_cancel (cancellable);
  run_wait (&run);
  g_assert_error (run.error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_assert_null (confab_auto_provider_get_chosen (provider));
  g_assert_cmpint (g_get_monotonic_time () - start, <, PATIENCE_MS / 5 * 1000);
  wait_for_choice (provider);
}

static void
test_settings_win (void)
{
  g_autoptr (RawServer) set = raw_server_new (pages_handler, (gpointer) llama_cpp_pages);
  g_autoptr (RawServer) local = raw_server_new (pages_handler, (gpointer) ollama_pages);
  g_autofree char *origin = raw_server_dup_origin (set);
  g_autofree char *base_url = g_strconcat (origin, "/v1/", NULL);
  g_autofree char *local_origin = raw_server_dup_origin (local);
  const ConfabLocalServer servers[] = { { CONFAB_LOCAL_SERVER_OLLAMA, local_origin } };
  g_autoptr (ConfabAutoProvider) provider =
      confab_auto_provider_new_full ("m", "key", base_url, servers, 1);
  g_autoptr (ConfabAutoProvider) key_only =
      confab_auto_provider_new_full (NULL, "key", "", servers, 1);
  ConfabProvider *chosen;
  g_auto (Run) run;

  run_start (&run, provider, NULL);
  run_wait (&run);
  g_assert_cmpstr (run.text->str, ==, "from upstream");
  assert_base_url (provider, set);
  g_assert_cmpuint (raw_server_get_n_requests (local), ==, 0);

  confab_auto_provider_start (key_only);
  chosen = confab_auto_provider_get_chosen (key_only);
  g_assert_cmpstr (confab_openai_provider_get_base_url (CONFAB_OPENAI_PROVIDER (chosen)), ==,
                   CONFAB_OPENAI_BASE_URL);
}

static const Page anthropic_pages[] = {
  { "POST /v1/messages ",
    "data: {\"type\":\"content_block_delta\",\"delta\":{\"text\":\"from upstream\"}}\n\n"
    "data: {\"type\":\"message_stop\"}\n\n" },
  { NULL, NULL },
};

static void
test_anthropic_key (void)
{
  g_autoptr (RawServer) set = raw_server_new (pages_handler, (gpointer) anthropic_pages);
  g_autoptr (RawServer) local = raw_server_new (pages_handler, (gpointer) ollama_pages);
  g_autofree char *origin = raw_server_dup_origin (set);
  g_autofree char *local_origin = raw_server_dup_origin (local);
  const ConfabLocalServer servers[] = { { CONFAB_LOCAL_SERVER_OLLAMA, local_origin } };
  g_autoptr (ConfabAutoProvider) provider =
      confab_auto_provider_new_full ("m", NULL, NULL, servers, 1);
  g_autofree char *request = NULL;
  g_auto (Run) run;

  confab_auto_provider_set_anthropic (provider, "sk-ant", origin);
  run_start (&run, provider, NULL);
  run_wait (&run);
  g_assert_no_error (run.error);
  g_assert_cmpstr (run.text->str, ==, "from upstream");
  g_assert_cmpstr (confab_provider_get_name (CONFAB_PROVIDER (provider)), ==, "anthropic");
  request = raw_server_dup_last_request (set);
  g_assert_nonnull (strstr (request, "x-api-key: sk-ant\r\n"));
  g_assert_cmpuint (raw_server_get_n_requests (local), ==, 0);
}

static void
test_openai_before_anthropic (void)
{
  g_autoptr (ConfabAutoProvider) both = confab_auto_provider_new_full ("m", "k", "", NULL, 0);
  g_autoptr (ConfabAutoProvider) url_only = confab_auto_provider_new_full ("m", "", "", NULL, 0);

  confab_auto_provider_set_anthropic (both, "k", NULL);
  confab_auto_provider_start (both);
  g_assert_cmpstr (confab_provider_get_name (CONFAB_PROVIDER (both)), ==, "openai");

  /* without a key Anthropic's address chooses nothing */
  confab_auto_provider_set_anthropic (url_only, "", "http://h");
  confab_auto_provider_start (url_only);
  g_assert_cmpstr (confab_provider_get_name (CONFAB_PROVIDER (url_only)), ==, "builtin");
}

static void
test_wrong_setting (void)
{
  g_autoptr (ConfabAutoProvider) provider = NULL;
  g_auto (Run) run;

  g_test_expect_message ("Confab", G_LOG_LEVEL_WARNING, "*nonsense*base URL*");
  provider = confab_auto_provider_new_full (NULL, NULL, "nonsense", NULL, 0);
  run_start (&run, provider, NULL);
  run_wait (&run);
  g_test_assert_expected_messages ();
  g_assert_error (run.error, CONFAB_ERROR, CONFAB_ERROR_INVALID_REQUEST);
}

static void
test_ollama_host (void)
{
  static const char *const cases[][2] = {
    { NULL, "http://127.0.0.1:11434" },      { "", "http://127.0.0.1:11434" },
    { "box", "http://box:11434" },           { "box:99", "http://box:99" },
    { ":99", "http://127.0.0.1:99" },        { "0.0.0.0", "http://127.0.0.1:11434" },
    { "0.0.0.0:99", "http://127.0.0.1:99" }, { "http://box", "http://box:80" },
    { "https://box", "https://box:443" },    { "https://box:99/path/", "https://box:99/path" },
    { "[::1]", "http://[::1]:11434" },       { "[::1]:99", "http://[::1]:99" },
    { "::1", "http://[::1]:11434" },         { "[::]:99", "http://[::1]:99" },
    { " \"box:99\" ", "http://box:99" },     { "box:nonsense", "http://box:11434" },
    { "box:99999", "http://box:11434" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *origin = confab_local_server_parse_ollama_host (cases[i][0]);

      g_assert_cmpstr (origin, ==, cases[i][1]);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  for (gsize i = 0; i < G_N_ELEMENTS (kind_cases); i++)
    {
      g_autofree char *path = g_strconcat ("/confab/auto/kind/", kind_cases[i].name, NULL);

      g_test_add_data_func (path, &kind_cases[i], test_kind);
    }
  g_test_add_func ("/confab/auto/preference", test_preference);
  g_test_add_func ("/confab/auto/time-is-limited", test_time_is_limited);
  g_test_add_func ("/confab/auto/nobody-there", test_nobody_there);
  g_test_add_func ("/confab/auto/stranger", test_stranger);
  g_test_add_func ("/confab/auto/named-stranger", test_named_stranger);
  g_test_add_func ("/confab/auto/stop-while-waiting", test_stop_while_waiting);
  g_test_add_func ("/confab/auto/settings-win", test_settings_win);
  g_test_add_func ("/confab/auto/anthropic-key", test_anthropic_key);
  g_test_add_func ("/confab/auto/openai-before-anthropic", test_openai_before_anthropic);
  g_test_add_func ("/confab/auto/wrong-setting", test_wrong_setting);
  g_test_add_func ("/confab/auto/ollama-host", test_ollama_host);

  return g_test_run ();
}
