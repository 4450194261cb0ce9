/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "confab-openai-provider.h"
#include "confab-provider-run.h"

G_BEGIN_DECLS

/* What a server of OpenAI's Chat Completions sends. */
#define OPENAI_TYPE "text/event-stream"
#define STREAM_HEAD                                                                                \
  "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
#define END_CHUNK "0\r\n\r\n"
#define TEXT_EVENT(text)                                                                           \
  "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"" text "\"}}]}\n\n"
#define STOP_EVENT "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n"
#define DONE_EVENT "data: [DONE]\n\n"
#define A_STREAM TEXT_EVENT ("a") STOP_EVENT DONE_EVENT

/* A ProviderMaker. It asks once, and never again. */
ConfabHttpProvider *openai_make (RawServer *server, const char *model);

void openai_run (ProviderRun *run, ConfabHttpProvider *provider);
/* @stall_ms: 0 for what is usual */
void openai_run_against (ProviderRun *run, RawHandler handler, gpointer user_data, guint stall_ms);

/* @user_data: a text, which is streamed in one chunk. */
RawEnd openai_text_handler (RawServer *server, int fd, const char *request, gpointer user_data);

G_END_DECLS
