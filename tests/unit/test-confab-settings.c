/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <string.h>
#include <glib/gstdio.h>

#include "confab-backoff.h"
#include "confab-config.h"
#include "confab-error.h"
#include "confab-history.h"
#include "confab-http-stream.h"
#include "confab-options.h"
#include "confab-schema.h"
#include "confab-settings-keys.h"

static GSettingsSchemaSource *source;

static ConfabSettings *
parse (const char *text)
{
  g_autoptr (GError) error = NULL;
  ConfabSettings *settings =
      confab_settings_parse (source, text, strlen (text), "the-file", &error);

  g_assert_no_error (error);
  g_assert_nonnull (settings);
  return settings;
}

static void
assert_defaults (const ConfabSettings *settings)
{
  g_assert_cmpstr (settings->provider, ==, "auto");
  g_assert_false (settings->queue);
  g_assert_cmpuint (settings->max_running, ==, 1000);
  g_assert_cmpuint (settings->chunk_interval_ms, ==, 0);
  g_assert_true (settings->auto_create_modules);
  g_assert_cmpuint (settings->port, ==, CONFAB_DEFAULT_PORT);
  g_assert_null (settings->allow_origins);
  g_assert_null (settings->allow_hosts);
  g_assert_cmpuint (settings->idle_timeout, ==, 600);
  g_assert_true (settings->notifications);
  g_assert_false (settings->notification_text);
  g_assert_true (settings->inhibit_suspend);
  g_assert_cmpuint (settings->providers->len, ==, 0);
}

static void
test_defaults (void)
{
  g_autoptr (ConfabSettings) read = confab_settings_read (source, NULL);
  g_autoptr (ConfabSettings) empty = parse ("");
  g_autoptr (ConfabSettings) comment = parse ("# nothing\n\n");
  g_autoptr (ConfabSettings) group = parse ("[confab]\n");

  assert_defaults (read);
  assert_defaults (empty);
  assert_defaults (comment);
  assert_defaults (group);
}

static void
assert_mine (const ConfabProviderSettings *mine)
{
  g_assert_cmpstr (mine->type, ==, "openai");
  g_assert_cmpstr (mine->base_url, ==, "http://127.0.0.1:8080/v1");
  g_assert_cmpstr (mine->model, ==, "a 'b'");
  g_assert_cmpuint (g_strv_length (mine->headers), ==, 2);
  g_assert_cmpstr (mine->headers[1], ==, "X-Two: 2, 3");
  g_assert_cmpuint (mine->context_tokens, ==, 8192);
  g_assert_cmpuint (mine->stall_timeout_ms, ==, 30000);
  g_assert_cmpuint (mine->retries, ==, 0);
  g_assert_cmpstr (mine->api_key_env, ==, "MINE_KEY");
}

