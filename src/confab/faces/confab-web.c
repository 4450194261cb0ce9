/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "confab-web.h"

#include <glib/gi18n-lib.h>

#include "confab-http.h"
#include "confab-id.h"
#include "confab-web-files.h"
#include "socketio-json.h"

struct _ConfabWeb
{
  GObject parent_instance;

  ConfabService *service;
  ConfabAccess *access;
  ConfabWebFiles *files;
};

G_DEFINE_FINAL_TYPE (ConfabWeb, confab_web, G_TYPE_OBJECT)

static void
confab_web_finalize (GObject *object)
{
  ConfabWeb *self = CONFAB_WEB (object);

  g_clear_object (&self->service);
  g_clear_object (&self->access);
  confab_web_files_free (self->files);

  G_OBJECT_CLASS (confab_web_parent_class)->finalize (object);
}

static void
confab_web_class_init (ConfabWebClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = confab_web_finalize;
}

static void
confab_web_init (ConfabWeb *self)
{
  self->files = confab_web_files_new ();
}

/* "/" and "/session/ID/module/ID", which the client itself reads. */
static gboolean
is_page (const char *path)
{
  g_auto (GStrv) parts = NULL;

  if (g_str_equal (path, "/"))
    return TRUE;
  parts = g_strsplit (path, "/", 6);

  return g_strv_length (parts) == 5 && g_str_equal (parts[1], "session")
         && confab_id_is_valid (parts[2]) && g_str_equal (parts[3], "module")
         && confab_id_is_valid (parts[4]);
}

/* @trouble: NULL if there is none */
static void
answer_health (SoupServerMessage *message, const char *trouble)
{
  if (confab_http_check_method (message, "GET, HEAD", confab_http_is_read (message)))
    confab_http_respond_text (message,
                              trouble == NULL ? SOUP_STATUS_OK : SOUP_STATUS_SERVICE_UNAVAILABLE,
                              trouble == NULL ? "ok\n" : trouble);
}

static const char *
find_trouble (ConfabService *service)
{
  if (confab_service_is_shut_down (service))
    return "shutting down\n";
  if (!confab_service_is_ready (service))
    return "no model is chosen yet\n";

  return NULL;
}

/* The asker proved itself already: who may talk may also let a browser of theirs in. */
static void
answer_ticket (ConfabWeb *self, SoupServerMessage *message)
{
  g_autofree char *ticket = NULL;
  g_autofree char *url = NULL;
  g_autoptr (GString) json = NULL;
  gint64 expires_at;

  if (!confab_http_check_post (message))
    return;

  ticket = confab_access_mint_ticket (self->access, &expires_at);
  url = confab_access_make_url (self->access, "ticket", ticket);
  json = g_string_new ("{\"ticket\":");
  socketio_json_append_string (json, ticket, -1);
  g_string_append (json, ",\"url\":");
  socketio_json_append_string (json, url, -1);
  g_string_append_printf (json, ",\"expiresAt\":%" G_GINT64_FORMAT "}", expires_at);
  confab_http_respond_json (message, SOUP_STATUS_OK, json);
}

static void
request_cb (SoupServer *server,
            SoupServerMessage *message,
            const char *path,
            GHashTable *query,
            gpointer user_data)
{
  ConfabWeb *self = CONFAB_WEB (user_data);

  if (is_page (path))
    {
      if (!confab_web_files_serve (self->files, message, "/index.html"))
        confab_http_respond_error (message, SOUP_STATUS_NOT_FOUND, "invalid-request",
                                   _ ("This Confab was built without its web page."));
    }
  else if (g_str_equal (path, "/healthz"))
    answer_health (message, NULL);
  else if (g_str_equal (path, "/readyz"))
    answer_health (message, find_trouble (self->service));
  else if (g_str_equal (path, "/api/ticket"))
    answer_ticket (self, message);
  else if (!confab_web_files_serve (self->files, message, path))
    confab_http_respond_not_found (message);
}

/**
 * confab_web_new:
 * @service: whose state health tells
 * @access: who mints tickets
 * @server: where to serve every path that has no other handler
 *
 * Returns: (transfer full): the face; @server keeps it as long as it serves
 */
ConfabWeb *
confab_web_new (ConfabService *service, ConfabAccess *access, SoupServer *server)
{
  ConfabWeb *self;

  g_return_val_if_fail (CONFAB_IS_SERVICE (service) && CONFAB_IS_ACCESS (access), NULL);
  g_return_val_if_fail (SOUP_IS_SERVER (server), NULL);

  self = g_object_new (CONFAB_TYPE_WEB, NULL);
  self->service = g_object_ref (service);
  self->access = g_object_ref (access);
  soup_server_add_handler (server, NULL, request_cb, g_object_ref (self), g_object_unref);

  return self;
}
