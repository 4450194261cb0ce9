/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fuzz.h"

#include <libsoup/soup.h>
#include <sanitizer/asan_interface.h>
#include <string.h>

#include "socketio-http-head.h"

/* What comes first on a connection, as the doorman judges it. The verdict does not depend on how it
 * was cut on its way; and what is let in reads to libsoup as one request, framed as we took it. */

/* Whatever is read beyond what has come is reported: that is poisoned. One copy for each step would
 * say the same, at ten times the cost. */
static guint
check_trickling (const guint8 *data, gsize size, gsize step, gsize *seen)
{
  g_autofree char *bytes = g_memdup2 (data, size);
  gsize scanned = 0;
  guint status = 0;

  ASAN_POISON_MEMORY_REGION (bytes, size);
  for (*seen = 0; status == 0 && *seen < size;)
    {
      *seen = MIN (*seen + step, size);
      ASAN_UNPOISON_MEMORY_REGION (bytes, *seen);
      status = socketio_http_head_check (bytes, *seen, &scanned);
      g_assert_cmpuint (scanned, <=, *seen);
    }
  ASAN_UNPOISON_MEMORY_REGION (bytes, size);

  return status;
}

static void
check_with_libsoup (const char *data, gsize size)
{
  const char *end = memmem (data, size, "\r\n\r\n", 4);
  g_autoptr (SoupMessageHeaders) headers = soup_message_headers_new (SOUP_MESSAGE_HEADERS_REQUEST);
  g_autofree char *method = NULL;
  g_autofree char *path = NULL;
  SoupHTTPVersion version;

  g_assert_nonnull (end);
  g_assert_cmpuint (end + 4 - data, <=, SOCKETIO_HTTP_HEAD_MAX);
  g_assert_null (memchr (data, '\0', end - data));
  g_assert_cmpuint (
      soup_headers_parse_request (data, end + 2 - data, headers, &method, &path, &version), ==,
      SOUP_STATUS_OK);
  g_assert_true (path[0] == '/' || strcmp (path, "*") == 0);
  if (version == SOUP_HTTP_1_1)
    g_assert_nonnull (soup_message_headers_get_one (headers, "Host"));
  if (soup_message_headers_get_one (headers, "Transfer-Encoding") != NULL)
    {
      g_assert_cmpint (soup_message_headers_get_encoding (headers), ==, SOUP_ENCODING_CHUNKED);
      g_assert_null (soup_message_headers_get_one (headers, "Content-Length"));
    }
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  gsize scanned = 0, seen, again;
  guint status = socketio_http_head_check ((const char *) data, size, &scanned);
  guint first = check_trickling (data, size, 1, &seen);

  g_assert_true (status == 0 || status == 200 || status == 400 || status == 431 || status == 501
                 || status == 505);
  g_assert_cmpuint (check_trickling (data, size, 7, &again), ==, first);
  g_assert_cmpuint (again, >=, seen);

  if (status == 0)
    g_assert_cmpuint (first, ==, 0);
  if (first == 200)
    {
      g_assert_cmpuint (status, ==, 200);
      check_with_libsoup ((const char *) data, size);
    }
  return 0;
}
