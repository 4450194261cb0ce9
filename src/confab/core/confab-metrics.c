/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "confab-metrics.h"

typedef struct
{
  char **labels;
  guint64 value;
} Series;

struct _ConfabMetrics
{
  gatomicrefcount refs;
  GPtrArray *series[CONFAB_N_METRICS]; /* of Series, in the order of their first event */
  ConfabHistogram first_token;
  ConfabHistogram added_latency;
};

static void
series_free (gpointer data)
{
  Series *series = data;

  g_strfreev (series->labels);
  g_free (series);
}

ConfabMetrics *
confab_metrics_new (void)
{
  ConfabMetrics *self = g_new0 (ConfabMetrics, 1);

  g_atomic_ref_count_init (&self->refs);
  for (guint i = 0; i < CONFAB_N_METRICS; i++)
    self->series[i] = g_ptr_array_new_with_free_func (series_free);

  return self;
}

ConfabMetrics *
confab_metrics_ref (ConfabMetrics *self)
{
  g_atomic_ref_count_inc (&self->refs);

  return self;
}

void
confab_metrics_unref (ConfabMetrics *self)
{
  if (!g_atomic_ref_count_dec (&self->refs))
    return;

  for (guint i = 0; i < CONFAB_N_METRICS; i++)
    g_ptr_array_unref (self->series[i]);
  g_free (self);
}

/**
 * confab_metrics_add:
 * @self: the metrics
 * @metric: what happened
 * @n: how often, or how much of it
 * @label_1: (nullable): its first label
 * @label_2: (nullable): its second label
 * @label_3: (nullable): its third label
 */
void
confab_metrics_add (ConfabMetrics *self,
                    ConfabMetric metric,
                    guint64 n,
                    const char *label_1,
                    const char *label_2,
                    const char *label_3)
{
  const char *labels[CONFAB_METRIC_MAX_LABELS + 1] = { label_1, label_2, label_3, NULL };
  GPtrArray *all = self->series[metric];
  Series *series;

  for (guint i = 0; i < all->len; i++)
    {
      series = g_ptr_array_index (all, i);
      if (!g_strv_equal ((const char *const *) series->labels, labels))
        continue;
      series->value += n;
      return;
    }

  series = g_new (Series, 1);
  series->labels = g_strdupv ((char **) labels);
  series->value = n;
  g_ptr_array_add (all, series);
}

void
confab_metrics_foreach (ConfabMetrics *self,
                        ConfabMetric metric,
                        ConfabMetricFunc func,
                        gpointer user_data)
{
  for (guint i = 0; i < self->series[metric]->len; i++)
    {
      Series *series = g_ptr_array_index (self->series[metric], i);

      func ((const char *const *) series->labels, series->value, user_data);
    }
}

ConfabHistogram *
confab_metrics_get_first_token (ConfabMetrics *self)
{
  return &self->first_token;
}

ConfabHistogram *
confab_metrics_get_added_latency (ConfabMetrics *self)
{
  return &self->added_latency;
}
