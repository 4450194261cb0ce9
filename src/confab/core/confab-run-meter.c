/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "confab-run-meter.h"

#include "confab-error.h"

struct _ConfabRunMeter
{
  ConfabMetrics *metrics;
  char *provider_name; /* when the question came */
  char *asked_name;    /* of the one that was asked; NULL: none yet */
  gint64 asked_at;     /* monotonic, µs; 0 before that, and after the first word */
  gsize n_bytes[2];    /* by kind */
};

ConfabRunMeter *
confab_run_meter_new (ConfabMetrics *metrics, const char *provider_name)
{
  ConfabRunMeter *self = g_new0 (ConfabRunMeter, 1);

  self->metrics = confab_metrics_ref (metrics);
  self->provider_name = g_strdup (provider_name);

  return self;
}

void
confab_run_meter_free (ConfabRunMeter *self)
{
  g_free (self->asked_name);
  g_free (self->provider_name);
  confab_metrics_unref (self->metrics);
  g_free (self);
}

const char *
confab_run_meter_get_provider_name (ConfabRunMeter *self)
{
  return self->provider_name;
}

void
confab_run_meter_accepted (ConfabRunMeter *self)
{
  confab_metrics_add (self->metrics, CONFAB_METRIC_GENERATIONS_STARTED, 1, self->provider_name,
                      NULL, NULL);
}

void
confab_run_meter_asked (ConfabRunMeter *self, const char *provider_name)
{
  g_free (self->asked_name);
  self->asked_name = g_strdup (provider_name);
  self->asked_at = g_get_monotonic_time ();
}

gint64
confab_run_meter_get_turn_time (void)
{
  GSource *source = g_main_current_source ();

  return source != NULL ? g_source_get_time (source) : g_get_monotonic_time ();
}

void
confab_run_meter_told (ConfabRunMeter *self, ConfabDeltaKind kind, gsize length, gint64 noticed)
{
  gint64 now = g_get_monotonic_time ();

  confab_histogram_observe (confab_metrics_get_added_latency (self->metrics), now - noticed);
  self->n_bytes[kind] += length;
  if (self->asked_at == 0)
    return;

  confab_histogram_observe (confab_metrics_get_first_token (self->metrics), now - self->asked_at);
  self->asked_at = 0;
}

void
confab_run_meter_ended (ConfabRunMeter *self,
                        ConfabState state,
                        const ConfabOutcome *outcome,
                        const GError *error)
{
  const char *code = error != NULL ? confab_error_to_code (error) : NULL;
  const char *reason =
      outcome != NULL ? confab_finish_reason_to_string (outcome->finish_reason) : code;

  confab_metrics_add (self->metrics, CONFAB_METRIC_GENERATIONS_ENDED, 1, self->provider_name,
                      confab_state_to_string (state), reason);
  for (guint kind = 0; kind < G_N_ELEMENTS (self->n_bytes); kind++)
    if (self->n_bytes[kind] > 0)
      confab_metrics_add (self->metrics, CONFAB_METRIC_OUTPUT_BYTES, self->n_bytes[kind],
                          self->asked_name, kind == CONFAB_DELTA_TEXT ? "text" : "reasoning", NULL);
  /* what comes from elsewhere is not counted as the upstream's */
  if (state == CONFAB_STATE_FAILED && self->asked_name != NULL && error != NULL
      && error->code != CONFAB_ERROR_STORAGE)
    confab_metrics_add (self->metrics, CONFAB_METRIC_UPSTREAM_ERRORS, 1, self->asked_name, code,
                        NULL);
}
