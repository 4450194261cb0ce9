/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <libsoup/soup.h>

#include "confab-generation.h"

G_BEGIN_DECLS

/* How much text is handed to the connection at once. */
#define CONFAB_CHAT_STREAM_CHUNK_BYTES (32 * 1024)

/*
 * ConfabChatStream: one answer on its way to one HTTP client, from its first word to its end.
 *
 * At most one chunk is with the connection; what comes meanwhile stays where it is anyway, in the
 * generation, and goes in fewer, larger pieces. So a slow reader costs nobody anything.
 */
typedef struct _ConfabChatStream ConfabChatStream;

/* Begins to answer @message, which must not be answered yet and must outlive the stream. */
ConfabChatStream *confab_chat_stream_new (SoupServerMessage *message, ConfabGeneration *generation);
void confab_chat_stream_free (ConfabChatStream *self);

/* To be called every CONFAB_CHAT_STREAM_TICK_SECONDS: shows whether the reader is there, and gives
 * up one that has taken nothing for CONFAB_CHAT_STREAM_MAX_TICKS of them: FALSE then. */
#define CONFAB_CHAT_STREAM_TICK_SECONDS 15
#define CONFAB_CHAT_STREAM_MAX_TICKS 4
gboolean confab_chat_stream_tick (ConfabChatStream *self);

G_END_DECLS
