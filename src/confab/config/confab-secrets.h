/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "confab-key-source.h"

G_BEGIN_DECLS

#define CONFAB_TYPE_SECRETS (confab_secrets_get_type ())

/*
 * ConfabSecrets: the source of the providers' keys: the user's keyring, and where it has none, what
 * systemd hands over as the credential "confab.NAME". The keyring is asked when a key is needed; a
 * start never waits for it, and one that does not answer is left alone for a while.
 */
G_DECLARE_FINAL_TYPE (ConfabSecrets, confab_secrets, CONFAB, SECRETS, GObject)

ConfabSecrets *confab_secrets_new (void);

G_END_DECLS
