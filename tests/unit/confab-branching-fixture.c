/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "confab-branching-fixture.h"

void
tree_clear (Tree *tree)
{
  g_clear_object (&tree->one);
  g_clear_object (&tree->two);
  g_clear_object (&tree->two_anew);
  g_clear_object (&tree->three);
}

Tree
grow_tree (ServiceFixture *self)
{
  Tree tree = { NULL };

  tree.one = converse (self, "m", "one", "1");
  tree.two = converse (self, "m", "two", "2");
  tree.two_anew = regenerate (self, fields ("moduleId", "m", NULL));
  answer (self, tree.two_anew, 2, "2'");
  tree.three = converse (self, "m", "three", "3");
  settle (self);
  g_string_truncate (self->heard, 0);

  return tree;
}

void
begin_switch (ServiceFixture *self, const char *message_id, GAsyncResult **result)
{
  g_autoptr (JsonObject) payload = fields ("moduleId", "m", "messageId", message_id, NULL);

  confab_service_switch_branch_async (self->service, payload, store_ready_cb, result);
}

char *
end_switch (ServiceFixture *self, GAsyncResult **result, guint64 *n_messages, GError **error)
{
  g_autoptr (GAsyncResult) owned = NULL;
  guint64 length;
  char *head_id = NULL;

  wait_for (result);
  owned = g_steal_pointer (result);
  if (!confab_service_switch_branch_finish (self->service, owned, &head_id, &length, error))
    return NULL;
  if (n_messages != NULL)
    *n_messages = length;

  return head_id;
}

void
assert_switch_ends (ServiceFixture *self, GAsyncResult **result, const char *head_id)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *told = end_switch (self, result, NULL, &error);

  g_assert_no_error (error);
  g_assert_cmpstr (told, ==, head_id);
}

void
assert_switch_fails (ServiceFixture *self, GAsyncResult **result, ConfabError code)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (end_switch (self, result, NULL, &error));
  g_assert_error (error, CONFAB_ERROR, (int) code);
}

void
switch_to (ServiceFixture *self, const char *message_id, const char *head_id)
{
  GAsyncResult *result = NULL;

  begin_switch (self, message_id, &result);
  assert_switch_ends (self, &result, head_id);
}

void
assert_not_switched (ServiceFixture *self, const char *message_id, ConfabError code)
{
  GAsyncResult *result = NULL;

  begin_switch (self, message_id, &result);
  assert_switch_fails (self, &result, code);
}

void
begin_four (ServiceFixture *self, GAsyncResult **asked)
{
  begin_asking (self, "ai:chat:generate", fields ("moduleId", "m", "message", "four", NULL), asked);
}

void
assert_head (ServiceFixture *self, const char *head_id, guint64 n_messages)
{
  ConfabModule *module = lookup_module (self, "m");

  g_assert_cmpstr (confab_module_get_head_id (module), ==, head_id);
  g_assert_cmpuint (confab_module_get_n_messages (module), ==, n_messages);
}

void
assert_siblings (ConfabMessage *message, guint index, guint count)
{
  const ConfabBranches *branches = confab_message_get_branches (message);

  if (count == 1)
    {
      g_assert_null (branches);
      return;
    }
  g_assert_nonnull (branches);
  g_assert_cmpuint (branches->index, ==, index);
  g_assert_cmpuint (branches->count, ==, count);
}
