/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "confab-call.h"

#include "confab-provider-listing.h"
#include "confab-wire-objects.h"
#include "confab-wire.h"

#define PROTOCOL_VERSION 1
#define DEFAULT_PAGE 50

typedef struct
{
  ConfabCallFunc func;
  gpointer user_data;
} Call;

typedef struct
{
  const char *name;
  void (*run) (const ConfabCallContext *context, const char *name, JsonObject *payload, Call *call);
} CallRow;

/* Takes @call and @ack. */
static void
answer (Call *call, JsonObject *ack)
{
  if (!json_object_has_member (ack, "ok"))
    json_object_set_boolean_member (ack, "ok", TRUE);
  call->func (ack, call->user_data);
  g_free (call);
}

/* Takes @call. */
static void
refuse (Call *call, const GError *error)
{
  JsonObject *ack = json_object_new ();

  confab_wire_set_refusal (ack, error);
  answer (call, ack);
}

static void
stopped_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GError) error = NULL;
  gint stopped = confab_service_stop_finish (CONFAB_SERVICE (source), result, &error);
  JsonObject *ack;

  if (error != NULL)
    {
      refuse (user_data, error);
      return;
    }

  ack = json_object_new ();
  json_object_set_int_member (ack, "stopped", stopped);
  answer (user_data, ack);
}

static void
run_stop (const ConfabCallContext *context, const char *name, JsonObject *payload, Call *call)
{
  confab_service_stop_async (context->service, payload, stopped_cb, call);
}

static void
history_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GPtrArray) messages = NULL;
  g_autoptr (GError) error = NULL;
  gboolean more = FALSE;
  JsonArray *array;
  JsonObject *ack;

  messages = confab_service_history_finish (CONFAB_SERVICE (source), result, &more, &error);
  if (messages == NULL)
    {
      refuse (user_data, error);
      return;
    }

  ack = json_object_new ();
  array = json_array_new ();
  for (guint i = 0; i < messages->len; i++)
    json_array_add_object_element (array, confab_wire_message (g_ptr_array_index (messages, i)));
  json_object_set_array_member (ack, "messages", array);
  json_object_set_boolean_member (ack, "more", more);
  answer (user_data, ack);
}

static void
run_history (const ConfabCallContext *context, const char *name, JsonObject *payload, Call *call)
{
  confab_service_history_async (context->service, payload, history_cb, call);
}

static void
branch_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autofree char *head_id = NULL;
  g_autoptr (GError) error = NULL;
  guint64 n_messages;
  JsonObject *ack;

  if (!confab_service_switch_branch_finish (CONFAB_SERVICE (source), result, &head_id, &n_messages,
                                            &error))
    {
      refuse (user_data, error);
      return;
    }

  ack = json_object_new ();
  json_object_set_string_member (ack, "headId", head_id);
  json_object_set_int_member (ack, "messageCount", (gint64) n_messages);
  answer (user_data, ack);
}

static void
run_branch (const ConfabCallContext *context, const char *name, JsonObject *payload, Call *call)
{
  confab_service_switch_branch_async (context->service, payload, branch_cb, call);
}

static void
search_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GPtrArray) results = NULL;
  g_autoptr (GError) error = NULL;
  JsonArray *array;
  JsonObject *ack;

  results = confab_service_search_finish (CONFAB_SERVICE (source), result, &error);
  if (results == NULL)
    {
      refuse (user_data, error);
      return;
    }

  ack = json_object_new ();
  array = json_array_new ();
  for (guint i = 0; i < results->len; i++)
    json_array_add_object_element (array,
                                   confab_wire_search_result (g_ptr_array_index (results, i)));
  json_object_set_array_member (ack, "results", array);
  answer (user_data, ack);
}

static void
run_search (const ConfabCallContext *context, const char *name, JsonObject *payload, Call *call)
{
  confab_service_search_async (context->service, payload, search_cb, call);
}

