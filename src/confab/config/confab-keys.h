/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/*
 * ConfabKeys: the secrets by which clients prove that they may talk: the token, and the cookie's
 * own, so that neither tells the other. They live in the file "access" of the data directory, so
 * that browsers stay signed in over a restart.
 */
typedef struct
{
  char *token;  /* 256 random bits in base64url */
  char *cookie; /* the same */
} ConfabKeys;

ConfabKeys *confab_keys_load (const char *data_dir, GError **error);
ConfabKeys *confab_keys_renew (const char *data_dir, GError **error);
void confab_keys_free (ConfabKeys *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ConfabKeys, confab_keys_free)

#define CONFAB_SECRET_BYTES 32

/* @n_bytes from the kernel's random source as base64url, without padding. */
char *confab_secret_new (gsize n_bytes);

G_END_DECLS
