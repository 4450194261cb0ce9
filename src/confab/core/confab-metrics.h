/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "confab-histogram.h"

G_BEGIN_DECLS

/* What is counted, and by which labels. */
typedef enum
{
  CONFAB_METRIC_GENERATIONS_STARTED, /* provider */
  CONFAB_METRIC_GENERATIONS_ENDED,   /* provider, state, reason: of finishing, or the code */
  CONFAB_METRIC_UPSTREAM_ERRORS,     /* provider, code */
  CONFAB_METRIC_OUTPUT_BYTES,        /* provider, kind */
  CONFAB_METRIC_MERGES,              /* none */
  CONFAB_METRIC_RESYNCS,             /* none */
  CONFAB_METRIC_DROPS,               /* transport */
  CONFAB_METRIC_LIMITED,             /* limit */
  CONFAB_N_METRICS,
} ConfabMetric;

#define CONFAB_METRIC_MAX_LABELS 3

/*
 * ConfabMetrics: what has happened since the start, counted by those who do it. The faces only tell
 * it. Values of labels must come from small sets of our own, never from clients: each combination
 * is kept for good.
 */
typedef struct _ConfabMetrics ConfabMetrics;

ConfabMetrics *confab_metrics_new (void);
ConfabMetrics *confab_metrics_ref (ConfabMetrics *self);
void confab_metrics_unref (ConfabMetrics *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ConfabMetrics, confab_metrics_unref)

/* Labels in the order of the enum; NULL for those that the metric does not have. */
void confab_metrics_add (ConfabMetrics *self,
                         ConfabMetric metric,
                         guint64 n,
                         const char *label_1,
                         const char *label_2,
                         const char *label_3);

/* @labels: as given, NULL-terminated */
typedef void (*ConfabMetricFunc) (const char *const *labels, guint64 value, gpointer user_data);
void confab_metrics_foreach (ConfabMetrics *self,
                             ConfabMetric metric,
                             ConfabMetricFunc func,
                             gpointer user_data);

/* From asking the provider to the first word of its answer. */
ConfabHistogram *confab_metrics_get_first_token (ConfabMetrics *self);
/* From noticing that a provider sent something to having handed it to all who follow. */
ConfabHistogram *confab_metrics_get_added_latency (ConfabMetrics *self);

G_END_DECLS