static void
session_changed_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (ConfabSession) session = NULL;
  g_autoptr (GError) error = NULL;
  JsonObject *ack;

  session = confab_service_change_session_finish (CONFAB_SERVICE (source), result, &error);
  if (session == NULL)
    {
      refuse (user_data, error);
      return;
    }

  ack = json_object_new ();
  json_object_set_object_member (ack, "session", confab_wire_session (session));
  answer (user_data, ack);
}

static void
run_change_session (const ConfabCallContext *context,
                    const char *name,
                    JsonObject *payload,
                    Call *call)
{
  confab_service_change_session_async (context->service, name, payload, session_changed_cb, call);
}

static void
module_changed_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (ConfabModule) module = NULL;
  g_autoptr (GError) error = NULL;
  JsonObject *ack;

  module = confab_service_change_module_finish (CONFAB_SERVICE (source), result, &error);
  if (module == NULL)
    {
      refuse (user_data, error);
      return;
    }

  ack = json_object_new ();
  json_object_set_object_member (ack, "module", confab_wire_module (module));
  answer (user_data, ack);
}

static void
run_change_module (const ConfabCallContext *context,
                   const char *name,
                   JsonObject *payload,
                   Call *call)
{
  confab_service_change_module_async (context->service, name, payload, module_changed_cb, call);
}

typedef guint64 (*OrdinalFunc) (gpointer item);
typedef JsonObject *(*WireFunc) (gpointer item);

/* A page of @list, the newest first. The cursor is the place in the order of making of the last one
 * told, so that it holds whatever is added or deleted meanwhile. */
static JsonArray *
list_page (GListModel *list,
           JsonObject *payload,
           OrdinalFunc get_ordinal,
           WireFunc wire,
           char **next_cursor)
{
  const char *cursor = confab_rules_get_string (payload, "cursor");
  guint64 before = cursor != NULL ? g_ascii_strtoull (cursor, NULL, 10) : G_MAXUINT64;
  gint64 limit = confab_rules_get_int (payload, "limit", DEFAULT_PAGE);
  JsonArray *array = json_array_new ();
  guint64 last = 0;

  for (guint i = g_list_model_get_n_items (list); i > 0; i--)
    {
      g_autoptr (GObject) item = g_list_model_get_item (list, i - 1);

      if (get_ordinal (item) >= before)
        continue;
      if ((gint64) json_array_get_length (array) == limit)
        {
          *next_cursor = g_strdup_printf ("%" G_GUINT64_FORMAT, last);
          break;
        }
      last = get_ordinal (item);
      json_array_add_object_element (array, wire (item));
    }

  return array;
}

/* Takes @call. */
static void
answer_page (Call *call, const char *name, JsonArray *page, const char *cursor)
{
  JsonObject *ack = json_object_new ();

  json_object_set_array_member (ack, name, page);
  if (cursor != NULL)
    json_object_set_string_member (ack, "cursor", cursor);
  answer (call, ack);
}

static void
run_session_list (const ConfabCallContext *context,
                  const char *name,
                  JsonObject *payload,
                  Call *call)
{
  g_autofree char *cursor = NULL;
  g_autoptr (GError) error = NULL;
  JsonArray *page;

  if (!confab_rules_check (name, payload, &error))
    {
      refuse (call, error);
      return;
    }

  page =
      list_page (confab_service_get_sessions (context->service), payload,
                 (OrdinalFunc) confab_session_get_ordinal, (WireFunc) confab_wire_session, &cursor);
  answer_page (call, "sessions", page, cursor);
}

static void
run_module_list (const ConfabCallContext *context,
                 const char *name,
                 JsonObject *payload,
                 Call *call)
{
  g_autofree char *cursor = NULL;
  g_autoptr (GError) error = NULL;
  ConfabSession *session = NULL;
  JsonArray *page;

  if (confab_rules_check (name, payload, &error))
    session = confab_service_require_session (
        context->service, confab_rules_get_string (payload, "sessionId"), &error);
  if (session == NULL)
    {
      refuse (call, error);
      return;
    }

  page = list_page (G_LIST_MODEL (session), payload, (OrdinalFunc) confab_module_get_ordinal,
                    (WireFunc) confab_wire_module, &cursor);
  answer_page (call, "modules", page, cursor);
}

