/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "confab-provider.h"

G_BEGIN_DECLS

/* ConfabBuiltinProvider: answers by ConfabEliza's rules, without a model and without a network. */
#define CONFAB_TYPE_BUILTIN_PROVIDER (confab_builtin_provider_get_type ())
G_DECLARE_FINAL_TYPE (ConfabBuiltinProvider,
                      confab_builtin_provider,
                      CONFAB,
                      BUILTIN_PROVIDER,
                      GObject)

ConfabBuiltinProvider *confab_builtin_provider_new (void);

G_END_DECLS
