/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "confab-import-scanner.h"

#include <glib/gi18n-lib.h>
#include <string.h>

#include "confab-error.h"

/* What may come next. */
typedef enum
{
  EXPECT_OBJECT,
  EXPECT_FIRST_KEY, /* or the end of the object */
  EXPECT_KEY,
  EXPECT_COLON,
  EXPECT_VALUE,
  EXPECT_NEXT_MEMBER, /* a comma, or the end of the object */
  EXPECT_ARRAY,
  EXPECT_FIRST_RECORD, /* or the end of the array */
  EXPECT_RECORD,
  EXPECT_NEXT_RECORD, /* a comma, or the end of the array */
  EXPECT_NOTHING,
} Expectation;

typedef enum
{
  VALUE_NONE,
  VALUE_STRING,
  VALUE_NESTED,
  VALUE_SCALAR, /* a number or a word: ends before what cannot belong to it */
} ValueKind;

struct _ConfabImportScanner
{
  ConfabImportFunc func;
  gpointer user_data;

  Expectation expectation;
  gboolean had_records;
  GString *key;
  guint line;

  /* the value that is being read */
  ValueKind kind;
  GString *text;
  guint depth;
  gboolean in_string;
  gboolean after_backslash;
  guint first_line;
  gsize n_members;
};

ConfabImportScanner *
confab_import_scanner_new (ConfabImportFunc func, gpointer user_data)
{
  ConfabImportScanner *self = g_new0 (ConfabImportScanner, 1);

  self->func = func;
  self->user_data = user_data;
  self->line = 1;
  self->key = g_string_new (NULL);
  self->text = g_string_new (NULL);

  return self;
}

void
confab_import_scanner_free (ConfabImportScanner *self)
{
  g_string_free (self->key, TRUE);
  g_string_free (self->text, TRUE);
  g_free (self);
}

static gboolean
refuse_byte (ConfabImportScanner *self, GError **error)
{
  switch (self->expectation)
    {
    case EXPECT_OBJECT:
      return confab_error_refuse (error, CONFAB_ERROR_INVALID_REQUEST,
                                  _ ("This is no export of Confab: it does not begin with “{”."));
    case EXPECT_ARRAY:
      return confab_error_refuse (error, CONFAB_ERROR_INVALID_REQUEST,
                                  _ ("Line %u: the field records must be an array."), self->line);
    case EXPECT_NOTHING:
      return confab_error_refuse (error, CONFAB_ERROR_INVALID_REQUEST,
                                  _ ("Line %u: there is more after the end of the export."),
                                  self->line);
    default:
      return confab_error_refuse (error, CONFAB_ERROR_INVALID_REQUEST,
                                  _ ("Line %u: this is no JSON."), self->line);
    }
}

static gboolean
is_space (char byte)
{
  return byte == ' ' || byte == '\n' || byte == '\r' || byte == '\t';
}

/* Values */

static void
begin_value (ConfabImportScanner *self, char byte)
{
  g_string_assign (self->text, "");
  g_string_append_c (self->text, byte);
  self->kind = byte == '"' ? VALUE_STRING : VALUE_SCALAR;
  if (byte == '{' || byte == '[')
    self->kind = VALUE_NESTED;
  self->depth = self->kind == VALUE_NESTED ? 1 : 0;
  self->in_string = self->kind == VALUE_STRING;
  self->after_backslash = FALSE;
  self->first_line = self->line;
  self->n_members = 0;
}

static gboolean
end_value (ConfabImportScanner *self, GError **error)
{
  ConfabImportItem item = { .text = self->text->str,
                            .length = self->text->len,
                            .line = self->first_line,
                            .n_members = self->n_members };

  self->kind = VALUE_NONE;
  switch (self->expectation)
    {
    case EXPECT_FIRST_KEY:
    case EXPECT_KEY:
      g_string_truncate (self->key, 0);
      g_string_append_len (self->key, self->text->str + 1, (gssize) self->text->len - 2);
      self->expectation = EXPECT_COLON;
      return TRUE;
    case EXPECT_VALUE:
      item.key = self->key->str;
      self->expectation = EXPECT_NEXT_MEMBER;
      return self->func (&item, self->user_data, error);
    default:
      self->expectation = EXPECT_NEXT_RECORD;
      return self->func (&item, self->user_data, error);
    }
}

static void
take_in_string (ConfabImportScanner *self, char byte)
{
  if (self->after_backslash)
    self->after_backslash = FALSE;
  else if (byte == '\\')
    self->after_backslash = TRUE;
  else if (byte == '"')
    self->in_string = FALSE;
}

static void
take_nested (ConfabImportScanner *self, char byte)
{
  if (byte == '"')
    self->in_string = TRUE;
  else if (byte == '{' || byte == '[')
    self->depth++;
  else if (byte == '}' || byte == ']')
    self->depth--;
  else if (byte == ':')
    self->n_members++;
}

