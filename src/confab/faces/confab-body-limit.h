/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <libsoup/soup.h>

G_BEGIN_DECLS

/* The largest request body on paths of our own. */
#define CONFAB_MAX_BODY_BYTES (1024 * 1024)
/* Chat clients like to send all of the conversation along. */
#define CONFAB_MAX_CHAT_BODY_BYTES (4 * 1024 * 1024)

/* How much of a request's body is kept: nothing of those who are not let in. */
void confab_body_limit_apply (SoupServerMessage *message);
void confab_body_limit_let_in (SoupServerMessage *message);

G_END_DECLS
