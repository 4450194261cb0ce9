/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <json-glib/json-glib.h>

#include "confab-service.h"

G_BEGIN_DECLS

/* The objects of the contract as JSON, each (transfer full), for every face that speaks it. */

JsonObject *confab_wire_message (ConfabMessage *message);
JsonObject *confab_wire_session (ConfabSession *session);
JsonObject *confab_wire_module (ConfabModule *module);
JsonObject *confab_wire_search_result (const ConfabSearchResult *result);
/* `ai:chat:branch` as it is told */
JsonObject *confab_wire_branch_change (const ConfabBranchChange *change);
/* `{…Id, deleted: true}` */
JsonObject *confab_wire_deleted (const char *id_name, const char *id);

/* The member of modules, and of the ack of resume. */
void confab_wire_set_head (JsonObject *object, ConfabModule *module);
/* A member of messages. */
void confab_wire_set_usage (JsonObject *object, const ConfabOutcome *outcome);

char *confab_wire_to_string (JsonObject *object);

G_END_DECLS
