/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define CONFAB_ELIZA_MAX_ANSWERS 4

/*
 * ConfabElizaRule: what to say to a phrase. Of all rules whose phrase occurs in a remark the one
 * with the highest rank is taken.
 */
typedef struct
{
  int rank;
  /* Lower case, words parted by one space, alternatives by "|". */
  const char *phrases;
  /* For when words follow the phrase: "{}" stands for them, seen from the other side. To be
   * translated; up to the first NULL. */
  const char *with_rest[CONFAB_ELIZA_MAX_ANSWERS];
  /* For when none follow; those of a rule that has no with_rest serve for both. */
  const char *alone[CONFAB_ELIZA_MAX_ANSWERS];
} ConfabElizaRule;

extern const ConfabElizaRule confab_eliza_rules[];
extern const gsize confab_eliza_n_rules;

/* For remarks without any known phrase. */
extern const char *const confab_eliza_fallbacks[];
extern const gsize confab_eliza_n_fallbacks;

/* The same, with "{}" for what was said about "my …" before. */
extern const char *const confab_eliza_memories[];
extern const gsize confab_eliza_n_memories;

G_END_DECLS
