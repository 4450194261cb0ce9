/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <json-glib/json-glib.h>

#include "confab-record.h"
#include "confab-session.h"

G_BEGIN_DECLS

/* The objects of the contract as JSON, each (transfer full), for every face that speaks it. */

JsonObject *confab_wire_message (ConfabMessage *message);
JsonObject *confab_wire_session (ConfabSession *session);
JsonObject *confab_wire_module (ConfabModule *module);
JsonObject *confab_wire_search_result (const ConfabSearchResult *result);
/* `{…Id, deleted: true}` */
JsonObject *confab_wire_deleted (const char *id_name, const char *id);

/* A member of messages. */
void confab_wire_set_usage (JsonObject *object, const ConfabOutcome *outcome);

char *confab_wire_to_string (JsonObject *object);

G_END_DECLS