static void
test_all (void)
{
  g_autoptr (ConfabSettings) settings = parse ("[confab]\n"
                                               "provider='mine'\n"
                                               "queue=true\n"
                                               "max-running=uint32 3\n"
                                               "chunk-interval=40\n"
                                               "auto-create-modules=false\n"
                                               "port=8080\n"
                                               "allow-origins=['https://a.example']\n"
                                               "allow-hosts=['a.example', 'b.example']\n"
                                               "idle-timeout=0\n"
                                               "notifications=false\n"
                                               "notification-text=true\n"
                                               "inhibit-suspend=false\n"
                                               "\n"
                                               "[providers/mine]\n"
                                               "type='openai'\n"
                                               "base-url='http://127.0.0.1:8080/v1'\n"
                                               "model='a \\'b\\''\n"
                                               "headers=['X-One: 1', 'X-Two: 2, 3']\n"
                                               "context-tokens=8192\n"
                                               "stall-timeout=30\n"
                                               "retries=0\n"
                                               "api-key-env='MINE_KEY'\n"
                                               "[providers/ollama]\n");
  const ConfabProviderSettings *mine = confab_settings_find_provider (settings, "mine");
  const ConfabProviderSettings *ollama = confab_settings_find_provider (settings, "ollama");

  g_assert_cmpstr (settings->provider, ==, "mine");
  g_assert_true (settings->queue);
  g_assert_cmpuint (settings->max_running, ==, 3);
  g_assert_cmpuint (settings->chunk_interval_ms, ==, 40);
  g_assert_false (settings->auto_create_modules);
  g_assert_cmpuint (settings->port, ==, 8080);
  g_assert_cmpstr (settings->allow_origins[0], ==, "https://a.example");
  g_assert_cmpuint (g_strv_length (settings->allow_hosts), ==, 2);
  g_assert_cmpuint (settings->idle_timeout, ==, 0);
  g_assert_false (settings->notifications);
  g_assert_true (settings->notification_text);
  g_assert_false (settings->inhibit_suspend);
  g_assert_cmpuint (settings->providers->len, ==, 2);
  g_assert_true (g_ptr_array_index (settings->providers, 0) == mine);
  assert_mine (mine);
  /* a type's name says the type, and what is not said is left to the provider */
  g_assert_cmpstr (ollama->type, ==, "ollama");
  g_assert_null (ollama->base_url);
  g_assert_null (ollama->headers);
  /* the schema and the providers have the same defaults and ranges */
  g_assert_cmpuint (ollama->stall_timeout_ms, ==, CONFAB_HTTP_STALL_TIMEOUT_MS);
  g_assert_cmpuint (ollama->retries, ==, CONFAB_BACKOFF_RETRIES);
  g_assert_null (confab_settings_find_provider (settings, "other"));
}

static void
test_plain_text (void)
{
  g_autoptr (ConfabSettings) settings = parse ("[confab]\n"
                                               "provider = mine  \n"
                                               "queue = true\n"
                                               "[providers/mine]\n"
                                               "type=anthropic\n"
                                               "base-url=https://host.example:8443/a\n"
                                               "model=\"name: with 'marks'\"\n");
  const ConfabProviderSettings *mine = confab_settings_find_provider (settings, "mine");

  g_assert_cmpstr (settings->provider, ==, "mine");
  g_assert_true (settings->queue);
  g_assert_cmpstr (mine->type, ==, "anthropic");
  g_assert_cmpstr (mine->base_url, ==, "https://host.example:8443/a");
  g_assert_cmpstr (mine->model, ==, "name: with 'marks'");
}

static void
test_bounds (void)
{
  g_autoptr (ConfabSettings) least = parse ("[confab]\nmax-running=1\nchunk-interval=0\n"
                                            "[providers/a]\ntype=ollama\ncontext-tokens=0\n"
                                            "stall-timeout=1\nretries=0\n");
  g_autoptr (ConfabSettings) most = parse ("[confab]\nmax-running=1000\nchunk-interval=1000\n"
                                           "[providers/a]\ntype=ollama\ncontext-tokens=100000000\n"
                                           "stall-timeout=3600\nretries=10\n");
  const ConfabProviderSettings *provider = confab_settings_find_provider (most, "a");

  g_assert_cmpuint (least->max_running, ==, 1);
  g_assert_cmpuint (most->max_running, ==, 1000);
  g_assert_cmpuint (most->chunk_interval_ms, ==, 1000);
  g_assert_cmpuint (provider->stall_timeout_ms, ==, 3600 * 1000);
  g_assert_cmpuint (provider->retries, ==, CONFAB_BACKOFF_MAX_RETRIES);
  g_assert_cmpuint (provider->context_tokens, ==, CONFAB_HISTORY_MAX_CONTEXT);
}

/* Files that are wrong in one way each, and what the sentence must name besides the file. */
typedef struct
{
  const char *name;
  const char *text;
  const char *words[3];
} Refusal;

#define PROVIDER "[providers/a]\ntype=openai\n"

