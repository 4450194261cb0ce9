/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define CONFAB_STORE_ERROR (confab_store_error_quark ())

/* Each comes with one plain sentence that names the file. */
typedef enum
{
  CONFAB_STORE_ERROR_FAILED,    /* the system refused; the sentence says what */
  CONFAB_STORE_ERROR_LOCKED,    /* another program uses the database */
  CONFAB_STORE_ERROR_READ_ONLY, /* the file or its folder cannot be written */
  CONFAB_STORE_ERROR_NEWER,     /* a newer Confab made it */
  CONFAB_STORE_ERROR_CORRUPT,   /* damaged, truncated, or no database of Confab at all */
  CONFAB_STORE_ERROR_FULL,      /* no space left; later commits can succeed */
  CONFAB_STORE_ERROR_INVALID,   /* the batch contradicts what is stored, or itself */
  CONFAB_STORE_ERROR_NOT_FOUND, /* a module or message that a read started from is not there */
  CONFAB_STORE_ERROR_CLOSED,    /* asked after the store was closed */
} ConfabStoreError;

GQuark confab_store_error_quark (void);

G_END_DECLS
