/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <string.h>

#include "confab-auto-provider.h"
#include "confab-builtin-provider.h"
#include "confab-error.h"
#include "confab-http-provider.h"
#include "confab-provider-run.h"
#include "confab-providers.h"
#include "confab-schema.h"

static const char *const variables[] = { "OPENAI_API_KEY",    "OPENAI_BASE_URL",
                                         "ANTHROPIC_API_KEY", "ANTHROPIC_BASE_URL",
                                         "OLLAMA_HOST",       "MINE_KEY" };

static void
clear_environment (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (variables); i++)
    g_unsetenv (variables[i]);
}

/* @line: the arguments, with spaces between; @file: what the file of settings says */
static ConfabProviderRegistry *
try_set_up (const char *line, const char *file, GError **error)
{
  g_autofree char *whole = g_strconcat ("confabd --config the-file ", line, NULL);
  g_auto (GStrv) argv = g_strsplit (g_strchomp (whole), " ", -1);
  g_autoptr (GSettingsSchemaSource) source = confab_schema_source_new (error);
  g_autoptr (ConfabSettings) settings = NULL;
  g_autoptr (ConfabOptions) options = confab_options_parse (argv, error);

  if (options == NULL)
    return NULL;
  settings = confab_settings_parse (source, file, strlen (file), "the-file", error);

  return settings != NULL ? confab_providers_set_up (options, settings, NULL, error) : NULL;
}

static ConfabProviderRegistry *
set_up (const char *line, const char *file)
{
  g_autoptr (GError) error = NULL;
  ConfabProviderRegistry *registry = try_set_up (line, file, &error);

  g_assert_no_error (error);
  g_assert_nonnull (registry);
  return registry;
}

static void
assert_names (ConfabProviderRegistry *registry, const char *expected)
{
  g_autofree char *names = g_strjoinv (" ", (char **) confab_provider_registry_list (registry));

  g_assert_cmpstr (names, ==, expected);
}

static void
assert_server (ConfabProviderRegistry *registry,
               const char *name,
               const char *type,
               const char *url)
{
  ConfabProvider *provider = confab_provider_registry_lookup (registry, name);

  g_assert_true (CONFAB_IS_HTTP_PROVIDER (provider));
  g_assert_cmpstr (confab_provider_get_name (provider), ==, type);
  g_assert_cmpstr (confab_http_provider_get_base_url (CONFAB_HTTP_PROVIDER (provider)), ==, url);
}

static void
test_registry (void)
{
  g_autoptr (ConfabProviderRegistry) registry = confab_provider_registry_new ();
  g_autoptr (ConfabProvider) one = CONFAB_PROVIDER (confab_builtin_provider_new ());
  g_autoptr (ConfabProvider) two = CONFAB_PROVIDER (confab_builtin_provider_new ());

  assert_names (registry, "");
  g_assert_null (confab_provider_registry_get_default (registry));
  g_assert_null (confab_provider_registry_get_default_name (registry));
  g_assert_null (confab_provider_registry_lookup (registry, "one"));

  g_assert_true (confab_provider_registry_add (registry, "one", one));
  g_assert_true (confab_provider_registry_add (registry, "two", two));
  g_assert_false (confab_provider_registry_add (registry, "one", two));
  assert_names (registry, "one two");
  g_assert_true (confab_provider_registry_get_default (registry) == one);
  g_assert_cmpstr (confab_provider_registry_get_default_name (registry), ==, "one");
  g_assert_true (confab_provider_registry_lookup (registry, "two") == two);
  g_assert_true (confab_provider_registry_lookup (registry, NULL) == one);
  g_assert_null (confab_provider_registry_lookup (registry, "three"));
}

static void
test_nothing_said (void)
{
  g_autoptr (ConfabProviderRegistry) registry = set_up ("", "");

  assert_names (registry, "auto builtin");
  g_assert_true (CONFAB_IS_AUTO_PROVIDER (confab_provider_registry_get_default (registry)));
}