static const Refusal refusals[] = {
  { "not-a-key-file", "hello\n", { "hello" } },
  { "key-without-group", "queue=true\n", { NULL } },
  { "group/unknown", "[confabd]\nqueue=true\n", { "[confabd]", "no such group" } },
  { "group/providers-alone", "[providers]\n", { "[providers]", "no such group" } },
  { "key/unknown", "[confab]\nqueues=true\n", { "[confab]", "queues", "no such key" } },
  { "key/of-other-group", "[confab]\nretries=1\n", { "[confab]", "retries", "no such key" } },
  { "key/unknown-of-provider", PROVIDER "key='sk'\n", { "[providers/a]", "key", "no such key" } },
  { "key/translated", "[confab]\nqueue[de]=true\n", { "[confab]", "queue[de]" } },

  { "type/boolean", "[confab]\nqueue=1\n", { "[confab]", "queue", "true or false" } },
  { "type/boolean-word", "[confab]\nqueue=yes\n", { "queue", "true or false" } },
  { "type/boolean-quoted", "[confab]\nqueue='true'\n", { "queue", "true or false" } },
  { "type/number", "[confab]\nmax-running=many\n", { "max-running", "whole number" } },
  { "type/number-quoted", "[confab]\nmax-running='4'\n", { "max-running", "whole number" } },
  { "type/number-fraction", "[confab]\nmax-running=1.5\n", { "max-running", "whole number" } },
  { "type/number-negative", "[confab]\nmax-running=-1\n", { "max-running", "whole number" } },
  { "type/number-too-large", "[confab]\nmax-running=4294967297\n", { "max-running" } },
  { "type/number-empty", "[confab]\nmax-running=\n", { "max-running", "whole number" } },
  { "type/text-open", PROVIDER "model='m\n", { "[providers/a]", "model", "a text" } },
  { "type/text-surrogate", PROVIDER "model='\\ud800'\n", { "[providers/a]", "model", "a text" } },
  { "type/text-beyond", PROVIDER "model='m\\\\\\U00110000'\n", { "model", "a text" } },
  { "type/list-surrogate", PROVIDER "headers=['X-A: \\udc00']\n", { "headers", "a list" } },
  { "type/text-and-more", PROVIDER "model='m' 'n'\n", { "model", "a text" } },
  { "type/list-plain", PROVIDER "headers=X-A: 1\n", { "headers", "a list of texts" } },
  { "type/list-of-numbers", PROVIDER "headers=[1]\n", { "headers", "a list of texts" } },
  { "type/not-utf8", "[providers/a]\ntype=openai\nmodel=\xff\n", { "UTF-8" } },

  { "range/max-running-0", "[confab]\nmax-running=0\n", { "max-running", "1 to 1000", "not 0" } },
  { "range/max-running", "[confab]\nmax-running=1001\n", { "1 to 1000", "1001" } },
  { "range/chunk-interval", "[confab]\nchunk-interval=1001\n", { "chunk-interval", "0 to 1000" } },
  { "range/stall-timeout-0", PROVIDER "stall-timeout=0\n", { "stall-timeout", "1 to 3600" } },
  { "range/stall-timeout", PROVIDER "stall-timeout=3601\n", { "stall-timeout", "3601" } },
  { "range/retries", PROVIDER "retries=11\n", { "retries", "0 to 10", "11" } },
  { "range/context-tokens", PROVIDER "context-tokens=100000001\n", { "context-tokens" } },

  { "provider/default-name", "[confab]\nprovider=my server\n", { "provider", "my server" } },
  { "provider/default-empty", "[confab]\nprovider=\n", { "[confab]", "provider" } },
  { "provider/list-name", "[confab]\nproviders=['a b']\n", { "[confab]", "providers", "a b" } },
  { "provider/list-without-group",
    "[confab]\nproviders=['a']\n",
    { "[confab]", "providers", "[providers/a]" } },
  { "range/port", "[confab]\nport=65536\n", { "port", "0 to 65535" } },
  { "range/idle-timeout", "[confab]\nidle-timeout=86401\n", { "idle-timeout", "0 to 86400" } },
  { "origin",
    "[confab]\nallow-origins=['https://a.example/path']\n",
    { "[confab]", "allow-origins" } },
  { "host", "[confab]\nallow-hosts=['a b']\n", { "[confab]", "allow-hosts" } },
  { "provider/no-name", "[providers/]\ntype=openai\n", { "[providers/]", "name" } },
  { "provider/bad-name", "[providers/a b]\ntype=openai\n", { "[providers/a b]", "name" } },
  { "provider/slash", "[providers/a/b]\ntype=openai\n", { "[providers/a/b]", "name" } },
  { "provider/no-type", "[providers/a]\nmodel=m\n", { "[providers/a]", "needs a type" } },
  { "provider/unknown-type", "[providers/a]\ntype=oracle\n", { "type", "oracle", "ollama" } },
  { "provider/long-type",
    "[providers/a]\ntype=openai-and-more-than-the-65-bytes-in-which-glib-looks-for-a-choice\n",
    { "type", "openai-and-more", "ollama" } },
  { "provider/auto-type", "[providers/a]\ntype=auto\n", { "type", "auto" } },
  { "provider/auto-name", "[providers/auto]\ntype=openai\n", { "[providers/auto]", "taken" } },
  { "provider/builtin-name", "[providers/builtin]\ntype=openai\n", { "taken" } },
  { "provider/builtin-url",
    "[providers/a]\ntype=builtin\nbase-url=http://h\n",
    { "[providers/a]", "builtin" } },
  { "provider/base-url", PROVIDER "base-url=nonsense\n", { "base-url", "nonsense", "http://" } },
  { "provider/base-url-with-password", PROVIDER "base-url=http://u:hunter2@h\n", { "base-url" } },
  { "provider/key-itself", PROVIDER "api-key-env='sk-hunter2'\n", { "api-key-env", "name of" } },
  { "provider/key-variable-digit", PROVIDER "api-key-env=1A\n", { "api-key-env" } },
  { "provider/header", PROVIDER "headers=['X A: 1']\n", { "headers", "Name: value" } },
  { "provider/header-key",
    PROVIDER "headers=['Authorization: hunter2']\n",
    { "headers", "Authorization", "key" } },
  { "provider/header-twice", PROVIDER "headers=['X-A: 1','x-a: 2']\n", { "headers", "twice" } },
};

