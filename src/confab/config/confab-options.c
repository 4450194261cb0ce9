/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "confab-options.h"

#include <glib/gi18n-lib.h>
#include <sys/un.h>

#include "confab-error.h"
#include "confab-origin.h"

#define PORT_NOT_SAID G_MININT

/* As GOption leaves them. */
typedef struct
{
  int port;
  char *bind;
  char *unix_path;
  char *data_dir;
  gboolean in_memory;
  char *config;
  gboolean dev;
  gboolean no_realtime;
  char **allow_origins;
  char **allow_hosts;
  char *provider;
  char *base_url;
  char *model;
  gboolean session_bus;
  gboolean system_bus;
  gboolean no_bus;
  gboolean replace;
  gboolean verbose;
  gboolean version;
} RawOptions;

static void
raw_options_clear (RawOptions *raw)
{
  g_free (raw->bind);
  g_free (raw->unix_path);
  g_free (raw->data_dir);
  g_free (raw->config);
  g_strfreev (raw->allow_origins);
  g_strfreev (raw->allow_hosts);
  g_free (raw->provider);
  g_free (raw->base_url);
  g_free (raw->model);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (RawOptions, raw_options_clear)

/**
 * confab_options_free:
 * @self: (transfer full): options
 */
void
confab_options_free (ConfabOptions *self)
{
  g_clear_object (&self->bind);
  g_free (self->unix_path);
  g_free (self->data_dir);
  g_free (self->config);
  g_strfreev (self->allow_origins);
  g_strfreev (self->allow_hosts);
  g_free (self->provider);
  g_free (self->base_url);
  g_free (self->model);
  g_free (self);
}

static gboolean
parse_raw (RawOptions *raw, char **argv, GError **error)
{
  const GOptionEntry entries[] = {
    { "port", 0, 0, G_OPTION_ARG_INT, &raw->port, N_ ("TCP port; 0 takes a free one (7420)"), "N" },
    { "bind", 0, 0, G_OPTION_ARG_STRING, &raw->bind, N_ ("IP address instead of loopback"),
      "ADDR" },
    { "unix", 0, 0, G_OPTION_ARG_FILENAME, &raw->unix_path,
      N_ ("UNIX socket ($XDG_RUNTIME_DIR/confab/socket); '' for none"), "PATH" },
    { "data-dir", 0, 0, G_OPTION_ARG_FILENAME, &raw->data_dir,
      N_ ("Where everything is kept ($XDG_DATA_HOME/confab)"), "DIR" },
    { "in-memory", 0, 0, G_OPTION_ARG_NONE, &raw->in_memory,
      N_ ("Write no conversation to disk: all are gone at the end"), NULL },
    { "config", 0, 0, G_OPTION_ARG_FILENAME, &raw->config,
      N_ ("File of settings, instead of the desktop's"), "FILE" },
    { "dev", 0, 0, G_OPTION_ARG_NONE, &raw->dev,
      N_ ("No token; any localhost origin; loopback addresses only"), NULL },
    { "no-realtime", 0, 0, G_OPTION_ARG_NONE, &raw->no_realtime, N_ ("Pages only, no Socket.IO"),
      NULL },
    { "allow-origin", 0, 0, G_OPTION_ARG_STRING_ARRAY, &raw->allow_origins,
      N_ ("Let pages of this origin connect; may be repeated"), "ORIGIN" },
    { "allow-host", 0, 0, G_OPTION_ARG_STRING_ARRAY, &raw->allow_hosts,
      N_ ("Answer to this host name; may be repeated"), "HOST" },
    { "provider", 0, 0, G_OPTION_ARG_STRING, &raw->provider,
      N_ ("auto, builtin, openai, openai-responses, anthropic, ollama, or one of the settings"),
      "NAME" },
    { "base-url", 0, 0, G_OPTION_ARG_STRING, &raw->base_url,
      N_ ("Model server, like http://127.0.0.1:8080/v1"), "URL" },
    { "model", 0, 0, G_OPTION_ARG_STRING, &raw->model, N_ ("Model to ask"), "NAME" },
    { "session", 0, 0, G_OPTION_ARG_NONE, &raw->session_bus,
      N_ ("Be on the session bus, and nowhere without one"), NULL },
    { "system", 0, 0, G_OPTION_ARG_NONE, &raw->system_bus, N_ ("Be on the system bus"), NULL },
    { "no-bus", 0, 0, G_OPTION_ARG_NONE, &raw->no_bus, N_ ("Stay off D-Bus"), NULL },
    { "replace", 0, 0, G_OPTION_ARG_NONE, &raw->replace,
      N_ ("Take the place of the Confab that runs on the bus"), NULL },
    { "verbose", 0, 0, G_OPTION_ARG_NONE, &raw->verbose, N_ ("Log more"), NULL },
    { "version", 0, 0, G_OPTION_ARG_NONE, &raw->version, N_ ("Print the version"), NULL },
    { NULL },
  };
  g_autoptr (GOptionContext) context = g_option_context_new (NULL);
  g_auto (GStrv) args = g_strdupv (argv);

  g_option_context_set_summary (context, _ ("Chat with AI models over Socket.IO."));
  g_option_context_add_main_entries (context, entries, GETTEXT_PACKAGE);
  if (!g_option_context_parse_strv (context, &args, error))
    return FALSE;
  if (args[0] != NULL && args[1] != NULL)
    return confab_error_refuse (error, CONFAB_ERROR_INVALID_REQUEST, _ ("Unexpected argument “%s”"),
                                args[1]);

  return TRUE;
}

static gboolean
take_address (ConfabOptions *self, RawOptions *raw, GError **error)
{
  if (raw->port != PORT_NOT_SAID && (raw->port < 0 || raw->port > G_MAXUINT16))
    return confab_error_refuse (error, CONFAB_ERROR_INVALID_REQUEST,
                                _ ("--port must be from 0 to 65535, not %d"), raw->port);
  self->port_asked = raw->port != PORT_NOT_SAID;
  self->port = self->port_asked ? raw->port : CONFAB_DEFAULT_PORT;

  if (raw->bind == NULL)
    return TRUE;
  self->bind = g_inet_address_new_from_string (raw->bind);
  if (self->bind == NULL)
    return confab_error_refuse (error, CONFAB_ERROR_INVALID_REQUEST,
                                _ ("--bind needs an IP address, not “%s”"), raw->bind);
  if (self->dev && !g_inet_address_get_is_loopback (self->bind))
    return confab_error_refuse (
        error, CONFAB_ERROR_INVALID_REQUEST,
        _ ("--dev turns the token off and so refuses the address %s: only loopback "
           "addresses go with it"),
        raw->bind);

  return TRUE;
}

/* The first folder that systemd has made for the service, of a list; NULL if it made none. */
static char *
find_systemd_dir (const char *variable)
{
  g_auto (GStrv) dirs = g_strsplit (g_getenv (variable) ?: "", ":", 2);

  return dirs[0] != NULL && g_path_is_absolute (dirs[0]) ? g_strdup (dirs[0]) : NULL;
}

static char *
find_data_dir (void)
{
  char *dir = find_systemd_dir ("STATE_DIRECTORY");

  return dir != NULL ? dir : g_build_filename (g_get_user_data_dir (), "confab", NULL);
}

static gboolean
take_unix_path (ConfabOptions *self, RawOptions *raw, GError **error)
{
  const char *runtime_dir = g_getenv ("XDG_RUNTIME_DIR");
  g_autofree char *systemd_dir = find_systemd_dir ("RUNTIME_DIRECTORY");

  self->unix_asked = raw->unix_path != NULL && raw->unix_path[0] != '\0';
  if (self->unix_asked)
    self->unix_path = g_canonicalize_filename (raw->unix_path, NULL);
  else if (raw->unix_path == NULL && systemd_dir != NULL)
    self->unix_path = g_build_filename (systemd_dir, "socket", NULL);
  else if (raw->unix_path == NULL && runtime_dir != NULL && g_path_is_absolute (runtime_dir))
    self->unix_path = g_build_filename (runtime_dir, "confab", "socket", NULL);

  if (self->unix_path != NULL
      && strlen (self->unix_path) >= sizeof ((struct sockaddr_un *) NULL)->sun_path)
    {
      if (self->unix_asked)
        return confab_error_refuse (error, CONFAB_ERROR_INVALID_REQUEST,
                                    _ ("The path %s is too long for a UNIX socket"),
                                    self->unix_path);
      g_clear_pointer (&self->unix_path, g_free);
    }

  return TRUE;
}

static gboolean
take_bus (ConfabOptions *self, RawOptions *raw, GError **error)
{
  if ((raw->session_bus != FALSE) + (raw->system_bus != FALSE) + (raw->no_bus != FALSE) > 1)
    return confab_error_refuse (error, CONFAB_ERROR_INVALID_REQUEST,
                                _ ("Only one of --session, --system and --no-bus can be had"));
  if (raw->replace && raw->no_bus)
    return confab_error_refuse (error, CONFAB_ERROR_INVALID_REQUEST,
                                _ ("--replace needs a bus, and --no-bus stays off it"));

  self->bus = raw->session_bus  ? CONFAB_BUS_SESSION
              : raw->system_bus ? CONFAB_BUS_SYSTEM
              : raw->no_bus     ? CONFAB_BUS_NONE
                                : CONFAB_BUS_AUTO;
  self->replace = raw->replace;

  return TRUE;
}

static char **
normalize_all (char **values, char *(*normalize) (const char *, GError **), GError **error)
{
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();

  for (guint i = 0; values != NULL && values[i] != NULL; i++)
    {
      g_autofree char *value = normalize (values[i], error);

      if (value == NULL)
        return NULL;
      g_strv_builder_add (builder, value);
    }

  return g_strv_builder_end (builder);
}

static gboolean
take_provider (ConfabOptions *self, RawOptions *raw, GError **error)
{
  const char *const without_url[] = { "auto", "builtin", NULL };

  if (raw->base_url != NULL && raw->provider != NULL
      && g_strv_contains (without_url, raw->provider))
    return confab_error_refuse (
        error, CONFAB_ERROR_INVALID_REQUEST,
        _ ("--base-url goes with a provider that asks a server, not with %s"), raw->provider);
  if (raw->base_url != NULL && raw->base_url[0] == '\0')
    return confab_error_refuse (error, CONFAB_ERROR_INVALID_REQUEST, _ ("--base-url needs a URL"));
  if (raw->model != NULL && raw->model[0] == '\0')
    return confab_error_refuse (error, CONFAB_ERROR_INVALID_REQUEST, _ ("--model needs a name"));

  self->provider_asked = raw->provider != NULL || raw->base_url != NULL;
  self->provider = raw->provider != NULL ? g_steal_pointer (&raw->provider)
                                         : g_strdup (raw->base_url != NULL ? "openai" : "auto");
  self->base_url = g_steal_pointer (&raw->base_url);
  self->model = g_steal_pointer (&raw->model);

  return TRUE;
}

/**
 * confab_options_parse:
 * @argv: the arguments, the program's name first, in the file name encoding
 * @error: return location for an error whose message is one sentence for the user
 *
 * Reads the command line. `--help` prints and exits.
 *
 * Returns: (transfer full) (nullable): the options
 */
ConfabOptions *
confab_options_parse (char **argv, GError **error)
{
  g_auto (RawOptions) raw = { .port = PORT_NOT_SAID };
  g_autoptr (ConfabOptions) self = g_new0 (ConfabOptions, 1);

  g_return_val_if_fail (argv != NULL, NULL);

  if (!parse_raw (&raw, argv, error))
    return NULL;

  self->dev = raw.dev;
  self->realtime = !raw.no_realtime;
  self->in_memory = raw.in_memory;
  self->verbose = raw.verbose;
  self->version = raw.version;
  self->data_dir = raw.data_dir != NULL && raw.data_dir[0] != '\0'
                       ? g_canonicalize_filename (raw.data_dir, NULL)
                       : find_data_dir ();
  self->config = raw.config != NULL ? g_canonicalize_filename (raw.config, NULL) : NULL;
  if (!take_address (self, &raw, error) || !take_unix_path (self, &raw, error)
      || !take_provider (self, &raw, error) || !take_bus (self, &raw, error))
    return NULL;

  self->allow_origins = normalize_all (raw.allow_origins, confab_origin_normalize, error);
  if (self->allow_origins == NULL)
    return NULL;
  self->allow_hosts = normalize_all (raw.allow_hosts, confab_host_normalize, error);
  if (self->allow_hosts == NULL)
    return NULL;

  return g_steal_pointer (&self);
}
