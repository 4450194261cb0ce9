/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <fcntl.h>
#include <glib/gstdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "confab-keys.h"
#include "confab-options.h"
#include "confab-origin.h"

/* Arguments are separated by spaces. */
static ConfabOptions *
parse (const char *arguments, GError **error)
{
  g_autofree char *line = g_strconcat ("confabd ", arguments, NULL);
  g_auto (GStrv) argv = g_strsplit (g_strchomp (line), " ", -1);

  return confab_options_parse (argv, error);
}

static ConfabOptions *
parse_well (const char *arguments)
{
  g_autoptr (GError) error = NULL;
  ConfabOptions *options = parse (arguments, &error);

  g_assert_no_error (error);
  g_assert_nonnull (options);

  return options;
}

static void
test_defaults (void)
{
  g_autoptr (ConfabOptions) options = parse_well ("");
  g_autofree char *data_dir = g_build_filename (g_get_user_data_dir (), "confab", NULL);
  g_autofree char *unix_path =
      g_build_filename (g_getenv ("XDG_RUNTIME_DIR"), "confab/socket", NULL);

  g_assert_cmpuint (options->port, ==, CONFAB_DEFAULT_PORT);
  g_assert_null (options->bind);
  g_assert_cmpstr (options->unix_path, ==, unix_path);
  g_assert_false (options->unix_asked);
  g_assert_cmpstr (options->data_dir, ==, data_dir);
  g_assert_false (options->in_memory);
  g_assert_false (options->dev);
  g_assert_true (options->realtime);
  g_assert_cmpuint (g_strv_length (options->allow_origins), ==, 0);
  g_assert_cmpuint (g_strv_length (options->allow_hosts), ==, 0);
  g_assert_cmpstr (options->provider, ==, "auto");
  g_assert_null (options->base_url);
  g_assert_null (options->model);
  g_assert_false (options->verbose);
  g_assert_false (options->version);
}

static void
test_all (void)
{
  g_autoptr (ConfabOptions) options = parse_well (
      "--port 0 --bind 192.0.2.1 --unix /run/x/socket --data-dir /d --in-memory --no-realtime "
      "--allow-origin "
      "https://A.example --allow-origin http://b.example:8080 --allow-host C.example --provider "
      "openai --base-url http://127.0.0.1:1/v1 --model m --system --replace --verbose --version");
  g_autofree char *bind = g_inet_address_to_string (options->bind);

  g_assert_cmpuint (options->port, ==, 0);
  g_assert_cmpint (options->bus, ==, CONFAB_BUS_SYSTEM);
  g_assert_true (options->replace);
  g_assert_cmpstr (bind, ==, "192.0.2.1");
  g_assert_cmpstr (options->unix_path, ==, "/run/x/socket");
  g_assert_true (options->unix_asked);
  g_assert_cmpstr (options->data_dir, ==, "/d");
  g_assert_true (options->in_memory);
  g_assert_false (options->realtime);
  g_assert_cmpstr (options->allow_origins[0], ==, "https://a.example");
  g_assert_cmpstr (options->allow_origins[1], ==, "http://b.example:8080");
  g_assert_null (options->allow_origins[2]);
  g_assert_cmpstr (options->allow_hosts[0], ==, "c.example");
  g_assert_cmpstr (options->provider, ==, "openai");
  g_assert_cmpstr (options->base_url, ==, "http://127.0.0.1:1/v1");
  g_assert_cmpstr (options->model, ==, "m");
  g_assert_true (options->verbose);
  g_assert_true (options->version);
}

static void
test_base_url_means_openai (void)
{
  g_autoptr (ConfabOptions) options = parse_well ("--base-url http://127.0.0.1:1/v1");

  g_assert_cmpstr (options->provider, ==, "openai");
}

