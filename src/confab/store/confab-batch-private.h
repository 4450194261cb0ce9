/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "confab-batch.h"

G_BEGIN_DECLS

typedef enum
{
  CONFAB_WRITE_PUT_SESSION,
  CONFAB_WRITE_PUT_MODULE,
  CONFAB_WRITE_PUT_MESSAGE,
  CONFAB_WRITE_GROW_MESSAGE,
  CONFAB_WRITE_PUT_GENERATION,
  CONFAB_WRITE_SET_HEAD,
  CONFAB_WRITE_DELETE_SESSION,
  CONFAB_WRITE_DELETE_MODULE,
} ConfabWriteKind;

typedef struct
{
  ConfabWriteKind kind;
  /* By kind; owned. SET_HEAD uses a module record with id, head_id and updated_at; GROW_MESSAGE a
   * message record with id, module_id, state and parts. */
  union
  {
    ConfabSessionRecord *session;
    ConfabModuleRecord *module;
    ConfabMessageRecord *message;
    ConfabGenerationRecord *generation;
    char *id;
  };
} ConfabWrite;

/* From here on the batch does not change, so that threads can share it. */
void confab_batch_seal (ConfabBatch *self);
gboolean confab_batch_is_durable (ConfabBatch *self);
guint confab_batch_get_n_writes (ConfabBatch *self);
const ConfabWrite *confab_batch_get_write (ConfabBatch *self, guint index);

G_END_DECLS
