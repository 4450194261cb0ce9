/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "confab-reporter.h"

#include <glib/gi18n-lib.h>

struct _ConfabReporter
{
  GObject parent_instance;

  ConfabService *service;
  ConfabSupervisor *supervisor;
  guint report_source;
};

G_DEFINE_FINAL_TYPE (ConfabReporter, confab_reporter, G_TYPE_OBJECT)

static void
confab_reporter_finalize (GObject *object)
{
  ConfabReporter *self = CONFAB_REPORTER (object);

  g_clear_handle_id (&self->report_source, g_source_remove);
  g_clear_object (&self->service);

  G_OBJECT_CLASS (confab_reporter_parent_class)->finalize (object);
}

static void
confab_reporter_class_init (ConfabReporterClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = confab_reporter_finalize;
}

static void
confab_reporter_init (ConfabReporter *self)
{
}

static gboolean
report_cb (gpointer user_data)
{
  ConfabReporter *self = user_data;
  guint n_running = confab_service_get_n_running (self->service);
  g_autofree char *status = NULL;

  self->report_source = 0;
  status =
      n_running == 0
          ? g_strdup (_ ("Ready"))
          : g_strdup_printf (ngettext ("%u answer is running", "%u answers are running", n_running),
                             n_running);
  confab_supervisor_set_status (self->supervisor, status);

  return G_SOURCE_REMOVE;
}

/* Once for all that happens in one turn of the main loop; the service has counted by then. */
static void
report (ConfabReporter *self)
{
  if (self->report_source != 0)
    return;
  self->report_source = g_idle_add (report_cb, self);
  g_source_set_name_by_id (self->report_source, "[confab] status");
}

static void
started_cb (ConfabReporter *self, ConfabGeneration *generation)
{
  g_signal_connect_object (generation, "ended", G_CALLBACK (report), self, G_CONNECT_SWAPPED);
  report (self);
}

ConfabReporter *
confab_reporter_new (ConfabService *service, ConfabSupervisor *supervisor)
{
  ConfabReporter *self = g_object_new (CONFAB_TYPE_REPORTER, NULL);

  self->service = g_object_ref (service);
  self->supervisor = supervisor;
  g_signal_connect_object (service, "generation-started", G_CALLBACK (started_cb), self,
                           G_CONNECT_SWAPPED);
  report (self);

  return self;
}
