/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "confab-http-chat.h"

#include <string.h>

#include "confab-chat-request.h"
#include "confab-error.h"
#include "confab-http.h"
#include "confab-id.h"

typedef struct
{
  ConfabService *service;
  ConfabChatStreams *streams;
} HttpChat;

/* A question until the service has decided. */
typedef struct
{
  ConfabChatStreams *streams;
  SoupServerMessage *message; /* paused */
  ConfabChatRequest *request;
} Question;

static void
http_chat_free (gpointer data)
{
  HttpChat *self = data;

  g_object_unref (self->service);
  confab_chat_streams_unref (self->streams);
  g_free (self);
}

static void
question_free (Question *question)
{
  confab_chat_streams_unref (question->streams);
  g_object_unref (question->message);
  confab_chat_request_free (question->request);
  g_free (question);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Question, question_free)

/* Whether the message that the request names is none of ours, so that it is a new one. */
static gboolean
is_unknown (const GError *error)
{
  return g_error_matches (error, CONFAB_ERROR, CONFAB_ERROR_UNKNOWN_MESSAGE)
         || g_error_matches (error, CONFAB_ERROR, CONFAB_ERROR_UNKNOWN_MODULE);
}

static void
decided_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (Question) question = user_data;
  ConfabChatRequest *request = question->request;
  g_autoptr (ConfabGeneration) generation = NULL;
  g_autoptr (GError) error = NULL;
  gboolean repeated = FALSE;

  generation = confab_service_generate_finish (CONFAB_SERVICE (source), result, &repeated, &error);
  if (generation == NULL && request->regenerate != NULL && request->generate != NULL
      && is_unknown (error))
    {
      g_clear_pointer (&request->regenerate, json_object_unref);
      confab_service_generate_async (CONFAB_SERVICE (source), request->generate, decided_cb,
                                     g_steal_pointer (&question));
      return;
    }

  if (generation != NULL)
    confab_chat_streams_add (question->streams, question->message, generation);
  else
    confab_http_respond_refusal (question->message, error);
  soup_server_message_unpause (question->message);
}

static void
ask (HttpChat *self, SoupServerMessage *message)
{
  g_autoptr (JsonObject) body = NULL;
  g_autoptr (ConfabChatRequest) request = NULL;
  g_autoptr (GError) error = NULL;
  Question *question;

  body = confab_http_read_object (message, &error);
  if (body != NULL)
    request = confab_chat_request_new (body, &error);
  if (request == NULL)
    {
      confab_http_respond_refusal (message, error);
      return;
    }

  question = g_new (Question, 1);
  question->streams = confab_chat_streams_ref (self->streams);
  question->message = g_object_ref (message);
  question->request = g_steal_pointer (&request);
  soup_server_message_pause (message);
  if (question->request->regenerate != NULL)
    confab_service_regenerate_async (self->service, question->request->regenerate, decided_cb,
                                     question);
  else
    confab_service_generate_async (self->service, question->request->generate, decided_cb,
                                   question);
}

/* The moduleId of "/api/chat/MODULE/stream"; NULL of any other path. */
static char *
find_module_id (const char *path)
{
  const char *rest = path + strlen (CONFAB_CHAT_PATH);
  g_auto (GStrv) parts = g_strsplit (rest, "/", 4);

  return g_strv_length (parts) == 3 && g_str_equal (parts[2], "stream")
                 && confab_id_is_valid (parts[1])
             ? g_strdup (parts[1])
             : NULL;
}

static void
replay (HttpChat *self, SoupServerMessage *message, const char *module_id)
{
  ConfabModule *module = confab_service_lookup_module (self->service, module_id);
  ConfabGeneration *running =
      module != NULL ? confab_service_get_running (self->service, module) : NULL;

  if (running != NULL)
    confab_chat_streams_add (self->streams, message, running);
  else
    soup_server_message_set_status (message, SOUP_STATUS_NO_CONTENT, NULL);
}

static void
request_cb (SoupServer *server,
            SoupServerMessage *message,
            const char *path,
            GHashTable *query,
            gpointer user_data)
{
  g_autofree char *module_id = find_module_id (path);

  if (g_str_equal (path, CONFAB_CHAT_PATH))
    {
      if (confab_http_check_post (message))
        ask (user_data, message);
    }
  else if (module_id == NULL)
    confab_http_respond_not_found (message);
  else if (confab_http_check_method (message, "GET",
                                     g_str_equal (soup_server_message_get_method (message), "GET")))
    replay (user_data, message, module_id);
}

/**
 * confab_http_chat_serve:
 * @service: whom to ask
 * @streams: takes the answers
 * @server: where to serve
 */
void
confab_http_chat_serve (ConfabService *service, ConfabChatStreams *streams, SoupServer *server)
{
  HttpChat *self;

  g_return_if_fail (CONFAB_IS_SERVICE (service) && SOUP_IS_SERVER (server) && streams != NULL);

  self = g_new (HttpChat, 1);
  self->service = g_object_ref (service);
  self->streams = confab_chat_streams_ref (streams);
  soup_server_add_handler (server, CONFAB_CHAT_PATH, request_cb, self, http_chat_free);
}
