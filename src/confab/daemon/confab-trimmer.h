/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "confab-service.h"

#include <socketio.h>

G_BEGIN_DECLS

#define CONFAB_TYPE_TRIMMER (confab_trimmer_get_type ())

/* ConfabTrimmer: gives memory that was freed back to the system, some time after connections,
 * requests and answers have ended. Where malloc() cannot do that, it does nothing. */
G_DECLARE_FINAL_TYPE (ConfabTrimmer, confab_trimmer, CONFAB, TRIMMER, GObject)

ConfabTrimmer *confab_trimmer_new (ConfabService *service, SocketioServer *server);

G_END_DECLS
