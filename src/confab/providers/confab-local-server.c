/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <string.h>

#include "confab-local-server.h"
#include "confab-error.h"
#include "confab-http-fetch.h"

#define OLLAMA_PORT 11434

/* Whether an answer is one that only this kind of server gives. */
typedef gboolean (*IdentityFunc) (JsonNode *answer);

typedef struct
{
  const char *path;
  IdentityFunc identifies;
} Question;

/* An inquiry: asks one question after the other until one tells. Task data of its task. */
typedef struct
{
  const Question *next;
  char *origin;
  guint timeout_ms;
} Inquiry;

static void ask_next (GTask *task);

static JsonNode *
peek_member (JsonNode *node, const char *name)
{
  if (!JSON_NODE_HOLDS_OBJECT (node))
    return NULL;

  return json_object_get_member (json_node_get_object (node), name);
}

static const char *
peek_string (JsonNode *node, const char *name)
{
  JsonNode *member = peek_member (node, name);

  if (member == NULL || !JSON_NODE_HOLDS_VALUE (member)
      || json_node_get_value_type (member) != G_TYPE_STRING)
    return NULL;

  return json_node_get_string (member);
}

/* Returns: (nullable): the first of {"data":[…]} */
static JsonNode *
peek_first_model (JsonNode *node)
{
  JsonNode *data = peek_member (node, "data");

  if (data == NULL || !JSON_NODE_HOLDS_ARRAY (data)
      || json_array_get_length (json_node_get_array (data)) == 0)
    return NULL;

  return json_array_get_element (json_node_get_array (data), 0);
}

static gboolean
is_ollama_version (JsonNode *answer)
{
  return peek_string (answer, "version") != NULL;
}

static gboolean
is_llama_cpp_props (JsonNode *answer)
{
  return peek_member (answer, "default_generation_settings") != NULL;
}

static gboolean
has_owner (JsonNode *answer, const char *const *owners)
{
  JsonNode *model = peek_first_model (answer);
  const char *owner = model != NULL ? peek_string (model, "owned_by") : NULL;

  for (gsize i = 0; owner != NULL && owners[i] != NULL; i++)
    {
      if (g_ascii_strcasecmp (owner, owners[i]) == 0)
        return TRUE;
    }

  return FALSE;
}

static gboolean
is_llama_cpp_models (JsonNode *answer)
{
  static const char *const owners[] = { "llamacpp", NULL };

  return has_owner (answer, owners);
}

/* The engines that inference snaps carry. */
static gboolean
is_snap_models (JsonNode *answer)
{
  static const char *const owners[] = { "llamacpp", "vllm", "OVMS", NULL };

  return has_owner (answer, owners);
}

static gboolean
is_lm_studio_models (JsonNode *answer)
{
  JsonNode *model = peek_first_model (answer);

  return model != NULL && peek_string (model, "id") != NULL && peek_string (model, "state") != NULL
         && peek_string (model, "compatibility_type") != NULL;
}

/* By ConfabLocalServerKind. */
static const struct
{
  const char *name;
  Question questions[3];
} kinds[] = {
  [CONFAB_LOCAL_SERVER_OLLAMA] = { "Ollama", { { "/api/version", is_ollama_version } } },
  [CONFAB_LOCAL_SERVER_LLAMA_CPP] = { "llama.cpp",
                                      { { "/props", is_llama_cpp_props },
                                        { "/v1/models", is_llama_cpp_models } } },
  [CONFAB_LOCAL_SERVER_LM_STUDIO] = { "LM Studio", { { "/api/v0/models", is_lm_studio_models } } },
  [CONFAB_LOCAL_SERVER_INFERENCE_SNAP] = { "inference snap",
                                           { { "/v1/models", is_snap_models },
                                             { "/props", is_llama_cpp_props } } },
};

const char *
confab_local_server_kind_to_string (ConfabLocalServerKind kind)
{
  g_return_val_if_fail ((gsize) kind < G_N_ELEMENTS (kinds), NULL);

  return kinds[kind].name;
}

static void
inquiry_free (gpointer data)
{
  Inquiry *inquiry = data;

  g_clear_pointer (&inquiry->origin, g_free);
  g_free (inquiry);
}

static void
answered_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  Inquiry *inquiry = g_task_get_task_data (task);
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonNode) answer =
      confab_http_fetch_json_finish (SOUP_SESSION (source), result, &error);

  if (answer != NULL && inquiry->next->identifies (answer))
    {
      g_task_return_boolean (task, TRUE);
      return;
    }

  inquiry->next++;
  /* Whom the first question does not reach, the second does not reach either; one that does not
   * know the first path may know the second. */
  if (inquiry->next->path == NULL || g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED)
      || g_error_matches (error, CONFAB_ERROR, CONFAB_ERROR_UPSTREAM_UNAVAILABLE))
    g_task_return_boolean (task, FALSE);
  else
    ask_next (g_steal_pointer (&task));
}

