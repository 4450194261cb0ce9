/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* One read of the socket takes up to this many bytes. */
#define CONFAB_READ_AHEAD_BYTES (16 * 1024)

/*
 * ConfabReadAhead: an input stream that reads all that has come at once, and hands it out in the
 * small pieces in which an HTTP parser asks for it: libsoup alone takes four system calls to read
 * one token, as it looks for the length of a chunk in steps of 128 bytes.
 */
#define CONFAB_TYPE_READ_AHEAD (confab_read_ahead_get_type ())
G_DECLARE_FINAL_TYPE (ConfabReadAhead, confab_read_ahead, CONFAB, READ_AHEAD, GFilterInputStream)

GInputStream *confab_read_ahead_new (GInputStream *base);

G_END_DECLS
