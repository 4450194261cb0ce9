/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "socketio-http-head.h"

#include <string.h>

typedef struct
{
  const char *name;
  guint status;
  const char *head;
  gsize length;
} Case;

#define TEXT(string) string, sizeof (string) - 1
#define GET "GET / HTTP/1.1\r\n"
#define POST "POST / HTTP/1.1\r\nHost: a\r\n"
#define HOST "Host: a\r\n"
#define END "\r\n"

static const Case cases[] = {
  { "get", 200, TEXT (GET HOST END) },
  { "head", 200, TEXT ("HEAD /a HTTP/1.1\r\n" HOST END) },
  { "post", 200, TEXT ("POST /a HTTP/1.1\r\n" HOST END) },
  { "put", 200, TEXT ("PUT /a HTTP/1.1\r\n" HOST END) },
  { "patch", 200, TEXT ("PATCH /a HTTP/1.1\r\n" HOST END) },
  { "delete", 200, TEXT ("DELETE /a HTTP/1.1\r\n" HOST END) },
  { "options", 200, TEXT ("OPTIONS /a HTTP/1.1\r\n" HOST END) },
  { "body-follows", 200, TEXT (POST "Content-Length: 3\r\n" END "a\nb") },

  { "method/trace", 501, TEXT ("TRACE / HTTP/1.1\r\n" HOST END) },
  { "method/made-up", 501, TEXT ("FROB / HTTP/1.1\r\n" HOST END) },
  { "method/prefix", 501, TEXT ("GE / HTTP/1.1\r\n" HOST END) },
  { "method/longer", 501, TEXT ("GETS / HTTP/1.1\r\n" HOST END) },
  { "method/lower-case", 400, TEXT ("get / HTTP/1.1\r\n" HOST END) },
  { "method/mixed-case", 501, TEXT ("Get / HTTP/1.1\r\n" HOST END) },
  { "method/not-a-token", 400, TEXT ("GE(T / HTTP/1.1\r\n" HOST END) },
  { "method/nul", 400, TEXT ("GE\0T / HTTP/1.1\r\n" HOST END) },
  { "method/none", 400, TEXT (" / HTTP/1.1\r\n" HOST END) },
  { "method/tab-after", 400, TEXT ("GET\t/ HTTP/1.1\r\n" HOST END) },

  { "target/query", 200, TEXT ("GET /a?b=c&d=%20 HTTP/1.1\r\n" HOST END) },
  { "target/asterisk-options", 200, TEXT ("OPTIONS * HTTP/1.1\r\n" HOST END) },
  { "target/asterisk-get", 400, TEXT ("GET * HTTP/1.1\r\n" HOST END) },
  { "target/asterisk-and-more", 400, TEXT ("OPTIONS *a HTTP/1.1\r\n" HOST END) },
  { "target/absolute", 400, TEXT ("GET http://a/ HTTP/1.1\r\n" HOST END) },
  { "target/authority", 501, TEXT ("CONNECT a:80 HTTP/1.1\r\n" HOST END) },
  { "target/authority-get", 400, TEXT ("GET a:80 HTTP/1.1\r\n" HOST END) },
  { "target/empty", 400, TEXT ("GET  HTTP/1.1\r\n" HOST END) },
  { "target/two-spaces", 400, TEXT ("GET  / HTTP/1.1\r\n" HOST END) },
  { "target/space-in-it", 400, TEXT ("GET /a b HTTP/1.1\r\n" HOST END) },
  { "target/tab-in-it", 400, TEXT ("GET /a\tb HTTP/1.1\r\n" HOST END) },
  { "target/nul-in-it", 400, TEXT ("GET /a\0b HTTP/1.1\r\n" HOST END) },
  { "target/not-ascii", 400, TEXT ("GET /\xc3\xa4 HTTP/1.1\r\n" HOST END) },
  { "target/bare-cr", 400, TEXT ("GET /\r HTTP/1.1\r\n" HOST END) },

  { "version/1.0", 200, TEXT ("GET / HTTP/1.0\r\n" END) },
  { "version/1.0-with-host", 200, TEXT ("GET / HTTP/1.0\r\n" HOST END) },
  { "version/1.2", 505, TEXT ("GET / HTTP/1.2\r\n" HOST END) },
  { "version/0.9", 400, TEXT ("GET /\r\n" END) },
  { "version/lower-case", 400, TEXT ("GET / http/1.1\r\n" HOST END) },
  { "version/other-protocol", 400, TEXT ("GET / RTSP/1.0\r\n" HOST END) },
  { "version/space-after", 400, TEXT ("GET / HTTP/1.1 \r\n" HOST END) },
  { "version/two-digits", 400, TEXT ("GET / HTTP/1.10\r\n" HOST END) },
  { "version/http2-preface", 505, TEXT ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n") },
  { "version/tls-hello", 400, TEXT ("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03") },
  { "version/empty-line-first", 400, TEXT ("\r\n" GET HOST END) },

  { "line/lf-only", 400, TEXT ("GET / HTTP/1.1\nHost: a\n\r\n\r\n") },
  { "line/lf-after-request", 400, TEXT ("GET / HTTP/1.1\n" HOST END) },
  { "line/lf-after-field", 400, TEXT (GET "Host: a\nX: b\r\n" END) },
  { "line/lf-lf", 400, TEXT (GET "Host: a\n\nGET /b HTTP/1.1\r\n" END) },
  { "line/cr-in-value", 400, TEXT (GET "Host: a\rX: b\r\n" END) },
  { "line/cr-before-crlf", 400, TEXT (GET "Host: a\r\r\n" END) },
  { "line/folded-by-space", 400, TEXT (GET HOST "X: a\r\n b\r\n" END) },
  { "line/folded-by-tab", 400, TEXT (GET HOST "X: a\r\n\tb\r\n" END) },
  { "line/blank-first", 400, TEXT (GET " Host: a\r\n" END) },

  { "field/space-before-colon", 400, TEXT (GET "Host : a\r\n" END) },
  { "field/tab-before-colon", 400, TEXT (GET "Host\t: a\r\n" END) },
  { "field/space-before-another-colon", 400, TEXT (GET HOST "X : a\r\n" END) },
  { "field/tab-before-another-colon", 400, TEXT (GET HOST "X\t: a\r\n" END) },
  { "field/no-colon", 400, TEXT (GET HOST "X\r\n" END) },
  { "field/no-name", 400, TEXT (GET HOST ": a\r\n" END) },
  { "field/no-value", 200, TEXT (GET HOST "X:\r\n" END) },
  { "field/no-blank-before-value", 200, TEXT (GET "Host:a\r\n" END) },
  { "field/blanks-around-value", 200, TEXT (GET "Host: \t a \t \r\n" END) },
  { "field/tab-in-value", 200, TEXT (GET HOST "X: a\tb\r\n" END) },
  { "field/latin-1-in-value", 200, TEXT (GET HOST "X: \xe4\r\n" END) },
  { "field/nul-in-value", 400, TEXT (GET HOST "X: a\0b\r\n" END) },
  { "field/escape-in-value", 400, TEXT (GET HOST "X: a\033b\r\n" END) },
  { "field/delete-in-value", 400, TEXT (GET HOST "X: a\177b\r\n" END) },
  { "field/nul-in-name", 400, TEXT (GET HOST "X\0Y: a\r\n" END) },
  { "field/nul-ends-name", 400, TEXT (GET "Host: a\r\nTransfer-Encoding\0: chunked\r\n" END) },
  { "field/not-ascii-in-name", 400, TEXT (GET HOST "X\xe4: a\r\n" END) },
  { "field/brackets-in-name", 400, TEXT (GET HOST "X[1]: a\r\n" END) },

  { "host/missing", 400, TEXT (GET END) },
  { "host/repeated", 400, TEXT (GET HOST HOST END) },
  { "host/repeated-in-other-case", 400, TEXT (GET HOST "hOST: b\r\n" END) },
  { "host/repeated-in-1.0", 400, TEXT ("GET / HTTP/1.0\r\n" HOST HOST END) },
  { "host/lower-case", 200, TEXT (GET "host: a\r\n" END) },

  { "length/zero", 200, TEXT (POST "Content-Length: 0\r\n" END) },
  { "length/18-digits", 200, TEXT (POST "Content-Length: 999999999999999999\r\n" END) },
  { "length/19-digits", 400, TEXT (POST "Content-Length: 1000000000000000000\r\n" END) },
  { "length/20-digits", 400, TEXT (POST "Content-Length: 18446744073709551617\r\n" END) },
  { "length/empty", 400, TEXT (POST "Content-Length: \r\n" END) },
  { "length/comma", 400, TEXT (POST "Content-Length: 5, 5\r\n" END) },
  { "length/plus", 400, TEXT (POST "Content-Length: +5\r\n" END) },
  { "length/minus", 400, TEXT (POST "Content-Length: -5\r\n" END) },
  { "length/hex", 400, TEXT (POST "Content-Length: 0x5\r\n" END) },
  { "length/hex-digit", 400, TEXT (POST "Content-Length: 5a\r\n" END) },
  { "length/fraction", 400, TEXT (POST "Content-Length: 5.0\r\n" END) },
  { "length/space-in-it", 400, TEXT (POST "Content-Length: 5 5\r\n" END) },
  { "length/twice-the-same", 400, TEXT (POST "Content-Length: 5\r\nContent-Length: 5\r\n" END) },
  { "length/twice-in-other-case", 400,
    TEXT (POST "Content-Length: 5\r\ncontent-length: 6\r\n" END) },

  { "transfer/chunked", 200, TEXT (POST "Transfer-Encoding: chunked\r\n" END) },
  { "transfer/any-case", 200, TEXT (POST "transfer-encoding: CHUNKED\r\n" END) },
  { "transfer/gzip", 501, TEXT (POST "Transfer-Encoding: gzip\r\n" END) },
  { "transfer/identity", 501, TEXT (POST "Transfer-Encoding: identity\r\n" END) },
  { "transfer/gzip-chunked", 501, TEXT (POST "Transfer-Encoding: gzip, chunked\r\n" END) },
  { "transfer/chunked-chunked", 501, TEXT (POST "Transfer-Encoding: chunked, chunked\r\n" END) },
  { "transfer/chunked-parameter", 501, TEXT (POST "Transfer-Encoding: chunked;a=b\r\n" END) },
  { "transfer/prefix", 501, TEXT (POST "Transfer-Encoding: chunke\r\n" END) },
  { "transfer/quoted", 501, TEXT (POST "Transfer-Encoding: \"chunked\"\r\n" END) },
  { "transfer/empty", 501, TEXT (POST "Transfer-Encoding:\r\n" END) },
  { "transfer/vertical-tab", 400, TEXT (POST "Transfer-Encoding:\vchunked\r\n" END) },
  { "transfer/twice", 400,
    TEXT (POST "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n" END) },
  { "transfer/and-length", 400,
    TEXT (POST "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n" END) },
  { "transfer/after-length", 400,
    TEXT (POST "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n" END) },
  { "transfer/in-1.0", 400,
    TEXT ("POST / HTTP/1.0\r\n" HOST "Transfer-Encoding: chunked\r\n" END) },
};

static guint
check (const char *data, gsize length)
{
  gsize scanned = 0;

  return socketio_http_head_check (data, length, &scanned);
}

static void
test_case (gconstpointer data)
{
  const Case *c = data;

  g_assert_cmpuint (check (c->head, c->length), ==, c->status);
}

/* The bytes up to @length in a block of their own, so that reading past them shows. */
static guint
check_copy (const char *data, gsize length, gsize *scanned)
{
  g_autofree char *copy = g_memdup2 (data, length);

  return socketio_http_head_check (copy != NULL ? copy : "", length, scanned);
}

/* Cut at every byte: nothing is decided before the end of the head, but for what is no HTTP at its
 * first byte; and the verdict does not depend on how it came. */
static void
test_cut_case (gconstpointer data)
{
  const Case *c = data;
  const char *end = memmem (c->head, c->length, "\r\n\r\n", 4);
  gsize head_length = end != NULL ? (gsize) (end - c->head) + 4 : c->length;
  gboolean decided_at_once = !g_ascii_isupper (c->head[0]);
  gsize trickled = 0;

  for (gsize length = 0; length <= c->length; length++)
    {
      gboolean decided = decided_at_once ? length > 0 : length >= head_length;
      gsize fresh = 0;

      g_assert_cmpuint (check_copy (c->head, length, &fresh), ==, decided ? c->status : 0);
      g_assert_cmpuint (check_copy (c->head, length, &trickled), ==, decided ? c->status : 0);
      g_assert_cmpuint (fresh, <=, length);
      g_assert_cmpuint (trickled, <=, length);
      if (!decided)
        g_assert_cmpuint (trickled, ==, length);
    }
}

/* Two pieces, cut anywhere: the end of the head may lie across what was scanned. */
static void
test_scanned_across_end (void)
{
  static const char head[] = GET HOST END;
  gsize full = sizeof head - 1;

  for (gsize cut = 0; cut < full; cut++)
    {
      gsize scanned = 0;

      g_assert_cmpuint (check_copy (head, cut, &scanned), ==, 0);
      g_assert_cmpuint (scanned, ==, cut);
      g_assert_cmpuint (check_copy (head, full, &scanned), ==, 200);
    }
}

/* What was scanned is not searched again: an end of head hidden in there is not seen. */
static void
test_scanned_is_skipped (void)
{
  static const char head[] = GET HOST END "after the end";
  gsize scanned = sizeof head - 1;

  g_assert_cmpuint (socketio_http_head_check (head, sizeof head - 1, &scanned), ==, 0);
}

/* A head of @length bytes; what is not needed is in the value of a field. */
static GString *
make_head (gsize length)
{
  GString *head = g_string_new (GET HOST "X: ");

  while (head->len < length - 4)
    g_string_append_c (head, 'x');
  g_string_append (head, "\r\n\r\n");
  g_assert_cmpuint (head->len, ==, length);
  return head;
}

static void
free_string (GString *string)
{
  g_string_free (string, TRUE);
}

static void
test_longest (void)
{
  GString *head = make_head (SOCKETIO_HTTP_HEAD_MAX);

  g_assert_cmpuint (check (head->str, head->len), ==, 200);
  g_assert_cmpuint (check (head->str, head->len - 1), ==, 0);
  free_string (head);
}

static void
test_too_long (void)
{
  GString *head = make_head (SOCKETIO_HTTP_HEAD_MAX + 1);

  g_assert_cmpuint (check (head->str, head->len), ==, 431);
  /* no need to see its end */
  g_assert_cmpuint (check (head->str, SOCKETIO_HTTP_HEAD_MAX), ==, 431);
  g_assert_cmpuint (check (head->str, SOCKETIO_HTTP_HEAD_MAX - 1), ==, 0);
  free_string (head);
}

/* The limit is one of the head: a body that came with it does not count. */
static void
test_longest_with_body (void)
{
  GString *head = make_head (SOCKETIO_HTTP_HEAD_MAX - 100);

  for (guint i = 0; i < 1000; i++)
    g_string_append (head, "body");
  g_assert_cmpuint (check (head->str, head->len), ==, 200);
  free_string (head);
}

static guint
check_fields (guint n)
{
  g_autoptr (GString) head = g_string_new (GET HOST);

  for (guint i = 1; i < n; i++)
    g_string_append_printf (head, "X-%u: a\r\n", i);
  g_string_append (head, END);
  return check (head->str, head->len);
}

static void
test_most_fields (void)
{
  g_assert_cmpuint (check_fields (SOCKETIO_HTTP_HEAD_MAX_FIELDS), ==, 200);
}

static void
test_too_many_fields (void)
{
  g_assert_cmpuint (check_fields (SOCKETIO_HTTP_HEAD_MAX_FIELDS + 1), ==, 431);
}

/* Every byte, put anywhere into a good head, gives one of the known verdicts; a control character
 * other than a tab in a value never passes. */
static void
test_any_byte (void)
{
  static const char good[] = "POST /ab HTTP/1.1\r\nHost: a\r\nX: bcd\r\nContent-Length: 2\r\n\r\n";
  gsize length = sizeof good - 1;

  for (gsize i = 0; i < length; i++)
    for (guint byte = 0; byte < 256; byte++)
      {
        g_autofree char *head = g_memdup2 (good, length);
        guint status;

        head[i] = (char) byte;
        status = check (head, length);
        g_assert_true (status == 0 || status == 200 || status == 400 || status == 501
                       || status == 505);
        if (status == 200 && head[i] != good[i])
          g_assert_true (byte == '\t' || (byte >= 0x20 && byte != 0x7f));
      }
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *whole = g_strconcat ("/http-head/whole/", cases[i].name, NULL);
      g_autofree char *cut = g_strconcat ("/http-head/cut/", cases[i].name, NULL);

      g_test_add_data_func (whole, &cases[i], test_case);
      g_test_add_data_func (cut, &cases[i], test_cut_case);
    }
  g_test_add_func ("/http-head/scanned/across-end", test_scanned_across_end);
  g_test_add_func ("/http-head/scanned/is-skipped", test_scanned_is_skipped);
  g_test_add_func ("/http-head/longest", test_longest);
  g_test_add_func ("/http-head/too-long", test_too_long);
  g_test_add_func ("/http-head/longest-with-body", test_longest_with_body);
  g_test_add_func ("/http-head/most-fields", test_most_fields);
  g_test_add_func ("/http-head/too-many-fields", test_too_many_fields);
  g_test_add_func ("/http-head/any-byte", test_any_byte);

  return g_test_run ();
}
