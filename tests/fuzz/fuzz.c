/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fuzz.h"

int
LLVMFuzzerInitialize (int *argc, char ***argv)
{
  g_log_set_always_fatal (G_LOG_FATAL_MASK | G_LOG_LEVEL_CRITICAL | G_LOG_LEVEL_WARNING);
  return 0;
}

GBytes *
fuzz_dup (const guint8 *data, gsize size)
{
  return g_bytes_new (data, size);
}

gsize
fuzz_step (gsize size)
{
  return 1 + size / 64;
}
