/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "confab-service.h"

G_BEGIN_DECLS

/* Calls of the contract that are asked and answered, on whatever face: those that follow nothing.
 * Payload in, ack out; a refusal is an ack too. */

/* What a call needs to know besides the service. */
typedef struct
{
  ConfabService *service;
  const char *version;
  gint64 max_payload;
} ConfabCallContext;

/* @ack: (transfer full); @user_data as given */
typedef void (*ConfabCallFunc) (JsonObject *ack, gpointer user_data);

gboolean confab_call_exists (const char *name);
void confab_call (const ConfabCallContext *context,
                  const char *name,
                  JsonObject *payload,
                  ConfabCallFunc func,
                  gpointer user_data);

G_END_DECLS
