/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "confab-service-private.h"

#include <glib/gi18n-lib.h>

#include "confab-auto-provider.h"
#include "confab-error.h"
#include "confab-rows.h"
#include "confab-run.h"
#include "confab-store-index.h"
#include "confab-transfer.h"

#define DEFAULT_MAX_RUNNING 64

G_DEFINE_FINAL_TYPE (ConfabService, confab_service, G_TYPE_OBJECT)

static void
confab_service_finalize (GObject *object)
{
  ConfabService *self = CONFAB_SERVICE (object);

  confab_service_clear_unwritten (self);
  confab_service_clear_unsaved (self);
  g_clear_object (&self->providers);
  g_hash_table_unref (self->runs);
  confab_scheduler_free (self->scheduler);
  /* each keeps the service until it has ended */
  g_ptr_array_unref (self->transfers);
  confab_metrics_unref (self->metrics);
  g_hash_table_unref (self->modules);
  g_hash_table_unref (self->sessions);
  g_clear_object (&self->session_list);
  g_clear_object (&self->store);

  G_OBJECT_CLASS (confab_service_parent_class)->finalize (object);
}

static void
confab_service_class_init (ConfabServiceClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = confab_service_finalize;
  confab_service_add_signals (G_TYPE_FROM_CLASS (klass));
}

static void
start_cb (gpointer item, gpointer user_data)
{
  confab_run_begin (item);
}

static void
confab_service_init (ConfabService *self)
{
  self->metrics = confab_metrics_new ();
  self->session_list = g_list_store_new (CONFAB_TYPE_SESSION);
  self->sessions = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, g_object_unref);
  self->modules = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, g_object_unref);
  self->runs = g_hash_table_new_full (NULL, NULL, NULL, (GDestroyNotify) confab_run_unref);
  self->scheduler = confab_scheduler_new (DEFAULT_MAX_RUNNING, start_cb, self);
  self->transfers = g_ptr_array_new_with_free_func ((GDestroyNotify) confab_transfer_free);
  self->auto_create_modules = TRUE;
}

/**
 * confab_service_new:
 * @store: where everything is kept
 *
 * Returns: (transfer full): a service without provider, for the thread-default context in which it
 *   is called
 */
ConfabService *
confab_service_new (ConfabStore *store)
{
  ConfabService *self;

  g_return_val_if_fail (CONFAB_IS_STORE (store), NULL);

  self = g_object_new (CONFAB_TYPE_SERVICE, NULL);
  self->store = g_object_ref (store);

  return self;
}

void
confab_service_take_session (ConfabService *self, ConfabSession *session)
{
  if (g_hash_table_contains (self->sessions, confab_session_get_id (session)))
    return;

  confab_session_set_ordinal (session, ++self->last_ordinal);
  g_list_store_append (self->session_list, session);
  g_hash_table_insert (self->sessions, (char *) confab_session_get_id (session),
                       g_object_ref (session));
}

/* Unless its session is gone, or another one has its id by now. */
void
confab_service_take_module (ConfabService *self, ConfabModule *module)
{
  ConfabSession *session =
      g_hash_table_lookup (self->sessions, confab_module_get_session_id (module));

  if (session == NULL || g_hash_table_contains (self->modules, confab_module_get_id (module)))
    return;

  confab_module_set_ordinal (module, ++self->last_ordinal);
  confab_session_add_module (session, module);
  g_hash_table_insert (self->modules, (char *) confab_module_get_id (module),
                       g_object_ref (module));
}

/**
 * confab_service_load:
 * @self: a service that is still empty
 * @error: return location for a %CONFAB_STORE_ERROR
 *
 * Ends what a crash left unfinished, and reads which sessions and modules there are. It blocks.
 *
 * Returns: whether it succeeded
 */
