/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <string.h>

#include "confab-error.h"
#include "confab-http-error.h"

#define KEY "Zk7Xy0-wV9uT8sR6q"

/* A server that answers in FastAPI's way. */
static void
test_detail (void)
{
  g_autoptr (SoupMessageHeaders) headers = soup_message_headers_new (SOUP_MESSAGE_HEADERS_RESPONSE);
  static const char body[] = "{\"detail\":\"Model is not loaded\"}";
  g_autoptr (GError) error = confab_http_error_from_response (404, headers, body, sizeof body - 1);

  g_assert_nonnull (strstr (error->message, "Model is not loaded"));
}

/* A refusal that says @before, the key and @after. Returns: (transfer full): its sentence */
static char *
hide (const char *before, const char *after)
{
  g_autoptr (SoupMessageHeaders) headers = soup_message_headers_new (SOUP_MESSAGE_HEADERS_RESPONSE);
  g_autofree char *body = g_strconcat (before, KEY, after, NULL);
  g_autoptr (GError) error = NULL;

  soup_message_headers_set_content_type (headers, "text/plain", NULL);
  error = confab_http_error_from_response (401, headers, body, strlen (body));
  confab_http_error_hide (error, KEY);
  g_assert_error (error, CONFAB_ERROR, CONFAB_ERROR_UPSTREAM_AUTH);

  return g_strdup (error->message);
}

/* Wherever it stands, and wherever it is cut. */
static void
test_hide (void)
{
  static const char *const ends[] = { "", " is wrong", " and " KEY KEY };
  g_autofree char *told = hide ("The key ", " is wrong");

  g_assert_true (g_str_has_suffix (told, "(HTTP 401): The key … is wrong"));
  for (guint length = 0; length < 5000; length += length < 600 || length > 4000 ? 1 : 100)
    {
      g_autofree char *dots = g_strnfill (length, '.');
      g_autofree char *gaps = g_strnfill (length, ' ');

      for (guint i = 0; i < G_N_ELEMENTS (ends); i++)
        {
          g_autofree char *cut = hide (dots, ends[i]);
          g_autofree char *short_of = hide (gaps, ends[i]);

          /* three letters may stay where a body of spaces was not read to its end */
          g_assert_null (strchr (cut, KEY[0]));
          g_assert_null (strstr (short_of, "Zk7X"));
        }
    }
}

/* What is no key is left as it is. */
static void
test_hide_nothing (void)
{
  static const char *const sentences[] = { "",      "…",         "Z",
                                           "Zk7",   "Sorry Zk7", "The Zk7Xy0 of others",
                                           "Sorry…" };

  for (guint i = 0; i < G_N_ELEMENTS (sentences); i++)
    {
      g_autoptr (GError) error =
          g_error_new_literal (CONFAB_ERROR, CONFAB_ERROR_UPSTREAM_ERROR, sentences[i]);

      confab_http_error_hide (error, KEY);
      g_assert_cmpstr (error->message, ==, sentences[i]);
      confab_http_error_hide (error, "#");
      g_assert_cmpstr (error->message, ==, sentences[i]);
    }
}

static void
test_certificates (void)
{
  static const struct
  {
    GTlsCertificateFlags flags;
    const char *words;
  } cases[] = {
    { G_TLS_CERTIFICATE_UNKNOWN_CA, "nobody whom this system trusts" },
    { G_TLS_CERTIFICATE_EXPIRED | G_TLS_CERTIFICATE_UNKNOWN_CA, "expired" },
    { G_TLS_CERTIFICATE_NOT_ACTIVATED, "not valid yet" },
    { G_TLS_CERTIFICATE_BAD_IDENTITY, "another name" },
    { G_TLS_CERTIFICATE_REVOKED, "revoked" },
    { G_TLS_CERTIFICATE_INSECURE, "insecure" },
    { 0, "the cause" },
  };
  g_autoptr (GUri) uri = g_uri_parse ("https://host.example:8443/v1", SOUP_HTTP_URI_FLAGS, NULL);
  g_autoptr (GError) bad =
      g_error_new_literal (G_TLS_ERROR, G_TLS_ERROR_BAD_CERTIFICATE, "the cause");
  g_autoptr (GError) cut = g_error_new_literal (G_TLS_ERROR, G_TLS_ERROR_EOF, "cut off");
  g_autoptr (GError) later = confab_http_error_from_transport (cut, uri, 0);

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = confab_http_error_from_transport (bad, uri, cases[i].flags);

      g_assert_error (error, CONFAB_ERROR, CONFAB_ERROR_UPSTREAM_UNAVAILABLE);
      g_assert_nonnull (strstr (error->message, "host.example:8443"));
      g_assert_nonnull (strstr (error->message, cases[i].words));
      g_assert_false (confab_error_is_retryable (error));
    }
  g_assert_true (confab_error_is_retryable (later));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/confab/http-error/detail", test_detail);
  g_test_add_func ("/confab/http-error/hide", test_hide);
  g_test_add_func ("/confab/http-error/hide-nothing", test_hide_nothing);
  g_test_add_func ("/confab/http-error/certificates", test_certificates);

  return g_test_run ();
}
