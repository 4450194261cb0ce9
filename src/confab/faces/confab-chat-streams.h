/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "confab-chat-stream.h"
#include "confab-metrics.h"

G_BEGIN_DECLS

/* ConfabChatStreams: all answers that are on their way over HTTP, with one heartbeat for all. Each
 * goes when its client does, or when it is through. */
typedef struct _ConfabChatStreams ConfabChatStreams;

ConfabChatStreams *confab_chat_streams_new (ConfabMetrics *metrics);
ConfabChatStreams *confab_chat_streams_ref (ConfabChatStreams *self);
void confab_chat_streams_unref (ConfabChatStreams *self);

/* Answers @message with a stream of @generation. */
void confab_chat_streams_add (ConfabChatStreams *self,
                              SoupServerMessage *message,
                              ConfabGeneration *generation);
guint confab_chat_streams_get_n_streams (ConfabChatStreams *self);

G_END_DECLS
