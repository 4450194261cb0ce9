/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define CONFAB_ERROR (confab_error_quark ())

/* The codes that every face reports; names on the wire by confab_error_to_code(). */
typedef enum
{
  CONFAB_ERROR_INTERNAL,
  CONFAB_ERROR_INVALID_REQUEST,
  CONFAB_ERROR_UNAUTHORIZED,
  CONFAB_ERROR_RATE_LIMITED,
  CONFAB_ERROR_BUSY,
  CONFAB_ERROR_UNKNOWN_MODULE,
  CONFAB_ERROR_UNKNOWN_SESSION,
  CONFAB_ERROR_UNKNOWN_MESSAGE,
  CONFAB_ERROR_UNKNOWN_GENERATION,
  CONFAB_ERROR_TOO_LARGE,
  CONFAB_ERROR_NO_PROVIDER,
  CONFAB_ERROR_UPSTREAM_AUTH,
  CONFAB_ERROR_UPSTREAM_RATE_LIMIT,
  CONFAB_ERROR_UPSTREAM_UNAVAILABLE,
  CONFAB_ERROR_UPSTREAM_TIMEOUT,
  CONFAB_ERROR_UPSTREAM_TRUNCATED,
  CONFAB_ERROR_UPSTREAM_ERROR,
  CONFAB_ERROR_CONTEXT_LENGTH,
  CONFAB_ERROR_CONTENT_FILTER,
  CONFAB_ERROR_STORAGE,
  CONFAB_ERROR_INTERRUPTED,
  CONFAB_ERROR_SHUTTING_DOWN,
} ConfabError;

GQuark confab_error_quark (void);

/* "upstream-rate-limit" and so on; "internal" for anything that is not of our domain. */
const char *confab_error_to_code (const GError *error);
/* What the code says, in words of ours alone: nothing of the error's message. */
const char *confab_error_to_words (const GError *error);
/* Sets @error. FALSE, for the caller to return. */
gboolean confab_error_refuse (GError **error, ConfabError code, const char *format, ...)
    G_GNUC_PRINTF (3, 4);
GError *confab_error_new_from_code (const char *code, const char *message);
/* Whether trying the same again later can help. */
gboolean confab_error_is_retryable (const GError *error);
/* Overrides what the code says, where the code alone does not tell. */
void confab_error_set_retryable (GError *error, gboolean retryable);

/* When the upstream said to come back: in ms from now, 0 if it did not say. An extended GError. */
gint64 confab_error_get_retry_after (const GError *error);
void confab_error_set_retry_after (GError *error, gint64 retry_after_ms);

G_END_DECLS
