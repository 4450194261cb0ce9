/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <glib/gi18n.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "confab-bus-loss.h"
#include "confab-daemon.h"
#include "confab-http-session.h"

/* Standard output is for one line only; everything else goes to standard error or the journal. */
static GLogWriterOutput
log_writer (GLogLevelFlags level, const GLogField *fields, gsize n_fields, gpointer user_data)
{
  gboolean verbose = GPOINTER_TO_INT (user_data);
  const char *domain = NULL;

  for (gsize i = 0; i < n_fields; i++)
    if (g_str_equal (fields[i].key, "GLIB_DOMAIN"))
      domain = fields[i].value;
  if (!verbose || (g_strcmp0 (domain, "Confab") != 0 && g_strcmp0 (domain, "Socketio") != 0))
    return g_log_writer_default (level, fields, n_fields, NULL);

  if (g_log_writer_is_journald (STDERR_FILENO)
      && g_log_writer_journald (level, fields, n_fields, NULL) == G_LOG_WRITER_HANDLED)
    return G_LOG_WRITER_HANDLED;

  return g_log_writer_standard_streams (level, fields, n_fields, NULL);
}

/* Memory holds keys and chats, which must not come into a file. The kernel gives a pipe to a crash
 * handler whatever the limit is, unless it is 1, which no core fits. Whoever was started with 0 may
 * not raise it to that, and has to become a process that nobody may look into. */
static void
forbid_cores (void)
{
  const struct rlimit cores = { 1, 1 };

  if (setrlimit (RLIMIT_CORE, &cores) != 0)
    prctl (PR_SET_DUMPABLE, 0);
}

static void
prepare_process (void)
{
  struct rlimit files;

  setlocale (LC_ALL, "");
  bindtextdomain (GETTEXT_PACKAGE, LOCALEDIR);
  bind_textdomain_codeset (GETTEXT_PACKAGE, "UTF-8");
  textdomain (GETTEXT_PACKAGE);
  umask (077);
  forbid_cores ();
  signal (SIGPIPE, SIG_IGN);
  /* a limit on the size of files is an error of the write that meets it */
  signal (SIGXFSZ, SIG_IGN);
  confab_bus_loss_outlive ();
  confab_http_session_prepare ();
  g_log_writer_default_set_use_stderr (TRUE);

  /* a connection is an fd, and nothing here uses select() */
  if (getrlimit (RLIMIT_NOFILE, &files) == 0 && files.rlim_cur < files.rlim_max)
    {
      files.rlim_cur = files.rlim_max;
      setrlimit (RLIMIT_NOFILE, &files);
    }
}

int
main (int argc, char **argv)
{
  g_autoptr (ConfabOptions) options = NULL;
  g_autoptr (ConfabDaemon) daemon = NULL;
  g_autoptr (GError) error = NULL;

  prepare_process ();

  options = confab_options_parse (argv, &error);
  if (options == NULL)
    {
      g_printerr ("confabd: %s\n", error->message);
      return CONFAB_DAEMON_EXIT_USAGE;
    }
  if (options->version)
    {
      printf ("confabd %s\n", CONFAB_VERSION);
      return EXIT_SUCCESS;
    }
  g_log_set_writer_func (log_writer, GINT_TO_POINTER (options->verbose), NULL);

  daemon = confab_daemon_new (options);

  return confab_daemon_run (daemon);
}
