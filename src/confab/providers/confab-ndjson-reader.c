/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <string.h>
#include <glib/gi18n-lib.h>

#include "confab-ndjson-reader.h"
#include "confab-error.h"

struct _ConfabNdjsonReader
{
  /* The start of a line whose end has not come yet; empty whenever lines arrive whole. */
  GString *line;
};

ConfabNdjsonReader *
confab_ndjson_reader_new (void)
{
  ConfabNdjsonReader *self = g_new0 (ConfabNdjsonReader, 1);

  self->line = g_string_new (NULL);

  return self;
}

void
confab_ndjson_reader_free (ConfabNdjsonReader *self)
{
  if (self == NULL)
    return;

  g_string_free (self->line, TRUE);
  g_free (self);
}

/* White space around a JSON text means nothing, and so do the CR of a CRLF and blank lines. */
static gboolean
take_line (const char *line, gsize length, ConfabNdjsonLineFunc func, gpointer user_data)
{
  while (length > 0 && g_ascii_isspace (line[length - 1]))
    length--;
  while (length > 0 && g_ascii_isspace (line[0]))
    {
      line++;
      length--;
    }

  return length == 0 || func (line, length, user_data);
}

/**
 * confab_ndjson_reader_feed:
 * @bytes: @length bytes as they came
 * @func: called for each line that they complete; must not feed or free the reader
 *
 * Lines end in LF or CRLF.
 *
 * Returns: FALSE with %CONFAB_ERROR_TOO_LARGE if a line passes %CONFAB_NDJSON_MAX_LINE; the reader
 *   is of no use then
 */
gboolean
confab_ndjson_reader_feed (ConfabNdjsonReader *self,
                           const char *bytes,
                           gsize length,
                           ConfabNdjsonLineFunc func,
                           gpointer user_data,
                           GError **error)
{
  const char *pos = bytes;
  const char *end = bytes + length;

  g_return_val_if_fail (self != NULL && func != NULL, FALSE);

  while (pos < end)
    {
      const char *lf = memchr (pos, '\n', (gsize) (end - pos));
      gsize size = (gsize) ((lf != NULL ? lf : end) - pos);
      gboolean go_on;

      if (size > CONFAB_NDJSON_MAX_LINE - self->line->len)
        {
          g_set_error_literal (error, CONFAB_ERROR, CONFAB_ERROR_TOO_LARGE,
                               _ ("The model server sent a line that is too long."));
          return FALSE;
        }

      if (lf == NULL)
        {
          g_string_append_len (self->line, pos, (gssize) size);
          break;
        }

      if (self->line->len == 0)
        {
          go_on = take_line (pos, size, func, user_data);
        }
      else
        {
          g_string_append_len (self->line, pos, (gssize) size);
          go_on = take_line (self->line->str, self->line->len, func, user_data);
          g_string_truncate (self->line, 0);
        }

      pos = lf + 1;
      if (!go_on)
        break;
    }

  return TRUE;
}

/**
 * confab_ndjson_reader_finish:
 *
 * Tells the reader that the stream has ended; a last line counts without its end too.
 */
void
confab_ndjson_reader_finish (ConfabNdjsonReader *self,
                             ConfabNdjsonLineFunc func,
                             gpointer user_data)
{
  g_return_if_fail (self != NULL && func != NULL);

  take_line (self->line->str, self->line->len, func, user_data);
  g_string_truncate (self->line, 0);
}
