/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fuzz.h"

#include <string.h>

#include "confab-parts.h"

/* The parts of a message: as JSON from a file or a peer, and as a text that becomes JSON, from
 * which it comes back. */

static void
check_json (const char *text)
{
  g_autofree char *joined = confab_parts_join (text, "text");
  g_autofree char *reasoning = confab_parts_join (text, "reasoning");

  /* it is an array for both or for neither */
  g_assert_cmpint (joined == NULL, ==, reasoning == NULL);
  g_assert_true (joined == NULL || g_utf8_validate (joined, -1, NULL));
}

static void
check_text (const char *text)
{
  g_autofree char *with_reasoning = confab_parts_new (text, text);
  g_autofree char *without = confab_parts_new (text, NULL);
  g_autofree char *joined = confab_parts_join (with_reasoning, "text");
  g_autofree char *reasoning = confab_parts_join (with_reasoning, "reasoning");
  g_autofree char *alone = confab_parts_join (without, "text");
  g_autofree char *none = confab_parts_join (without, "reasoning");

  g_assert_cmpstr (joined, ==, text);
  g_assert_cmpstr (reasoning, ==, text);
  g_assert_cmpstr (alone, ==, text);
  g_assert_cmpstr (none, ==, "");
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autofree char *text = g_strndup ((const char *) data, size);

  check_json (text);
  if (g_utf8_validate (text, -1, NULL))
    check_text (text);
  return 0;
}
