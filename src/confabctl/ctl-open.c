/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <glib/gi18n.h>
#include <string.h>

#include "ctl.h"

/* A page of the same ticket, which is at the end of @link. */
static char *
make_page_link (const char *link, const char *session_id, const char *module_id)
{
  const char *query = strchr (link, '?');
  gsize base_length = query != NULL ? (gsize) (query - link) : strlen (link);

  return g_strdup_printf ("%.*ssession/%s/module/%s%s", (int) base_length, link, session_id,
                          module_id, query != NULL ? query : "");
}

static char *
make_module_link (Ctl *self, const char *link, const char *id, CtlExit *status)
{
  g_autofree char *path = ctl_find_module (self, id, status);
  g_autofree char *session_id = NULL;
  g_autofree char *module_id = NULL;

  if (path == NULL || !ctl_parse_path (path, &session_id, &module_id))
    return NULL;

  return make_page_link (link, session_id, module_id);
}

/* A chat that comes to be with its first question. */
static char *
make_new_link (const char *link)
{
  g_autofree char *id = g_uuid_string_random ();

  return make_page_link (link, "default", id);
}

static void
launched_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  GError *error = NULL;

  if (g_app_info_launch_default_for_uri_finish (result, &error))
    g_task_return_boolean (task, TRUE);
  else
    g_task_return_error (task, error);
}

/* By the portal inside a sandbox, else by what the desktop has for addresses. */
static CtlExit
open_browser (const char *url)
{
  g_autoptr (GTask) task = g_task_new (NULL, NULL, NULL, NULL);
  g_autoptr (GError) error = NULL;

  g_task_set_source_tag (task, open_browser);
  g_app_info_launch_default_for_uri_async (url, NULL, NULL, launched_cb, g_object_ref (task));
  while (!g_task_get_completed (task))
    g_main_context_iteration (NULL, TRUE);
  if (!g_task_propagate_boolean (task, &error))
    return ctl_fail (CTL_EXIT_FAILED,
                     _ ("No browser could be opened (%s); --print tells the address instead"),
                     error->message);

  return CTL_EXIT_OK;
}

CtlExit
ctl_open (Ctl *self, char **args)
{
  CtlExit status = CTL_EXIT_OK;
  g_autoptr (GVariant) reply = NULL;
  g_autofree char *url = NULL;
  const char *link;

  if (self->fresh && args[0] != NULL)
    return ctl_fail (CTL_EXIT_USAGE, "%s", _ ("--new goes without a MODULE"));

  reply = ctl_call (self, CTL_ROOT, CTL_MANAGER, "CreateLink", NULL, "(s)", &status);
  if (reply == NULL)
    return status;
  g_variant_get (reply, "(&s)", &link);
  if (self->fresh)
    url = make_new_link (link);
  else if (args[0] != NULL)
    url = make_module_link (self, link, args[0], &status);
  else
    url = g_strdup (link);
  if (url == NULL)
    return status;

  if (!self->print)
    return open_browser (url);
  if (self->json)
    ctl_print_json (g_variant_new_parsed ("{'url': <%s>}", url));
  else
    g_print ("%s\n", url);

  return CTL_EXIT_OK;
}
