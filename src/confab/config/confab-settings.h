/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* ConfabProviderSettings: what a group [providers/NAME] says, checked. */
typedef struct
{
  char *name;
  char *type;     /* "openai", "openai-responses", "anthropic", "ollama" or "builtin" */
  char *base_url; /* NULL: the type's own way to find it */
  char *model;    /* NULL: the provider's default */
  char **headers; /* "Name: value"; NULL: none */
  /* The variable that holds the key. NULL: the type's own one, and with base_url none, so that a
   * key goes only where it belongs. */
  char *api_key_env;
  guint context_tokens; /* 0: not trimmed */
  guint stall_timeout_ms;
  guint retries;
} ConfabProviderSettings;

/* ConfabSettings: what dconf or the file of settings says, checked, as it was at one moment. Where
 * nothing is said, the schema's defaults. */
typedef struct
{
  char *origin;                 /* what to call them in errors: a file's path, or a schema's id */
  char *provider;               /* the default's name */
  char **provider_names;        /* of those that the list names; NULL: none */
  gboolean queue;               /* a second question to a busy module waits, instead of "busy" */
  guint max_running;            /* answers at a time, of all modules */
  guint chunk_interval_ms;      /* how long text is gathered before it is sent; 0: not at all */
  gboolean auto_create_modules; /* an unknown moduleId becomes a new module */
  gboolean allow_eio3;          /* whether clients of Socket.IO 2 may connect */
  guint port;
  char **allow_origins; /* NULL: none */
  char **allow_hosts;   /* the same */
  guint client_rate;    /* requests per second; for this and the next three, 0: no limit */
  guint address_rate;
  guint address_connections;
  guint max_connections;
  gboolean limit_local; /* whether this machine counts as an address */
  guint idle_timeout;   /* in seconds; 0: never */
  gboolean notifications;
  gboolean notification_text;
  gboolean inhibit_suspend;
  GPtrArray *providers; /* (element-type ConfabProviderSettings) */
} ConfabSettings;

ConfabSettings *confab_settings_parse (GSettingsSchemaSource *source,
                                       const char *text,
                                       gsize length,
                                       const char *path,
                                       GError **error);
ConfabSettings *
confab_settings_load (GSettingsSchemaSource *source, const char *path, GError **error);
ConfabSettings *confab_settings_read (GSettingsSchemaSource *source, GError **error);
void confab_settings_free (ConfabSettings *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ConfabSettings, confab_settings_free)

/* Returns: (nullable) */
const ConfabProviderSettings *
confab_settings_find_provider (const ConfabSettings *self, const char *name);

/* Whether both lead to the same providers. */
gboolean confab_settings_have_same_providers (const ConfabSettings *a, const ConfabSettings *b);

gboolean confab_settings_is_provider_type (const char *name);

G_END_DECLS