gboolean
confab_service_load (ConfabService *self, GError **error)
{
  g_autoptr (ConfabOverview) overview = NULL;
  guint n_recovered;

  g_return_val_if_fail (CONFAB_IS_SERVICE (self), FALSE);

  if (!confab_store_recover (self->store, &n_recovered, error))
    return FALSE;
  if (n_recovered > 0)
    g_message ("%u answers were interrupted when Confab last ended", n_recovered);

  overview = confab_store_read_overview (self->store, error);
  if (overview == NULL)
    return FALSE;

  for (guint i = 0; i < overview->sessions->len; i++)
    {
      g_autoptr (ConfabSession) session =
          confab_rows_read_session (g_ptr_array_index (overview->sessions, i));

      confab_service_take_session (self, session);
    }
  for (guint i = 0; i < overview->modules->len; i++)
    {
      g_autoptr (ConfabModule) module =
          confab_rows_read_module (g_ptr_array_index (overview->modules, i));

      confab_service_take_module (self, module);
    }
  /* of an import, before whose end Confab ended */
  if (!confab_store_is_indexed (self->store))
    confab_store_index_async (self->store, NULL, NULL);

  return TRUE;
}

/* Makes it in memory only. */
ConfabSession *
confab_service_add_session (ConfabService *self, const char *id)
{
  g_autoptr (ConfabSession) session = confab_session_new (id);

  confab_service_take_session (self, session);

  return session;
}

void
confab_service_remove_session (ConfabService *self, ConfabSession *session)
{
  guint position;

  if (g_list_store_find (self->session_list, session, &position))
    g_list_store_remove (self->session_list, position);
  g_hash_table_remove (self->sessions, confab_session_get_id (session));
}

ConfabModule *
confab_service_add_module (ConfabService *self, ConfabSession *session, const char *id)
{
  g_autoptr (ConfabModule) module = confab_module_new (id, confab_session_get_id (session));

  confab_service_take_module (self, module);

  return module;
}

void
confab_service_remove_module (ConfabService *self, ConfabModule *module)
{
  ConfabSession *session =
      g_hash_table_lookup (self->sessions, confab_module_get_session_id (module));

  if (g_hash_table_lookup (self->modules, confab_module_get_id (module)) != module)
    return;

  if (session != NULL)
    confab_session_remove_module (session, module);
  g_hash_table_remove (self->modules, confab_module_get_id (module));
}

/**
 * confab_service_set_providers:
 * @self: the service
 * @providers: who answers from now on: the one that a module names, else the default; running
 *   generations keep theirs
 */
void
confab_service_set_providers (ConfabService *self, ConfabProviderRegistry *providers)
{
  g_return_if_fail (CONFAB_IS_SERVICE (self) && CONFAB_IS_PROVIDER_REGISTRY (providers));

  g_set_object (&self->providers, providers);
}

ConfabProviderRegistry *
confab_service_get_providers (ConfabService *self)
{
  g_return_val_if_fail (CONFAB_IS_SERVICE (self), NULL);

  return self->providers;
}

ConfabProvider *
confab_service_find_provider (ConfabService *self, ConfabModule *module)
{
  const char *name = module != NULL ? confab_module_get_provider (module) : NULL;

  return self->providers != NULL ? confab_provider_registry_lookup (self->providers, name) : NULL;
}

const char *
confab_service_find_provider_name (ConfabService *self, ConfabModule *module)
{
  const char *name = confab_module_get_provider (module);

  if (confab_service_find_provider (self, module) == NULL)
    return "none";

  return name != NULL ? name : confab_provider_registry_get_default_name (self->providers);
}

/**
 * confab_service_set_queue:
 * @self: the service
 * @queue: whether questions of a busy module wait instead of being refused
 */
void
confab_service_set_queue (ConfabService *self, gboolean queue)
{
  g_return_if_fail (CONFAB_IS_SERVICE (self));

  self->queue = queue;
}

/**
 * confab_service_set_auto_create_modules:
 * @self: the service
 * @auto_create: whether a question in a module that is not known makes it
 */
void
confab_service_set_auto_create_modules (ConfabService *self, gboolean auto_create)
{
  g_return_if_fail (CONFAB_IS_SERVICE (self));

  self->auto_create_modules = auto_create;
}

/**
 * confab_service_set_max_running:
 * @self: the service
 * @max_running: how many upstream requests may run at once, at least 1
 */
