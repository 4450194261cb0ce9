/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <glib/gi18n-lib.h>

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

/* Indexed by ConfabError; the one place where names, their meaning for retries, and what an answer
 * that ends by them is said to have met stand. */
static const struct
{
  const char *code;
  gboolean retryable;
  const char *words; /* NULL: no answer ends by it as such */
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
  [CONFAB_ERROR_NO_PROVIDER] = { "no-provider", FALSE, N_ ("No model is set up to answer") },
  [CONFAB_ERROR_UPSTREAM_AUTH] = { "upstream-auth", FALSE,
                                   N_ ("The model server refused the key or the permission") },
  [CONFAB_ERROR_UPSTREAM_RATE_LIMIT] = { "upstream-rate-limit", TRUE,
                                         N_ ("The model server's limit is reached") },
  [CONFAB_ERROR_UPSTREAM_UNAVAILABLE] = { "upstream-unavailable", TRUE,
                                          N_ ("The model server is not available right now") },
  [CONFAB_ERROR_UPSTREAM_TIMEOUT] = { "upstream-timeout", TRUE,
                                      N_ ("The model server took too long") },
  [CONFAB_ERROR_UPSTREAM_TRUNCATED] = { "upstream-truncated", TRUE,
                                        N_ ("The model server ended its answer before it was "
                                            "complete") },
  [CONFAB_ERROR_UPSTREAM_ERROR] = { "upstream-error", FALSE,
                                    N_ ("The model server reported an error") },
  [CONFAB_ERROR_CONTEXT_LENGTH] = { "context-length", FALSE,
                                    N_ ("The conversation is too long for this model") },
  [CONFAB_ERROR_CONTENT_FILTER] = { "content-filter", FALSE,
                                    N_ ("The model server's content filter refused this") },
  [CONFAB_ERROR_STORAGE] = { "storage", TRUE, N_ ("Confab's store refused this") },
  [CONFAB_ERROR_INTERRUPTED] = { "interrupted", TRUE, N_ ("The answer was interrupted") },
  [CONFAB_ERROR_SHUTTING_DOWN] = { "shutting-down", TRUE, N_ ("Confab is shutting down") },
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
 * confab_error_to_words:
 * @error: (nullable): why an answer failed
 *
 * Says the same as its code, to people. Whatever the error's own message repeats, be it a model
 * server's words or what was said in the chat, is not in it.
 *
 * Returns: a static string, translated: a sentence without the full stop, for more to follow
 */
const char *
confab_error_to_words (const GError *error)
{
  const char *words = error_codes[is_ours (error) ? error->code : CONFAB_ERROR_INTERNAL].words;

  return words != NULL ? _ (words) : _ ("The answer failed");
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
