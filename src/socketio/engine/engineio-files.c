/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engineio-files.h"

#include "engineio-http.h"

typedef struct
{
  char *content_type;
  char *etag;
  GBytes *content;
} File;

struct _EngineioFiles
{
  GHashTable *by_name; /* name → File */
};

static void
file_free (gpointer data)
{
  File *file = data;

  g_bytes_unref (file->content);
  g_free (file->etag);
  g_free (file->content_type);
  g_free (file);
}

EngineioFiles *
engineio_files_new (void)
{
  EngineioFiles *self = g_new (EngineioFiles, 1);

  self->by_name = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, file_free);
  return self;
}

void
engineio_files_free (EngineioFiles *self)
{
  g_hash_table_unref (self->by_name);
  g_free (self);
}

void
engineio_files_add (EngineioFiles *self,
                    const char *name,
                    const char *content_type,
                    GBytes *content)
{
  g_autofree char *sum = g_compute_checksum_for_bytes (G_CHECKSUM_SHA256, content);
  File *file = g_new (File, 1);

  *file =
      (File){ g_strdup (content_type), g_strdup_printf ("\"%.32s\"", sum), g_bytes_ref (content) };
  g_hash_table_replace (self->by_name, g_strdup (name), file);
}

gboolean
engineio_files_serve (EngineioFiles *self, SoupServerMessage *message, const char *name)
{
  SoupMessageHeaders *request = soup_server_message_get_request_headers (message);
  SoupMessageHeaders *response = soup_server_message_get_response_headers (message);
  const char *method = soup_server_message_get_method (message);
  const char *known = soup_message_headers_get_list (request, "If-None-Match");
  File *file = g_hash_table_lookup (self->by_name, name);
  g_autoptr (GBytes) nothing = g_bytes_new_static ("", 0);

  if (file == NULL)
    return FALSE;

  if (method != SOUP_METHOD_GET && method != SOUP_METHOD_HEAD)
    {
      soup_message_headers_replace (response, "Allow", "GET, HEAD");
      engineio_http_respond_static (message, SOUP_STATUS_METHOD_NOT_ALLOWED, "text/plain",
                                    "Only GET and HEAD");
      return TRUE;
    }

  if (known != NULL && strstr (known, file->etag) != NULL)
    engineio_http_respond (message, SOUP_STATUS_NOT_MODIFIED, file->content_type, nothing);
  else
    engineio_http_respond (message, SOUP_STATUS_OK, file->content_type, file->content);
  soup_message_headers_replace (response, "Cache-Control", "public, max-age=0");
  soup_message_headers_replace (response, "ETag", file->etag);
  return TRUE;
}
