/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "confab-service.h"

#include <glib/gi18n-lib.h>
#include <string.h>

#include "confab-error.h"
#include "confab-id.h"

struct _ConfabService
{
  GObject parent_instance;

  ConfabProvider *provider;
  GHashTable *sessions; /* id → ConfabSession; key belongs to the value */
  GHashTable *modules;  /* id → ConfabModule; key belongs to the value */
  GHashTable *runs;     /* set of Run: those whose generation has not ended */
  gboolean shut_down;
};

G_DEFINE_FINAL_TYPE (ConfabService, confab_service, G_TYPE_OBJECT)

/* One call of a provider for one generation; an rc box. The provider's callback owns it, so that it
 * outlives the generation's end until the provider has let go. */
typedef struct
{
  ConfabService *service; /* owned: a run keeps its service */
  ConfabGeneration *generation;
  ConfabProvider *provider;
  GCancellable *cancellable;
  gsize received; /* bytes of all kinds */
} Run;

static void
run_clear (gpointer data)
{
  Run *run = data;

  g_clear_object (&run->generation);
  g_clear_object (&run->provider);
  g_clear_object (&run->cancellable);
  g_clear_object (&run->service);
}

static void
run_unref (Run *run)
{
  g_rc_box_release_full (run, run_clear);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Run, run_unref)

static void
confab_service_finalize (GObject *object)
{
  ConfabService *self = CONFAB_SERVICE (object);

  g_clear_object (&self->provider);
  g_hash_table_unref (self->runs);
  g_hash_table_unref (self->modules);
  g_hash_table_unref (self->sessions);

  G_OBJECT_CLASS (confab_service_parent_class)->finalize (object);
}

static void
confab_service_class_init (ConfabServiceClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = confab_service_finalize;
}

static void
confab_service_init (ConfabService *self)
{
  self->sessions = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, g_object_unref);
  self->modules = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, g_object_unref);
  self->runs = g_hash_table_new (NULL, NULL);
}

/**
 * confab_service_new:
 *
 * Returns: (transfer full): a service without sessions or provider, for the thread-default context
 *   in which it is called
 */
ConfabService *
confab_service_new (void)
{
  return g_object_new (CONFAB_TYPE_SERVICE, NULL);
}

/**
 * confab_service_set_provider:
 * @self: the service
 * @provider: who answers from now on; running generations keep theirs
 */
void
confab_service_set_provider (ConfabService *self, ConfabProvider *provider)
{
  g_return_if_fail (CONFAB_IS_SERVICE (self) && CONFAB_IS_PROVIDER (provider));

  g_set_object (&self->provider, provider);
}

ConfabProvider *
confab_service_get_provider (ConfabService *self)
{
  g_return_val_if_fail (CONFAB_IS_SERVICE (self), NULL);

  return self->provider;
}

/**
 * confab_service_lookup_module:
 * @self: the service
 * @module_id: an id
 *
 * Returns: (transfer none) (nullable): the module of that id
 */
ConfabModule *
confab_service_lookup_module (ConfabService *self, const char *module_id)
{
  g_return_val_if_fail (CONFAB_IS_SERVICE (self) && module_id != NULL, NULL);

  return g_hash_table_lookup (self->modules, module_id);
}

/**
 * confab_service_lookup_session:
 * @self: the service
 * @session_id: an id
 *
 * Returns: (transfer none) (nullable): the session of that id
 */
ConfabSession *
confab_service_lookup_session (ConfabService *self, const char *session_id)
{
  g_return_val_if_fail (CONFAB_IS_SERVICE (self) && session_id != NULL, NULL);

  return g_hash_table_lookup (self->sessions, session_id);
}

/* Lets the upstream go. The provider may call back from in here and drop its reference to @run. */
static void
run_cancel (Run *run)
{
  g_autoptr (GCancellable) cancellable = g_object_ref (run->cancellable);

  g_hash_table_remove (run->service->runs, run);
  g_cancellable_cancel (cancellable);
}

static void
run_delta_cb (ConfabDeltaKind kind, const char *text, gsize length, gpointer user_data)
{
  /* who hears of the delta may stop the run */
  g_autoptr (Run) run = g_rc_box_acquire (user_data);

  /* after an end nothing is added, whatever the provider still had in hand */
  if (!confab_generation_append (run->generation, kind, text, length))
    return;

  run->received += length;
  if (run->received > CONFAB_MAX_ANSWER_BYTES
      && confab_generation_complete (run->generation, confab_outcome_new (CONFAB_FINISH_LENGTH)))
    run_cancel (run);
}

