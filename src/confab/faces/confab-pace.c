/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "confab-pace.h"

static void
wait_for (ConfabPace *self, gint64 in_ms, GSourceFunc func, gpointer user_data)
{
  self->source = g_timeout_source_new ((guint) MAX (in_ms, 1));
  g_source_set_static_name (self->source, "[confab] chunk interval");
  g_source_set_callback (self->source, func, user_data, NULL);
  g_source_attach (self->source, g_main_context_get_thread_default ());
}

gboolean
confab_pace_ask (ConfabPace *self, guint interval_ms, GSourceFunc func, gpointer user_data)
{
  gint64 rest_ms = interval_ms - (g_get_monotonic_time () - self->last_told) / 1000;

  if (self->source != NULL)
    return FALSE;
  if (interval_ms == 0 || self->last_told == 0 || rest_ms <= 0)
    return TRUE;

  wait_for (self, rest_ms, func, user_data);
  return FALSE;
}

void
confab_pace_note (ConfabPace *self)
{
  self->last_told = g_get_monotonic_time ();
}

void
confab_pace_clear (ConfabPace *self)
{
  if (self->source == NULL)
    return;

  g_source_destroy (self->source);
  g_clear_pointer (&self->source, g_source_unref);
}
