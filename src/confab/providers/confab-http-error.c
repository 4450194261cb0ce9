/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <math.h>
#include <string.h>
#include <glib/gi18n-lib.h>

#include "confab-http-error.h"
#include "confab-error.h"
#include "confab-json-peek.h"
#include "socketio-json.h"

/* No upstream means a wait longer than this; larger numbers are broken clocks and typing errors. */
#define MAX_RETRY_AFTER_MS (24 * 60 * 60 * G_GINT64_CONSTANT (1000))

/* Stands for what was left out. */
#define ELLIPSIS "…"
/* Words that were not cut may end by chance as a secret begins, which in "sk-" is no secret yet. */
#define MIN_PIECE 4

/* What a server tells in the body of a failed request or in an event of its stream. */
typedef struct
{
  guint status;
  char *words;
  char *type;
  char *code;
} Report;

static void
report_clear (Report *report)
{
  g_clear_pointer (&report->words, g_free);
  g_clear_pointer (&report->type, g_free);
  g_clear_pointer (&report->code, g_free);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Report, report_clear)

/* Names that servers put into an error's type or code, and what they come to. retryable -1: as the
 * code says. The first that matches wins. */
static const struct
{
  const char *name;
  ConfabError error;
  int retryable;
} named_errors[] = {
  { "context_length_exceeded", CONFAB_ERROR_CONTEXT_LENGTH, -1 },
  { "exceed_context_size_error", CONFAB_ERROR_CONTEXT_LENGTH, -1 },
  { "content_filter", CONFAB_ERROR_CONTENT_FILTER, -1 },
  { "content_policy_violation", CONFAB_ERROR_CONTENT_FILTER, -1 },
  { "insufficient_quota", CONFAB_ERROR_UPSTREAM_RATE_LIMIT, FALSE },
  { "billing_error", CONFAB_ERROR_UPSTREAM_RATE_LIMIT, FALSE },
  { "rate_limit_exceeded", CONFAB_ERROR_UPSTREAM_RATE_LIMIT, -1 },
  { "rate_limit_error", CONFAB_ERROR_UPSTREAM_RATE_LIMIT, -1 },
  { "too_many_requests", CONFAB_ERROR_UPSTREAM_RATE_LIMIT, -1 },
  { "invalid_api_key", CONFAB_ERROR_UPSTREAM_AUTH, -1 },
  { "authentication_error", CONFAB_ERROR_UPSTREAM_AUTH, -1 },
  { "permission_error", CONFAB_ERROR_UPSTREAM_AUTH, -1 },
  { "overloaded_error", CONFAB_ERROR_UPSTREAM_UNAVAILABLE, -1 },
  { "unavailable_error", CONFAB_ERROR_UPSTREAM_UNAVAILABLE, -1 },
  { "service_unavailable", CONFAB_ERROR_UPSTREAM_UNAVAILABLE, -1 },
  { "timeout", CONFAB_ERROR_UPSTREAM_TIMEOUT, -1 },
  { "timeout_error", CONFAB_ERROR_UPSTREAM_TIMEOUT, -1 },
  { "server_error", CONFAB_ERROR_UPSTREAM_ERROR, TRUE },
  { "api_error", CONFAB_ERROR_UPSTREAM_ERROR, TRUE },
  { "internal_server_error", CONFAB_ERROR_UPSTREAM_ERROR, TRUE },
};

/* How servers say that a conversation is too long where they have no name of its own for it:
 * Anthropic (two forms), vLLM, llama.cpp, Ollama. */
static const char *const too_long_phrases[] = {
  "prompt is too long",         "exceed context limit",
  "maximum context length",     "exceeds the available context size",
  "exceeds the context length",
};

/**
 * confab_http_error_tidy_words:
 * @text: @length bytes, or NUL-terminated with -1; any bytes
 *
 * Makes one line of valid UTF-8, at most %CONFAB_HTTP_ERROR_MAX_WORDS bytes, of what a server said.
 *
 * Returns: (transfer full) (nullable): NULL if nothing is left
 */
char *
confab_http_error_tidy_words (const char *text, gssize length)
{
  gsize size = length < 0 ? strlen (text) : (gsize) length;
  g_autofree char *valid = g_utf8_make_valid (text, (gssize) MIN (size, 4096));
  g_autoptr (GString) line = g_string_new (NULL);
  gboolean gap = FALSE;

  for (const char *p = valid; *p != '\0'; p = g_utf8_next_char (p))
    {
      gunichar c = g_utf8_get_char (p);

      if (g_unichar_isspace (c) || g_unichar_iscntrl (c))
        {
          gap = line->len > 0;
          continue;
        }
      if (line->len + 8 > CONFAB_HTTP_ERROR_MAX_WORDS)
        {
          g_string_append (line, ELLIPSIS);
          break;
        }
      if (gap)
        g_string_append_c (line, ' ');
      gap = FALSE;
      g_string_append_unichar (line, c);
    }

  if (line->len == 0)
    return NULL;

  return g_string_free (g_steal_pointer (&line), FALSE);
}

