/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "confab-http-provider.h"

G_BEGIN_DECLS

#define CONFAB_OLLAMA_BASE_URL "http://127.0.0.1:11434"

/* ConfabOllamaProvider: an Ollama server, by its own API. */
#define CONFAB_TYPE_OLLAMA_PROVIDER (confab_ollama_provider_get_type ())
G_DECLARE_FINAL_TYPE (ConfabOllamaProvider,
                      confab_ollama_provider,
                      CONFAB,
                      OLLAMA_PROVIDER,
                      ConfabHttpProvider)

ConfabOllamaProvider *confab_ollama_provider_new (const char *base_url,
                                                  const char *api_key,
                                                  const char *default_model,
                                                  GError **error);

G_END_DECLS
