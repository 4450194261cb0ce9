/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "socketio-json-scan.h"

#include "socketio-json.h"

#include <math.h>
#include <string.h>

/*
 * json-glib's parser is not one to show a peer's bytes to: it recurses as deep as they nest, takes
 * comments and assignments, cuts strings at \u0000, wraps large integers, and its objects hash with
 * a function whose collisions anybody can write down. Hence this gate in front of it. Where it
 * would misread correct JSON, a corrected copy is made.
 */

/* Keys that collide, or repeat, cost json-glib a comparison with each one before them in the same
 * object. The sum of these is bounded for one text by a share that allows an object of 4,096
 * members, and by a share that grows with the text, so that objects of a hundred members may be
 * as many as fit. */
#define MAX_KEY_WORK (4096 * 4097 / 2)
#define MAX_KEY_WORK_PER_BYTE 8

/* DBL_MAX has this many digits before the point. */
#define MAX_DOUBLE_DIGITS 309

typedef enum
{
  EXPECT_VALUE,
  EXPECT_VALUE_OR_END,
  EXPECT_KEY,
  EXPECT_KEY_OR_END,
  EXPECT_COMMA_OR_END,
} Expect;

typedef struct
{
  const char *start;
  const char *at;
  const char *end;

  Expect expect;
  guint depth;
  gboolean is_object[SOCKETIO_JSON_MAX_DEPTH];
  guint n_members[SOCKETIO_JSON_MAX_DEPTH];
  gsize key_work;

  /* The corrected text up to @copied; NULL as long as nothing had to be corrected. */
  GString *corrected;
  const char *copied;

  JsonParserError code;
  const char *message;
} Scanner;

static gboolean
fail (Scanner *self, JsonParserError code, const char *message)
{
  self->code = code;
  self->message = message;
  return FALSE;
}

/* Puts @replacement in the place of @length bytes at @where. */
static void
correct (Scanner *self, const char *where, gsize length, const char *replacement)
{
  if (self->corrected == NULL)
    self->corrected = g_string_sized_new (self->end - self->start + strlen (replacement));
  g_string_append_len (self->corrected, self->copied, where - self->copied);
  g_string_append (self->corrected, replacement);
  self->copied = where + length;
}

/* Reads the "\uXXXX" at @text; returns -1 if there is none. */
static int
read_unicode_escape (const char *text, const char *end)
{
  int code = 0;

  if (end - text < 6 || text[0] != '\\' || text[1] != 'u')
    return -1;
  for (int i = 2; i < 6; i++)
    {
      if (!g_ascii_isxdigit (text[i]))
        return -1;
      code = code * 16 + g_ascii_xdigit_value (text[i]);
    }
  return code;
}

static gboolean
is_high_surrogate (int code)
{
  return code >= 0xd800 && code <= 0xdbff;
}

static gboolean
is_low_surrogate (int code)
{
  return code >= 0xdc00 && code <= 0xdfff;
}

static gboolean
scan_escape (Scanner *self)
{
  int code;

  if (self->end - self->at < 2)
    return fail (self, JSON_PARSER_ERROR_PARSE, "Unterminated string");

  /* not strchr(), which finds NUL too */
  if (memchr ("\"\\/bfnrt", self->at[1], 8) != NULL)
    {
      self->at += 2;
      return TRUE;
    }

  code = read_unicode_escape (self->at, self->end);
  if (code < 0)
    return fail (self, JSON_PARSER_ERROR_PARSE, "Invalid escape");

  if (is_high_surrogate (code) && is_low_surrogate (read_unicode_escape (self->at + 6, self->end)))
    {
      self->at += 12;
      return TRUE;
    }
  if (code == 0 || is_high_surrogate (code) || is_low_surrogate (code))
    correct (self, self->at, 6, "\\ufffd");
  self->at += 6;
  return TRUE;
}

static gboolean
scan_string (Scanner *self)
{
  self->at++;
  while (self->at < self->end)
    {
      guchar byte = (guchar) *self->at;

      if (byte == '"')
        {
          self->at++;
          return TRUE;
        }
      if (byte < 0x20)
        return fail (self, JSON_PARSER_ERROR_PARSE, "Control character in a string");
      if (byte != '\\')
        self->at++;
      else if (!scan_escape (self))
        return FALSE;
    }
  return fail (self, JSON_PARSER_ERROR_PARSE, "Unterminated string");
}

