/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "confab-settings.h"

G_BEGIN_DECLS

#define CONFAB_SETTINGS_MAX_NAME_LENGTH 64

/* Where something stands. */
typedef struct
{
  const char *path;
  const char *group;
  const char *key;
} ConfabSettingsPlace;

/* ConfabSettingsKey: where the value of a key of the schema goes, and what only that key wants of
 * it; its type, range and default stand in the schema. */
typedef struct
{
  const char *name;
  void (*set) (gpointer settings, GVariant *value);
  /* Nullable. */
  gboolean (*check) (const ConfabSettingsPlace *place, GVariant *value, GError **error);
} ConfabSettingsKey;

/* @data: (transfer full): a ConfabProviderSettings */
void confab_provider_settings_free (gpointer data);

const ConfabSettingsKey *confab_settings_get_main_keys (void);
const ConfabSettingsKey *confab_settings_get_provider_keys (void);

gboolean confab_settings_is_name (const char *text);
gboolean
confab_settings_refuse (const ConfabSettingsPlace *place, GError **error, const char *format, ...)
    G_GNUC_PRINTF (3, 4);

G_END_DECLS