/* Returns: how many bytes at the end of the first @length of @text are the beginning of @secret, at
 * least @least, or 0 */
static gsize
find_piece (const char *text, gsize length, const char *secret, gsize least)
{
  for (gsize n = MIN (length, strlen (secret) - 1); n >= MAX (least, 1); n--)
    {
      if (memcmp (text + length - n, secret, n) == 0)
        return n;
    }

  return 0;
}

/**
 * confab_http_error_hide:
 * @error: an error of this file, or one that ends in confab_http_error_tidy_words()
 * @secret: what its sentence must not hold; not empty
 *
 * Puts “…” in the place of @secret, wherever it stands, and of what is left of it where the words
 * of the server end: they may have been cut there.
 */
void
confab_http_error_hide (GError *error, const char *secret)
{
  g_auto (GStrv) parts = NULL;
  g_autofree char *text = NULL;
  gboolean cut;
  gsize length, piece;

  g_return_if_fail (error != NULL && secret != NULL && *secret != '\0');

  parts = g_strsplit (error->message, secret, -1);
  text = g_strjoinv (ELLIPSIS, parts);
  cut = g_str_has_suffix (text, ELLIPSIS);
  length = strlen (text) - (cut ? strlen (ELLIPSIS) : 0);
  piece = find_piece (text, length, secret, cut ? 1 : MIN_PIECE);
  text[length - piece] = '\0';

  g_free (error->message);
  error->message = g_strconcat (text, cut || piece > 0 ? ELLIPSIS : "", NULL);
}

static void
report_take_words (Report *report, const char *text)
{
  if (report->words == NULL && text != NULL)
    report->words = confab_http_error_tidy_words (text, -1);
}

/* Reads {"message","type","code"}; a number as code, as gateways give it, is an HTTP status. */
static void
report_read_object (Report *report, JsonObject *object)
{
  JsonNode *number = confab_json_peek_value (object, "code", G_TYPE_INT64);

  report_take_words (report, confab_json_peek_string (object, "message"));
  if (report->type == NULL)
    report->type = g_strdup (confab_json_peek_string (object, "type"));
  if (report->code == NULL)
    report->code = g_strdup (confab_json_peek_string (object, "code"));
  if (report->status == 0 && number != NULL)
    {
      gint64 status = json_node_get_int (number);

      if (status >= 400 && status <= 599)
        report->status = (guint) status;
    }
}

/* Reads {"error":{…}}, {"error":"text"}, {"message":"text"}, and the {"detail":"text"} of servers
 * that are written with FastAPI. */
static void
report_read_json (Report *report, JsonNode *node)
{
  JsonObject *object;
  JsonNode *inner;

  if (!JSON_NODE_HOLDS_OBJECT (node))
    return;

  object = json_node_get_object (node);
  inner = json_object_get_member (object, "error");
  if (inner != NULL && JSON_NODE_HOLDS_OBJECT (inner))
    report_read_object (report, json_node_get_object (inner));
  else if (inner != NULL && JSON_NODE_HOLDS_VALUE (inner)
           && json_node_get_value_type (inner) == G_TYPE_STRING)
    report_take_words (report, json_node_get_string (inner));

  report_read_object (report, object);
  report_take_words (report, confab_json_peek_string (object, "detail"));
}

static ConfabError
error_from_status (guint status)
{
  switch (status)
    {
    case SOUP_STATUS_UNAUTHORIZED:
    case SOUP_STATUS_FORBIDDEN:
      return CONFAB_ERROR_UPSTREAM_AUTH;
    case SOUP_STATUS_REQUEST_TIMEOUT:
    case SOUP_STATUS_GATEWAY_TIMEOUT:
      return CONFAB_ERROR_UPSTREAM_TIMEOUT;
    case SOUP_STATUS_REQUEST_ENTITY_TOO_LARGE:
      return CONFAB_ERROR_CONTEXT_LENGTH;
    case 429:
      return CONFAB_ERROR_UPSTREAM_RATE_LIMIT;
    case SOUP_STATUS_BAD_GATEWAY:
    case SOUP_STATUS_SERVICE_UNAVAILABLE:
    case 529:
      return CONFAB_ERROR_UPSTREAM_UNAVAILABLE;
    default:
      return CONFAB_ERROR_UPSTREAM_ERROR;
    }
}