/* Returns the number of digits. */
static gsize
skip_digits (Scanner *self)
{
  const char *first = self->at;

  while (self->at < self->end && g_ascii_isdigit (*self->at))
    self->at++;
  return self->at - first;
}

static gboolean
skip_byte (Scanner *self, char byte)
{
  if (self->at == self->end || *self->at != byte)
    return FALSE;
  self->at++;
  return TRUE;
}

/* Reads the digits of an exponent; what is too large for any double stays so. */
static gint64
read_exponent (Scanner *self, gboolean negative)
{
  gint64 exponent = 0;

  for (; self->at < self->end && g_ascii_isdigit (*self->at); self->at++)
    {
      if (exponent < G_MAXINT32)
        exponent = exponent * 10 + (*self->at - '0');
    }
  return negative ? -exponent : exponent;
}

static gboolean
fits_int64 (const char *digits, gsize n_digits, gboolean negative)
{
  const char *limit = negative ? "9223372036854775808" : "9223372036854775807";

  if (n_digits != strlen (limit))
    return n_digits < strlen (limit);
  return memcmp (digits, limit, n_digits) <= 0;
}

static gboolean
fits_double (const char *number, gsize length)
{
  g_autofree char *copy = g_strndup (number, length);

  return isfinite (g_ascii_strtod (copy, NULL));
}

static gboolean
scan_number (Scanner *self)
{
  const char *number = self->at;
  gboolean negative = skip_byte (self, '-');
  const char *digits = self->at;
  gsize n_digits = skip_digits (self);
  gboolean integer = TRUE;
  gint64 exponent = 0;

  if (n_digits == 0 || (n_digits > 1 && digits[0] == '0'))
    return fail (self, JSON_PARSER_ERROR_PARSE, "Invalid number");

  if (skip_byte (self, '.'))
    {
      integer = FALSE;
      if (skip_digits (self) == 0)
        return fail (self, JSON_PARSER_ERROR_PARSE, "Invalid number");
    }
  if (skip_byte (self, 'e') || skip_byte (self, 'E'))
    {
      gboolean negative_exponent = skip_byte (self, '-');

      integer = FALSE;
      if (!negative_exponent)
        skip_byte (self, '+');
      if (self->at == self->end || !g_ascii_isdigit (*self->at))
        return fail (self, JSON_PARSER_ERROR_PARSE, "Invalid number");
      exponent = read_exponent (self, negative_exponent);
    }

  if ((gint64) n_digits + exponent >= MAX_DOUBLE_DIGITS && !fits_double (number, self->at - number))
    return fail (self, JSON_PARSER_ERROR_INVALID_DATA, "Number out of range");

  /* json-glib would wrap it around; with an exponent it is a double */
  if (integer && !fits_int64 (digits, n_digits, negative))
    correct (self, self->at, 0, "e0");
  return TRUE;
}

static gboolean
scan_word (Scanner *self, const char *word)
{
  gsize length = strlen (word);

  if ((gsize) (self->end - self->at) < length || memcmp (self->at, word, length) != 0)
    return fail (self, JSON_PARSER_ERROR_INVALID_BAREWORD, "Unknown word");
  self->at += length;
  return TRUE;
}

static gboolean
open_container (Scanner *self, gboolean is_object)
{
  if (self->depth == SOCKETIO_JSON_MAX_DEPTH)
    return fail (self, JSON_PARSER_ERROR_INVALID_DATA, "Nested too deeply");

  self->is_object[self->depth] = is_object;
  self->n_members[self->depth] = 0;
  self->depth++;
  self->expect = is_object ? EXPECT_KEY_OR_END : EXPECT_VALUE_OR_END;
  self->at++;
  return TRUE;
}

static void
close_container (Scanner *self)
{
  self->depth--;
  self->expect = EXPECT_COMMA_OR_END;
  self->at++;
}

