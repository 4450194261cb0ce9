/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/*
 * ConfabPace: at least so long between two chunks of text; what comes sooner waits, and is told in
 * one. It lies in what it paces, and begins as zeroed memory: nothing was told yet.
 */
typedef struct
{
  gint64 last_told; /* monotonic, µs; 0: never */
  GSource *source;  /* while something waits; NULL else */
} ConfabPace;

/* Asked when there is something to tell. @interval_ms: 0 never waits. Returns: whether it is to be
 * told now; if not, @func is called when it is time, once for all that asked meanwhile. */
gboolean
confab_pace_ask (ConfabPace *self, guint interval_ms, GSourceFunc func, gpointer user_data);
/* Something is told: the next waits. */
void confab_pace_note (ConfabPace *self);
/* Nothing waits any more. To be called before @func's data goes. */
void confab_pace_clear (ConfabPace *self);

G_END_DECLS
