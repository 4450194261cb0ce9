/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "confab-http-call.h"

#include <glib/gi18n-lib.h>
#include <string.h>

#include "confab-http.h"
#include "confab-wire.h"

typedef struct
{
  ConfabService *service;
  char *version;
  gint64 max_payload;
} HttpCall;

static void
http_call_free (gpointer data)
{
  HttpCall *self = data;

  g_object_unref (self->service);
  g_free (self->version);
  g_free (self);
}

/* Takes @message and @ack. */
static void
answer (SoupServerMessage *message, JsonObject *ack)
{
  confab_http_respond_ack (message, ack);
  soup_server_message_unpause (message);
  g_object_unref (message);
}

static void
called_cb (JsonObject *ack, gpointer user_data)
{
  answer (user_data, ack);
}

static void
generated_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (ConfabGeneration) generation = NULL;
  g_autoptr (GError) error = NULL;
  gboolean repeated = FALSE;
  JsonObject *ack = json_object_new ();

  generation = confab_service_generate_finish (CONFAB_SERVICE (source), result, &repeated, &error);
  if (generation == NULL)
    confab_wire_set_refusal (ack, error);
  else if (repeated)
    confab_wire_set_resumed (ack, generation, 0);
  else
    confab_wire_set_accepted (ack, generation);
  answer (user_data, ack);
}

static gboolean
is_known (const char *event)
{
  return g_str_equal (event, "ai:chat:generate") || g_str_equal (event, "ai:chat:regenerate")
         || confab_call_exists (event);
}

/* The name of the event; NULL if the path holds none of this face. */
static const char *
find_event (const char *path)
{
  const char *event = path + strlen (CONFAB_CALL_PATH);

  return event[0] == '/' && is_known (event + 1) ? event + 1 : NULL;
}

static void
call (HttpCall *self, SoupServerMessage *message, const char *event, JsonObject *payload)
{
  ConfabCallContext context = { self->service, self->version, self->max_payload };

  soup_server_message_pause (message);
  if (g_str_equal (event, "ai:chat:generate"))
    confab_service_generate_async (self->service, payload, generated_cb, g_object_ref (message));
  else if (g_str_equal (event, "ai:chat:regenerate"))
    confab_service_regenerate_async (self->service, payload, generated_cb, g_object_ref (message));
  else
    confab_call (&context, event, payload, called_cb, g_object_ref (message));
}

static void
request_cb (SoupServer *server,
            SoupServerMessage *message,
            const char *path,
            GHashTable *query,
            gpointer user_data)
{
  const char *event = find_event (path);
  g_autoptr (JsonObject) payload = NULL;
  g_autoptr (GError) error = NULL;

  if (event == NULL)
    {
      confab_http_respond_error (message, SOUP_STATUS_NOT_FOUND, "invalid-request",
                                 _ ("There is no call of this name."));
      return;
    }
  if (!confab_http_check_post (message))
    return;

  payload = confab_http_read_object (message, &error);
  if (payload == NULL)
    {
      JsonObject *ack = json_object_new ();

      confab_wire_set_refusal (ack, error);
      confab_http_respond_ack (message, ack);
      return;
    }

  call (user_data, message, event, payload);
}

/**
 * confab_http_call_serve:
 * @context: what the calls need to know; copied
 * @server: where to serve
 */
void
confab_http_call_serve (const ConfabCallContext *context, SoupServer *server)
{
  HttpCall *self;

  g_return_if_fail (context != NULL && SOUP_IS_SERVER (server));

  self = g_new (HttpCall, 1);
  self->service = g_object_ref (context->service);
  self->version = g_strdup (context->version);
  self->max_payload = context->max_payload;
  soup_server_add_handler (server, CONFAB_CALL_PATH, request_cb, self, http_call_free);
}