static void
test_refusal (gconstpointer data)
{
  const Refusal *c = data;
  g_autoptr (GError) error = NULL;

  g_assert_null (confab_settings_parse (source, c->text, strlen (c->text), "the-file", &error));
  g_assert_error (error, CONFAB_ERROR, CONFAB_ERROR_INVALID_REQUEST);
  g_assert_true (g_str_has_prefix (error->message, "the-file: "));
  g_assert_null (strchr (error->message, '\n'));
  g_assert_null (strstr (error->message, "hunter2"));
  for (gsize i = 0; i < G_N_ELEMENTS (c->words) && c->words[i] != NULL; i++)
    {
      if (strstr (error->message, c->words[i]) == NULL)
        g_error ("%s lacks %s", error->message, c->words[i]);
    }
}

static void
test_file (void)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *dir = g_dir_make_tmp ("confab-settings-XXXXXX", &error);
  g_autofree char *path = g_build_filename (dir, "confab.ini", NULL);
  g_autofree char *large = g_strnfill (1024 * 1024 + 1, '\n');
  g_autoptr (ConfabSettings) settings = NULL;

  g_assert_null (confab_settings_load (source, path, &error));
  g_assert_error (error, CONFAB_ERROR, CONFAB_ERROR_INVALID_REQUEST);
  g_assert_true (g_str_has_prefix (error->message, path));
  g_clear_error (&error);

  g_assert_null (confab_settings_load (source, dir, &error));
  g_assert_error (error, CONFAB_ERROR, CONFAB_ERROR_INVALID_REQUEST);
  g_clear_error (&error);

  g_file_set_contents (path, large, -1, &error);
  g_assert_no_error (error);
  g_assert_null (confab_settings_load (source, path, &error));
  g_assert_nonnull (strstr (error->message, "larger"));
  g_clear_error (&error);

  g_file_set_contents (path, "[confab]\nmax-running=7\n", -1, &error);
  g_assert_no_error (error);
  settings = confab_settings_load (source, path, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (settings->max_running, ==, 7);

  g_assert_cmpint (g_unlink (path), ==, 0);
  g_assert_cmpint (g_rmdir (dir), ==, 0);
}

