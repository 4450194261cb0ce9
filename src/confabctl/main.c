/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <glib/gi18n.h>
#include <json-glib/json-glib.h>
#include <locale.h>

#include "ctl.h"

typedef struct
{
  const char *name;
  const char *synopsis; /* of its arguments, as --help has it */
  const char *summary;
  guint min_args;
  guint max_args;
  CtlCommandFunc run;
} Command;

/* In the order of --help. */
static const Command commands[] = {
  { "status", "", N_ ("How Confab is"), 0, 0, ctl_status },
  { "open", "[--print] [--new | MODULE]", N_ ("Open the page in the browser, signed in"), 0, 1,
    ctl_open },
  { "chat", "[-m MODULE] TEXT…", N_ ("Ask, and write the answer as it comes"), 0, G_MAXUINT,
    ctl_chat },
  { "sessions", "", N_ ("List the sessions"), 0, 0, ctl_sessions },
  { "modules", "[SESSION]", N_ ("List the conversations"), 0, 1, ctl_modules },
  { "history", "[--limit N] MODULE", N_ ("What was said in a conversation"), 1, 1, ctl_history },
  { "branch", "-m MODULE MESSAGE", N_ ("Go back to what was answered or asked before"), 1, 1,
    ctl_branch },
  { "stop", "MODULE", N_ ("Stop the answer that is being written"), 1, 1, ctl_stop },
  { "monitor", "[--chunks]", N_ ("Show what happens, until Ctrl-C"), 0, 0, ctl_monitor },
  { "token", "[rotate]", N_ ("Print the token, or a new one"), 0, 1, ctl_token },
  { "providers", "[set-key|clear-key NAME]", N_ ("List who can answer, or change a key"), 0, 2,
    ctl_providers },
  { "export", "[--session SESSION]… [FILE]", N_ ("Write sessions as JSON, whole"), 0, 1,
    ctl_export },
  { "import", "[--all-parameters] [FILE]", N_ ("Add what was exported, all or nothing"), 0, 1,
    ctl_import },
};

static void
print_json (GVariant *value, gboolean pretty)
{
  g_autoptr (GVariant) taken = g_variant_ref_sink (value);
  g_autoptr (JsonNode) node = json_gvariant_serialize (taken);
  g_autofree char *text = json_to_string (node, pretty);
  /* json-glib writes U+001F as it is, which no reader of JSON takes; only strings can hold it */
  g_auto (GStrv) pieces = g_strsplit (text, "\037", -1);
  g_autofree char *escaped = g_strjoinv ("\\u001f", pieces);

  g_print ("%s\n", escaped);
}

void
ctl_print_json (GVariant *value)
{
  print_json (value, TRUE);
}

void
ctl_print_json_line (GVariant *value)
{
  print_json (value, FALSE);
}

static const Command *
find_command (const char *name)
{
  for (guint i = 0; i < G_N_ELEMENTS (commands); i++)
    if (g_str_equal (commands[i].name, name))
      return &commands[i];

  return NULL;
}

/* Options that only one command knows. */
static gboolean
check_options (Ctl *self, const Command *command)
{
  const struct
  {
    const char *option;
    gboolean given;
    CtlCommandFunc run;
  } owned[] = {
    { "--module", self->module != NULL && command->run != ctl_branch, ctl_chat },
    { "--print", self->print, ctl_open },
    { "--new", self->fresh, ctl_open },
    { "--chunks", self->chunks, ctl_monitor },
    { "--session", self->sessions != NULL, ctl_export },
    { "--limit", self->limit != 0, ctl_history },
    { "--all-parameters", self->all_parameters, ctl_import },
  };

  for (guint i = 0; i < G_N_ELEMENTS (owned); i++)
    if (owned[i].given && owned[i].run != command->run)
      {
        ctl_fail (CTL_EXIT_USAGE, _ ("“%s” does not know %s"), command->name, owned[i].option);
        return FALSE;
      }

  if (self->limit < 0)
    ctl_fail (CTL_EXIT_USAGE, "%s", _ ("--limit must be at least 1"));

  return self->limit >= 0;
}

