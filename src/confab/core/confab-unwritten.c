/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "confab-service-private.h"

/* While the disk is full or gone: how often to try again. */
#define RETRY_INTERVAL_S 2

/* An end that was told, and that the store has not taken yet. */
typedef struct
{
  ConfabModule *module;
  ConfabGeneration *generation;
  ConfabBatch *batch;
} Unwritten;

static void arm_retry (ConfabService *self);

static void
unwritten_free (gpointer data)
{
  Unwritten *unwritten = data;

  g_object_unref (unwritten->module);
  g_object_unref (unwritten->generation);
  confab_batch_unref (unwritten->batch);
  g_free (unwritten);
}

static void
written_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (ConfabService) self = user_data;
  g_autoptr (GError) error = NULL;
  Unwritten *first;

  confab_store_commit_finish (CONFAB_STORE (source), result, &error);
  first = g_queue_peek_head (&self->unwritten);
  if (first == NULL)
    return;

  if (error != NULL && !g_error_matches (error, CONFAB_STORE_ERROR, CONFAB_STORE_ERROR_INVALID))
    {
      arm_retry (self);
      return;
    }

  g_queue_pop_head (&self->unwritten);
  confab_module_remove_generation (first->module, first->generation);
  if (error == NULL)
    g_message ("Generation %s is kept now", confab_generation_get_id (first->generation));
  unwritten_free (first);
  if (!g_queue_is_empty (&self->unwritten))
    confab_store_commit_async (self->store,
                               ((Unwritten *) g_queue_peek_head (&self->unwritten))->batch,
                               written_cb, g_object_ref (self));
}

static gboolean
retry_cb (gpointer user_data)
{
  ConfabService *self = CONFAB_SERVICE (user_data);
  Unwritten *first = g_queue_peek_head (&self->unwritten);

  g_clear_pointer (&self->retry_source, g_source_unref);
  if (first != NULL)
    confab_store_commit_async (self->store, first->batch, written_cb, g_object_ref (self));

  return G_SOURCE_REMOVE;
}

/* The source must not keep the service: it is cleared with it. */
static void
arm_retry (ConfabService *self)
{
  if (self->retry_source != NULL || self->shut_down)
    return;

  self->retry_source = g_timeout_source_new_seconds (RETRY_INTERVAL_S);
  g_source_set_static_name (self->retry_source, "[confab] unwritten ends");
  g_source_set_callback (self->retry_source, retry_cb, self, NULL);
  g_source_attach (self->retry_source, g_main_context_get_thread_default ());
}

/**
 * confab_service_keep_unwritten:
 * @self: the service
 * @module: where it ran
 * @generation: what ended; it stays with @module until it is on disk
 * @batch: its end
 *
 * Tries again to write @batch until the store takes it.
 */
void
confab_service_keep_unwritten (ConfabService *self,
                               ConfabModule *module,
                               ConfabGeneration *generation,
                               ConfabBatch *batch)
{
  Unwritten *unwritten = g_new (Unwritten, 1);

  *unwritten =
      (Unwritten){ g_object_ref (module), g_object_ref (generation), confab_batch_ref (batch) };
  g_queue_push_tail (&self->unwritten, unwritten);
  arm_retry (self);
}

/**
 * confab_service_flush_unwritten:
 * @self: the service
 *
 * Asks the store once more for everything, as it is about to be closed.
 */
void
confab_service_flush_unwritten (ConfabService *self)
{
  for (GList *l = self->unwritten.head; l != NULL; l = l->next)
    confab_store_commit_async (self->store, ((Unwritten *) l->data)->batch, NULL, NULL);
}

void
confab_service_clear_unwritten (ConfabService *self)
{
  if (self->retry_source != NULL)
    g_source_destroy (self->retry_source);
  g_clear_pointer (&self->retry_source, g_source_unref);
  g_queue_clear_full (&self->unwritten, unwritten_free);
}