static gboolean
scan_value (Scanner *self)
{
  self->expect = EXPECT_COMMA_OR_END;
  switch (*self->at)
    {
    case '{':
      return open_container (self, TRUE);
    case '[':
      return open_container (self, FALSE);
    case '"':
      return scan_string (self);
    case 't':
      return scan_word (self, "true");
    case 'f':
      return scan_word (self, "false");
    case 'n':
      return scan_word (self, "null");
    default:
      return scan_number (self);
    }
}

static void
skip_space (Scanner *self)
{
  while (self->at < self->end
         && (*self->at == ' ' || *self->at == '\t' || *self->at == '\n' || *self->at == '\r'))
    self->at++;
}

static gboolean
scan_key (Scanner *self)
{
  if (*self->at != '"')
    return fail (self, JSON_PARSER_ERROR_PARSE, "Name of a member expected");

  self->key_work += ++self->n_members[self->depth - 1];
  if (self->key_work > MAX_KEY_WORK + MAX_KEY_WORK_PER_BYTE * (gsize) (self->end - self->start))
    return fail (self, JSON_PARSER_ERROR_INVALID_DATA, "Too many members");

  if (!scan_string (self))
    return FALSE;
  skip_space (self);
  if (!skip_byte (self, ':'))
    return fail (self, JSON_PARSER_ERROR_MISSING_COLON, "Colon expected");
  self->expect = EXPECT_VALUE;
  return TRUE;
}

static gboolean
scan_comma_or_end (Scanner *self)
{
  gboolean in_object;

  if (self->depth == 0)
    return fail (self, JSON_PARSER_ERROR_PARSE, "Trailing bytes");

  in_object = self->is_object[self->depth - 1];
  if (*self->at == (in_object ? '}' : ']'))
    {
      close_container (self);
      return TRUE;
    }
  if (!skip_byte (self, ','))
    return fail (self, JSON_PARSER_ERROR_MISSING_COMMA, "Comma or end expected");
  self->expect = in_object ? EXPECT_KEY : EXPECT_VALUE;
  return TRUE;
}

static gboolean
scan_token (Scanner *self)
{
  switch (self->expect)
    {
    case EXPECT_KEY_OR_END:
      if (*self->at == '}')
        {
          close_container (self);
          return TRUE;
        }
      return scan_key (self);
    case EXPECT_KEY:
      return scan_key (self);
    case EXPECT_VALUE_OR_END:
      if (*self->at == ']')
        {
          close_container (self);
          return TRUE;
        }
      return scan_value (self);
    case EXPECT_VALUE:
      return scan_value (self);
    case EXPECT_COMMA_OR_END:
      return scan_comma_or_end (self);
    default:
      g_assert_not_reached ();
    }
}

static gboolean
scan (Scanner *self)
{
  /* one pass for all: outside of strings the grammar allows ASCII only */
  if (!g_utf8_validate_len (self->start, self->end - self->start, &self->at))
    return fail (self, JSON_PARSER_ERROR_INVALID_DATA, "Invalid UTF-8");

  self->at = self->start;
  while (TRUE)
    {
      skip_space (self);
      if (self->at == self->end)
        break;
      if (!scan_token (self))
        return FALSE;
    }
  if (self->depth > 0 || self->expect != EXPECT_COMMA_OR_END)
    return fail (self, JSON_PARSER_ERROR_PARSE, "Unexpected end");

  if (self->corrected != NULL)
    g_string_append_len (self->corrected, self->copied, self->end - self->copied);
  return TRUE;
}

gboolean
socketio_json_scan (const char *text, gsize length, GString **corrected, GError **error)
{
  Scanner scanner = { .start = text, .at = text, .end = text + length, .copied = text };
  gboolean valid;

  /* json-glib counts in 32 bits */
  if (length > G_MAXINT32 / 2)
    valid = fail (&scanner, JSON_PARSER_ERROR_INVALID_DATA, "Text too long");
  else
    valid = scan (&scanner);

  if (!valid)
    {
      g_set_error (error, JSON_PARSER_ERROR, scanner.code, "%s at byte %" G_GSIZE_FORMAT,
                   scanner.message, (gsize) (scanner.at - scanner.start));
      if (scanner.corrected != NULL)
        g_string_free (scanner.corrected, TRUE);
      return FALSE;
    }
  *corrected = scanner.corrected;
  return TRUE;
}