/* With a file of settings a name may be one of the file; which, is seen when it is read. */
static void
test_config (void)
{
  g_autoptr (ConfabOptions) without = parse_well ("--port 0");
  g_autoptr (ConfabOptions) with = parse_well ("--config sub/../confab.ini --provider mine");
  g_autoptr (ConfabOptions) by_url = parse_well ("--config /c --base-url http://127.0.0.1:1/v1");
  g_autofree char *path = g_canonicalize_filename ("confab.ini", NULL);

  g_assert_null (without->config);
  g_assert_false (without->provider_asked);
  g_assert_cmpstr (with->config, ==, path);
  g_assert_cmpstr (with->provider, ==, "mine");
  g_assert_true (with->provider_asked);
  g_assert_cmpstr (by_url->provider, ==, "openai");
  g_assert_true (by_url->provider_asked);
}

/* All that ask a server may be told where it is. */
static void
test_providers (void)
{
  static const char *const names[] = { "openai", "openai-responses", "anthropic", "ollama" };

  for (gsize i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_autofree char *line = g_strdup_printf ("--provider %s", names[i]);
      g_autofree char *longer = g_strconcat (line, " --base-url http://127.0.0.1:1", NULL);
      g_autoptr (ConfabOptions) alone = parse_well (line);
      g_autoptr (ConfabOptions) with_url = parse_well (longer);

      g_assert_cmpstr (alone->provider, ==, names[i]);
      g_assert_null (alone->base_url);
      g_assert_cmpstr (with_url->provider, ==, names[i]);
      g_assert_cmpstr (with_url->base_url, ==, "http://127.0.0.1:1");
    }
}

static void
test_no_unix_socket (void)
{
  g_autoptr (ConfabOptions) off = parse_well ("--unix=");
  g_autofree char *runtime_dir = g_strdup (g_getenv ("XDG_RUNTIME_DIR"));
  g_autoptr (ConfabOptions) without = NULL;

  g_assert_null (off->unix_path);
  g_assert_false (off->unix_asked);

  g_unsetenv ("XDG_RUNTIME_DIR");
  without = parse_well ("");
  g_setenv ("XDG_RUNTIME_DIR", runtime_dir, TRUE);
  g_assert_null (without->unix_path);
}

static void
test_dev (void)
{
  g_autoptr (ConfabOptions) plain = parse_well ("--dev");
  g_autoptr (ConfabOptions) loopback = parse_well ("--dev --bind ::1");

  g_assert_true (plain->dev);
  g_assert_true (g_inet_address_get_is_loopback (loopback->bind));
}

static void
test_refused (gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (parse (data, &error));
  g_assert_nonnull (error);
  g_assert_null (strchr (error->message, '\n'));
}

static const char *const refused[] = {
  "--nonsense",
  "leftover",
  "--port -1",
  "--port 65536",
  "--port many",
  "--port",
  "--bind localhost",
  "--bind 300.1.1.1",
  "--dev --bind 192.0.2.1",
  "--dev --bind 0.0.0.0",
  "--allow-origin null",
  "--allow-origin chat.example",
  "--allow-origin https://chat.example/",
  "--allow-origin https://a@chat.example",
  "--allow-origin https://",
  "--allow-origin ftp://chat.example",
  "--allow-origin *",
  "--allow-host http://chat.example",
  "--allow-host chat.example/x",
  "--allow-host chat.example:0",
  "--allow-host chat.example:99999",
  "--allow-host [::1",
  "--allow-host [chat]",
  "--allow-host *",
  "--provider builtin --base-url http://127.0.0.1:1/v1",
  "--provider auto --base-url http://127.0.0.1:1/v1",
  "--base-url=",
  "--model=",
};

static void
test_long_unix_path (void)
{
  g_autofree char *name = g_strnfill (120, 'x');
  g_autofree char *arguments = g_strconcat ("--unix /run/", name, NULL);

  test_refused (arguments);
}

static void
test_origin_forms (void)
{
  g_autofree char *https = confab_origin_normalize ("https://a.example:443", NULL);
  g_autofree char *http = confab_origin_normalize ("http://a.example:80", NULL);
  g_autofree char *ipv6 = confab_origin_normalize ("http://[::1]:3000", NULL);

  /* as browsers write them */
  g_assert_cmpstr (https, ==, "https://a.example");
  g_assert_cmpstr (http, ==, "http://a.example");
  g_assert_cmpstr (ipv6, ==, "http://[::1]:3000");
}