static CtlExit
run (Ctl *self, char **args)
{
  const Command *command = find_command (args[0]);
  guint n_args = g_strv_length (args) - 1;
  CtlExit status;

  if (command == NULL)
    return ctl_fail (CTL_EXIT_USAGE, _ ("There is no command “%s”; --help tells which there are"),
                     args[0]);
  if (n_args < command->min_args || n_args > command->max_args)
    return ctl_fail (CTL_EXIT_USAGE, _ ("It is “confabctl %s %s”"), command->name,
                     command->synopsis);
  if (!check_options (self, command))
    return CTL_EXIT_USAGE;

  status = ctl_connect (self, self->system_bus ? G_BUS_TYPE_SYSTEM : G_BUS_TYPE_SESSION);

  return status == CTL_EXIT_OK ? command->run (self, args + 1) : status;
}

/* Returns: (transfer full): what --help says of the commands */
static char *
describe_commands (void)
{
  g_autoptr (GString) text = g_string_new (_ ("Commands:"));

  for (guint i = 0; i < G_N_ELEMENTS (commands); i++)
    {
      g_autofree char *call = g_strconcat (commands[i].name, " ", commands[i].synopsis, NULL);
      /* bytes are not columns */
      int padding = 36 - (int) g_utf8_strlen (call, -1);

      g_string_append_printf (text, "\n  %s%*s%s", call, MAX (padding, 1), "",
                              _ (commands[i].summary));
    }

  return g_string_free (g_steal_pointer (&text), FALSE);
}

static CtlExit
run_arguments (Ctl *self, char **argv)
{
  gboolean version = FALSE;
  const GOptionEntry entries[] = {
    { "module", 'm', 0, G_OPTION_ARG_STRING, &self->module,
      N_ ("This conversation; of chat it may be a new one"), "MODULE" },
    { "print", 0, 0, G_OPTION_ARG_NONE, &self->print, N_ ("Print the address, open nothing"),
      NULL },
    { "new", 0, 0, G_OPTION_ARG_NONE, &self->fresh, N_ ("Open a new chat"), NULL },
    { "chunks", 0, 0, G_OPTION_ARG_NONE, &self->chunks, N_ ("Show the text of answers as well"),
      NULL },
    { "session", 0, 0, G_OPTION_ARG_STRING_ARRAY, &self->sessions,
      N_ ("Export this session; may be given again for more"), "SESSION" },
    { "limit", 0, 0, G_OPTION_ARG_INT, &self->limit, N_ ("Only the newest messages of the history"),
      "N" },
    { "all-parameters", 0, 0, G_OPTION_ARG_NONE, &self->all_parameters,
      N_ ("Import tools and the like, too, from a file that you trust"), NULL },
    { "json", 0, 0, G_OPTION_ARG_NONE, &self->json, N_ ("Answer in JSON, for programs"), NULL },
    { "system", 0, 0, G_OPTION_ARG_NONE, &self->system_bus, N_ ("The Confab of the system bus"),
      NULL },
    { "version", 0, 0, G_OPTION_ARG_NONE, &version, N_ ("Print the version"), NULL },
    { NULL },
  };
  g_autoptr (GOptionContext) context = g_option_context_new (_ ("COMMAND [ARGUMENT…]"));
  g_autofree char *description = describe_commands ();
  g_autoptr (GError) error = NULL;
  g_auto (GStrv) args = g_strdupv (argv);

  g_option_context_set_summary (context, _ ("Talks to the Confab that runs on the bus."));
  g_option_context_set_description (context, description);
  g_option_context_add_main_entries (context, entries, GETTEXT_PACKAGE);
  if (!g_option_context_parse_strv (context, &args, &error))
    return ctl_fail (CTL_EXIT_USAGE, "%s", error->message);
  if (version)
    {
      g_print ("confabctl %s\n", CONFAB_VERSION);
      return CTL_EXIT_OK;
    }
  if (g_strv_length (args) < 2)
    return ctl_fail (CTL_EXIT_USAGE, "%s",
                     _ ("A command is missing; --help tells which there are"));

  return run (self, args + 1);
}

int
main (int argc, char **argv)
{
  Ctl self = { NULL };
  CtlExit status;

  setlocale (LC_ALL, "");
  bindtextdomain (GETTEXT_PACKAGE, LOCALEDIR);
  bind_textdomain_codeset (GETTEXT_PACKAGE, "UTF-8");
  textdomain (GETTEXT_PACKAGE);

  status = run_arguments (&self, argv);
  g_clear_object (&self.connection);
  g_free (self.module);
  g_strfreev (self.sessions);

  return status;
}