static void
test_command_line (void)
{
  g_autoptr (ConfabProviderRegistry) builtin = set_up ("--provider builtin", "");
  g_autoptr (ConfabProviderRegistry) by_url = set_up ("--base-url http://h:1/v1", "");
  g_autoptr (ConfabProviderRegistry) by_name =
      set_up ("--provider anthropic --base-url http://h:1", "");

  assert_names (builtin, "builtin");
  assert_names (by_url, "openai builtin");
  assert_server (by_url, "openai", "openai", "http://h:1/v1");
  assert_names (by_name, "anthropic builtin");
  assert_server (by_name, "anthropic", "anthropic", "http://h:1");
}

static void
test_environment (void)
{
  g_setenv ("OPENAI_API_KEY", "k", TRUE);
  g_setenv ("ANTHROPIC_API_KEY", "k", TRUE);
  g_setenv ("OLLAMA_HOST", "box", TRUE);
  {
    g_autoptr (ConfabProviderRegistry) registry = set_up ("--provider builtin", "");

    assert_names (registry, "builtin openai anthropic ollama");
    assert_server (registry, "openai", "openai", "https://api.openai.com/v1");
    assert_server (registry, "anthropic", "anthropic", "https://api.anthropic.com");
    assert_server (registry, "ollama", "ollama", "http://box:11434");
  }

  clear_environment ();
  g_setenv ("OPENAI_BASE_URL", "http://h:2/v1", TRUE);
  g_setenv ("OPENAI_API_KEY", "", TRUE);
  g_setenv ("ANTHROPIC_BASE_URL", "http://h:3", TRUE);
  {
    g_autoptr (ConfabProviderRegistry) registry = set_up ("", "");

    /* an address of Anthropic's API alone is set for other tools, without a key there */
    assert_names (registry, "auto openai builtin");
    assert_server (registry, "openai", "openai", "http://h:2/v1");
  }
  clear_environment ();
}

static void
test_wrong_environment (void)
{
  g_autoptr (ConfabProviderRegistry) registry = NULL;

  g_setenv ("OPENAI_BASE_URL", "nonsense", TRUE);
  g_test_expect_message ("Confab", G_LOG_LEVEL_WARNING, "*openai*left out*nonsense*");
  registry = set_up ("--provider builtin", "");
  g_test_assert_expected_messages ();
  assert_names (registry, "builtin");
  clear_environment ();
}

#define FILE_OF_THREE                                                                              \
  "[providers/b]\ntype=ollama\nbase-url=http://h:1\n"                                              \
  "[providers/a]\ntype=openai\nbase-url=http://h:2/v1\nmodel=m\n"                                  \
  "[providers/anthropic]\nbase-url=http://h:3\n"

static void
test_file (void)
{
  g_autoptr (ConfabProviderRegistry) unsaid = set_up ("", FILE_OF_THREE);
  g_autoptr (ConfabProviderRegistry) said = set_up ("", "[confab]\nprovider=a\n" FILE_OF_THREE);
  g_autoptr (ConfabProviderRegistry) overridden =
      set_up ("--provider b", "[confab]\nprovider=a\n" FILE_OF_THREE);
  g_autoptr (ConfabProviderRegistry) moved =
      set_up ("--provider a --base-url http://h:9/v1", FILE_OF_THREE);
  g_autoptr (ConfabProviderRegistry) other = set_up ("", "[confab]\nprovider=openai-responses\n");

  assert_names (unsaid, "auto b a anthropic builtin");
  assert_server (unsaid, "a", "openai", "http://h:2/v1");
  assert_server (unsaid, "b", "ollama", "http://h:1");
  assert_server (unsaid, "anthropic", "anthropic", "http://h:3");
  assert_names (said, "a b anthropic builtin");
  assert_names (overridden, "b a anthropic builtin");
  assert_names (moved, "a b anthropic builtin");
  assert_server (moved, "a", "openai", "http://h:9/v1");
  assert_names (other, "openai-responses builtin");
}

static void
test_file_before_environment (void)
{
  g_autoptr (ConfabProviderRegistry) registry = NULL;

  g_setenv ("ANTHROPIC_API_KEY", "k", TRUE);
  g_setenv ("OLLAMA_HOST", "box", TRUE);
  registry = set_up ("", FILE_OF_THREE);
  assert_names (registry, "auto b a anthropic ollama builtin");
  assert_server (registry, "anthropic", "anthropic", "http://h:3");
  clear_environment ();
}