static void
test_local_origins (void)
{
  g_assert_true (confab_origin_is_local ("http://localhost"));
  g_assert_true (confab_origin_is_local ("http://localhost:5173"));
  g_assert_true (confab_origin_is_local ("http://127.0.0.1:1"));
  g_assert_true (confab_origin_is_local ("http://[::1]:65535"));
  g_assert_false (confab_origin_is_local ("https://localhost:5173"));
  g_assert_false (confab_origin_is_local ("http://localhost.evil.example"));
  g_assert_false (confab_origin_is_local ("http://localhost:5173.evil.example"));
  g_assert_false (confab_origin_is_local ("http://localhost:"));
  g_assert_false (confab_origin_is_local ("http://127.0.0.10"));
  g_assert_false (confab_origin_is_local ("null"));
}

/* Keys: each test has a directory of its own that is not there yet. */

typedef struct
{
  char *root;
  char *data_dir;
  char *file;
} Fixture;

static void
set_up (Fixture *fixture, gconstpointer data)
{
  fixture->root = g_dir_make_tmp ("confab-keys-XXXXXX", NULL);
  fixture->data_dir = g_build_filename (fixture->root, "a", "b", NULL);
  fixture->file = g_build_filename (fixture->data_dir, "access", NULL);
}

static void
tear_down (Fixture *fixture, gconstpointer data)
{
  g_autofree char *parent = g_path_get_dirname (fixture->data_dir);
  g_autoptr (GDir) dir = g_dir_open (fixture->data_dir, 0, NULL);

  /* nothing else is left behind */
  for (const char *name; dir != NULL && (name = g_dir_read_name (dir)) != NULL;)
    g_assert_cmpstr (name, ==, "access");
  g_unlink (fixture->file);
  g_rmdir (fixture->data_dir);
  g_rmdir (parent);
  g_rmdir (fixture->root);
  g_free (fixture->file);
  g_free (fixture->data_dir);
  g_free (fixture->root);
}

static void
test_keys_made_and_kept (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (ConfabKeys) first = confab_keys_load (fixture->data_dir, &error);
  g_autoptr (ConfabKeys) second = NULL;
  GStatBuf info;

  g_assert_no_error (error);
  g_assert_cmpuint (strlen (first->token), ==, 43);
  g_assert_cmpuint (strlen (first->cookie), ==, 43);
  g_assert_cmpstr (first->token, !=, first->cookie);
  g_assert_cmpint (g_stat (fixture->file, &info), ==, 0);
  g_assert_cmpuint (info.st_mode & 07777, ==, 0600);
  g_assert_cmpint (g_stat (fixture->data_dir, &info), ==, 0);
  g_assert_cmpuint (info.st_mode & 07777, ==, 0700);

  second = confab_keys_load (fixture->data_dir, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (second->token, ==, first->token);
  g_assert_cmpstr (second->cookie, ==, first->cookie);
}

static void
write_file (Fixture *fixture, const char *text, int mode)
{
  g_mkdir_with_parents (fixture->data_dir, 0700);
  g_assert_true (g_file_set_contents (fixture->file, text, -1, NULL));
  g_assert_cmpint (g_chmod (fixture->file, mode), ==, 0);
}

static void
assert_keys_refused (Fixture *fixture, gint code)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (confab_keys_load (fixture->data_dir, &error));
  g_assert_error (error, G_IO_ERROR, code);
  g_assert_nonnull (strstr (error->message, fixture->file));
}

#define GOOD_FILE                                                                                  \
  "[access]\ntoken=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n"                                  \
  "cookie=BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB\n"

static void
test_keys_open_to_others (Fixture *fixture, gconstpointer data)
{
  write_file (fixture, GOOD_FILE, 0640);
  assert_keys_refused (fixture, G_IO_ERROR_PERMISSION_DENIED);
  write_file (fixture, GOOD_FILE, 0602);
  assert_keys_refused (fixture, G_IO_ERROR_PERMISSION_DENIED);
}

