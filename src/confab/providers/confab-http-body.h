/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* The most that is read from one upstream before others have their turn. */
#define CONFAB_HTTP_TURN_BYTES (64 * 1024)

/*
 * ConfabHttpBody: the body of a response, read as it comes and never waited for.
 */
typedef struct _ConfabHttpBody ConfabHttpBody;

typedef enum
{
  CONFAB_HTTP_BODY_BLOCKED, /* nothing more is there yet */
  CONFAB_HTTP_BODY_FULL,    /* there may be more, but others have their turn */
  CONFAB_HTTP_BODY_ENDED,   /* no more comes, or no more is wanted */
} ConfabHttpBodyTurn;

/* Returns whether to go on. FALSE without @error: no more is wanted, and all is well. */
typedef gboolean (*ConfabHttpBodyFunc) (const char *bytes,
                                        gsize length,
                                        gpointer user_data,
                                        GError **error);

ConfabHttpBody *confab_http_body_new (GInputStream *stream);
/* Gives the connection back if the body was read to its end, and closes it if not. */
void confab_http_body_free (ConfabHttpBody *self);

ConfabHttpBodyTurn confab_http_body_read_turn (ConfabHttpBody *self,
                                               GCancellable *cancellable,
                                               ConfabHttpBodyFunc func,
                                               gpointer user_data,
                                               GError **error);
void confab_http_body_wait (ConfabHttpBody *self,
                            GMainContext *context,
                            GPollableSourceFunc func,
                            gpointer user_data,
                            GDestroyNotify destroy);

G_END_DECLS