/* An empty text is as good as none, as GSettings knows no other way to say so. */
static void
test_empty (void)
{
  g_autoptr (ConfabSettings) settings =
      parse (PROVIDER "model=''\nbase-url=\napi-key-env=''\nheaders=[]\n");
  const ConfabProviderSettings *provider = confab_settings_find_provider (settings, "a");

  g_assert_null (provider->model);
  g_assert_null (provider->base_url);
  g_assert_null (provider->api_key_env);
  g_assert_null (provider->headers);
}

static void
test_list (void)
{
  g_autoptr (ConfabSettings) settings = parse ("[confab]\nproviders=['ollama', 'a']\n" PROVIDER);

  g_assert_cmpuint (settings->providers->len, ==, 2);
  g_assert_cmpstr (confab_settings_find_provider (settings, "ollama")->type, ==, "ollama");
}

/* The schema has the keys that the program takes, and no others. */
static void
assert_same_keys (const char *id, const ConfabSettingsKey *keys)
{
  g_autoptr (GSettingsSchema) schema = g_settings_schema_source_lookup (source, id, TRUE);
  g_auto (GStrv) names = g_settings_schema_list_keys (schema);
  gsize n_keys = 0;

  for (; keys[n_keys].name != NULL; n_keys++)
    g_assert_true (g_settings_schema_has_key (schema, keys[n_keys].name));
  g_assert_cmpuint (g_strv_length (names), ==, n_keys);
}

static void
test_schema (void)
{
  assert_same_keys (CONFAB_SCHEMA_MAIN, confab_settings_get_main_keys ());
  assert_same_keys (CONFAB_SCHEMA_PROVIDER, confab_settings_get_provider_keys ());
}

static GSettings *
new_main_settings (void)
{
  g_autoptr (GSettingsSchema) schema =
      g_settings_schema_source_lookup (source, CONFAB_SCHEMA_MAIN, TRUE);

  return g_settings_new_full (schema, NULL, NULL);
}