static void
test_keys_of_another_user (Fixture *fixture, gconstpointer data)
{
  if (geteuid () != 0)
    {
      g_test_skip ("only root can give files away");
      return;
    }
  write_file (fixture, GOOD_FILE, 0600);
  g_assert_cmpint (chown (fixture->file, 65534, 65534), ==, 0);
  assert_keys_refused (fixture, G_IO_ERROR_PERMISSION_DENIED);
}

static void
test_keys_link (Fixture *fixture, gconstpointer data)
{
  g_mkdir_with_parents (fixture->data_dir, 0700);
  g_assert_cmpint (symlink ("/dev/zero", fixture->file), ==, 0);
  assert_keys_refused (fixture, G_IO_ERROR_TOO_MANY_LINKS);
}

static void
test_keys_fifo (Fixture *fixture, gconstpointer data)
{
  g_mkdir_with_parents (fixture->data_dir, 0700);
  g_assert_cmpint (mkfifo (fixture->file, 0600), ==, 0);
  assert_keys_refused (fixture, G_IO_ERROR_PERMISSION_DENIED);
}

static void
test_keys_broken (Fixture *fixture, gconstpointer data)
{
  write_file (fixture, "", 0600);
  assert_keys_refused (fixture, G_IO_ERROR_INVALID_DATA);
  write_file (fixture, "[access]\ntoken=short\ncookie=short\n", 0600);
  assert_keys_refused (fixture, G_IO_ERROR_INVALID_DATA);
}

static void
test_keys_good_file (Fixture *fixture, gconstpointer data)
{
  g_autoptr (ConfabKeys) keys = NULL;

  write_file (fixture, GOOD_FILE, 0600);
  keys = confab_keys_load (fixture->data_dir, NULL);
  g_assert_true (g_str_has_prefix (keys->token, "AAA"));
  g_assert_true (g_str_has_prefix (keys->cookie, "BBB"));
}

static void
test_keys_no_directory (Fixture *fixture, gconstpointer data)
{
  g_autofree char *below_file = NULL;
  g_autoptr (GError) error = NULL;

  write_file (fixture, GOOD_FILE, 0600);
  below_file = g_build_filename (fixture->file, "deeper", NULL);
  g_assert_null (confab_keys_load (below_file, &error));
  g_assert_nonnull (error);
}

#define ADD_KEYS(name, func)                                                                       \
  g_test_add ("/confab/keys/" name, Fixture, NULL, set_up, func, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_setenv ("XDG_RUNTIME_DIR", "/run/user/1", TRUE);

  g_test_add_func ("/confab/options/defaults", test_defaults);
  g_test_add_func ("/confab/options/all", test_all);
  g_test_add_func ("/confab/options/base-url-means-openai", test_base_url_means_openai);
  g_test_add_func ("/confab/options/config", test_config);
  g_test_add_func ("/confab/options/providers", test_providers);
  g_test_add_func ("/confab/options/no-unix-socket", test_no_unix_socket);
  g_test_add_func ("/confab/options/long-unix-path", test_long_unix_path);
  g_test_add_func ("/confab/options/dev", test_dev);
  for (guint i = 0; i < G_N_ELEMENTS (refused); i++)
    {
      g_autofree char *name = g_strdup_printf ("/confab/options/refused/%u", i);

      g_test_add_data_func (name, refused[i], test_refused);
    }
  g_test_add_func ("/confab/origin/forms", test_origin_forms);
  g_test_add_func ("/confab/origin/local", test_local_origins);
  ADD_KEYS ("made-and-kept", test_keys_made_and_kept);
  ADD_KEYS ("good-file", test_keys_good_file);
  ADD_KEYS ("open-to-others", test_keys_open_to_others);
  ADD_KEYS ("of-another-user", test_keys_of_another_user);
  ADD_KEYS ("link", test_keys_link);
  ADD_KEYS ("fifo", test_keys_fifo);
  ADD_KEYS ("broken", test_keys_broken);
  ADD_KEYS ("no-directory", test_keys_no_directory);

  return g_test_run ();
}
