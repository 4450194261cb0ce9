/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "confab-json-cursor.h"

#include <string.h>

/* Deeper values, and longer numbers, are none of the plain cases. */
#define MAX_DEPTH 16
#define MAX_DIGITS 15

void
confab_json_cursor_init (ConfabJsonCursor *self, const char *text, gsize length)
{
  self->at = text;
  self->end = text + length;
}

static void
skip_space (ConfabJsonCursor *self)
{
  while (self->at < self->end
         && (*self->at == ' ' || *self->at == '\n' || *self->at == '\r' || *self->at == '\t'))
    self->at++;
}

static gboolean
take_char (ConfabJsonCursor *self, char expected)
{
  skip_space (self);
  if (self->at == self->end || *self->at != expected)
    return FALSE;

  self->at++;

  return TRUE;
}

/**
 * confab_json_cursor_take_word:
 * @self: a cursor
 * @word: a value as it is written: `null`, or a number
 */
gboolean
confab_json_cursor_take_word (ConfabJsonCursor *self, const char *word)
{
  gsize length = strlen (word);

  skip_space (self);
  if ((gsize) (self->end - self->at) < length || memcmp (self->at, word, length) != 0)
    return FALSE;

  self->at += length;

  return TRUE;
}

/* Up to the next quotation mark or backslash: text that stands for itself. */
static gboolean
take_run (ConfabJsonCursor *self, GString *out)
{
  const char *start = self->at;
  gboolean is_ascii = TRUE;

  for (; self->at < self->end && *self->at != '"' && *self->at != '\\'; self->at++)
    {
      if ((guchar) *self->at < 0x20)
        return FALSE;
      is_ascii = is_ascii && (guchar) *self->at < 0x80;
    }
  if (self->at == self->end || (!is_ascii && !g_utf8_validate_len (start, self->at - start, NULL)))
    return FALSE;

  if (out != NULL)
    g_string_append_len (out, start, self->at - start);

  return TRUE;
}

/* "uXXXX", whose backslash was taken; -1 if it is not that. */
static gint
take_unit (ConfabJsonCursor *self)
{
  gint unit = 0;

  if (self->end - self->at < 5 || *self->at != 'u')
    return -1;
  for (guint i = 1; i <= 4; i++)
    {
      if (!g_ascii_isxdigit (self->at[i]))
        return -1;
      unit = unit * 16 + g_ascii_xdigit_value (self->at[i]);
    }
  self->at += 5;

  return unit;
}

static gboolean
take_unicode (ConfabJsonCursor *self, GString *out)
{
  gint unit = take_unit (self);
  gint low;

  /* what a C string or UTF-8 cannot hold is not plain */
  if (unit <= 0 || (unit >= 0xdc00 && unit <= 0xdfff))
    return FALSE;
  if (unit >= 0xd800 && unit <= 0xdbff)
    {
      if (self->at == self->end || *self->at++ != '\\')
        return FALSE;
      low = take_unit (self);
      if (low < 0xdc00 || low > 0xdfff)
        return FALSE;
      unit = 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
    }

  if (out != NULL)
    g_string_append_unichar (out, (gunichar) unit);

  return TRUE;
}

static gboolean
take_escape (ConfabJsonCursor *self, GString *out)
{
  static const char names[] = "\"\\/bfnrt";
  static const char values[] = "\"\\/\b\f\n\r\t";
  const char *found;

  if (self->at == self->end)
    return FALSE;
  if (*self->at == 'u')
    return take_unicode (self, out);

  found = memchr (names, *self->at, sizeof names - 1);
  if (found == NULL)
    return FALSE;
  if (out != NULL)
    g_string_append_c (out, values[found - names]);
  self->at++;

  return TRUE;
}

/**
 * confab_json_cursor_take_string:
 * @self: a cursor
 * @out: (nullable): where the string is appended; if this fails, maybe a part of it
 */
gboolean
confab_json_cursor_take_string (ConfabJsonCursor *self, GString *out)
{
  if (!take_char (self, '"'))
    return FALSE;

  for (;;)
    {
      if (!take_run (self, out))
        return FALSE;
      if (*self->at++ == '"')
        return TRUE;
      if (!take_escape (self, out))
        return FALSE;
    }
}

static guint
count_digits (ConfabJsonCursor *self)
{
  const char *start = self->at;

  while (self->at < self->end && g_ascii_isdigit (*self->at))
    self->at++;

  return (guint) (self->at - start);
}

