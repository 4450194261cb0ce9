/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <libsoup/soup.h>

G_BEGIN_DECLS

/* The largest request body on paths of our own. */
#define CONFAB_MAX_BODY_BYTES (1024 * 1024)
/* Chat clients like to send all of the conversation along. */
#define CONFAB_MAX_CHAT_BODY_BYTES (4 * 1024 * 1024)

/* What is kept of a request's body: nothing of those who are not let in. */
void confab_request_body_limit (SoupServerMessage *message);
void confab_request_body_keep (SoupServerMessage *message);
GBytes *confab_request_body_take (SoupServerMessage *message);

G_END_DECLS
