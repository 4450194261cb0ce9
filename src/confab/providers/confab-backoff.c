/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "confab-backoff.h"
#include "confab-error.h"

#define FIRST_WAIT_MS 500
#define MAX_WAIT_MS (8 * 1000)

static gboolean
comes_from_upstream (const GError *error)
{
  switch ((ConfabError) error->code)
    {
    case CONFAB_ERROR_UPSTREAM_RATE_LIMIT:
    case CONFAB_ERROR_UPSTREAM_UNAVAILABLE:
    case CONFAB_ERROR_UPSTREAM_TIMEOUT:
    case CONFAB_ERROR_UPSTREAM_TRUNCATED:
    case CONFAB_ERROR_UPSTREAM_ERROR:
      return TRUE;
    default:
      return FALSE;
    }
}

/**
 * confab_backoff_is_for:
 * @error: why an attempt failed, of any domain
 *
 * Returns: whether asking once more by ourselves can help: the upstream failed for now, and does
 *   not want us to wait for longer than people would
 */
gboolean
confab_backoff_is_for (const GError *error)
{
  g_return_val_if_fail (error != NULL, FALSE);

  return error->domain == CONFAB_ERROR && comes_from_upstream (error)
         && confab_error_is_retryable (error)
         && confab_error_get_retry_after (error) <= CONFAB_BACKOFF_MAX_RETRY_AFTER_MS;
}

/**
 * confab_backoff_get_wait:
 * @error: of which confab_backoff_is_for() said yes
 * @n_failed: how many attempts have failed, 1 or more
 * @chance: from 0 to 1, drawn anew each time, so that those who failed together do not come back
 *   together
 *
 * The server's own word counts, and up to a quarter more. Without one it is half a second, doubled
 * each time up to 8 s, give or take a quarter.
 *
 * Returns: how long to wait, in ms
 */
guint
confab_backoff_get_wait (const GError *error, guint n_failed, double chance)
{
  gint64 told = confab_error_get_retry_after (error);
  guint wait = FIRST_WAIT_MS;

  g_return_val_if_fail (n_failed > 0, FIRST_WAIT_MS);

  if (told > 0)
    return (guint) ((double) told * (1 + chance / 4));

  for (guint i = 1; i < n_failed && wait < MAX_WAIT_MS; i++)
    wait *= 2;

  return (guint) (MIN (wait, MAX_WAIT_MS) * (0.75 + chance / 2));
}
