/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "confab-http-body.h"

#include <glib/gi18n-lib.h>

#include "confab-error.h"

#define READ_BYTES (16 * 1024)

struct _ConfabHttpBody
{
  GInputStream *stream;
  gboolean ended;
  /* nullable: while more is waited for */
  GSource *source;
};

/**
 * confab_http_body_new:
 * @stream: (transfer full): of soup_session_send_finish()
 *
 * Returns: (transfer full): its reader
 */
ConfabHttpBody *
confab_http_body_new (GInputStream *stream)
{
  ConfabHttpBody *self;

  g_return_val_if_fail (G_IS_POLLABLE_INPUT_STREAM (stream), NULL);

  self = g_new0 (ConfabHttpBody, 1);
  self->stream = stream;

  return self;
}

static void
clear_source (ConfabHttpBody *self)
{
  if (self->source == NULL)
    return;

  g_source_destroy (self->source);
  g_clear_pointer (&self->source, g_source_unref);
}

void
confab_http_body_free (ConfabHttpBody *self)
{
  g_autoptr (GCancellable) at_once = NULL;

  clear_source (self);
  if (!self->ended)
    {
      /* A plain close might first wait for what is still to come; libsoup drops a connection whose
       * I/O was cancelled. */
      at_once = g_cancellable_new ();
      g_cancellable_cancel (at_once);
    }
  g_input_stream_close (self->stream, at_once, NULL);
  g_object_unref (self->stream);
  g_free (self);
}

/**
 * confab_http_body_read_turn:
 * @self: a body that has not ended
 * @cancellable: (nullable): nothing is read any more once it is cancelled
 * @func: (scope call): takes what is read
 * @user_data: for @func
 * @error: set where the body was broken off (%CONFAB_ERROR_UPSTREAM_TRUNCATED), where @func refuses
 *   it, and when it is cancelled
 *
 * Reads what is there, and no more than %CONFAB_HTTP_TURN_BYTES. When @func wants no more, what has
 * come already is still read up: if it is the body's proper end, the connection can be used again.
 */
ConfabHttpBodyTurn
confab_http_body_read_turn (ConfabHttpBody *self,
                            GCancellable *cancellable,
                            ConfabHttpBodyFunc func,
                            gpointer user_data,
                            GError **error)
{
  GPollableInputStream *stream = G_POLLABLE_INPUT_STREAM (self->stream);
  gboolean wanted = TRUE;
  char buffer[READ_BYTES];

  for (gsize total = 0; total < CONFAB_HTTP_TURN_BYTES;)
    {
      g_autoptr (GError) read_error = NULL;
      GError *func_error = NULL;
      gssize n;

      if (g_cancellable_set_error_if_cancelled (cancellable, error))
        return CONFAB_HTTP_BODY_ENDED;

      n = g_pollable_input_stream_read_nonblocking (stream, buffer, sizeof buffer, NULL,
                                                    &read_error);
      if (n == 0)
        {
          self->ended = TRUE;
          return CONFAB_HTTP_BODY_ENDED;
        }

      if (g_error_matches (read_error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK))
        return wanted ? CONFAB_HTTP_BODY_BLOCKED : CONFAB_HTTP_BODY_ENDED;

      if (n < 0)
        {
          if (wanted)
            g_set_error (error, CONFAB_ERROR, CONFAB_ERROR_UPSTREAM_TRUNCATED,
                         _ ("The model server broke off its answer (%s)."), read_error->message);
          return CONFAB_HTTP_BODY_ENDED;
        }

      total += (gsize) n;
      if (!wanted)
        continue;

      wanted = func (buffer, (gsize) n, user_data, &func_error);
      if (func_error != NULL)
        {
          g_propagate_error (error, func_error);
          return CONFAB_HTTP_BODY_ENDED;
        }
    }

  return wanted ? CONFAB_HTTP_BODY_FULL : CONFAB_HTTP_BODY_ENDED;
}

/**
 * confab_http_body_wait:
 * @self: a body that was blocked in its last turn, and has not been waited for since
 * @context: (nullable): where @func is called, once; it returns %G_SOURCE_REMOVE
 * @destroy: (nullable): called afterwards, or when the body is freed before
 *
 * Has @func called when there is more. A new source each time: libsoup's HTTP/1 stream answers
 * "readable" from its own buffer, so that a source which is kept spins.
 */
void
confab_http_body_wait (ConfabHttpBody *self,
                       GMainContext *context,
                       GPollableSourceFunc func,
                       gpointer user_data,
                       GDestroyNotify destroy)
{
  clear_source (self);
  self->source =
      g_pollable_input_stream_create_source (G_POLLABLE_INPUT_STREAM (self->stream), NULL);
  g_source_set_static_name (self->source, "[confab] upstream body");
  g_source_set_callback (self->source, G_SOURCE_FUNC (func), user_data, destroy);
  g_source_attach (self->source, context);
}
