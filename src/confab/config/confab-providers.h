/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "confab-key-source.h"
#include "confab-options.h"
#include "confab-provider-registry.h"
#include "confab-settings.h"

G_BEGIN_DECLS

/* Makes the providers that the command line, the file of settings and the environment tell of. */
ConfabProviderRegistry *confab_providers_set_up (const ConfabOptions *options,
                                                 const ConfabSettings *settings,
                                                 ConfabKeySource *keys,
                                                 GError **error);

G_END_DECLS
