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
  guint context_tokens;   /* 0: not trimmed */
  guint stall_timeout_ms; /* 0: the provider's default */
  int retries;            /* -1: the provider's default */
} ConfabProviderSettings;

/* ConfabSettings: what the file of settings says, checked; or the defaults. */
typedef struct
{
  char *provider;               /* the default's name; NULL: not said */
  gboolean queue;               /* a second question to a busy module waits, instead of "busy" */
  guint max_running;            /* answers at a time, of all modules */
  guint chunk_interval_ms;      /* how long text is gathered before it is sent; 0: not at all */
  gboolean auto_create_modules; /* an unknown moduleId becomes a new module */
  GPtrArray *providers;         /* (element-type ConfabProviderSettings): as in the file */
} ConfabSettings;

ConfabSettings *confab_settings_new (void);
ConfabSettings *
confab_settings_parse (const char *text, gsize length, const char *path, GError **error);
ConfabSettings *confab_settings_load (const char *path, GError **error);
void confab_settings_free (ConfabSettings *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ConfabSettings, confab_settings_free)

/* Returns: (nullable) */
const ConfabProviderSettings *
confab_settings_find_provider (const ConfabSettings *self, const char *name);

gboolean confab_settings_is_provider_type (const char *name);

G_END_DECLS
