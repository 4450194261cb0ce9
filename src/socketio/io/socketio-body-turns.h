/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <libsoup/soup.h>

G_BEGIN_DECLS

/* Has others get their turns while the body of @message comes in, which libsoup reads for as long
 * as there is more of it: of a body in chunks of one byte that is a million turns for 6 MB.
 * @message: a request that has just begun; nothing else may have asked for its chunks before */
void socketio_body_turns_keep (SoupServerMessage *message);

G_END_DECLS
