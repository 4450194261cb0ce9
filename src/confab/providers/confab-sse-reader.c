/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <string.h>
#include <glib/gi18n-lib.h>

#include "confab-sse-reader.h"
#include "confab-error.h"

static const char byte_order_mark[] = "\xef\xbb\xbf";
#define BOM_LENGTH 3

struct _ConfabSseReader
{
  /* The start of a line whose end has not come yet; empty whenever lines arrive whole. */
  GString *line;

  /* The event being gathered. All three buffers are kept from event to event. */
  GString *data;
  GString *event;
  gboolean has_data;

  /* A CR ended the last line, so an LF that follows belongs to it. */
  gboolean after_cr;

  /* How much of the byte order mark was seen; BOM_LENGTH once past the stream's start. */
  guint bom_seen;
};

ConfabSseReader *
confab_sse_reader_new (void)
{
  ConfabSseReader *self = g_new0 (ConfabSseReader, 1);

  self->line = g_string_new (NULL);
  self->data = g_string_sized_new (1024);
  self->event = g_string_new (NULL);

  return self;
}

void
confab_sse_reader_free (ConfabSseReader *self)
{
  if (self == NULL)
    return;

  g_string_free (self->line, TRUE);
  g_string_free (self->data, TRUE);
  g_string_free (self->event, TRUE);
  g_free (self);
}

static gboolean
dispatch (ConfabSseReader *self, ConfabSseEventFunc func, gpointer user_data)
{
  gboolean go_on = TRUE;

  if (self->has_data)
    go_on = func (self->event->len > 0 ? self->event->str : "message", self->data->str,
                  self->data->len, user_data);

  g_string_truncate (self->data, 0);
  g_string_truncate (self->event, 0);
  self->has_data = FALSE;

  return go_on;
}

/* Fields other than event and data (id, retry) are for reconnecting, which no upstream offers. */
static void
take_field (ConfabSseReader *self, const char *line, gsize length)
{
  const char *colon = memchr (line, ':', length);
  gsize name_length = colon != NULL ? (gsize) (colon - line) : length;
  const char *value = colon != NULL ? colon + 1 : line + length;
  gsize value_length = (gsize) (line + length - value);

  if (value_length > 0 && value[0] == ' ')
    {
      value++;
      value_length--;
    }

  if (name_length == 4 && memcmp (line, "data", 4) == 0)
    {
      if (self->has_data)
        g_string_append_c (self->data, '\n');
      g_string_append_len (self->data, value, (gssize) value_length);
      self->has_data = TRUE;
    }
  else if (name_length == 5 && memcmp (line, "event", 5) == 0)
    {
      g_string_truncate (self->event, 0);
      g_string_append_len (self->event, value, (gssize) value_length);
    }
}

/* Returns: whether to go on */
static gboolean
take_line (ConfabSseReader *self,
           const char *line,
           gsize length,
           ConfabSseEventFunc func,
           gpointer user_data)
{
  if (length == 0)
    return dispatch (self, func, user_data);

  if (line[0] != ':')
    take_field (self, line, length);

  return TRUE;
}

/* Skips a byte order mark at the stream's start, which may itself be cut. Returns: bytes used up.
 */
static gsize
skip_bom (ConfabSseReader *self, const char *bytes, gsize length)
{
  gsize i = 0;

  while (self->bom_seen < BOM_LENGTH && i < length)
    {
      if (bytes[i] != byte_order_mark[self->bom_seen])
        {
          g_string_append_len (self->line, byte_order_mark, self->bom_seen);
          self->bom_seen = BOM_LENGTH;
          break;
        }
      self->bom_seen++;
      i++;
    }

  return i;
}

static gboolean
check_size (ConfabSseReader *self, gsize more, GError **error)
{
  if (more <= CONFAB_SSE_MAX_EVENT
      && self->line->len + self->data->len + self->event->len + more <= CONFAB_SSE_MAX_EVENT)
    return TRUE;

  g_set_error_literal (error, CONFAB_ERROR, CONFAB_ERROR_TOO_LARGE,
                       _ ("The model server sent an event that is too large."));
  return FALSE;
}

/* Where the line at @pos ends; @end if that has not come yet. The next LF is remembered over the
 * lines before it in @next_lf, NULL at first: a CR-only stream is not searched again and again. */
static const char *
find_stop (const char *pos, const char *end, const char **next_lf)
{
  const char *cr;

  if (*next_lf == NULL || *next_lf < pos)
    {
      *next_lf = memchr (pos, '\n', (gsize) (end - pos));
      if (*next_lf == NULL)
        *next_lf = end;
    }
  cr = memchr (pos, '\r', (gsize) (*next_lf - pos));

  return cr != NULL ? cr : *next_lf;
}

/* Takes the rest of a line, whose start may have come before. Returns: whether to go on */
static gboolean
take_rest (ConfabSseReader *self,
           const char *rest,
           gsize length,
           ConfabSseEventFunc func,
           gpointer user_data)
{
  gboolean go_on;

  if (self->line->len == 0)
    return take_line (self, rest, length, func, user_data);

  g_string_append_len (self->line, rest, (gssize) length);
  go_on = take_line (self, self->line->str, self->line->len, func, user_data);
  g_string_truncate (self->line, 0);

  return go_on;
}

/**
 * confab_sse_reader_feed:
 * @bytes: @length bytes as they came
 * @func: called for each event that they complete; must not feed or free the reader
 *
 * Parses as the HTML standard's "Interpreting an event stream" says: lines end in CR, LF or CRLF.
 *
 * Returns: FALSE with %CONFAB_ERROR_TOO_LARGE if an event or line passes %CONFAB_SSE_MAX_EVENT;
 *   the reader is of no use then
 */
gboolean
confab_sse_reader_feed (ConfabSseReader *self,
                        const char *bytes,
                        gsize length,
                        ConfabSseEventFunc func,
                        gpointer user_data,
                        GError **error)
{
  const char *pos = bytes;
  const char *end = bytes + length;
  const char *next_lf = NULL;

  g_return_val_if_fail (self != NULL && func != NULL, FALSE);

  if (self->bom_seen < BOM_LENGTH)
    pos += skip_bom (self, bytes, length);

  while (pos < end)
    {
      const char *stop;

      if (self->after_cr && *pos == '\n')
        pos++;
      self->after_cr = FALSE;
      if (pos == end)
        break;

      stop = find_stop (pos, end, &next_lf);
      if (!check_size (self, (gsize) (stop - pos), error))
        return FALSE;

      if (stop == end)
        {
          g_string_append_len (self->line, pos, end - pos);
          break;
        }

      self->after_cr = *stop == '\r';
      if (!take_rest (self, pos, (gsize) (stop - pos), func, user_data))
        break;
      pos = stop + 1;
    }

  return TRUE;
}

/**
 * confab_sse_reader_finish:
 *
 * Tells the reader that the stream has ended. The standard drops an event without its blank line;
 * here it counts, since model servers leave that line out after their last event.
 */
void
confab_sse_reader_finish (ConfabSseReader *self, ConfabSseEventFunc func, gpointer user_data)
{
  g_return_if_fail (self != NULL && func != NULL);

  if (self->line->len > 0)
    take_line (self, self->line->str, self->line->len, func, user_data);
  g_string_truncate (self->line, 0);

  dispatch (self, func, user_data);
}