static void
test_refusals (void)
{
  static const struct
  {
    const char *line;
    const char *file;
    const char *words;
  } cases[] = {
    { "--provider oracle", "", "oracle" },
    { "", "[confab]\nprovider=oracle\n", "the-file: [confab] provider: there is no “oracle”" },
    { "--provider a --base-url http://h", "[providers/a]\ntype=builtin\n", "--base-url" },
    { "--base-url nonsense", "", "nonsense" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = NULL;

      g_assert_null (try_set_up (cases[i].line, cases[i].file, &error));
      g_assert_error (error, CONFAB_ERROR, CONFAB_ERROR_INVALID_REQUEST);
      g_assert_nonnull (strstr (error->message, cases[i].words));
    }
}

/* A request to @name, as the server gets it. @file has PORT where the port stands. */
static char *
request_to (RawServer *server, const char *name, const char *line, const char *file)
{
  g_auto (GStrv) parts = g_strsplit (file, "PORT", -1);
  g_autofree char *port = g_strdup_printf ("%u", raw_server_get_port (server));
  g_autofree char *text = g_strjoinv (port, parts);
  g_autoptr (ConfabProviderRegistry) registry = set_up (line, text);
  ConfabProvider *provider = confab_provider_registry_lookup (registry, name);
  g_auto (ProviderRun) run;

  provider_run_init (&run);
  provider_run_start (&run, CONFAB_HTTP_PROVIDER (provider), NULL, NULL);
  provider_run_wait (&run);

  return raw_server_dup_last_request (server);
}

static void
test_keys (void)
{
  ProviderStream stream = { "text/event-stream", "data: [DONE]\n\n", 0, FALSE };
  g_autoptr (RawServer) server = raw_server_new (provider_stream_handler, &stream);
  g_autofree char *url = g_strdup_printf ("http://127.0.0.1:%u", raw_server_get_port (server));
  g_autofree char *line = g_strdup_printf ("--provider openai --base-url %s", url);
  g_autofree char *named = NULL;
  g_autofree char *unnamed = NULL;
  g_autofree char *own = NULL;
  g_autofree char *asked = NULL;

  g_setenv ("OPENAI_API_KEY", "sk-openai", TRUE);
  g_setenv ("MINE_KEY", "sk-mine", TRUE);

  named = request_to (server, "a", "",
                      "[providers/a]\ntype=openai\nbase-url=http://127.0.0.1:PORT\nmodel=m\n"
                      "api-key-env=MINE_KEY\n");
  g_assert_nonnull (strstr (named, "Authorization: Bearer sk-mine\r\n"));

  /* OpenAI's key does not go to whatever server a file names */
  unnamed = request_to (server, "a", "",
                        "[providers/a]\ntype=openai\nbase-url=http://127.0.0.1:PORT\nmodel=m\n");
  g_assert_null (strstr (unnamed, "Authorization"));

  g_setenv ("OPENAI_BASE_URL", url, TRUE);
  own = request_to (server, "openai", "", "[providers/openai]\nmodel=m\nheaders=['X-A: 1']\n");
  g_assert_nonnull (strstr (own, "Authorization: Bearer sk-openai\r\n"));
  g_assert_nonnull (strstr (own, "X-A: 1\r\n"));
  g_unsetenv ("OPENAI_BASE_URL");

  asked = request_to (server, "openai", line, "[providers/openai]\nmodel=m\n");
  g_assert_nonnull (strstr (asked, "Authorization: Bearer sk-openai\r\n"));
  clear_environment ();
}

/* A key that cannot be one is told with the group that wants it, and not shown. */
static void
test_bad_key (void)
{
  g_autoptr (GError) error = NULL;

  g_setenv ("MINE_KEY", "hunter 2", TRUE);
  g_assert_null (try_set_up ("", "[providers/a]\ntype=openai\napi-key-env=MINE_KEY\n", &error));
  g_assert_error (error, CONFAB_ERROR, CONFAB_ERROR_INVALID_REQUEST);
  g_assert_nonnull (strstr (error->message, "the-file: [providers/a]: "));
  g_assert_null (strstr (error->message, "hunter"));
  clear_environment ();
}

static void
test_missing_key (void)
{
  g_autoptr (ConfabProviderRegistry) registry = NULL;

  g_test_expect_message ("Confab", G_LOG_LEVEL_WARNING, "*provider a*without a key*MINE_KEY*");
  registry = set_up ("", "[providers/a]\ntype=openai\napi-key-env=MINE_KEY\n");
  g_test_assert_expected_messages ();
  g_assert_nonnull (confab_provider_registry_lookup (registry, "a"));
}

static RawEnd
refusing_handler (RawServer *server, int fd, const char *request, gpointer user_data)
{
  raw_reply (fd, "503 Service Unavailable", "retry-after-ms: 1\r\nConnection: close\r\n", "{}");
  return RAW_CLOSE;
}

static RawEnd
silent_handler (RawServer *server, int fd, const char *request, gpointer user_data)
{
  return RAW_HOLD;
}

static void
test_retries_and_stall (void)
{
  g_autoptr (RawServer) refusing = raw_server_new (refusing_handler, NULL);
  g_autoptr (RawServer) silent = raw_server_new (silent_handler, NULL);
  gint64 start = g_get_monotonic_time ();
  g_autofree char *refused =
      request_to (refusing, "a", "",
                  "[providers/a]\ntype=openai\nbase-url=http://127.0.0.1:PORT\nmodel=m\n"
                  "retries=1\n");
  g_autofree char *unanswered =
      request_to (silent, "a", "",
                  "[providers/a]\ntype=openai\nbase-url=http://127.0.0.1:PORT\nmodel=m\n"
                  "retries=0\nstall-timeout=1\n");

  g_assert_nonnull (refused);
  g_assert_nonnull (unanswered);
  g_assert_cmpuint (raw_server_get_n_requests (refusing), ==, 2);
  g_assert_cmpuint (raw_server_get_n_requests (silent), ==, 1);
  g_assert_cmpint (g_get_monotonic_time () - start, >=, G_USEC_PER_SEC);
}

static void
test_model (void)
{
  ProviderStream stream = { "text/event-stream", "data: [DONE]\n\n", 0, FALSE };
  g_autoptr (RawServer) server = raw_server_new (provider_stream_handler, &stream);
  static const char file[] =
      "[confab]\nprovider=a\n"
      "[providers/a]\ntype=openai\nbase-url=http://127.0.0.1:PORT\nmodel=of-file\n";
  g_autofree char *of_file = request_to (server, "a", "", file);
  g_autofree char *of_line = request_to (server, "a", "--model of-line", file);

  g_assert_nonnull (strstr (of_file, "{\"model\":\"of-file\""));
  g_assert_nonnull (strstr (of_line, "{\"model\":\"of-line\""));
}

int
main (int argc, char **argv)
{
  clear_environment ();
  provider_test_init (&argc, &argv);

  g_test_add_func ("/confab/providers/registry", test_registry);
  g_test_add_func ("/confab/providers/nothing-said", test_nothing_said);
  g_test_add_func ("/confab/providers/command-line", test_command_line);
  g_test_add_func ("/confab/providers/environment", test_environment);
  g_test_add_func ("/confab/providers/wrong-environment", test_wrong_environment);
  g_test_add_func ("/confab/providers/file", test_file);
  g_test_add_func ("/confab/providers/file-before-environment", test_file_before_environment);
  g_test_add_func ("/confab/providers/refusals", test_refusals);
  g_test_add_func ("/confab/providers/keys", test_keys);
  g_test_add_func ("/confab/providers/bad-key", test_bad_key);
  g_test_add_func ("/confab/providers/missing-key", test_missing_key);
  g_test_add_func ("/confab/providers/retries-and-stall", test_retries_and_stall);
  g_test_add_func ("/confab/providers/model", test_model);

  return g_test_run ();
}
