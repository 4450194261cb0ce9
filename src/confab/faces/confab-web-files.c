/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "confab-web-files.h"

#include <string.h>

#include "confab-http.h"

#define RESOURCE_PREFIX "/org/confab/Confab/web"
#define ASSETS_PREFIX "/assets/"
#define HASH_LENGTH 8

struct _ConfabWebFiles
{
  GHashTable *etags; /* path of a resource → its ETag */
};

static const struct
{
  const char *suffix;
  const char *type;
} type_table[] = {
  { ".html", "text/html; charset=utf-8" },
  { ".js", "text/javascript; charset=utf-8" },
  { ".css", "text/css; charset=utf-8" },
  { ".svg", "image/svg+xml" },
  { ".png", "image/png" },
  { ".ico", "image/x-icon" },
  { ".woff2", "font/woff2" },
  { ".json", "application/json" },
  { ".webmanifest", "application/manifest+json" },
};

/* The smallest first. */
static const struct
{
  const char *encoding;
  const char *suffix;
} encoding_table[] = {
  { "br", ".br" },
  { "gzip", ".gz" },
};

ConfabWebFiles *
confab_web_files_new (void)
{
  ConfabWebFiles *self = g_new0 (ConfabWebFiles, 1);

  self->etags = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);

  return self;
}

void
confab_web_files_free (ConfabWebFiles *self)
{
  g_hash_table_unref (self->etags);
  g_free (self);
}

/* NULL of anything that is not served, such as what was compressed ahead. */
static const char *
type_of (const char *name)
{
  for (guint i = 0; i < G_N_ELEMENTS (type_table); i++)
    if (g_str_has_suffix (name, type_table[i].suffix))
      return type_table[i].type;

  return NULL;
}

/* "/assets/NAME-HASH.EXT" never means anything else. */
static gboolean
is_immutable (const char *name)
{
  const char *end = strrchr (name, '.');

  return g_str_has_prefix (name, ASSETS_PREFIX) && end != NULL
         && (gsize) (end - name) > strlen (ASSETS_PREFIX) + HASH_LENGTH
         && end[-HASH_LENGTH - 1] == '-';
}

static const char *
ensure_etag (ConfabWebFiles *self, const char *path, GBytes *content)
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

static gboolean
names (GSList *codings, const char *coding)
{
  return g_slist_find_custom (codings, coding, (GCompareFunc) g_ascii_strcasecmp) != NULL;
}

static gboolean
accepts (SoupServerMessage *message, const char *coding)
{
  const char *list = soup_message_headers_get_list (
      soup_server_message_get_request_headers (message), "Accept-Encoding");
  GSList *unacceptable = NULL;
  GSList *acceptable = NULL;
  gboolean accepted;

  if (list == NULL)
    return FALSE;

  acceptable = soup_header_parse_quality_list (list, &unacceptable);
  accepted =
      names (acceptable, coding) || (names (acceptable, "*") && !names (unacceptable, coding));
  soup_header_free_list (acceptable);
  soup_header_free_list (unacceptable);

  return accepted;
}

/* Finds what was compressed ahead, if the browser reads it: replaces @path and @content. */
static void
choose_encoding (SoupServerMessage *message, char **path, GBytes **content)
{
  SoupMessageHeaders *headers = soup_server_message_get_response_headers (message);
  g_autofree char *plain = g_strdup (*path);
  gboolean chosen = FALSE, varies = FALSE;

  for (guint i = 0; i < G_N_ELEMENTS (encoding_table); i++)
    {
      g_autofree char *other = g_strconcat (plain, encoding_table[i].suffix, NULL);
      g_autoptr (GBytes) found =
          g_resources_lookup_data (other, G_RESOURCE_LOOKUP_FLAGS_NONE, NULL);

      if (found == NULL)
        continue;
      varies = TRUE;
      if (chosen || !accepts (message, encoding_table[i].encoding))
        continue;

      chosen = TRUE;
      g_free (*path);
      *path = g_steal_pointer (&other);
      g_bytes_unref (*content);
      *content = g_steal_pointer (&found);
      soup_message_headers_replace (headers, "Content-Encoding", encoding_table[i].encoding);
    }

  if (varies)
    soup_message_headers_append (headers, "Vary", "Accept-Encoding");
}

/**
 * confab_web_files_serve:
 * @self: the files
 * @message: a request without an answer yet
 * @name: an absolute path, as in an address
 *
 * Returns: whether there is such a file; @message is answered then, maybe with a refusal
 */
gboolean
confab_web_files_serve (ConfabWebFiles *self, SoupServerMessage *message, const char *name)
{
  SoupMessageHeaders *headers = soup_server_message_get_response_headers (message);
  g_autofree char *path = g_strconcat (RESOURCE_PREFIX, name, NULL);
  const char *type = type_of (name);
  g_autoptr (GBytes) content = NULL;
  const char *etag, *known;

  if (type != NULL)
    content = g_resources_lookup_data (path, G_RESOURCE_LOOKUP_FLAGS_NONE, NULL);
  if (content == NULL)
    return FALSE;
  if (!confab_http_check_method (message, "GET, HEAD", confab_http_is_read (message)))
    return TRUE;

  choose_encoding (message, &path, &content);
  etag = ensure_etag (self, path, content);
  known = soup_message_headers_get_list (soup_server_message_get_request_headers (message),
                                         "If-None-Match");
  soup_message_headers_replace (headers, "ETag", etag);
  /* private: who may read them is for us to say, not for a cache on the way */
  soup_message_headers_replace (headers, "Cache-Control",
                                is_immutable (name) ? "private, max-age=31536000, immutable"
                                                    : "no-cache");
  if (matches_etag (known, etag))
    {
      soup_message_headers_remove (headers, "Content-Encoding");
      soup_server_message_set_status (message, SOUP_STATUS_NOT_MODIFIED, NULL);
      return TRUE;
    }

  soup_message_headers_set_content_type (headers, type, NULL);
  soup_message_body_append_bytes (soup_server_message_get_response_body (message), content);
  soup_server_message_set_status (message, SOUP_STATUS_OK, NULL);

  return TRUE;
}
