/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <gio/gio.h>

#include "confab-record.h"
#include "confab-store-error.h"

G_BEGIN_DECLS

#define CONFAB_TYPE_STAGING (confab_staging_get_type ())

/*
 * ConfabStaging: sessions that are to be added to a store, whole and consistent in themselves, in a
 * database of their own that lives in a file without a name. It is used by one thread at a time,
 * and blocks. What is added is checked: ids are unique, and what is referred to is there.
 *
 * Errors are CONFAB_STORE_ERROR; INVALID says in a sentence for people what does not fit.
 */
G_DECLARE_FINAL_TYPE (ConfabStaging, confab_staging, CONFAB, STAGING, GObject)

ConfabStaging *confab_staging_new (void);

gboolean
confab_staging_add_session (ConfabStaging *self, const ConfabSessionRecord *record, GError **error);
/* With its head, which is a message that is added after it. */
gboolean
confab_staging_add_module (ConfabStaging *self, const ConfabModuleRecord *record, GError **error);
/* To the module that was added last; the module_id of both records is not looked at. */
gboolean confab_staging_add_message (ConfabStaging *self,
                                     const ConfabMessageRecord *record,
                                     const ConfabGenerationRecord *generation,
                                     GError **error);
/* No more is added; ends what seems to run. */
gboolean confab_staging_seal (ConfabStaging *self, GError **error);

/* Once it is sealed: without the messages. */
ConfabOverview *confab_staging_read_overview (ConfabStaging *self, GError **error);

G_END_DECLS