/* Takes @task. */
static void
ask_next (GTask *task)
{
  Inquiry *inquiry = g_task_get_task_data (task);
  g_autofree char *url = g_strconcat (inquiry->origin, inquiry->next->path, NULL);
  g_autoptr (SoupMessage) message = soup_message_new ("GET", url);

  if (message == NULL)
    {
      g_task_return_boolean (task, FALSE);
      g_object_unref (task);
      return;
    }

  confab_http_fetch_json_async (g_task_get_source_object (task), message, inquiry->timeout_ms,
                                g_task_get_cancellable (task), answered_cb, task);
}

/**
 * confab_local_server_identify_async:
 * @server: copied as far as needed
 * @session: of confab_http_session_new()
 * @timeout_ms: how long the server may be silent
 * @cancellable: (nullable)
 *
 * Asks the server by its own API who it is. No chat is sent.
 */
void
confab_local_server_identify_async (const ConfabLocalServer *server,
                                    SoupSession *session,
                                    guint timeout_ms,
                                    GCancellable *cancellable,
                                    GAsyncReadyCallback callback,
                                    gpointer user_data)
{
  GTask *task = g_task_new (session, cancellable, callback, user_data);
  Inquiry *inquiry = g_new0 (Inquiry, 1);

  g_task_set_source_tag (task, confab_local_server_identify_async);
  inquiry->next = kinds[server->kind].questions;
  inquiry->origin = g_strdup (server->origin);
  inquiry->timeout_ms = timeout_ms;
  g_task_set_task_data (task, inquiry, inquiry_free);

  ask_next (task);
}

/**
 * confab_local_server_identify_finish:
 *
 * Returns: whether the server is of the kind that was asked for; FALSE without @error if it is not,
 *   or if nothing answers there
 */
gboolean
confab_local_server_identify_finish (SoupSession *session, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, session), FALSE);

  return g_task_propagate_boolean (G_TASK (result), error);
}

/* Parts "host:port", "[v6]:port", "host", ":port" and a bare v6 address. */
static void
split_host_port (const char *text, char **host, char **port)
{
  const char *bracket = text[0] == '[' ? strchr (text, ']') : NULL;
  const char *colon = strrchr (text, ':');

  if (bracket != NULL)
    {
      *host = g_strndup (text + 1, (gsize) (bracket - text - 1));
      *port = bracket[1] == ':' ? g_strdup (bracket + 2) : NULL;
    }
  else if (colon == NULL || strchr (text, ':') != colon)
    {
      *host = g_strdup (text);
      *port = NULL;
    }
  else
    {
      *host = g_strndup (text, (gsize) (colon - text));
      *port = g_strdup (colon + 1);
    }
}

/* A server that listens on every address is met on the loopback one. */
static const char *
reachable_host (const char *host)
{
  if (*host == '\0' || strcmp (host, "0.0.0.0") == 0)
    return "127.0.0.1";
  if (strcmp (host, "::") == 0)
    return "::1";

  return host;
}

/**
 * confab_local_server_parse_ollama_host:
 * @value: (nullable): the value of OLLAMA_HOST
 *
 * Reads it as Ollama's own tool does: a host, `host:port`, `:port`, or a URL; the port is 11434,
 * or that of the scheme if one is given.
 *
 * Returns: (transfer full): an origin, such as "http://127.0.0.1:11434"
 */
char *
confab_local_server_parse_ollama_host (const char *value)
{
  g_autofree char *text = g_strdup (value != NULL ? value : "");
  g_autofree char *host = NULL;
  g_autofree char *port_text = NULL;
  const char *scheme = "http";
  char *rest, *path;
  guint64 port = OLLAMA_PORT;
  const char *reachable;

  g_strdelimit (text, "\"'", ' ');
  rest = g_strstrip (text);
  if (g_str_has_prefix (rest, "http://"))
    {
      rest += strlen ("http://");
      port = 80;
    }
  else if (g_str_has_prefix (rest, "https://"))
    {
      rest += strlen ("https://");
      scheme = "https";
      port = 443;
    }

  path = strchr (rest, '/');
  if (path != NULL)
    *path++ = '\0';

  split_host_port (rest, &host, &port_text);
  if (port_text != NULL)
    g_ascii_string_to_unsigned (port_text, 10, 1, G_MAXUINT16, &port, NULL);

  while (path != NULL && g_str_has_suffix (path, "/"))
    path[strlen (path) - 1] = '\0';

  reachable = reachable_host (host);
  return g_strdup_printf ("%s://%s%s%s:%u%s%s", scheme, strchr (reachable, ':') ? "[" : "",
                          reachable, strchr (reachable, ':') ? "]" : "", (guint) port,
                          path != NULL && *path != '\0' ? "/" : "", path != NULL ? path : "");
}