static gboolean
says_too_long (const Report *report)
{
  for (gsize i = 0; report->words != NULL && i < G_N_ELEMENTS (too_long_phrases); i++)
    {
      if (strstr (report->words, too_long_phrases[i]) != NULL)
        return TRUE;
    }

  return FALSE;
}

static GError *
report_to_error (const Report *report)
{
  ConfabError code = error_from_status (report->status);
  int retryable = code == CONFAB_ERROR_UPSTREAM_ERROR && report->status >= 500 ? TRUE : -1;
  g_autofree char *status = NULL;
  GError *error;

  for (gsize i = 0; i < G_N_ELEMENTS (named_errors); i++)
    {
      const char *name = named_errors[i].name;

      if (g_strcmp0 (report->code, name) != 0 && g_strcmp0 (report->type, name) != 0)
        continue;

      /* A status that says more than a vague name stands. */
      if (named_errors[i].error == CONFAB_ERROR_UPSTREAM_ERROR
          && code != CONFAB_ERROR_UPSTREAM_ERROR)
        break;

      code = named_errors[i].error;
      retryable = named_errors[i].retryable;
      break;
    }

  if (code == CONFAB_ERROR_UPSTREAM_ERROR && retryable == -1 && says_too_long (report))
    code = CONFAB_ERROR_CONTEXT_LENGTH;

  if (report->status != 0)
    status = g_strdup_printf (" (HTTP %u)", report->status);
  error =
      g_error_new (CONFAB_ERROR, (gint) code, "%s%s%s", status != NULL ? status : "",
                   report->words != NULL ? ": " : ".", report->words != NULL ? report->words : "");
  g_prefix_error (&error, "%s", confab_error_to_words (error));
  if (retryable != -1)
    confab_error_set_retryable (error, retryable);

  return error;
}

/* Retry-After in seconds or as a date (RFC 9110, 10.2.3), or the finer retry-after-ms. */
static gint64
read_retry_after (SoupMessageHeaders *headers)
{
  const char *fine = soup_message_headers_get_one (headers, "retry-after-ms");
  const char *value = soup_message_headers_get_one (headers, "Retry-After");
  g_autoptr (GDateTime) date = NULL;
  gint64 wait = 0;

  if (fine != NULL || (value != NULL && g_ascii_isdigit (value[0])))
    {
      char *rest = NULL;
      const char *text = fine != NULL ? fine : value;
      double number = g_ascii_strtod (text, &rest) * (fine != NULL ? 1 : 1000);

      if (rest != text && isfinite (number) && number > 0)
        wait = (gint64) ceil (MIN (number, (double) MAX_RETRY_AFTER_MS));
    }
  else if (value != NULL && (date = soup_date_time_new_from_http_string (value)) != NULL)
    {
      wait = g_date_time_to_unix (date) * 1000 - g_get_real_time () / 1000;
    }

  return CLAMP (wait, 0, MAX_RETRY_AFTER_MS);
}

static void
read_redirect (Report *report, SoupMessageHeaders *headers)
{
  const char *location = soup_message_headers_get_one (headers, "Location");
  g_autofree char *text = NULL;

  if (location == NULL)
    return;

  text = g_strdup_printf (_ ("it redirects to %s, which is not followed for requests that carry "
                             "a chat; set the base URL to where it leads"),
                          location);
  report_take_words (report, text);
}

/**
 * confab_http_error_from_response:
 * @status: an HTTP status that is not 2xx
 * @body: @length bytes of the response's body, of any type
 *
 * Returns: (transfer full): the error that such a response is
 */
GError *
confab_http_error_from_response (guint status,
                                 SoupMessageHeaders *headers,
                                 const char *body,
                                 gsize length)
{
  g_auto (Report) report = { .status = status };
  g_autoptr (JsonNode) node = socketio_json_parse (body, length, NULL);
  const char *type = soup_message_headers_get_content_type (headers, NULL);
  GError *error;

  if (SOUP_STATUS_IS_REDIRECTION (status))
    read_redirect (&report, headers);

  if (node != NULL)
    report_read_json (&report, node);
  else if (length > 0 && type != NULL && g_ascii_strcasecmp (type, "text/plain") == 0)
    report.words =
        report.words != NULL ? report.words : confab_http_error_tidy_words (body, (gssize) length);

  error = report_to_error (&report);
  confab_error_set_retry_after (error, read_retry_after (headers));

  return error;
}

/**
 * confab_http_error_from_json:
 * @node: an event of a stream that carries an error
 *
 * Returns: (transfer full): the error that it reports
 */
