/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <libsoup/soup.h>

#include "confab-answer-reader.h"
#include "confab-key-source.h"
#include "confab-provider.h"

G_BEGIN_DECLS

/* ConfabHttpProvider: what all providers have in common that ask a model server over HTTP: where it
 * is, the key, the model if none is named, and the run of a request. A subclass tells what its API
 * is like; it has no state of its own. */
#define CONFAB_TYPE_HTTP_PROVIDER (confab_http_provider_get_type ())
G_DECLARE_DERIVABLE_TYPE (ConfabHttpProvider, confab_http_provider, CONFAB, HTTP_PROVIDER, GObject)

struct _ConfabHttpProviderClass
{
  GObjectClass parent_class;

  /* of confab_provider_get_name() */
  const char *name;
  const char *default_base_url;
  /* How most base URLs of this API end, for people who gave a wrong one; NULL: in nothing. */
  const char *usual_path;
  /* Below the base URL. */
  const char *generate_path;
  const char *models_path;
  /* The parameter by which a prompt says how many tokens the context holds; NULL: the API has none,
   * as the model or who serves it decides. */
  const char *context_parameter;
  /* The types of answers that @new_reader reads. */
  const char *accept;

  /* Says who asks. @api_key: nullable */
  void (*add_headers) (SoupMessageHeaders *headers, const char *api_key);
  GBytes *(*build_request) (ConfabPrompt *prompt, const char *model);
  ConfabAnswerReader *(*new_reader) (ConfabDeltaFunc on_text, gpointer user_data);
  /* Returns: (transfer full) (element-type utf8) (nullable): NULL if it is not a list of models */
  GPtrArray *(*parse_models) (JsonNode *node);
};

gboolean confab_http_provider_configure (ConfabHttpProvider *self,
                                         const char *base_url,
                                         const char *api_key,
                                         const char *default_model,
                                         GError **error);
void confab_http_provider_set_key_source (ConfabHttpProvider *self,
                                          ConfabKeySource *source,
                                          const char *name);
void confab_http_provider_set_stall_timeout (ConfabHttpProvider *self, guint timeout_ms);
void confab_http_provider_set_retries (ConfabHttpProvider *self, guint retries);
gboolean confab_http_provider_set_headers (ConfabHttpProvider *self,
                                           const char *const *lines,
                                           GError **error);
void confab_http_provider_set_context_tokens (ConfabHttpProvider *self, guint context_tokens);
const char *confab_http_provider_get_base_url (ConfabHttpProvider *self);

/* For the add_headers of APIs that take the key as "Authorization: Bearer". */
void confab_http_provider_add_bearer (SoupMessageHeaders *headers, const char *api_key);

G_END_DECLS
