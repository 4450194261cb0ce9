/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <json-glib/json-glib.h>

G_BEGIN_DECLS

/* ConfabChatRequest: what the body of `POST /api/chat` asks for, as payloads of the contract. */
typedef struct
{
  JsonObject *regenerate; /* nullable: of ai:chat:regenerate */
  JsonObject *generate;   /* nullable: of ai:chat:generate */
} ConfabChatRequest;

/* Where both are set, the request names a message: if the service knows it, it was edited, else it
 * is new. */
ConfabChatRequest *confab_chat_request_new (JsonObject *body, GError **error);
void confab_chat_request_free (ConfabChatRequest *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ConfabChatRequest, confab_chat_request_free)

G_END_DECLS
