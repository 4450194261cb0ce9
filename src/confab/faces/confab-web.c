/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "confab-web.h"

#include <glib/gi18n-lib.h>
#include <string.h>

#include "confab-http.h"
#include "confab-id.h"
#include "socketio-json.h"

#define RESOURCE_PREFIX "/org/confab/Confab/web"

struct _ConfabWeb
{
  GObject parent_instance;

  ConfabService *service;
  ConfabAccess *access;
  GHashTable *etags; /* path of a resource → its ETag */
};

G_DEFINE_FINAL_TYPE (ConfabWeb, confab_web, G_TYPE_OBJECT)

static const struct
{
  const char *suffix;
  const char *type;
} type_table[] = {
  { ".html", "text/html; charset=utf-8" },
  { ".js", "text/javascript; charset=utf-8" },
  { ".css", "text/css; charset=utf-8" },
  { ".svg", "image/svg+xml" },
};

static void
confab_web_finalize (GObject *object)
{
  ConfabWeb *self = CONFAB_WEB (object);

  g_clear_object (&self->service);
  g_clear_object (&self->access);
  g_hash_table_unref (self->etags);

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
  self->etags = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
}

static const char *
type_of (const char *path)
{
  for (guint i = 0; i < G_N_ELEMENTS (type_table); i++)
    if (g_str_has_suffix (path, type_table[i].suffix))
      return type_table[i].type;

  return NULL;
}

static const char *
ensure_etag (ConfabWeb *self, const char *path, GBytes *content)
{
  const char *etag = g_hash_table_lookup (self->etags, path);
  g_autofree char *digest = NULL;
  char *made;

  if (etag != NULL)
    return etag;
  digest = g_compute_checksum_for_bytes (G_CHECKSUM_SHA256, content);
  made = g_strdup_printf ("\"%.32s\"", digest);
  g_hash_table_insert (self->etags, g_strdup (path), made);

  return made;
}

/* Whether one of a list of ETags is ours. */
static gboolean
matches_etag (const char *list, const char *etag)
{
  g_auto (GStrv) etags = list != NULL ? g_strsplit (list, ",", -1) : NULL;

  for (guint i = 0; etags != NULL && etags[i] != NULL; i++)
    {
      const char *candidate = g_strstrip (etags[i]);

      if (g_str_has_prefix (candidate, "W/"))
        candidate += strlen ("W/");
      if (g_str_equal (candidate, etag) || g_str_equal (candidate, "*"))
        return TRUE;
    }

  return FALSE;
}

/* Answers with a file of the web client; FALSE if there is none of that name. */
static gboolean
serve_file (ConfabWeb *self, SoupServerMessage *message, const char *name)
{
  SoupMessageHeaders *headers = soup_server_message_get_response_headers (message);
  g_autofree char *path = g_strconcat (RESOURCE_PREFIX, name, NULL);
  const char *type = type_of (name);
  const char *etag, *known;
  g_autoptr (GBytes) content = NULL;

  if (type != NULL)
    content = g_resources_lookup_data (path, G_RESOURCE_LOOKUP_FLAGS_NONE, NULL);
  if (content == NULL)
    return FALSE;
  if (!confab_http_check_method (message, "GET, HEAD", confab_http_is_read (message)))
    return TRUE;

  etag = ensure_etag (self, path, content);
  known = soup_message_headers_get_list (soup_server_message_get_request_headers (message),
                                         "If-None-Match");
  soup_message_headers_replace (headers, "ETag", etag);
  soup_message_headers_replace (headers, "Cache-Control", "no-cache");
  if (matches_etag (known, etag))
    {
      soup_server_message_set_status (message, SOUP_STATUS_NOT_MODIFIED, NULL);
      return TRUE;
    }

  soup_message_headers_set_content_type (headers, type, NULL);
  soup_message_body_append_bytes (soup_server_message_get_response_body (message), content);
  soup_server_message_set_status (message, SOUP_STATUS_OK, NULL);

  return TRUE;
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

static void
answer_health (SoupServerMessage *message, gboolean healthy)
{
  if (confab_http_check_method (message, "GET, HEAD", confab_http_is_read (message)))
    confab_http_respond_text (message, healthy ? SOUP_STATUS_OK : SOUP_STATUS_SERVICE_UNAVAILABLE,
                              healthy ? "ok\n" : "shutting down\n");
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
      if (!serve_file (self, message, "/index.html"))
        confab_http_respond_error (message, SOUP_STATUS_NOT_FOUND, "invalid-request",
                                   _ ("This Confab was built without its web page."));
    }
  else if (g_str_equal (path, "/healthz"))
    answer_health (message, TRUE);
  else if (g_str_equal (path, "/readyz"))
    answer_health (message, !confab_service_is_shut_down (self->service));
  else if (g_str_equal (path, "/api/ticket"))
    answer_ticket (self, message);
  else if (!serve_file (self, message, path))
    confab_http_respond_error (message, SOUP_STATUS_NOT_FOUND, "invalid-request",
                               _ ("There is nothing at this address."));
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
