/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "confab-service-fixture.h"

/* The module "m": one 1 two 2, and one 1 two 2' (visible) with three 3 behind it. */
typedef struct
{
  ConfabGeneration *one;
  ConfabGeneration *two;
  ConfabGeneration *two_anew;
  ConfabGeneration *three;
} Tree;

/* Nothing of how it came to be is left in what was heard. */
Tree grow_tree (ServiceFixture *self);
void tree_clear (Tree *tree);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Tree, tree_clear)

#define WITHOUT_THREE "user:one;assistant:1;user:two;assistant:2;"
#define WITH_THREE "user:one;assistant:1;user:two;assistant:2';user:three;assistant:3;"

/* A switch in two halves; the second waits, and takes the result. */
void begin_switch (ServiceFixture *self, const char *message_id, GAsyncResult **result);
char *end_switch (ServiceFixture *self, GAsyncResult **result, guint64 *n_messages, GError **error);
void assert_switch_ends (ServiceFixture *self, GAsyncResult **result, const char *head_id);
void assert_switch_fails (ServiceFixture *self, GAsyncResult **result, ConfabError code);

/* Both at once. */
void switch_to (ServiceFixture *self, const char *message_id, const char *head_id);
void assert_not_switched (ServiceFixture *self, const char *message_id, ConfabError code);

/* "four" is asked in it. */
void begin_four (ServiceFixture *self, GAsyncResult **asked);
void assert_head (ServiceFixture *self, const char *head_id, guint64 n_messages);
/* A @count of 1: no siblings are told of. */
void assert_siblings (ConfabMessage *message, guint index, guint count);
