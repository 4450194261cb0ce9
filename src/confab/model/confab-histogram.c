/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "confab-histogram.h"

static const gint64 bounds_us[CONFAB_HISTOGRAM_N_BOUNDS] = {
  100,    250,    500,     1000,    2500,    5000,     10000,    25000,
  100000, 250000, 1000000, 2500000, 5000000, 15000000, 60000000,
};

/**
 * confab_histogram_observe:
 * @self: a histogram
 * @duration_us: how long it took, in µs; below 0 counts as 0
 */
void
confab_histogram_observe (ConfabHistogram *self, gint64 duration_us)
{
  guint i = 0;

  while (i < CONFAB_HISTOGRAM_N_BOUNDS && duration_us > bounds_us[i])
    i++;
  self->counts[i]++;
  self->sum_us += (guint64) MAX (duration_us, 0);
}

double
confab_histogram_get_bound (guint index)
{
  g_return_val_if_fail (index < CONFAB_HISTOGRAM_N_BOUNDS, 0);

  return (double) bounds_us[index] / G_USEC_PER_SEC;
}
