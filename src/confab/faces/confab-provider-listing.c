/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "confab-provider-listing.h"

#include <glib/gi18n-lib.h>

/* How long the slowest of the model servers is waited for. */
#define LISTING_SECONDS 5

/* While the providers are asked for their models, all at once. */
typedef struct
{
  ConfabProviderListingFunc func;
  gpointer user_data;
  JsonArray *providers;
  guint n_awaited;
  GCancellable *too_late;
  GSource *limit;
} ProviderListing;

typedef struct
{
  ProviderListing *listing;
  JsonObject *entry; /* belongs to the listing */
} ProviderEntry;

/* Takes @listing when nothing is awaited any more. */
static void
maybe_answer_listing (ProviderListing *listing)
{
  if (listing->n_awaited > 0)
    return;

  listing->func (listing->providers, listing->user_data);
  g_source_destroy (listing->limit);
  g_source_unref (listing->limit);
  g_object_unref (listing->too_late);
  g_free (listing);
}

static gboolean
too_late_cb (gpointer user_data)
{
  /* whoever is cancelled may be the last, and with it the listing goes */
  g_autoptr (GCancellable) too_late = g_object_ref (G_CANCELLABLE (user_data));

  g_cancellable_cancel (too_late);

  return G_SOURCE_REMOVE;
}

static void
models_listed_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autofree ProviderEntry *waiting = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) names = NULL;
  JsonArray *models = json_array_new ();
  const char *model;

  /* a provider that cannot be reached is there all the same */
  names = confab_provider_list_models_finish (CONFAB_PROVIDER (source), result, &error);
  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    json_object_set_string_member (waiting->entry, "error",
                                   _ ("The model server did not answer in time."));
  else if (names == NULL)
    json_object_set_string_member (waiting->entry, "error", error->message);
  for (guint i = 0; names != NULL && i < names->len; i++)
    json_array_add_string_element (models, g_ptr_array_index (names, i));
  json_object_set_array_member (waiting->entry, "models", models);

  /* where none is configured, the first that is listed answers */
  model = confab_provider_get_model (CONFAB_PROVIDER (source));
  if (model == NULL && names != NULL && names->len > 0)
    model = g_ptr_array_index (names, 0);
  if (model != NULL)
    json_object_set_string_member (waiting->entry, "model", model);

  waiting->listing->n_awaited--;
  maybe_answer_listing (waiting->listing);
}

/**
 * confab_provider_listing:
 * @registry: (nullable): the providers; %NULL: none
 * @func: called when all have told their models, or are too late to, maybe before this returns
 * @user_data: for @func
 */
void
confab_provider_listing (ConfabProviderRegistry *registry,
                         ConfabProviderListingFunc func,
                         gpointer user_data)
{
  const char *const *names = registry != NULL ? confab_provider_registry_list (registry) : NULL;
  ProviderListing *listing = g_new0 (ProviderListing, 1);

  listing->func = func;
  listing->user_data = user_data;
  listing->providers = json_array_new ();
  listing->n_awaited = 1;
  listing->too_late = g_cancellable_new ();
  listing->limit = g_timeout_source_new_seconds (LISTING_SECONDS);
  g_source_set_static_name (listing->limit, "[confab] provider:list limit");
  g_source_set_callback (listing->limit, too_late_cb, listing->too_late, NULL);
  g_source_attach (listing->limit, g_main_context_get_thread_default ());
  for (guint i = 0; names != NULL && names[i] != NULL; i++)
    {
      ProviderEntry *waiting = g_new (ProviderEntry, 1);
      JsonObject *entry = json_object_new ();

      json_object_set_string_member (entry, "name", names[i]);
      json_object_set_boolean_member (entry, "default", i == 0);
      json_array_add_object_element (listing->providers, entry);
      *waiting = (ProviderEntry){ listing, entry };
      listing->n_awaited++;
      confab_provider_list_models_async (confab_provider_registry_lookup (registry, names[i]),
                                         listing->too_late, models_listed_cb, waiting);
    }

  listing->n_awaited--;
  maybe_answer_listing (listing);
}
