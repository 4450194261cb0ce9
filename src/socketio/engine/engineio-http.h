/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <libsoup/soup.h>

#include "socketio-counters-private.h"

G_BEGIN_DECLS

/* The codes of Engine.IO's error bodies. */
typedef enum
{
  ENGINEIO_HTTP_ERROR_UNKNOWN_TRANSPORT,
  ENGINEIO_HTTP_ERROR_UNKNOWN_SID,
  ENGINEIO_HTTP_ERROR_BAD_HANDSHAKE_METHOD,
  ENGINEIO_HTTP_ERROR_BAD_REQUEST,
  ENGINEIO_HTTP_ERROR_FORBIDDEN,
  ENGINEIO_HTTP_ERROR_UNSUPPORTED_PROTOCOL_VERSION,
} EngineioHttpError;

/* Answers with {"code":…,"message":…}. @counters: (nullable): of whose server */
void engineio_http_error (SoupServerMessage *message,
                          EngineioHttpError code,
                          SocketioCounters *counters);
/* FORBIDDEN; @text: (nullable): what is said instead. */
void
engineio_http_refuse (SoupServerMessage *message, const char *text, SocketioCounters *counters);
/* The answer to a body over max_payload: 413 and a body of the same shape. */
void engineio_http_error_too_large (SoupServerMessage *message, SocketioCounters *counters);
void engineio_http_respond (SoupServerMessage *message,
                            guint status,
                            const char *content_type,
                            GBytes *body);
/* 200; compressed from @threshold bytes on, if the client takes that. 0: never */
void engineio_http_respond_compressed (SoupServerMessage *message,
                                       const char *content_type,
                                       GBytes *body,
                                       gsize threshold);
/* @body: static */
void engineio_http_respond_static (SoupServerMessage *message,
                                   guint status,
                                   const char *content_type,
                                   const char *body);

G_END_DECLS