static void
test_gsettings (void)
{
  static const char *const names[] = { "mine", "ollama", NULL };
  g_autoptr (GSettings) gsettings = new_main_settings ();
  g_autoptr (GSettings) mine = confab_schema_new_provider_settings (source, "mine");
  g_autoptr (ConfabSettings) settings = NULL;
  g_autoptr (GError) error = NULL;

  g_settings_set_strv (gsettings, "providers", names);
  g_settings_set_uint (gsettings, "max-running", 5);
  g_settings_set_string (mine, "type", "anthropic");
  g_settings_set_string (mine, "model", "m");

  settings = confab_settings_read (source, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (settings->max_running, ==, 5);
  g_assert_cmpuint (settings->providers->len, ==, 2);
  g_assert_cmpstr (confab_settings_find_provider (settings, "mine")->type, ==, "anthropic");
  g_assert_cmpstr (confab_settings_find_provider (settings, "mine")->model, ==, "m");
  g_clear_pointer (&settings, confab_settings_free);

  g_settings_set_string (mine, "base-url", "nonsense");
  g_assert_null (confab_settings_read (source, &error));
  g_assert_error (error, CONFAB_ERROR, CONFAB_ERROR_INVALID_REQUEST);
  g_assert_nonnull (strstr (error->message, "org.confab.Confab: [providers/mine] base-url: "));

  g_settings_reset (gsettings, "providers");
  g_settings_reset (gsettings, "max-running");
  g_settings_reset (mine, "base-url");
}

static void
count_cb (guint *count)
{
  (*count)++;
}

static void
wait_for_change (guint *count)
{
  while (*count == 0)
    g_main_context_iteration (NULL, TRUE);
  *count = 0;
}

static void
test_changes (void)
{
  static const char *const names[] = { "mine", NULL };
  g_autoptr (GSettings) gsettings = new_main_settings ();
  g_autoptr (GSettings) mine = confab_schema_new_provider_settings (source, "mine");
  g_autoptr (ConfabConfig) config = confab_config_new (NULL, NULL);
  g_autoptr (ConfabSettings) before = confab_config_read (config, NULL);
  g_autoptr (ConfabSettings) after = NULL;
  guint count = 0;

  g_signal_connect_swapped (config, "changed", G_CALLBACK (count_cb), &count);
  g_settings_set_string (mine, "type", "openai");
  g_settings_set_strv (gsettings, "providers", names);
  wait_for_change (&count);
  after = confab_config_read (config, NULL);
  g_assert_false (confab_settings_have_same_providers (before, after));
  g_clear_pointer (&before, confab_settings_free);
  before = g_steal_pointer (&after);

  /* those of the list are watched too, and what comes in one go is told once */
  g_settings_set_uint (mine, "retries", 7);
  g_settings_set_string (mine, "model", "m");
  wait_for_change (&count);
  after = confab_config_read (config, NULL);
  g_assert_false (confab_settings_have_same_providers (before, after));
  g_assert_cmpuint (confab_settings_find_provider (after, "mine")->retries, ==, 7);
  g_clear_pointer (&before, confab_settings_free);
  before = g_steal_pointer (&after);

  g_settings_set_boolean (gsettings, "queue", TRUE);
  wait_for_change (&count);
  after = confab_config_read (config, NULL);
  g_assert_true (after->queue);
  g_assert_true (confab_settings_have_same_providers (before, after));

  g_settings_reset (gsettings, "queue");
  g_settings_reset (gsettings, "providers");
}

static void
test_file_changes (void)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *dir = g_dir_make_tmp ("confab-settings-XXXXXX", &error);
  g_autofree char *path = g_build_filename (dir, "confab.ini", NULL);
  g_autoptr (ConfabConfig) config = NULL;
  g_autoptr (ConfabSettings) settings = NULL;
  guint count = 0;

  g_file_set_contents (path, "[confab]\nmax-running=7\n", -1, &error);
  config = confab_config_new (path, &error);
  g_assert_no_error (error);
  g_signal_connect_swapped (config, "changed", G_CALLBACK (count_cb), &count);

  g_file_set_contents (path, "[confab]\nmax-running=8\n", -1, &error);
  wait_for_change (&count);
  settings = confab_config_read (config, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (settings->max_running, ==, 8);

  g_assert_cmpint (g_unlink (path), ==, 0);
  g_assert_cmpint (g_rmdir (dir), ==, 0);
}

/* Bytes that are no text must be refused or read, and no more. */
static void
test_cut_anywhere (void)
{
  static const char text[] = "[confab]\nprovider='mine'\nqueue=true\n[providers/mine]\n"
                             "type='openai'\nheaders=['X-One: 1', 'X-Two: 2, 3']\nretries=0\n";

  for (gsize length = 0; length < sizeof text; length++)
    {
      g_autofree char *piece = g_memdup2 (text, length);
      g_autoptr (GError) error = NULL;
      g_autoptr (ConfabSettings) settings =
          confab_settings_parse (source, piece != NULL ? piece : "", length, "f", &error);

      g_assert_true ((settings != NULL) == (error == NULL));
    }
}

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  int status;

  g_test_init (&argc, &argv, NULL);
  source = confab_schema_source_new (&error);
  g_assert_no_error (error);

  g_test_add_func ("/confab/settings/defaults", test_defaults);
  g_test_add_func ("/confab/settings/all", test_all);
  g_test_add_func ("/confab/settings/plain-text", test_plain_text);
  g_test_add_func ("/confab/settings/bounds", test_bounds);
  for (gsize i = 0; i < G_N_ELEMENTS (refusals); i++)
    {
      g_autofree char *path = g_strconcat ("/confab/settings/refused/", refusals[i].name, NULL);

      g_test_add_data_func (path, &refusals[i], test_refusal);
    }
  g_test_add_func ("/confab/settings/empty", test_empty);
  g_test_add_func ("/confab/settings/list", test_list);
  g_test_add_func ("/confab/settings/schema", test_schema);
  g_test_add_func ("/confab/settings/gsettings", test_gsettings);
  g_test_add_func ("/confab/settings/changes", test_changes);
  g_test_add_func ("/confab/settings/file", test_file);
  g_test_add_func ("/confab/settings/file-changes", test_file_changes);
  g_test_add_func ("/confab/settings/cut-anywhere", test_cut_anywhere);

  status = g_test_run ();
  g_settings_schema_source_unref (source);

  return status;
}
