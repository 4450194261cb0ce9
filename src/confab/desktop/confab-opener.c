/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "confab-opener.h"

struct _ConfabOpener
{
  ConfabService *service;
  ConfabAccess *access;
};

ConfabOpener *
confab_opener_new (ConfabService *service, ConfabAccess *access)
{
  ConfabOpener *self = g_new0 (ConfabOpener, 1);

  self->service = g_object_ref (service);
  self->access = g_object_ref (access);

  return self;
}

void
confab_opener_free (ConfabOpener *self)
{
  g_object_unref (self->service);
  g_object_unref (self->access);
  g_free (self);
}

/* Returns: (transfer full): without a slash at its beginning */
static char *
make_path (ConfabOpener *self, const char *module_id)
{
  ConfabModule *module =
      module_id != NULL ? confab_service_lookup_module (self->service, module_id) : NULL;

  return module == NULL ? g_strdup ("")
                        : g_strdup_printf ("session/%s/module/%s",
                                           confab_module_get_session_id (module), module_id);
}

/* The address is not logged: it signs in. */
static void
launched_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GError) error = NULL;

  if (!g_app_info_launch_default_for_uri_finish (result, &error))
    g_message ("No browser could be opened: %s", error->message);
}

/**
 * confab_opener_open:
 * @module_id: (nullable): whose page; %NULL, or one that is not there, for the first page
 */
void
confab_opener_open (ConfabOpener *self, const char *module_id)
{
  g_autofree char *base = confab_access_make_url (self->access, NULL, NULL);
  g_autofree char *path = make_path (self, module_id);
  g_autofree char *ticket = NULL;
  g_autofree char *url = NULL;

  if (confab_access_is_open (self->access))
    url = g_strconcat (base, path, NULL);
  else
    {
      ticket = confab_access_mint_ticket (self->access, NULL);
      url = g_strconcat (base, path, "?ticket=", ticket, NULL);
    }
  g_app_info_launch_default_for_uri_async (url, NULL, NULL, launched_cb, NULL);
}
