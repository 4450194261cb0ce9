/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engineio-cors.h"

static void
set_list (SoupMessageHeaders *headers, const char *name, char **values)
{
  g_autofree char *joined = g_strjoinv (", ", values);

  soup_message_headers_replace (headers, name, joined);
}

void
engineio_cors_add_headers (const EngineioCors *self, SoupServerMessage *message, gboolean allowed)
{
  SoupMessageHeaders *request = soup_server_message_get_request_headers (message);
  SoupMessageHeaders *response = soup_server_message_get_response_headers (message);
  const char *origin = soup_message_headers_get_one (request, "Origin");

  soup_message_headers_replace (response, "Vary", "Origin");
  if (origin == NULL || !allowed)
    return;

  soup_message_headers_replace (response, "Access-Control-Allow-Origin", origin);
  if (self->credentials)
    soup_message_headers_replace (response, "Access-Control-Allow-Credentials", "true");
  if (self->exposed_headers != NULL)
    set_list (response, "Access-Control-Expose-Headers", self->exposed_headers);
}

void
engineio_cors_answer_preflight (const EngineioCors *self, SoupServerMessage *message)
{
  SoupMessageHeaders *request = soup_server_message_get_request_headers (message);
  SoupMessageHeaders *response = soup_server_message_get_response_headers (message);
  const char *wanted = soup_message_headers_get_list (request, "Access-Control-Request-Headers");
  g_autofree char *max_age = NULL;

  soup_message_headers_replace (response, "Connection", "close");
  soup_server_message_set_status (message, SOUP_STATUS_NO_CONTENT, NULL);
  if (soup_message_headers_get_one (response, "Access-Control-Allow-Origin") == NULL)
    return;

  if (self->methods != NULL)
    set_list (response, "Access-Control-Allow-Methods", self->methods);
  else
    soup_message_headers_replace (response, "Access-Control-Allow-Methods", "GET, POST");
  if (self->allowed_headers != NULL)
    set_list (response, "Access-Control-Allow-Headers", self->allowed_headers);
  else if (wanted != NULL)
    soup_message_headers_replace (response, "Access-Control-Allow-Headers", wanted);
  max_age = g_strdup_printf ("%u", self->max_age);
  soup_message_headers_replace (response, "Access-Control-Max-Age", max_age);
}
