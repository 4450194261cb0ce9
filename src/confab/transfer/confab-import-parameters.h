/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <json-glib/json-glib.h>

G_BEGIN_DECLS

/*
 * confab_import_check_parameters:
 * @parameters: of a module in an export
 *
 * A file may come from anybody, and model servers take parameters that make them send what is said
 * to others: tools with addresses, searches in the web, what is kept. So only those pass that shape
 * answers, by name, and that hold a number, a truth value, a short text, or a list or an object of
 * these.
 *
 * Returns: whether all are such; else @error is a CONFAB_ERROR without a place, which names one
 */
gboolean confab_import_check_parameters (JsonObject *parameters, GError **error);

G_END_DECLS
