/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <glib/gi18n.h>

#include "ctl.h"

/* As many as Confab tells at once. */
#define PAGE 200

/* Asks again while Confab says that this is too much at a time. */
static GVariant *
call_page (Ctl *self, const char *path, guint limit, const char *before, CtlExit *status)
{
  for (;;)
    {
      g_autoptr (GError) error = NULL;
      GVariant *reply = g_dbus_connection_call_sync (
          self->connection, CTL_NAME, path, CTL_MODULE, "GetHistory",
          g_variant_new ("(us)", limit, before), G_VARIANT_TYPE ("(aa{sv})"),
          G_DBUS_CALL_FLAGS_ALLOW_INTERACTIVE_AUTHORIZATION, G_MAXINT, NULL, &error);

      if (reply != NULL)
        return reply;
      if (!ctl_is_error (error, "RateLimited"))
        {
          *status = ctl_report (error);
          return NULL;
        }
      g_usleep (G_USEC_PER_SEC);
    }
}

/* Adds the messages of one page, newest first. Returns: how many; -1: it failed */
static gssize
read_page (Ctl *self, const char *path, guint limit, GPtrArray *messages, CtlExit *status)
{
  GVariant *oldest = messages->len > 0 ? g_ptr_array_index (messages, messages->len - 1) : NULL;
  const char *before = "";
  g_autoptr (GVariant) page = NULL;
  g_autoptr (GVariant) reply = NULL;
  gsize n;

  if (oldest != NULL)
    g_variant_lookup (oldest, "messageId", "&s", &before);
  reply = call_page (self, path, limit, before, status);
  if (reply == NULL)
    return -1;

  page = g_variant_get_child_value (reply, 0);
  n = g_variant_n_children (page);
  for (gsize i = n; i > 0; i--)
    g_ptr_array_add (messages, g_variant_get_child_value (page, i - 1));

  return (gssize) n;
}

/* " (2/3)" of a message that has siblings, else "". */
static char *
describe_branches (GVariant *message)
{
  g_autoptr (GVariant) branches =
      g_variant_lookup_value (message, "branches", G_VARIANT_TYPE_VARDICT);
  gint64 index, count;

  if (branches == NULL || !g_variant_lookup (branches, "index", "x", &index)
      || !g_variant_lookup (branches, "count", "x", &count))
    return g_strdup ("");

  return g_strdup_printf (" (%" G_GINT64_FORMAT "/%" G_GINT64_FORMAT ")", index, count);
}

static void
print_messages (Ctl *self, GPtrArray *messages)
{
  g_auto (GVariantBuilder) list = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE ("aa{sv}"));
  g_autoptr (GVariant) all = NULL;

  for (guint i = messages->len; i > 0; i--)
    {
      GVariant *message = g_ptr_array_index (messages, i - 1);
      g_autofree char *branches = describe_branches (message);
      const char *role = "";
      const char *content = "";

      g_variant_builder_add_value (&list, message);
      g_variant_lookup (message, "role", "&s", &role);
      g_variant_lookup (message, "content", "&s", &content);
      if (!self->json)
        g_print ("%s%s: %s\n\n", role, branches, content);
    }
  all = g_variant_ref_sink (g_variant_builder_end (&list));
  if (self->json)
    ctl_print_json (all);
}

CtlExit
ctl_history (Ctl *self, char **args)
{
  guint wanted = self->limit > 0 ? (guint) self->limit : G_MAXUINT;
  CtlExit status = CTL_EXIT_OK;
  g_autofree char *path = ctl_find_module (self, args[0], &status);
  g_autoptr (GPtrArray) messages =
      g_ptr_array_new_with_free_func ((GDestroyNotify) g_variant_unref);
  gssize n = PAGE;

  if (path == NULL)
    return status;

  while (n == PAGE && messages->len < wanted)
    n = read_page (self, path, MIN (PAGE, wanted - messages->len), messages, &status);
  if (n < 0)
    return status;

  print_messages (self, messages);

  return CTL_EXIT_OK;
}

CtlExit
ctl_branch (Ctl *self, char **args)
{
  CtlExit status = CTL_EXIT_OK;
  g_autofree char *path = NULL;
  g_autoptr (GVariant) reply = NULL;
  g_auto (GVariantDict) answer = G_VARIANT_DICT_INIT (NULL);
  const char *head_id;

  if (self->module == NULL)
    return ctl_fail (CTL_EXIT_USAGE, "%s", _ ("-m must say which conversation"));

  path = ctl_find_module (self, self->module, &status);
  if (path != NULL)
    reply = ctl_call (self, path, CTL_MODULE, "SwitchBranch", g_variant_new ("(s)", args[0]), "(s)",
                      &status);
  if (reply == NULL || !self->json)
    return status;

  g_variant_get (reply, "(&s)", &head_id);
  g_variant_dict_insert (&answer, "headId", "s", head_id);
  ctl_print_json (g_variant_dict_end (&answer));

  return CTL_EXIT_OK;
}
