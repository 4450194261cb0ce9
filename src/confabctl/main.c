/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <glib/gi18n.h>
#include <json-glib/json-glib.h>
#include <locale.h>

#include "ctl.h"

typedef struct
{
  const char *name;
  guint min_args;
  guint max_args;
  CtlCommandFunc run;
} Command;

static const Command commands[] = {
  { "status", 0, 0, ctl_status },       { "chat", 0, G_MAXUINT, ctl_chat },
  { "sessions", 0, 0, ctl_sessions },   { "modules", 0, 1, ctl_modules },
  { "history", 1, 1, ctl_history },     { "stop", 1, 1, ctl_stop },
  { "providers", 0, 0, ctl_providers },
};

/* Says in one sentence what went wrong. */
CtlExit
ctl_report (const GError *error)
{
  g_autoptr (GError) copy = g_error_copy (error);
  gboolean gone = g_error_matches (error, G_DBUS_ERROR, G_DBUS_ERROR_SERVICE_UNKNOWN)
                  || g_error_matches (error, G_DBUS_ERROR, G_DBUS_ERROR_NAME_HAS_NO_OWNER);

  g_dbus_error_strip_remote_error (copy);
  g_printerr ("confabctl: %s\n", gone ? _ ("Confab does not run on this bus") : copy->message);

  return gone ? CTL_EXIT_UNREACHABLE : CTL_EXIT_FAILED;
}

GVariant *
ctl_call (Ctl *self,
          const char *path,
          const char *interface,
          const char *method,
          GVariant *parameters,
          const char *reply_type,
          CtlExit *status)
{
  g_autoptr (GError) error = NULL;
  GVariant *reply = g_dbus_connection_call_sync (
      self->connection, "org.confab.Confab", path, interface, method, parameters,
      G_VARIANT_TYPE (reply_type), G_DBUS_CALL_FLAGS_ALLOW_INTERACTIVE_AUTHORIZATION, G_MAXINT,
      NULL, &error);

  if (reply == NULL)
    *status = ctl_report (error);

  return reply;
}

char *
ctl_find_module (Ctl *self, const char *id, CtlExit *status)
{
  g_autoptr (GVariant) reply =
      ctl_call (self, CTL_ROOT, CTL_MANAGER, "GetModule", g_variant_new ("(s)", id), "(o)", status);
  char *path = NULL;

  if (reply != NULL)
    g_variant_get (reply, "(o)", &path);

  return path;
}

void
ctl_print_json (GVariant *value)
{
  g_autoptr (JsonNode) node = json_gvariant_serialize (value);
  g_autofree char *text = json_to_string (node, TRUE);

  g_print ("%s\n", text);
}

static CtlExit
run (Ctl *self, GBusType bus, char **args)
{
  guint n_args = g_strv_length (args) - 1;
  g_autoptr (GError) error = NULL;

  for (guint i = 0; i < G_N_ELEMENTS (commands); i++)
    {
      const Command *command = &commands[i];

      if (!g_str_equal (command->name, args[0]))
        continue;
      if (n_args < command->min_args || n_args > command->max_args)
        {
          g_printerr (_ ("confabctl: “%s” takes another number of arguments\n"), command->name);
          return CTL_EXIT_USAGE;
        }
      self->connection = g_bus_get_sync (bus, NULL, &error);
      if (self->connection == NULL)
        {
          g_printerr ("confabctl: %s\n", error->message);
          return CTL_EXIT_UNREACHABLE;
        }
      return command->run (self, args + 1);
    }

  g_printerr (_ ("confabctl: There is no command “%s”; --help tells which there are\n"), args[0]);

  return CTL_EXIT_USAGE;
}

int
main (int argc, char **argv)
{
  Ctl self = { NULL };
  gboolean system_bus = FALSE;
  gboolean version = FALSE;
  const GOptionEntry entries[] = {
    { "module", 'm', 0, G_OPTION_ARG_STRING, &self.module, N_ ("Continue this conversation"),
      "MODULE" },
    { "json", 0, 0, G_OPTION_ARG_NONE, &self.json, N_ ("Answer in JSON, for programs"), NULL },
    { "system", 0, 0, G_OPTION_ARG_NONE, &system_bus, N_ ("The Confab of the system bus"), NULL },
    { "version", 0, 0, G_OPTION_ARG_NONE, &version, N_ ("Print the version"), NULL },
    { NULL },
  };
  g_autoptr (GOptionContext) context = NULL;
  g_autoptr (GError) error = NULL;
  g_auto (GStrv) args = NULL;
  CtlExit status;

  setlocale (LC_ALL, "");
  bindtextdomain (GETTEXT_PACKAGE, LOCALEDIR);
  bind_textdomain_codeset (GETTEXT_PACKAGE, "UTF-8");
  textdomain (GETTEXT_PACKAGE);

  args = g_strdupv (argv);
  context = g_option_context_new (
      "status | chat [-m MODULE] TEXT | sessions | modules [SESSION] | history MODULE | stop MODULE"
      " | providers");
  g_option_context_add_main_entries (context, entries, GETTEXT_PACKAGE);
  if (!g_option_context_parse_strv (context, &args, &error))
    {
      g_printerr ("confabctl: %s\n", error->message);
      status = CTL_EXIT_USAGE;
    }
  else if (version)
    {
      g_print ("confabctl %s\n", CONFAB_VERSION);
      status = CTL_EXIT_OK;
    }
  else if (g_strv_length (args) < 2)
    {
      g_printerr (_ ("confabctl: A command is missing; --help tells which there are\n"));
      status = CTL_EXIT_USAGE;
    }
  else
    status = run (&self, system_bus ? G_BUS_TYPE_SYSTEM : G_BUS_TYPE_SESSION, args + 1);

  g_clear_object (&self.connection);
  g_free (self.module);

  return status;
}
