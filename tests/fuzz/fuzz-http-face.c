/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fuzz.h"

#include <string.h>

#include "confab-access.h"
#include "confab-chat-request.h"
#include "confab-error.h"
#include "confab-limits.h"
#include "confab-rules.h"
#include "socketio-json.h"

/* What a request of plain HTTP makes Confab look at. The first line is the name of a call, the next
 * seven are headers, and what follows is the body. */
enum
{
  LINE_CALL,
  LINE_HOST,
  LINE_ORIGIN,
  LINE_FETCH_SITE,
  LINE_AUTHORIZATION,
  LINE_COOKIE,
  LINE_X_FORWARDED_FOR,
  LINE_FORWARDED,
  N_LINES,
};

static void
check_headers (char **lines)
{
  ConfabKeys keys = { .token = (char *) "the-token", .cookie = (char *) "the-cookie" };
  g_autoptr (ConfabAccess) access = confab_access_new (&keys);
  ConfabRequester requester = {
    .host = lines[LINE_HOST],
    .origin = lines[LINE_ORIGIN][0] != '\0' ? lines[LINE_ORIGIN] : NULL,
    .fetch_site = lines[LINE_FETCH_SITE][0] != '\0' ? lines[LINE_FETCH_SITE] : NULL,
    .authorization = lines[LINE_AUTHORIZATION],
    .cookie = lines[LINE_COOKIE],
    .peer_uid = -1,
  };
  g_autofree char *name = NULL;
  g_autoptr (GError) error = NULL;

  confab_access_set_address (access, 7420, NULL);
  g_assert_true (confab_access_check_place (access, &requester, &error) == (error == NULL));
  /* nobody is let in who does not know one of the two */
  if (confab_access_is_authorized (access, &requester))
    g_assert_true (strstr (requester.authorization, "the-token") != NULL
                   || strstr (requester.cookie, "the-cookie") != NULL);

  name =
      confab_limits_name_address ("127.0.0.1", lines[LINE_X_FORWARDED_FOR], lines[LINE_FORWARDED]);
  g_assert_true (g_str_equal (name, "local") || g_hostname_is_ip_address (name));
}

static void
check_body (const char *call, const char *body)
{
  g_autoptr (JsonNode) node = socketio_json_parse (body, strlen (body), NULL);
  g_autoptr (ConfabChatRequest) request = NULL;
  g_autoptr (GError) refusal = NULL;
  g_autoptr (GError) error = NULL;
  JsonObject *object;

  if (node == NULL || !JSON_NODE_HOLDS_OBJECT (node))
    return;
  object = json_node_get_object (node);
  g_assert_true (confab_rules_check (call, object, &refusal) == (refusal == NULL));
  request = confab_chat_request_new (object, &error);
  g_assert_true ((request == NULL) == (error != NULL));
  g_assert_true (request == NULL || request->generate != NULL || request->regenerate != NULL);
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  static const char *const calls[] = { "ai:chat:generate", "ai:chat:history", "ai:chat:search",
                                       "session:create",   "module:create",   "module:update" };
  g_autofree char *text = g_strndup ((const char *) data, size);
  g_auto (GStrv) lines = g_strsplit (text, "\n", N_LINES + 1);

  if (g_strv_length (lines) <= N_LINES)
    return 0;

  check_headers (lines);
  for (guint i = 0; i < G_N_ELEMENTS (calls); i++)
    if (g_str_equal (calls[i], lines[LINE_CALL]))
      check_body (calls[i], lines[N_LINES]);
  return 0;
}
