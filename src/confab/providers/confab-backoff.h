/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* When a model server that failed is asked once more. Pure functions. */

/* How often a question is asked again by default, after the first time. */
#define CONFAB_BACKOFF_RETRIES 2
#define CONFAB_BACKOFF_MAX_RETRIES 10

/* A server that wants a longer wait is not waited for: people would rather know. */
#define CONFAB_BACKOFF_MAX_RETRY_AFTER_MS (20 * 1000)

gboolean confab_backoff_is_for (const GError *error);
guint confab_backoff_get_wait (const GError *error, guint n_failed, double chance);

G_END_DECLS