static void
run_finished_cb (GObject *object, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (Run) run = user_data;
  g_autoptr (ConfabOutcome) outcome = NULL;
  g_autoptr (GError) error = NULL;

  outcome = confab_provider_generate_finish (run->provider, result, &error);
  g_hash_table_remove (run->service->runs, run);

  if (confab_generation_is_ended (run->generation))
    return;

  if (outcome != NULL)
    confab_generation_complete (run->generation, g_steal_pointer (&outcome));
  else
    {
      g_message ("Generation %s failed: %s (%s)", confab_generation_get_id (run->generation),
                 error->message, confab_error_to_code (error));
      confab_generation_fail (run->generation, error);
    }
}

static void
start_run (ConfabService *self, ConfabModule *module, ConfabGeneration *generation)
{
  g_autoptr (ConfabPrompt) prompt = confab_module_build_prompt (module);
  Run *run = g_rc_box_new0 (Run);

  run->service = g_object_ref (self);
  run->generation = g_object_ref (generation);
  run->provider = g_object_ref (self->provider);
  run->cancellable = g_cancellable_new ();
  g_hash_table_add (self->runs, run);

  confab_generation_begin (generation);
  confab_provider_generate_async (run->provider, prompt, run_delta_cb, run, run->cancellable,
                                  run_finished_cb, run);
}

static gboolean
check_id (const char *name, const char *value, gboolean optional, GError **error)
{
  if ((value == NULL && optional) || confab_id_is_valid (value))
    return TRUE;

  g_set_error (error, CONFAB_ERROR, CONFAB_ERROR_INVALID_REQUEST,
               value == NULL
                   ? _ ("The field %s is missing.")
                   : _ ("The field %s is not an id: 1 to 128 letters, digits or ._~:@- ."),
               name);

  return FALSE;
}

static gboolean
check_message (const char *message, GError **error)
{
  const char *c;

  if (message == NULL)
    {
      g_set_error_literal (error, CONFAB_ERROR, CONFAB_ERROR_INVALID_REQUEST,
                           _ ("The field message is missing."));
      return FALSE;
    }
  if (strlen (message) > CONFAB_MAX_MESSAGE_BYTES)
    {
      g_set_error (error, CONFAB_ERROR, CONFAB_ERROR_TOO_LARGE,
                   _ ("The message is longer than %d KiB."), CONFAB_MAX_MESSAGE_BYTES / 1024);
      return FALSE;
    }
  for (c = message; g_unichar_isspace (g_utf8_get_char (c)); c = g_utf8_next_char (c))
    ;
  if (*c == '\0')
    {
      g_set_error_literal (error, CONFAB_ERROR, CONFAB_ERROR_INVALID_REQUEST,
                           _ ("The message is empty."));
      return FALSE;
    }

  return TRUE;
}

static gboolean
check_question (const ConfabQuestion *question, GError **error)
{
  return check_id ("moduleId", question->module_id, FALSE, error)
         && check_message (question->message, error)
         && check_id ("sessionId", question->session_id, TRUE, error)
         && check_id ("requestId", question->request_id, TRUE, error)
         && check_id ("userMessageId", question->user_message_id, TRUE, error);
}

/* Whether @question asks again just what started @generation. */
static gboolean
is_same_question (ConfabGeneration *generation, const ConfabQuestion *question)
{
  ConfabMessage *asked = confab_generation_get_question (generation);

  return g_str_equal (confab_message_get_content (asked), question->message)
         && (question->user_message_id == NULL
             || g_str_equal (confab_message_get_id (asked), question->user_message_id));
}

static ConfabModule *
ensure_module (ConfabService *self, const ConfabQuestion *question)
{
  const char *session_id =
      question->session_id != NULL ? question->session_id : CONFAB_DEFAULT_SESSION;
  ConfabModule *module = g_hash_table_lookup (self->modules, question->module_id);
  ConfabSession *session;

  if (module != NULL)
    return module;

  session = g_hash_table_lookup (self->sessions, session_id);
  if (session == NULL)
    {
      session = confab_session_new (session_id);
      g_hash_table_insert (self->sessions, (char *) confab_session_get_id (session), session);
    }

  module = confab_module_new (question->module_id, session_id);
  confab_session_add_module (session, module);
  g_hash_table_insert (self->modules, (char *) confab_module_get_id (module), module);

  return module;
}

/**
 * confab_service_generate:
 * @self: the service
 * @question: what is asked, and where
 * @repeated: (out): whether @question is a repeat of a request; it started nothing then
 * @error: return location for a %CONFAB_ERROR
 *
 * Starts an answer. A module that is not known yet is made. Nothing changes on error, and no delta
 * comes before the main loop runs again.
 *
 * Returns: (transfer none) (nullable): the generation, running; of a repeat maybe ended
 */
