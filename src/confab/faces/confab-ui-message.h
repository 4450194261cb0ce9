/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "confab-generation.h"

G_BEGIN_DECLS

/*
 * The UI message stream of the AI SDK: an answer as server-sent events, each a part of one message.
 * A stretch of one kind of text is a block, numbered from 1.
 */

#define CONFAB_UI_MESSAGE_HEADER "X-Vercel-AI-UI-Message-Stream"
#define CONFAB_UI_MESSAGE_VERSION "v1"

void confab_ui_message_append_start (GString *out, ConfabGeneration *generation);
void confab_ui_message_append_block_start (GString *out, ConfabDeltaKind kind, guint block);
void confab_ui_message_append_delta (GString *out,
                                     ConfabDeltaKind kind,
                                     guint block,
                                     const char *text,
                                     gsize length);
void confab_ui_message_append_block_end (GString *out, ConfabDeltaKind kind, guint block);
/* How @generation ended, and the end of the stream; no block is open. */
void confab_ui_message_append_end (GString *out, ConfabGeneration *generation);
/* A comment, which nobody reads; writing it shows whether somebody is there. */
void confab_ui_message_append_heartbeat (GString *out);

G_END_DECLS