GError *
confab_http_error_from_json (JsonNode *node)
{
  g_auto (Report) report = { 0 };

  report_read_json (&report, node);

  return report_to_error (&report);
}

/* What is wrong with a certificate; the first that is so is told. */
static const struct
{
  GTlsCertificateFlags flag;
  const char *words;
} certificate_faults[] = {
  { G_TLS_CERTIFICATE_EXPIRED, N_ ("it has expired") },
  { G_TLS_CERTIFICATE_NOT_ACTIVATED, N_ ("it is not valid yet") },
  { G_TLS_CERTIFICATE_REVOKED, N_ ("it has been revoked") },
  { G_TLS_CERTIFICATE_BAD_IDENTITY, N_ ("it belongs to another name") },
  { G_TLS_CERTIFICATE_INSECURE, N_ ("it is made in an insecure way") },
  { G_TLS_CERTIFICATE_UNKNOWN_CA, N_ ("nobody whom this system trusts has signed it") },
};

static GError *
error_from_tls (const GError *cause, const char *place, GTlsCertificateFlags flags)
{
  GError *error = NULL;

  for (gsize i = 0; i < G_N_ELEMENTS (certificate_faults) && error == NULL; i++)
    {
      if ((flags & certificate_faults[i].flag) != 0)
        error = g_error_new (CONFAB_ERROR, CONFAB_ERROR_UPSTREAM_UNAVAILABLE,
                             _ ("No secure connection to the model server %s: its certificate is "
                                "not acceptable, because %s."),
                             place, _ (certificate_faults[i].words));
    }

  if (error == NULL)
    error = g_error_new (CONFAB_ERROR, CONFAB_ERROR_UPSTREAM_UNAVAILABLE,
                         _ ("No secure connection to the model server %s: its certificate or "
                            "encryption is not acceptable (%s)."),
                         place, cause->message);

  /* Who cuts the handshake off may be restarting; all else is the same the next time. */
  confab_error_set_retryable (error, g_error_matches (cause, G_TLS_ERROR, G_TLS_ERROR_EOF));
  return error;
}

/**
 * confab_http_error_from_transport:
 * @cause: why no response came
 * @uri: where to
 * @flags: what was found wrong with the server's certificate
 *
 * Returns: (transfer full): the same as an error for people
 */
GError *
confab_http_error_from_transport (const GError *cause, GUri *uri, GTlsCertificateFlags flags)
{
  const char *host = g_uri_get_host (uri);
  int port = g_uri_get_port (uri);
  g_autofree char *place = port > 0 ? g_strdup_printf ("%s:%d", host, port) : g_strdup (host);

  if (cause->domain == G_RESOLVER_ERROR)
    return g_error_new (CONFAB_ERROR, CONFAB_ERROR_UPSTREAM_UNAVAILABLE,
                        _ ("The model server's name %s cannot be found."), host);

  if (cause->domain == G_TLS_ERROR)
    return error_from_tls (cause, place, flags);

  if (g_error_matches (cause, G_IO_ERROR, G_IO_ERROR_TIMED_OUT))
    return g_error_new (CONFAB_ERROR, CONFAB_ERROR_UPSTREAM_TIMEOUT,
                        _ ("The model server at %s did not answer in time."), place);

  if (g_error_matches (cause, G_IO_ERROR, G_IO_ERROR_PARTIAL_INPUT)
      || g_error_matches (cause, G_IO_ERROR, G_IO_ERROR_CONNECTION_CLOSED)
      || g_error_matches (cause, G_IO_ERROR, G_IO_ERROR_BROKEN_PIPE))
    return g_error_new (CONFAB_ERROR, CONFAB_ERROR_UPSTREAM_UNAVAILABLE,
                        _ ("The model server at %s closed the connection without an answer."),
                        place);

  if (g_error_matches (cause, G_IO_ERROR, G_IO_ERROR_CONNECTION_REFUSED))
    return g_error_new (CONFAB_ERROR, CONFAB_ERROR_UPSTREAM_UNAVAILABLE,
                        _ ("The model server at %s cannot be reached: nothing listens there."),
                        place);

  if (cause->domain == SOUP_SESSION_ERROR)
    return g_error_new (CONFAB_ERROR, CONFAB_ERROR_UPSTREAM_ERROR,
                        _ ("What runs at %s does not answer as a model server does (%s)."), place,
                        cause->message);

  return g_error_new (CONFAB_ERROR, CONFAB_ERROR_UPSTREAM_UNAVAILABLE,
                      _ ("The model server at %s cannot be reached (%s)."), place, cause->message);
}
