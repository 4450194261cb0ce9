/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Bounds from 0.1 ms to 60 s; what takes longer counts as infinite. */
#define CONFAB_HISTOGRAM_N_BOUNDS 15

/* ConfabHistogram: how long things took. All zero is one in which nothing was counted yet. */
typedef struct
{
  guint64 counts[CONFAB_HISTOGRAM_N_BOUNDS + 1]; /* each of its own bucket; the last: longer */
  guint64 sum_us;
} ConfabHistogram;

void confab_histogram_observe (ConfabHistogram *self, gint64 duration_us);
/* Upper bound of a bucket in seconds, inclusive. */
double confab_histogram_get_bound (guint index);

G_END_DECLS
