/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "confab-settings.h"

G_BEGIN_DECLS

#define CONFAB_TYPE_CONFIG (confab_config_get_type ())

/*
 * ConfabConfig: where the settings come from, dconf or a file, which is watched.
 *
 * Signals:
 *   changed: they may differ now; what came in one go is told once
 */
G_DECLARE_FINAL_TYPE (ConfabConfig, confab_config, CONFAB, CONFIG, GObject)

ConfabConfig *confab_config_new (const char *path, GError **error);
ConfabSettings *confab_config_read (ConfabConfig *self, GError **error);

G_END_DECLS