/* Without an exponent, and of few digits. */
static gboolean
skip_number (ConfabJsonCursor *self)
{
  const char *first;
  guint n_digits;

  if (self->at < self->end && *self->at == '-')
    self->at++;
  first = self->at;
  n_digits = count_digits (self);
  if (n_digits == 0 || n_digits > MAX_DIGITS || (n_digits > 1 && *first == '0'))
    return FALSE;
  if (self->at < self->end && *self->at == '.')
    {
      self->at++;
      n_digits = count_digits (self);
      if (n_digits == 0 || n_digits > MAX_DIGITS)
        return FALSE;
    }

  return self->at == self->end || (*self->at != 'e' && *self->at != 'E');
}

static gboolean skip_value (ConfabJsonCursor *self, guint depth);

static gboolean
skip_items (ConfabJsonCursor *self, char bracket, guint depth)
{
  ConfabJsonKey key;
  ConfabJsonStep step;

  if (depth == MAX_DEPTH)
    return FALSE;

  self->at++;
  for (gboolean first = TRUE;; first = FALSE)
    {
      step = bracket == '{' ? confab_json_cursor_next_member (self, first, &key)
                            : confab_json_cursor_next_element (self, first);
      if (step != CONFAB_JSON_STEP_ITEM)
        return step == CONFAB_JSON_STEP_END;
      if (!skip_value (self, depth + 1))
        return FALSE;
    }
}

static gboolean
skip_value (ConfabJsonCursor *self, guint depth)
{
  skip_space (self);
  if (self->at == self->end)
    return FALSE;

  switch (*self->at)
    {
    case '"':
      return confab_json_cursor_take_string (self, NULL);
    case '{':
    case '[':
      return skip_items (self, *self->at, depth);
    case 't':
      return confab_json_cursor_take_word (self, "true");
    case 'f':
      return confab_json_cursor_take_word (self, "false");
    case 'n':
      return confab_json_cursor_take_word (self, "null");
    default:
      return skip_number (self);
    }
}

gboolean
confab_json_cursor_skip (ConfabJsonCursor *self)
{
  return skip_value (self, 0);
}

/**
 * confab_json_cursor_enter:
 * @self: a cursor
 * @bracket: '{' or '['
 */
gboolean
confab_json_cursor_enter (ConfabJsonCursor *self, char bracket)
{
  return take_char (self, bracket);
}

static ConfabJsonStep
next_item (ConfabJsonCursor *self, gboolean first, char bracket)
{
  skip_space (self);
  if (self->at == self->end)
    return CONFAB_JSON_STEP_UNFIT;
  if (*self->at == bracket)
    {
      self->at++;
      return CONFAB_JSON_STEP_END;
    }
  if (!first && !take_char (self, ','))
    return CONFAB_JSON_STEP_UNFIT;

  return CONFAB_JSON_STEP_ITEM;
}

/**
 * confab_json_cursor_next_member:
 * @self: a cursor in an object
 * @first: whether this is the first step in it
 * @key: (out caller-allocates): the member's name; one with an escape in it is unfit
 */
ConfabJsonStep
confab_json_cursor_next_member (ConfabJsonCursor *self, gboolean first, ConfabJsonKey *key)
{
  ConfabJsonStep step = next_item (self, first, '}');

  if (step != CONFAB_JSON_STEP_ITEM)
    return step;
  if (!take_char (self, '"'))
    return CONFAB_JSON_STEP_UNFIT;

  key->text = self->at;
  if (!take_run (self, NULL) || *self->at != '"')
    return CONFAB_JSON_STEP_UNFIT;
  key->length = (gsize) (self->at - key->text);
  self->at++;

  return take_char (self, ':') ? CONFAB_JSON_STEP_ITEM : CONFAB_JSON_STEP_UNFIT;
}

ConfabJsonStep
confab_json_cursor_next_element (ConfabJsonCursor *self, gboolean first)
{
  return next_item (self, first, ']');
}

gboolean
confab_json_cursor_is_at_end (ConfabJsonCursor *self)
{
  skip_space (self);

  return self->at == self->end;
}

gboolean
confab_json_key_is (const ConfabJsonKey *key, const char *name)
{
  return key->length == strlen (name) && memcmp (key->text, name, key->length) == 0;
}
