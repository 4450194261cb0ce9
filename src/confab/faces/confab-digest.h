/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define CONFAB_DIGEST_BYTES 32

/* ConfabDigest: SHA-256 of a secret. Secrets are compared by digest: all of one length, and in a
 * time that tells nothing of where they differ. */
typedef struct
{
  guint8 bytes[CONFAB_DIGEST_BYTES];
} ConfabDigest;

void confab_digest_init (ConfabDigest *self, const char *secret);
gboolean confab_digest_equal (const ConfabDigest *a, const ConfabDigest *b);
gboolean confab_digest_matches (const ConfabDigest *self, const char *secret);

G_END_DECLS