/* @again: (out): the value ended before @byte */
static gboolean
take_in_value (ConfabImportScanner *self, char byte, gboolean *again, GError **error)
{
  if (self->kind == VALUE_SCALAR && (is_space (byte) || strchr (",:]}", byte) != NULL))
    {
      *again = TRUE;
      return end_value (self, error);
    }

  if (self->text->len >= CONFAB_IMPORT_MAX_RECORD_BYTES)
    return confab_error_refuse (error, CONFAB_ERROR_TOO_LARGE,
                                _ ("Line %u: this is longer than %u bytes."), self->first_line,
                                CONFAB_IMPORT_MAX_RECORD_BYTES);

  g_string_append_c (self->text, byte);
  if (self->in_string)
    take_in_string (self, byte);
  else if (self->kind == VALUE_NESTED)
    take_nested (self, byte);

  if (self->kind != VALUE_SCALAR && !self->in_string && self->depth == 0)
    return end_value (self, error);

  return TRUE;
}

/* Between values */

static gboolean
take_value_start (ConfabImportScanner *self, char byte, GError **error)
{
  if (strchr (",:]}", byte) != NULL)
    return refuse_byte (self, error);

  begin_value (self, byte);

  return TRUE;
}

static gboolean
take_key_start (ConfabImportScanner *self, char byte, GError **error)
{
  return byte == '"' ? take_value_start (self, byte, error) : refuse_byte (self, error);
}

static gboolean
expect (ConfabImportScanner *self, Expectation expectation)
{
  self->expectation = expectation;

  return TRUE;
}

static gboolean
take_colon (ConfabImportScanner *self, GError **error)
{
  if (strcmp (self->key->str, "records") != 0)
    return expect (self, EXPECT_VALUE);
  if (self->had_records)
    return confab_error_refuse (error, CONFAB_ERROR_INVALID_REQUEST,
                                _ ("Line %u: the field records is there twice."), self->line);

  self->had_records = TRUE;

  return expect (self, EXPECT_ARRAY);
}

static gboolean
take_between (ConfabImportScanner *self, char byte, GError **error)
{
  switch (self->expectation)
    {
    case EXPECT_OBJECT:
      return byte == '{' ? expect (self, EXPECT_FIRST_KEY) : refuse_byte (self, error);
    case EXPECT_FIRST_KEY:
      return byte == '}' ? expect (self, EXPECT_NOTHING) : take_key_start (self, byte, error);
    case EXPECT_KEY:
      return take_key_start (self, byte, error);
    case EXPECT_COLON:
      return byte == ':' ? take_colon (self, error) : refuse_byte (self, error);
    case EXPECT_VALUE:
    case EXPECT_RECORD:
      return take_value_start (self, byte, error);
    case EXPECT_ARRAY:
      return byte == '[' ? expect (self, EXPECT_FIRST_RECORD) : refuse_byte (self, error);
    case EXPECT_FIRST_RECORD:
      return byte == ']' ? expect (self, EXPECT_NEXT_MEMBER) : take_value_start (self, byte, error);
    case EXPECT_NEXT_MEMBER:
      if (byte == '}')
        return expect (self, EXPECT_NOTHING);
      return byte == ',' ? expect (self, EXPECT_KEY) : refuse_byte (self, error);
    case EXPECT_NEXT_RECORD:
      if (byte == ']')
        return expect (self, EXPECT_NEXT_MEMBER);
      return byte == ',' ? expect (self, EXPECT_RECORD) : refuse_byte (self, error);
    default:
      return refuse_byte (self, error);
    }
}

static gboolean
take (ConfabImportScanner *self, char byte, GError **error)
{
  gboolean again = self->kind == VALUE_NONE;

  if (self->kind != VALUE_NONE && !take_in_value (self, byte, &again, error))
    return FALSE;

  return !again || is_space (byte) || take_between (self, byte, error);
}

/**
 * confab_import_scanner_feed:
 * @self: a scanner
 * @bytes: (array length=length): what came
 * @length: in bytes
 * @error: return location
 *
 * Returns: whether all is well so far
 */
gboolean
confab_import_scanner_feed (ConfabImportScanner *self,
                            const char *bytes,
                            gsize length,
                            GError **error)
{
  for (gsize i = 0; i < length; i++)
    {
      /* strchr() would find it at the end of any string */
      if (bytes[i] == '\0')
        return confab_error_refuse (error, CONFAB_ERROR_INVALID_REQUEST,
                                    _ ("Line %u: this is no text."), self->line);
      if (!take (self, bytes[i], error))
        return FALSE;
      if (bytes[i] == '\n')
        self->line++;
    }

  return TRUE;
}

/**
 * confab_import_scanner_finish:
 * @self: a scanner
 * @error: return location
 *
 * Returns: whether it was whole
 */
gboolean
confab_import_scanner_finish (ConfabImportScanner *self, GError **error)
{
  if (self->expectation == EXPECT_OBJECT)
    return confab_error_refuse (error, CONFAB_ERROR_INVALID_REQUEST, _ ("This is empty."));
  if (self->expectation != EXPECT_NOTHING)
    return confab_error_refuse (error, CONFAB_ERROR_INVALID_REQUEST,
                                _ ("Line %u: the export ends too early; it was cut off."),
                                self->line);

  return TRUE;
}

guint
confab_import_scanner_get_line (ConfabImportScanner *self)
{
  return self->line;
}

gboolean
confab_import_scanner_had_records (ConfabImportScanner *self)
{
  return self->had_records;
}
