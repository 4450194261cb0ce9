/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* What libFuzzer calls, or fuzz-corpus.c. Every target defines the second and lives in a file of
 * its own; an assertion that fails, or a GLib warning, is a finding. */
int LLVMFuzzerInitialize (int *argc, char ***argv);
int LLVMFuzzerTestOneInput (const guint8 *data, gsize size);

/* A copy that ends where its memory does, so that AddressSanitizer sees a step beyond. */
GBytes *fuzz_dup (const guint8 *data, gsize size);

/* How much of an input to hand over at a time: a byte of a short one, while a long one goes in some
 * 64 pieces. Each piece is an allocation, and they would be all that a run does. */
gsize fuzz_step (gsize size);

G_END_DECLS
