/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "confab-digest.h"

#include <string.h>

/**
 * confab_digest_init:
 * @self: (out caller-allocates): the digest
 * @secret: what to digest
 */
void
confab_digest_init (ConfabDigest *self, const char *secret)
{
  g_autoptr (GChecksum) checksum = g_checksum_new (G_CHECKSUM_SHA256);
  gsize length = CONFAB_DIGEST_BYTES;

  g_checksum_update (checksum, (const guchar *) secret, strlen (secret));
  g_checksum_get_digest (checksum, self->bytes, &length);
}

/**
 * confab_digest_equal:
 * @a: a digest
 * @b: another
 *
 * Returns: whether they are the same, found in constant time
 */
gboolean
confab_digest_equal (const ConfabDigest *a, const ConfabDigest *b)
{
  volatile guint8 difference = 0;

  for (guint i = 0; i < CONFAB_DIGEST_BYTES; i++)
    difference |= a->bytes[i] ^ b->bytes[i];

  return difference == 0;
}

/**
 * confab_digest_matches:
 * @self: the digest of a secret
 * @secret: (nullable): what somebody says the secret is
 *
 * Returns: whether they are right
 */
gboolean
confab_digest_matches (const ConfabDigest *self, const char *secret)
{
  ConfabDigest other;

  if (secret == NULL)
    return FALSE;
  confab_digest_init (&other, secret);

  return confab_digest_equal (self, &other);
}
