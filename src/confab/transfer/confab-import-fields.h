/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <json-glib/json-glib.h>

G_BEGIN_DECLS

/* What a field of a record may hold, and as what of C it is taken. */
typedef enum
{
  CONFAB_IMPORT_ID,         /* char *; a name of the protocol */
  CONFAB_IMPORT_TEXT,       /* char *; max is its length in bytes */
  CONFAB_IMPORT_NUMBER,     /* gint64, from 0 */
  CONFAB_IMPORT_COUNT,      /* the same; -1 where it is null */
  CONFAB_IMPORT_FLAG,       /* gboolean */
  CONFAB_IMPORT_ROLE,       /* ConfabRole */
  CONFAB_IMPORT_STATE,      /* ConfabState */
  CONFAB_IMPORT_FINISH,     /* ConfabFinishReason, and a gboolean at has */
  CONFAB_IMPORT_PARTS,      /* char *; JSON of an array of objects that have a type */
  CONFAB_IMPORT_PARAMETERS, /* char *; JSON of an object */
  CONFAB_IMPORT_OBJECT,     /* looked at by the caller */
  CONFAB_IMPORT_TYPE,       /* the same */
} ConfabImportKind;

typedef struct
{
  const char *name;
  ConfabImportKind kind;
  gboolean required; /* neither absent nor null */
  gsize offset;      /* in the struct that is filled */
  gsize max;         /* of TEXT, PARTS, PARAMETERS */
  gsize has;         /* of FINISH */
} ConfabImportField;

/*
 * confab_import_take_fields:
 * @object: what came
 * @fields: (array length=n_fields): all that it may have
 * @target: a zeroed struct, which owns what it is given, also of a refused @object
 *
 * Refuses fields that are not in @fields, that are missing, or that hold something else.
 *
 * Returns: whether @object is fit; else @error is a CONFAB_ERROR without a place
 */
gboolean confab_import_take_fields (JsonObject *object,
                                    const ConfabImportField *fields,
                                    guint n_fields,
                                    gpointer target,
                                    GError **error);

G_END_DECLS
