/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <libsoup/soup.h>

#include "confab-access.h"
#include "confab-service.h"

G_BEGIN_DECLS

#define CONFAB_TYPE_WEB (confab_web_get_type ())

/* ConfabWeb: pages, their files, health and tickets; everything on HTTP but Socket.IO. ConfabGuard
 * has let the requests in. */
G_DECLARE_FINAL_TYPE (ConfabWeb, confab_web, CONFAB, WEB, GObject)

ConfabWeb *confab_web_new (ConfabService *service, ConfabAccess *access, SoupServer *server);

G_END_DECLS
