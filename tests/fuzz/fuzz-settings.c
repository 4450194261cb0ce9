/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fuzz.h"

#include "confab-error.h"
#include "confab-schema.h"
#include "confab-settings.h"

/* A file of settings: it is right as a whole, or refused with one sentence. */
int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  static GSettingsSchemaSource *source = NULL;
  g_autoptr (ConfabSettings) settings = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree char *text = g_strndup ((const char *) data, size);

  if (source == NULL)
    source = confab_schema_source_new (NULL);
  g_assert_nonnull (source);

  settings = confab_settings_parse (source, text, size, "fuzz.ini", &error);
  g_assert_true ((settings == NULL) == (error != NULL));
  if (settings == NULL)
    {
      g_assert_error (error, CONFAB_ERROR, CONFAB_ERROR_INVALID_REQUEST);
      g_assert_true (g_str_has_prefix (error->message, "fuzz.ini: "));
      return 0;
    }

  /* what came through is within the ranges of the schema */
  g_assert_cmpuint (settings->port, <=, G_MAXUINT16);
  g_assert_cmpuint (settings->max_running, >=, 1);
  g_assert_cmpuint (settings->client_rate, <=, 100000);
  for (guint i = 0; i < settings->providers->len; i++)
    {
      const ConfabProviderSettings *provider = g_ptr_array_index (settings->providers, i);

      g_assert_true (confab_settings_is_provider_type (provider->type));
      g_assert_true (confab_settings_find_provider (settings, provider->name) == provider);
    }
  return 0;
}