ConfabGeneration *
confab_service_generate (ConfabService *self,
                         const ConfabQuestion *question,
                         gboolean *repeated,
                         GError **error)
{
  ConfabModule *module;
  ConfabGeneration *generation;

  g_return_val_if_fail (CONFAB_IS_SERVICE (self) && question != NULL && repeated != NULL, NULL);

  *repeated = FALSE;
  if (!check_question (question, error))
    return NULL;

  module = g_hash_table_lookup (self->modules, question->module_id);
  if (module != NULL && question->request_id != NULL)
    {
      generation = confab_module_lookup_request (module, question->request_id);
      if (generation != NULL && !is_same_question (generation, question))
        {
          g_set_error_literal (error, CONFAB_ERROR, CONFAB_ERROR_INVALID_REQUEST,
                               _ ("This requestId was used for another message."));
          return NULL;
        }
      if (generation != NULL)
        {
          *repeated = TRUE;
          return generation;
        }
    }

  if (self->shut_down)
    {
      g_set_error_literal (error, CONFAB_ERROR, CONFAB_ERROR_SHUTTING_DOWN,
                           _ ("Confab is shutting down."));
      return NULL;
    }
  if (self->provider == NULL)
    {
      g_set_error_literal (error, CONFAB_ERROR, CONFAB_ERROR_NO_PROVIDER,
                           _ ("No model is set up to answer."));
      return NULL;
    }

  module = ensure_module (self, question);
  generation = confab_module_ask (module, question->message, question->user_message_id,
                                  question->request_id, error);
  if (generation != NULL)
    start_run (self, module, generation);

  return generation;
}

static Run *
acquire_run (ConfabService *self, ConfabGeneration *generation)
{
  GHashTableIter iter;
  gpointer run;

  g_hash_table_iter_init (&iter, self->runs);
  while (g_hash_table_iter_next (&iter, &run, NULL))
    if (((Run *) run)->generation == generation)
      return g_rc_box_acquire (run);

  return NULL;
}

/**
 * confab_service_stop:
 * @self: the service
 * @module_id: where to stop
 * @generation_id: (nullable): what to stop; %NULL for whatever runs
 * @error: return location for a %CONFAB_ERROR
 *
 * Ends a running generation with what it has. The connection to its upstream is closed at once.
 *
 * Returns: how many were stopped; 0 if the end stood already; -1 on error
 */
gint
confab_service_stop (ConfabService *self,
                     const char *module_id,
                     const char *generation_id,
                     GError **error)
{
  g_autoptr (Run) run = NULL;
  ConfabModule *module;
  ConfabGeneration *running;

  g_return_val_if_fail (CONFAB_IS_SERVICE (self), -1);

  if (!check_id ("moduleId", module_id, FALSE, error)
      || !check_id ("generationId", generation_id, TRUE, error))
    return -1;

  module = g_hash_table_lookup (self->modules, module_id);
  if (module == NULL)
    {
      g_set_error_literal (error, CONFAB_ERROR, CONFAB_ERROR_UNKNOWN_MODULE,
                           _ ("There is no conversation with this moduleId."));
      return -1;
    }
  if (generation_id != NULL && !confab_module_had_generation (module, generation_id))
    {
      g_set_error_literal (error, CONFAB_ERROR, CONFAB_ERROR_UNKNOWN_GENERATION,
                           _ ("There is no answer with this generationId."));
      return -1;
    }

  running = confab_module_get_running (module);
  if (running == NULL
      || (generation_id != NULL
          && !g_str_equal (confab_generation_get_id (running), generation_id)))
    return 0;

  run = acquire_run (self, running);
  g_return_val_if_fail (run != NULL, 0);
  confab_generation_stop (running);
  run_cancel (run);

  return 1;
}

/**
 * confab_service_shutdown:
 * @self: the service
 *
 * Ends every running generation with %CONFAB_ERROR_SHUTTING_DOWN and starts no more.
 */
void
confab_service_shutdown (ConfabService *self)
{
  g_autoptr (GError) error = NULL;
  GList *runs;

  g_return_if_fail (CONFAB_IS_SERVICE (self));

  self->shut_down = TRUE;
  error = g_error_new_literal (CONFAB_ERROR, CONFAB_ERROR_SHUTTING_DOWN,
                               _ ("Confab is shutting down; the answer was interrupted."));
  runs = g_hash_table_get_keys (self->runs);
  for (GList *l = runs; l != NULL; l = l->next)
    g_rc_box_acquire (l->data);
  for (GList *l = runs; l != NULL; l = l->next)
    {
      Run *run = l->data;

      confab_generation_interrupt (run->generation, error);
      run_cancel (run);
    }
  g_list_free_full (runs, (GDestroyNotify) run_unref);
}

gboolean
confab_service_is_shut_down (ConfabService *self)
{
  g_return_val_if_fail (CONFAB_IS_SERVICE (self), TRUE);

  return self->shut_down;
}

guint
confab_service_get_n_running (ConfabService *self)
{
  g_return_val_if_fail (CONFAB_IS_SERVICE (self), 0);

  return g_hash_table_size (self->runs);
}
