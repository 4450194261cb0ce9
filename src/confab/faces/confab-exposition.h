/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "confab-histogram.h"

G_BEGIN_DECLS

/* ConfabExposition: figures as Prometheus reads them, in its text format 0.0.4. */

#define CONFAB_EXPOSITION_CONTENT_TYPE "text/plain; version=0.0.4; charset=utf-8"

/* Begins a metric; its samples follow. @type: "counter", "gauge" or "histogram" */
void confab_exposition_begin (GString *out, const char *name, const char *type, const char *help);

/* Names and values of labels, both NULL-terminated; values beyond the names are not told. */
void confab_exposition_add (GString *out,
                            const char *name,
                            const char *const *label_names,
                            const char *const *label_values,
                            double value);
void
confab_exposition_add_histogram (GString *out, const char *name, const ConfabHistogram *histogram);

G_END_DECLS
