/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "confab-cut.h"

G_BEGIN_DECLS

#define CONFAB_EXPORT_FORMAT "confab-export"
#define CONFAB_EXPORT_VERSION 1

/*
 * What docs/export-format.md describes, bit by bit: the beginning, then any number of records, each
 * on a line of its own, then the end. Each function appends.
 */
typedef struct
{
  GString *out;
  gboolean has_records;
} ConfabExportWriter;

void
confab_export_write_begin (ConfabExportWriter *self, const char *generator, gint64 exported_at);
void confab_export_write_session (ConfabExportWriter *self, const ConfabSessionRecord *session);
void confab_export_write_module (ConfabExportWriter *self, const ConfabModuleRecord *module);
void confab_export_write_message (ConfabExportWriter *self, const ConfabCutMessage *message);
void confab_export_write_end (ConfabExportWriter *self);

G_END_DECLS