void
confab_service_set_max_running (ConfabService *self, guint max_running)
{
  g_return_if_fail (CONFAB_IS_SERVICE (self) && max_running > 0);

  confab_scheduler_set_max_running (self->scheduler, max_running);
}

guint
confab_service_get_n_running (ConfabService *self)
{
  g_return_val_if_fail (CONFAB_IS_SERVICE (self), 0);

  return g_hash_table_size (self->runs);
}

GListModel *
confab_service_get_sessions (ConfabService *self)
{
  g_return_val_if_fail (CONFAB_IS_SERVICE (self), NULL);

  return G_LIST_MODEL (self->session_list);
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

/**
 * confab_service_require_session:
 * @self: the service
 * @session_id: an id
 * @error: return location for %CONFAB_ERROR_UNKNOWN_SESSION
 *
 * Returns: (transfer none) (nullable): the session of that id
 */
ConfabSession *
confab_service_require_session (ConfabService *self, const char *session_id, GError **error)
{
  ConfabSession *session = confab_service_lookup_session (self, session_id);

  if (session == NULL)
    g_set_error_literal (error, CONFAB_ERROR, CONFAB_ERROR_UNKNOWN_SESSION,
                         _ ("There is no session with this sessionId."));

  return session;
}

/**
 * confab_service_storage_error:
 * @cause: a %CONFAB_STORE_ERROR
 *
 * Returns: (transfer full): the %CONFAB_ERROR_STORAGE for clients, with paths for the log only; of
 * a store that was closed %CONFAB_ERROR_SHUTTING_DOWN
 */
GError *
confab_service_storage_error (const GError *cause)
{
  if (g_error_matches (cause, CONFAB_STORE_ERROR, CONFAB_STORE_ERROR_CLOSED))
    return g_error_new_literal (CONFAB_ERROR, CONFAB_ERROR_SHUTTING_DOWN,
                                _ ("Confab is shutting down."));

  g_warning ("The store refused: %s", cause->message);
  if (g_error_matches (cause, CONFAB_STORE_ERROR, CONFAB_STORE_ERROR_FULL))
    return g_error_new_literal (CONFAB_ERROR, CONFAB_ERROR_STORAGE,
                                _ ("There is no space left to keep this; free some and try "
                                   "again."));

  return g_error_new_literal (CONFAB_ERROR, CONFAB_ERROR_STORAGE,
                              _ ("Confab's store refused this; its log says why."));
}

gboolean
confab_service_is_shut_down (ConfabService *self)
{
  g_return_val_if_fail (CONFAB_IS_SERVICE (self), TRUE);

  return self->shut_down;
}

/**
 * confab_service_is_ready:
 * @self: the service
 *
 * Returns: whether it can take questions: not while it looks for a provider, nor once it shuts down
 */
gboolean
confab_service_is_ready (ConfabService *self)
{
  ConfabProvider *provider;

  g_return_val_if_fail (CONFAB_IS_SERVICE (self), FALSE);

  if (self->shut_down || self->providers == NULL)
    return FALSE;
  provider = confab_provider_registry_get_default (self->providers);
  if (CONFAB_IS_AUTO_PROVIDER (provider))
    provider = confab_auto_provider_get_chosen (CONFAB_AUTO_PROVIDER (provider));

  return provider != NULL;
}

ConfabMetrics *
confab_service_get_metrics (ConfabService *self)
{
  g_return_val_if_fail (CONFAB_IS_SERVICE (self), NULL);

  return self->metrics;
}

void
confab_service_foreach_running (ConfabService *self, ConfabRunningFunc func, gpointer user_data)
{
  GHashTableIter iter;
  gpointer generation, run;

  g_return_if_fail (CONFAB_IS_SERVICE (self) && func != NULL);

  g_hash_table_iter_init (&iter, self->runs);
  while (g_hash_table_iter_next (&iter, &generation, &run))
    func (generation, confab_run_get_provider_name (run), user_data);
}

void
confab_service_get_store_latency (ConfabService *self, ConfabHistogram *latency)
{
  g_return_if_fail (CONFAB_IS_SERVICE (self));

  confab_store_get_latency (self->store, latency);
}
