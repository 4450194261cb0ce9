/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "confab-http-pool.h"
#include "confab-http-provider.h"

G_BEGIN_DECLS

/* What the base of all HTTP providers shares with the run of a generation. */
typedef struct
{
  ConfabHttpPool *pool;
  /* without a slash at the end */
  char *base_url;
  char *api_key;
  /* Nullable: asked for the key of @key_name, which then is @api_key. */
  ConfabKeySource *key_source;
  char *key_name;
  gboolean key_fetched;
  char *default_model;
  guint stall_timeout_ms;
  guint retries;
  /* 0: not known, so nothing is trimmed */
  guint context_tokens;
  /* (element-type utf8): names and values by turns */
  GPtrArray *headers;

  /* The first model that the server listed; asked for when none is configured. */
  char *found_model;
} ConfabHttpProviderPrivate;

ConfabHttpProviderPrivate *confab_http_provider_get_private (ConfabHttpProvider *self);
SoupMessage *
confab_http_provider_new_message (ConfabHttpProvider *self, const char *method, const char *path);
void confab_http_provider_wipe_key (char **key);
GError *confab_http_provider_hide_key (ConfabHttpProvider *self, GError *error);

G_END_DECLS
