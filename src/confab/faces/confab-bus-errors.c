/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "confab-bus-errors.h"

#include <gio/gio.h>

#include "confab-error.h"

#define NAME(name) "org.confab.Confab1.Error." name

static const GDBusErrorEntry entries[] = {
  { CONFAB_ERROR_INTERNAL, NAME ("Internal") },
  { CONFAB_ERROR_INVALID_REQUEST, NAME ("InvalidRequest") },
  { CONFAB_ERROR_UNAUTHORIZED, NAME ("Unauthorized") },
  { CONFAB_ERROR_RATE_LIMITED, NAME ("RateLimited") },
  { CONFAB_ERROR_BUSY, NAME ("Busy") },
  { CONFAB_ERROR_UNKNOWN_MODULE, NAME ("UnknownModule") },
  { CONFAB_ERROR_UNKNOWN_SESSION, NAME ("UnknownSession") },
  { CONFAB_ERROR_UNKNOWN_MESSAGE, NAME ("UnknownMessage") },
  { CONFAB_ERROR_UNKNOWN_GENERATION, NAME ("UnknownGeneration") },
  { CONFAB_ERROR_TOO_LARGE, NAME ("TooLarge") },
  { CONFAB_ERROR_NO_PROVIDER, NAME ("NoProvider") },
  { CONFAB_ERROR_UPSTREAM_AUTH, NAME ("UpstreamAuth") },
  { CONFAB_ERROR_UPSTREAM_RATE_LIMIT, NAME ("UpstreamRateLimit") },
  { CONFAB_ERROR_UPSTREAM_UNAVAILABLE, NAME ("UpstreamUnavailable") },
  { CONFAB_ERROR_UPSTREAM_TIMEOUT, NAME ("UpstreamTimeout") },
  { CONFAB_ERROR_UPSTREAM_TRUNCATED, NAME ("UpstreamTruncated") },
  { CONFAB_ERROR_UPSTREAM_ERROR, NAME ("UpstreamError") },
  { CONFAB_ERROR_CONTEXT_LENGTH, NAME ("ContextLength") },
  { CONFAB_ERROR_CONTENT_FILTER, NAME ("ContentFilter") },
  { CONFAB_ERROR_STORAGE, NAME ("Storage") },
  { CONFAB_ERROR_INTERRUPTED, NAME ("Interrupted") },
  { CONFAB_ERROR_SHUTTING_DOWN, NAME ("ShuttingDown") },
};

/* a code that is added to the protocol has to be added here */
G_STATIC_ASSERT (G_N_ELEMENTS (entries) == CONFAB_ERROR_SHUTTING_DOWN + 1);

void
confab_bus_errors_register (void)
{
  static gsize registered = 0;

  if (!g_once_init_enter (&registered))
    return;

  for (guint i = 0; i < G_N_ELEMENTS (entries); i++)
    g_dbus_error_register_error (CONFAB_ERROR, entries[i].error_code, entries[i].dbus_error_name);
  g_once_init_leave (&registered, 1);
}

/**
 * confab_bus_error_name:
 * @error: any error
 *
 * Returns: its name on D-Bus; that of "internal" for anything that is not a %CONFAB_ERROR
 */
const char *
confab_bus_error_name (const GError *error)
{
  int code = error->domain == CONFAB_ERROR ? error->code : CONFAB_ERROR_INTERNAL;

  for (guint i = 0; i < G_N_ELEMENTS (entries); i++)
    if (entries[i].error_code == code)
      return entries[i].dbus_error_name;

  return entries[0].dbus_error_name;
}
