/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Binary packets where there is only text. */

/* How much text so many bytes become. */
gsize engineio_base64_length (gsize length);
void engineio_base64_append (GString *out, GBytes *data);
GBytes *engineio_base64_decode (const char *text, gsize length, GError **error);

G_END_DECLS
