/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <json-glib/json-glib.h>

#include "confab-generation.h"

G_BEGIN_DECLS

/* The payloads of the contract as JSON, for every face that speaks it. */

const char *confab_wire_delta_event (ConfabDeltaKind kind);
const char *confab_wire_delta_kind (ConfabDeltaKind kind);
/* "ai:chat:complete" or "ai:chat:error" */
const char *confab_wire_end_event (ConfabGeneration *generation);

void confab_wire_append_started (GString *json, ConfabGeneration *generation);
void confab_wire_append_stretch (GString *json,
                                 ConfabGeneration *generation,
                                 guint64 from_seq,
                                 guint64 seq,
                                 const char *text,
                                 gsize length);
void confab_wire_append_resync (GString *json, ConfabGeneration *generation, guint64 seq);
void confab_wire_append_end (GString *json, ConfabGeneration *generation);
/* A refusal told as an event; the ids are as the client sent them, NULL where unfit. */
void confab_wire_append_refusal (GString *json,
                                 const GError *error,
                                 const char *module_id,
                                 const char *request_id);

/* Members of acks. */
void confab_wire_set_refusal (JsonObject *ack, const GError *error);
void confab_wire_set_accepted (JsonObject *ack, ConfabGeneration *generation);
void confab_wire_set_resumed (JsonObject *ack, ConfabGeneration *generation, gint64 after_seq);
void confab_wire_set_active (JsonObject *ack, ConfabGeneration *generation);

G_END_DECLS