static void
run_server_info (const ConfabCallContext *context,
                 const char *name,
                 JsonObject *payload,
                 Call *call)
{
  static const char *const feature_names[] = { "generate", "stop",    "reasoning",  "resume",
                                               "history",  "search",  "regenerate", "branches",
                                               "sessions", "modules", "providers" };
  JsonArray *features = json_array_new ();
  JsonObject *limits = json_object_new ();
  JsonObject *ack = json_object_new ();

  for (guint i = 0; i < G_N_ELEMENTS (feature_names); i++)
    json_array_add_string_element (features, feature_names[i]);
  json_object_set_int_member (limits, "messageBytes", CONFAB_MAX_MESSAGE_BYTES);
  json_object_set_int_member (limits, "answerBytes", CONFAB_MAX_ANSWER_BYTES);
  json_object_set_int_member (limits, "titleBytes", CONFAB_MAX_TITLE_BYTES);
  json_object_set_int_member (limits, "instructionsBytes", CONFAB_MAX_INSTRUCTIONS_BYTES);
  json_object_set_int_member (limits, "sessions", CONFAB_MAX_SESSIONS);
  json_object_set_int_member (limits, "modules", CONFAB_MAX_MODULES);
  json_object_set_int_member (limits, "page", CONFAB_MAX_PAGE);
  json_object_set_int_member (limits, "maxPayload", context->max_payload);

  json_object_set_string_member (ack, "version", context->version);
  json_object_set_int_member (ack, "protocol", PROTOCOL_VERSION);
  json_object_set_array_member (ack, "features", features);
  json_object_set_object_member (ack, "limits", limits);
  answer (call, ack);
}

static void
providers_listed_cb (JsonArray *providers, gpointer user_data)
{
  JsonObject *ack = json_object_new ();

  json_object_set_array_member (ack, "providers", providers);
  answer (user_data, ack);
}

static void
run_provider_list (const ConfabCallContext *context,
                   const char *name,
                   JsonObject *payload,
                   Call *call)
{
  confab_provider_listing (confab_service_get_providers (context->service), providers_listed_cb,
                           call);
}

static const CallRow call_table[] = {
  { "ai:chat:stop", run_stop },
  { "ai:chat:history", run_history },
  { "ai:chat:branch", run_branch },
  { "ai:chat:search", run_search },
  { "session:list", run_session_list },
  { "session:create", run_change_session },
  { "session:update", run_change_session },
  { "session:delete", run_change_session },
  { "module:list", run_module_list },
  { "module:create", run_change_module },
  { "module:update", run_change_module },
  { "module:delete", run_change_module },
  { "provider:list", run_provider_list },
  { "server:info", run_server_info },
};

static const CallRow *
find_row (const char *name)
{
  for (guint i = 0; i < G_N_ELEMENTS (call_table); i++)
    if (g_str_equal (call_table[i].name, name))
      return &call_table[i];

  return NULL;
}

gboolean
confab_call_exists (const char *name)
{
  return find_row (name) != NULL;
}

/**
 * confab_call:
 * @context: only read while this runs
 * @name: a call that confab_call_exists()
 * @payload: (nullable): what came with it; it must not change afterwards
 * @func: takes the ack, maybe before this returns
 * @user_data: for @func
 */
void
confab_call (const ConfabCallContext *context,
             const char *name,
             JsonObject *payload,
             ConfabCallFunc func,
             gpointer user_data)
{
  const CallRow *row = find_row (name);
  Call *call;

  g_return_if_fail (row != NULL && func != NULL);

  call = g_new (Call, 1);
  *call = (Call){ func, user_data };
  row->run (context, row->name, payload, call);
}
