/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "socketio-http-head.h"

#include <string.h>

typedef struct
{
  const char *start;
  gsize length;
} Span;

typedef struct
{
  gboolean is_http_1_0;
  gboolean is_options;
  guint n_fields;
  guint n_hosts;
  guint n_content_lengths;
  guint n_transfer_encodings;
} Head;

static gboolean
span_is (Span span, const char *text)
{
  return span.length == strlen (text) && memcmp (span.start, text, span.length) == 0;
}

static gboolean
span_is_case (Span span, const char *text)
{
  return span.length == strlen (text) && g_ascii_strncasecmp (span.start, text, span.length) == 0;
}

/* Takes what is before @separator off the front of @rest. */
static gboolean
span_cut (Span *rest, char separator, Span *part)
{
  const char *at = memchr (rest->start, separator, rest->length);

  if (at == NULL)
    return FALSE;

  part->start = rest->start;
  part->length = at - rest->start;
  rest->start = at + 1;
  rest->length -= part->length + 1;
  return TRUE;
}

/* RFC 9110, 5.6.2 */
static gboolean
is_token (Span span)
{
  static const char others[] = "!#$%&'*+-.^_`|~";

  /* memchr(), because strchr() would find the NUL at the end */
  for (gsize i = 0; i < span.length; i++)
    if (!g_ascii_isalnum (span.start[i])
        && memchr (others, span.start[i], sizeof others - 1) == NULL)
      return FALSE;
  return span.length > 0;
}

static gboolean
is_visible (Span span)
{
  for (gsize i = 0; i < span.length; i++)
    if (!g_ascii_isgraph (span.start[i]))
      return FALSE;
  return span.length > 0;
}

static gboolean
is_field_value (Span span)
{
  for (gsize i = 0; i < span.length; i++)
    {
      guchar c = span.start[i];

      if ((c < 0x20 && c != '\t') || c == 0x7f)
        return FALSE;
    }
  return TRUE;
}

static Span
span_strip (Span span)
{
  while (span.length > 0 && (span.start[0] == ' ' || span.start[0] == '\t'))
    {
      span.start++;
      span.length--;
    }
  while (span.length > 0
         && (span.start[span.length - 1] == ' ' || span.start[span.length - 1] == '\t'))
    span.length--;
  return span;
}

static guint
check_request_line (Head *head, Span line)
{
  static const char *const methods[] = {
    "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"
  };
  Span method, target;
  gboolean known = FALSE;

  if (!span_cut (&line, ' ', &method) || !is_token (method) || !span_cut (&line, ' ', &target))
    return 400;
  if (span_is (line, "HTTP/1.0"))
    head->is_http_1_0 = TRUE;
  else if (!span_is (line, "HTTP/1.1"))
    return line.length == 8 && memcmp (line.start, "HTTP/", 5) == 0 ? 505 : 400;

  for (gsize i = 0; i < G_N_ELEMENTS (methods); i++)
    known = known || span_is (method, methods[i]);
  if (!known)
    return 501;

  head->is_options = span_is (method, "OPTIONS");
  if (!is_visible (target))
    return 400;
  if (target.start[0] != '/' && !(head->is_options && span_is (target, "*")))
    return 400;
  return 200;
}

static gboolean
is_all_digits (Span span)
{
  for (gsize i = 0; i < span.length; i++)
    if (!g_ascii_isdigit (span.start[i]))
      return FALSE;
  return span.length > 0 && span.length <= 18;
}

static guint
check_field (Head *head, Span line)
{
  Span name, value;

  /* a folded line begins with a blank, which no token may have */
  if (!span_cut (&line, ':', &name) || !is_token (name))
    return 400;
  value = span_strip (line);
  if (!is_field_value (value))
    return 400;
  if (++head->n_fields > SOCKETIO_HTTP_HEAD_MAX_FIELDS)
    return 431;

  if (span_is_case (name, "Host"))
    return ++head->n_hosts > 1 ? 400 : 200;
  if (span_is_case (name, "Content-Length"))
    return ++head->n_content_lengths > 1 || !is_all_digits (value) ? 400 : 200;
  if (span_is_case (name, "Transfer-Encoding"))
    {
      if (++head->n_transfer_encodings > 1)
        return 400;
      return span_is_case (value, "chunked") ? 200 : 501;
    }
  return 200;
}

static guint
check_framing (Head *head)
{
  if (head->n_transfer_encodings > 0 && (head->n_content_lengths > 0 || head->is_http_1_0))
    return 400;
  if (head->n_hosts == 0 && !head->is_http_1_0)
    return 400;
  return 200;
}

/* Takes a line that ends in CRLF; a bare CR or LF in it is an error. */
static gboolean
next_line (Span *rest, Span *line)
{
  if (!span_cut (rest, '\n', line))
    return FALSE;
  if (line->length == 0 || line->start[line->length - 1] != '\r')
    return FALSE;
  line->length--;
  return memchr (line->start, '\r', line->length) == NULL;
}

static guint
check_complete (const char *data, gsize length)
{
  Head head = { 0 };
  Span rest = { data, length };
  Span line;
  guint status;

  if (!next_line (&rest, &line))
    return 400;
  status = check_request_line (&head, line);
  if (status != 200)
    return status;

  while (next_line (&rest, &line))
    {
      if (line.length == 0)
        return check_framing (&head);
      status = check_field (&head, line);
      if (status != 200)
        return status;
    }
  return 400;
}

guint
socketio_http_head_check (const char *data, gsize length, gsize *scanned)
{
  gsize from = *scanned > 3 ? *scanned - 3 : 0;
  const char *end;

  /* what does not begin like a method is not HTTP/1 at all (a TLS hello, say): no need to wait */
  if (length > 0 && !g_ascii_isupper (data[0]))
    return 400;

  end = memmem (data + from, length - from, "\r\n\r\n", 4);
  if (end == NULL)
    {
      *scanned = length;
      return length >= SOCKETIO_HTTP_HEAD_MAX ? 431 : 0;
    }
  if ((gsize) (end - data) + 4 > SOCKETIO_HTTP_HEAD_MAX)
    return 431;
  return check_complete (data, end + 4 - data);
}
