/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* States of a generation, and of the message that it writes. The last four are ends. */
typedef enum
{
  CONFAB_STATE_QUEUED,
  CONFAB_STATE_CONNECTING,
  CONFAB_STATE_STREAMING,
  CONFAB_STATE_COMPLETED,
  CONFAB_STATE_STOPPED,
  CONFAB_STATE_FAILED,
  CONFAB_STATE_INTERRUPTED,
  CONFAB_N_STATES,
} ConfabState;

const char *confab_state_to_string (ConfabState state);
gboolean confab_state_is_end (ConfabState state);
gboolean confab_state_may_follow (ConfabState from, ConfabState to);

G_END_DECLS
