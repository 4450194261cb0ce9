/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "confab-opener.h"

#include "confab-id.h"

/* A portal that has to be started first, on a machine that is busy. */
#define PORTAL_TIMEOUT_MS (10 * 1000)

struct _ConfabOpener
{
  ConfabService *service;
  ConfabAccess *access;
  GDBusConnection *connection; /* to a session bus; NULL: there is none now */
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
  g_clear_object (&self->connection);
  g_free (self);
}

/**
 * confab_opener_set_connection:
 * @connection: (nullable): to a session bus, where a portal may be
 */
void
confab_opener_set_connection (ConfabOpener *self, GDBusConnection *connection)
{
  g_set_object (&self->connection, connection);
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

static void
launch (const char *url)
{
  g_app_info_launch_default_for_uri_async (url, NULL, NULL, launched_cb, NULL);
}

static void
asked_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autofree char *url = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) reply =
      g_dbus_connection_call_finish (G_DBUS_CONNECTION (source), result, &error);

  if (reply == NULL)
    launch (url);
}

/* A browser that we start ourselves lives in what confines us: systemd's unit lets nobody make
 * namespaces or executable memory, and without those none works. The portal's is free. */
static void
open_url (ConfabOpener *self, const char *url)
{
  GVariantBuilder options;

  if (self->connection == NULL)
    {
      launch (url);
      return;
    }

  g_variant_builder_init (&options, G_VARIANT_TYPE_VARDICT);
  g_dbus_connection_call (self->connection, "org.freedesktop.portal.Desktop",
                          "/org/freedesktop/portal/desktop", "org.freedesktop.portal.OpenURI",
                          "OpenURI", g_variant_new ("(ssa{sv})", "", url, &options),
                          G_VARIANT_TYPE ("(o)"), G_DBUS_CALL_FLAGS_NONE, PORTAL_TIMEOUT_MS, NULL,
                          asked_cb, g_strdup (url));
}

/* @path: without a slash at its beginning */
static void
open_path (ConfabOpener *self, const char *path)
{
  g_autofree char *base = confab_access_make_url (self->access, NULL, NULL);
  g_autofree char *ticket = NULL;
  g_autofree char *url = NULL;

  if (confab_access_is_open (self->access))
    url = g_strconcat (base, path, NULL);
  else
    {
      ticket = confab_access_mint_ticket (self->access, NULL);
      url = g_strconcat (base, path, "?ticket=", ticket, NULL);
    }
  open_url (self, url);
}

/**
 * confab_opener_open:
 * @module_id: (nullable): whose page; %NULL, or one that is not there, for the first page
 */
void
confab_opener_open (ConfabOpener *self, const char *module_id)
{
  g_autofree char *path = make_path (self, module_id);

  open_path (self, path);
}

/**
 * confab_opener_open_new:
 *
 * Opens the page of a chat that comes to be with its first question.
 */
void
confab_opener_open_new (ConfabOpener *self)
{
  g_autofree char *id = confab_id_new ();
  g_autofree char *path = g_strconcat ("session/default/module/", id, NULL);

  open_path (self, path);
}
