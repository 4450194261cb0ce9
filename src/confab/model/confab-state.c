/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "confab-state.h"

#define TO(state) (1u << CONFAB_STATE_##state)
#define TO_ANY_END_BUT_COMPLETED (TO (STOPPED) | TO (FAILED) | TO (INTERRUPTED))

typedef struct
{
  const char *name;
  guint next; /* set of the states that may follow; empty for an end */
} StateRow;

static const StateRow state_table[CONFAB_N_STATES] = {
  [CONFAB_STATE_QUEUED] = { "queued", TO (CONNECTING) | TO_ANY_END_BUT_COMPLETED },
  /* completed without a delta: an empty answer */
  [CONFAB_STATE_CONNECTING] = { "connecting",
                                TO (STREAMING) | TO (COMPLETED) | TO_ANY_END_BUT_COMPLETED },
  [CONFAB_STATE_STREAMING] = { "streaming", TO (COMPLETED) | TO_ANY_END_BUT_COMPLETED },
  [CONFAB_STATE_COMPLETED] = { "completed", 0 },
  [CONFAB_STATE_STOPPED] = { "stopped", 0 },
  [CONFAB_STATE_FAILED] = { "failed", 0 },
  [CONFAB_STATE_INTERRUPTED] = { "interrupted", 0 },
};

/**
 * confab_state_to_string:
 * @state: a state
 *
 * Returns: its name as the contract has it
 */
const char *
confab_state_to_string (ConfabState state)
{
  g_return_val_if_fail (state < CONFAB_N_STATES, NULL);

  return state_table[state].name;
}

/**
 * confab_state_is_end:
 * @state: a state
 *
 * Returns: whether nothing can follow @state
 */
gboolean
confab_state_is_end (ConfabState state)
{
  g_return_val_if_fail (state < CONFAB_N_STATES, TRUE);

  return state_table[state].next == 0;
}

/**
 * confab_state_may_follow:
 * @from: a state
 * @to: another
 *
 * Returns: whether a generation may go from @from to @to
 */
gboolean
confab_state_may_follow (ConfabState from, ConfabState to)
{
  g_return_val_if_fail (from < CONFAB_N_STATES && to < CONFAB_N_STATES, FALSE);

  return (state_table[from].next & (1u << to)) != 0;
}
