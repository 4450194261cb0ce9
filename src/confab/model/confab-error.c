/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "confab-error.h"

typedef enum
{
  RETRYABLE_BY_CODE,
  RETRYABLE_NO,
  RETRYABLE_YES,
} Retryable;

typedef struct
{
  gint64 retry_after_ms;
  Retryable retryable;
} ConfabErrorPrivate;

static void
confab_error_private_init (ConfabErrorPrivate *priv)
{
  priv->retry_after_ms = 0;
  priv->retryable = RETRYABLE_BY_CODE;
}

static void
confab_error_private_copy (const ConfabErrorPrivate *src, ConfabErrorPrivate *dest)
{
  *dest = *src;
}

static void
confab_error_private_clear (ConfabErrorPrivate *priv)
{
}

G_DEFINE_EXTENDED_ERROR (ConfabError, confab_error)

/* Indexed by ConfabError; the one place where names and their meaning for retries stand. */
static const struct
{
  const char *code;
  gboolean retryable;
} error_codes[] = {
  [CONFAB_ERROR_INTERNAL] = { "internal", FALSE },
  [CONFAB_ERROR_INVALID_REQUEST] = { "invalid-request", FALSE },
  [CONFAB_ERROR_UNAUTHORIZED] = { "unauthorized", FALSE },
  [CONFAB_ERROR_RATE_LIMITED] = { "rate-limited", TRUE },
  [CONFAB_ERROR_BUSY] = { "busy", TRUE },
  [CONFAB_ERROR_UNKNOWN_MODULE] = { "unknown-module", FALSE },
  [CONFAB_ERROR_UNKNOWN_SESSION] = { "unknown-session", FALSE },
  [CONFAB_ERROR_UNKNOWN_MESSAGE] = { "unknown-message", FALSE },
  [CONFAB_ERROR_UNKNOWN_GENERATION] = { "unknown-generation", FALSE },
  [CONFAB_ERROR_TOO_LARGE] = { "too-large", FALSE },
  [CONFAB_ERROR_NO_PROVIDER] = { "no-provider", FALSE },
  [CONFAB_ERROR_UPSTREAM_AUTH] = { "upstream-auth", FALSE },
  [CONFAB_ERROR_UPSTREAM_RATE_LIMIT] = { "upstream-rate-limit", TRUE },
  [CONFAB_ERROR_UPSTREAM_UNAVAILABLE] = { "upstream-unavailable", TRUE },
  [CONFAB_ERROR_UPSTREAM_TIMEOUT] = { "upstream-timeout", TRUE },
  [CONFAB_ERROR_UPSTREAM_TRUNCATED] = { "upstream-truncated", TRUE },
  [CONFAB_ERROR_UPSTREAM_ERROR] = { "upstream-error", FALSE },
  [CONFAB_ERROR_CONTEXT_LENGTH] = { "context-length", FALSE },
  [CONFAB_ERROR_CONTENT_FILTER] = { "content-filter", FALSE },
  [CONFAB_ERROR_STORAGE] = { "storage", TRUE },
  [CONFAB_ERROR_INTERRUPTED] = { "interrupted", TRUE },
  [CONFAB_ERROR_SHUTTING_DOWN] = { "shutting-down", TRUE },
};

static gboolean
is_ours (const GError *error)
{
  return error != NULL && error->domain == CONFAB_ERROR && error->code >= 0
         && (gsize) error->code < G_N_ELEMENTS (error_codes);
}

/**
 * confab_error_to_code:
 * @error: (nullable): any error
 *
 * The name that programs see, as in the list of codes of the protocol.
 *
 * Returns: a static string; "internal" for anything that is not a %CONFAB_ERROR
 */
const char *
confab_error_to_code (const GError *error)
{
  return error_codes[is_ours (error) ? error->code : CONFAB_ERROR_INTERNAL].code;
}

/**
 * confab_error_refuse:
 * @error: (nullable): where to put the error
 * @code: what it is
 * @format: a sentence for people, with the arguments that follow
 *
 * Returns: %FALSE
 */
gboolean
confab_error_refuse (GError **error, ConfabError code, const char *format, ...)
{
  va_list args;

  va_start (args, format);
  g_propagate_error (error, g_error_new_valist (CONFAB_ERROR, (int) code, format, args));
  va_end (args);

  return FALSE;
}

/**
 * confab_error_new_from_code:
 * @code: (nullable): a name as of confab_error_to_code()
 * @message: (nullable): the sentence that went with it
 *
 * Returns: (transfer full): that error; %CONFAB_ERROR_INTERNAL for a name that is not known
 */
GError *
confab_error_new_from_code (const char *code, const char *message)
{
  int found = CONFAB_ERROR_INTERNAL;

  for (guint i = 0; i < G_N_ELEMENTS (error_codes); i++)
    if (g_strcmp0 (error_codes[i].code, code) == 0)
      found = i;

  return g_error_new_literal (CONFAB_ERROR, found, message != NULL ? message : "");
}

/**
 * confab_error_is_retryable:
 * @error: (nullable): any error
 *
 * Whether trying the same again later can help: what was set by confab_error_set_retryable(), else
 * what its code says.
 */
gboolean
confab_error_is_retryable (const GError *error)
{
  const ConfabErrorPrivate *priv;

  if (!is_ours (error))
    return FALSE;

  priv = confab_error_get_private (error);
  if (priv->retryable != RETRYABLE_BY_CODE)
    return priv->retryable == RETRYABLE_YES;

  return error_codes[error->code].retryable;
}

/**
 * confab_error_set_retryable:
 * @error: (nullable): an error; one of another domain is left alone
 * @retryable: what confab_error_is_retryable() shall say, whatever the code
 *
 * For codes that alone do not tell, such as upstream-error of HTTP 500 and of HTTP 400.
 */
void
confab_error_set_retryable (GError *error, gboolean retryable)
{
  ConfabErrorPrivate *priv;

  if (!is_ours (error))
    return;

  priv = confab_error_get_private (error);
  priv->retryable = retryable ? RETRYABLE_YES : RETRYABLE_NO;
}

/**
 * confab_error_get_retry_after:
 * @error: (nullable): any error
 *
 * Returns: in how many ms the upstream said to come back, 0 if it did not say
 */
gint64
confab_error_get_retry_after (const GError *error)
{
  const ConfabErrorPrivate *priv;

  if (!is_ours (error))
    return 0;

  priv = confab_error_get_private (error);
  return priv->retry_after_ms;
}

/**
 * confab_error_set_retry_after:
 * @error: (nullable): an error; one of another domain is left alone
 * @retry_after_ms: ms from now; below 0 counts as 0
 */
void
confab_error_set_retry_after (GError *error, gint64 retry_after_ms)
{
  ConfabErrorPrivate *priv;

  if (!is_ours (error))
    return;

  priv = confab_error_get_private (error);
  priv->retry_after_ms = MAX (retry_after_ms, 0);
}
