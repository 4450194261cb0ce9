/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <string.h>
#include <glib/gstdio.h>

#include "confab-error.h"
#include "confab-settings.h"

static ConfabSettings *
parse (const char *text)
{
  g_autoptr (GError) error = NULL;
  ConfabSettings *settings = confab_settings_parse (text, strlen (text), "the-file", &error);

  g_assert_no_error (error);
  g_assert_nonnull (settings);
  return settings;
}

static void
assert_defaults (const ConfabSettings *settings)
{
  g_assert_null (settings->provider);
  g_assert_false (settings->queue);
  g_assert_cmpuint (settings->max_running, ==, 1000);
  g_assert_cmpuint (settings->chunk_interval_ms, ==, 0);
  g_assert_true (settings->auto_create_modules);
  g_assert_cmpuint (settings->providers->len, ==, 0);
}

static void
test_defaults (void)
{
  g_autoptr (ConfabSettings) made = confab_settings_new ();
  g_autoptr (ConfabSettings) empty = parse ("");
  g_autoptr (ConfabSettings) comment = parse ("# nothing\n\n");
  g_autoptr (ConfabSettings) group = parse ("[confab]\n");

  assert_defaults (made);
  assert_defaults (empty);
  assert_defaults (comment);
  assert_defaults (group);
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
  g_assert_cmpuint (settings->providers->len, ==, 2);
  g_assert_true (g_ptr_array_index (settings->providers, 0) == mine);

  g_assert_cmpstr (mine->type, ==, "openai");
  g_assert_cmpstr (mine->base_url, ==, "http://127.0.0.1:8080/v1");
  g_assert_cmpstr (mine->model, ==, "a 'b'");
  g_assert_cmpuint (g_strv_length (mine->headers), ==, 2);
  g_assert_cmpstr (mine->headers[1], ==, "X-Two: 2, 3");
  g_assert_cmpuint (mine->context_tokens, ==, 8192);
  g_assert_cmpuint (mine->stall_timeout_ms, ==, 30000);
  g_assert_cmpint (mine->retries, ==, 0);
  g_assert_cmpstr (mine->api_key_env, ==, "MINE_KEY");

  /* a type's name says the type, and what is not said is left to the provider */
  g_assert_cmpstr (ollama->type, ==, "ollama");
  g_assert_null (ollama->base_url);
  g_assert_null (ollama->headers);
  g_assert_cmpuint (ollama->stall_timeout_ms, ==, 0);
  g_assert_cmpint (ollama->retries, ==, -1);
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
  g_assert_cmpint (provider->retries, ==, 10);
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
  { "provider/no-name", "[providers/]\ntype=openai\n", { "[providers/]", "name" } },
  { "provider/bad-name", "[providers/a b]\ntype=openai\n", { "[providers/a b]", "name" } },
  { "provider/slash", "[providers/a/b]\ntype=openai\n", { "[providers/a/b]", "name" } },
  { "provider/no-type", "[providers/a]\nmodel=m\n", { "[providers/a]", "needs a type" } },
  { "provider/unknown-type", "[providers/a]\ntype=oracle\n", { "type", "oracle", "ollama" } },
  { "provider/auto-type", "[providers/a]\ntype=auto\n", { "type", "auto" } },
  { "provider/auto-name", "[providers/auto]\ntype=openai\n", { "[providers/auto]", "taken" } },
  { "provider/builtin-name", "[providers/builtin]\ntype=openai\n", { "taken" } },
  { "provider/builtin-url",
    "[providers/a]\ntype=builtin\nbase-url=http://h\n",
    { "[providers/a]", "builtin" } },
  { "provider/base-url", PROVIDER "base-url=nonsense\n", { "base-url", "nonsense", "http://" } },
  { "provider/base-url-empty", PROVIDER "base-url=\n", { "base-url" } },
  { "provider/base-url-with-password", PROVIDER "base-url=http://u:hunter2@h\n", { "base-url" } },
  { "provider/model-empty", PROVIDER "model=''\n", { "model", "empty" } },
  { "provider/key-itself", PROVIDER "api-key-env='sk-hunter2'\n", { "api-key-env", "name of" } },
  { "provider/key-variable-empty", PROVIDER "api-key-env=''\n", { "api-key-env" } },
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

  g_assert_null (confab_settings_parse (c->text, strlen (c->text), "the-file", &error));
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

  g_assert_null (confab_settings_load (path, &error));
  g_assert_error (error, CONFAB_ERROR, CONFAB_ERROR_INVALID_REQUEST);
  g_assert_true (g_str_has_prefix (error->message, path));
  g_clear_error (&error);

  g_assert_null (confab_settings_load (dir, &error));
  g_assert_error (error, CONFAB_ERROR, CONFAB_ERROR_INVALID_REQUEST);
  g_clear_error (&error);

  g_file_set_contents (path, large, -1, &error);
  g_assert_no_error (error);
  g_assert_null (confab_settings_load (path, &error));
  g_assert_nonnull (strstr (error->message, "larger"));
  g_clear_error (&error);

  g_file_set_contents (path, "[confab]\nmax-running=7\n", -1, &error);
  g_assert_no_error (error);
  settings = confab_settings_load (path, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (settings->max_running, ==, 7);

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
          confab_settings_parse (piece != NULL ? piece : "", length, "f", &error);

      g_assert_true ((settings != NULL) == (error == NULL));
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/confab/settings/defaults", test_defaults);
  g_test_add_func ("/confab/settings/all", test_all);
  g_test_add_func ("/confab/settings/plain-text", test_plain_text);
  g_test_add_func ("/confab/settings/bounds", test_bounds);
  for (gsize i = 0; i < G_N_ELEMENTS (refusals); i++)
    {
      g_autofree char *path = g_strconcat ("/confab/settings/refused/", refusals[i].name, NULL);

      g_test_add_data_func (path, &refusals[i], test_refusal);
    }
  g_test_add_func ("/confab/settings/file", test_file);
  g_test_add_func ("/confab/settings/cut-anywhere", test_cut_anywhere);

  return g_test_run ();
}
