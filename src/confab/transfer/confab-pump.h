/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* A peer that lets us wait longer than this is given up, in ms. */
#define CONFAB_PUMP_PATIENCE_MS (60 * 1000)

/*
 * ConfabPump: reads or writes a file, a pipe or a socket that somebody else gave us, and may have
 * the other end of. The mode of such a descriptor is shared with its giver and is left as it is, so
 * that each step first waits until it need not block. For a thread of its own.
 *
 * Errors are CONFAB_ERROR, with a sentence for people; G_IO_ERROR_CANCELLED when cancelled.
 */
typedef struct
{
  int fd; /* not owned */
  guint patience_ms;
  GCancellable *cancellable; /* nullable; not owned */
} ConfabPump;

gboolean confab_pump_write (ConfabPump *self, const char *bytes, gsize length, GError **error);
/* Returns: how many bytes were read, at least 1; 0 at the end; -1 with @error */
gssize confab_pump_read (ConfabPump *self, char *bytes, gsize length, GError **error);

G_END_DECLS
