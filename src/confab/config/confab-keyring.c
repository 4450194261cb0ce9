/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "confab-keyring.h"

#include <glib/gi18n-lib.h>
#include <string.h>

#include "confab-error.h"

#ifdef HAVE_LIBSECRET
#include <libsecret/secret.h>

#define ATTRIBUTE "provider"
/* of items whose schema a keyring does not know, or does not know yet */
#define UNKNOWN_SCHEMA "org.freedesktop.Secret.Generic"

static const SecretSchema schema = { "org.confab.Confab.Key",
                                     SECRET_SCHEMA_NONE,
                                     { { ATTRIBUTE, SECRET_SCHEMA_ATTRIBUTE_STRING }, { NULL } } };

/* What a keyring that was not opened yet may know an item by: gnome-keyring has no schema of it,
 * only digests of its attributes. */
static const SecretSchema unopened_schema = { "org.confab.Confab.Key",
                                              SECRET_SCHEMA_DONT_MATCH_NAME,
                                              { { ATTRIBUTE, SECRET_SCHEMA_ATTRIBUTE_STRING },
                                                { NULL } } };

static GHashTable *
make_attributes (const char *provider)
{
  GHashTable *attributes = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, g_free);

  g_hash_table_insert (attributes, (char *) ATTRIBUTE, g_strdup (provider));

  return attributes;
}

static void
wipe_and_free (gpointer key)
{
  explicit_bzero (key, strlen (key));
  g_free (key);
}

static void
retrieved_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  g_autoptr (SecretValue) value = NULL;
  GError *error = NULL;
  const char *text;

  value = secret_retrievable_retrieve_secret_finish (SECRET_RETRIEVABLE (source), result, &error);
  if (error != NULL)
    {
      g_task_return_error (task, error);
      return;
    }

  text = value != NULL ? secret_value_get_text (value) : NULL;
  g_task_return_pointer (task, g_strdup (text), wipe_and_free);
}

static gboolean
is_locked (SecretRetrievable *item)
{
  return SECRET_IS_ITEM (item) && secret_item_get_locked (SECRET_ITEM (item));
}

static GError *
make_locked_error (const char *provider)
{
  return g_error_new (CONFAB_ERROR, CONFAB_ERROR_UPSTREAM_AUTH,
                      _ ("The key of the provider “%s” is in a keyring that is locked; unlock it "
                         "and ask again."),
                      provider);
}

/* Whether one of @items may be a key of ours that nobody can read now. What is open, or is known to
 * be of another schema, is somebody else's. */
static gboolean
may_hold_key (GList *items)
{
  for (GList *l = items; l != NULL; l = l->next)
    {
      g_autoptr (GHashTable) attributes = secret_retrievable_get_attributes (l->data);
      const char *name = g_hash_table_lookup (attributes, "xdg:schema");

      if (is_locked (l->data)
          && (name == NULL || g_str_equal (name, UNKNOWN_SCHEMA)
              || g_str_equal (name, schema.name)))
        return TRUE;
    }

  return FALSE;
}

static void
searched_unopened_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  g_autolist (SecretRetrievable) items = NULL;
  GError *error = NULL;

  items = secret_password_search_finish (result, &error);
  if (error == NULL && may_hold_key (items))
    error = make_locked_error (g_task_get_task_data (task));

  if (error != NULL)
    g_task_return_error (task, error);
  else
    g_task_return_pointer (task, NULL, NULL);
}

static void
search_unopened (GTask *task)
{
  g_autoptr (GHashTable) attributes = make_attributes (g_task_get_task_data (task));

  secret_password_searchv (&unopened_schema, attributes, SECRET_SEARCH_ALL,
                           g_task_get_cancellable (task), searched_unopened_cb,
                           g_object_ref (task));
}

static void
searched_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  g_autolist (SecretRetrievable) items = NULL;
  GError *error = NULL;

  items = secret_password_search_finish (result, &error);
  if (error != NULL)
    g_task_return_error (task, error);
  else if (items == NULL)
    search_unopened (task);
  /* nobody may be there to answer a dialog, so none is shown */
  else if (is_locked (items->data))
    g_task_return_error (task, make_locked_error (g_task_get_task_data (task)));
  else
    secret_retrievable_retrieve_secret (items->data, g_task_get_cancellable (task), retrieved_cb,
                                        g_object_ref (task));
}

static void
connected_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  g_autoptr (GDBusConnection) connection = NULL;
  g_autoptr (GHashTable) attributes = make_attributes (g_task_get_task_data (task));
  GError *error = NULL;

  connection = g_bus_get_finish (result, &error);
  if (connection == NULL)
    {
      g_task_return_error (task, error);
      return;
    }

  /* everybody in the process shares the one that is lost for as long as one holds it */
  if (g_dbus_connection_is_closed (connection))
    {
      secret_service_disconnect ();
      g_task_return_new_error (task, G_IO_ERROR, G_IO_ERROR_CLOSED,
                               _ ("The connection to the session bus is lost."));
      return;
    }

  secret_password_searchv (&schema, attributes, SECRET_SEARCH_NONE, g_task_get_cancellable (task),
                           searched_cb, g_object_ref (task));
}

static void
search (GTask *task)
{
  g_bus_get (G_BUS_TYPE_SESSION, g_task_get_cancellable (task), connected_cb, g_object_ref (task));
}

#else

static gboolean
fail (GError **error)
{
  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED,
                       _ ("Confab was built without libsecret, and so knows no keyring"));

  return FALSE;
}

static void
search (GTask *task)
{
  GError *error = NULL;

  fail (&error);
  g_task_return_error (task, error);
}

#endif

/**
 * confab_keyring_lookup_async:
 * @provider: a provider's name
 *
 * Never asks the user anything. It takes the connection to the session bus that the process shares,
 * whose loss confab_bus_loss_outlive() has to make harmless.
 */
void
confab_keyring_lookup_async (const char *provider,
                             GCancellable *cancellable,
                             GAsyncReadyCallback callback,
                             gpointer user_data)
{
  g_autoptr (GTask) task = NULL;

  g_return_if_fail (provider != NULL);

  task = g_task_new (NULL, cancellable, callback, user_data);
  g_task_set_source_tag (task, confab_keyring_lookup_async);
  g_task_set_task_data (task, g_strdup (provider), g_free);
  search (task);
}

/**
 * confab_keyring_lookup_finish:
 *
 * Returns: (transfer full) (nullable): the key, to be wiped by the caller; NULL without an error if
 *   there is none; %CONFAB_ERROR_UPSTREAM_AUTH if it is locked
 */
char *
confab_keyring_lookup_finish (GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, NULL), NULL);

  return g_task_propagate_pointer (G_TASK (result), error);
}

/**
 * confab_keyring_store:
 * @provider: a provider's name
 * @key: its key, which replaces the one before
 *
 * Returns: whether it is kept
 */
gboolean
confab_keyring_store (const char *provider,
                      const char *key,
                      GCancellable *cancellable,
                      GError **error)
{
#ifdef HAVE_LIBSECRET
  g_autoptr (GHashTable) attributes = make_attributes (provider);
  /* Translators: how a keyring's window calls the key; %s is the name of a model server */
  g_autofree char *label = g_strdup_printf (_ ("Confab: key of %s"), provider);

  return secret_password_storev_sync (&schema, attributes, SECRET_COLLECTION_DEFAULT, label, key,
                                      cancellable, error);
#else
  return fail (error);
#endif
}

/**
 * confab_keyring_clear:
 * @provider: a provider's name
 *
 * Returns: whether there was a key; FALSE without an error if not, and with
 *   %CONFAB_ERROR_UPSTREAM_AUTH if it is locked
 */
gboolean
confab_keyring_clear (const char *provider, GCancellable *cancellable, GError **error)
{
#ifdef HAVE_LIBSECRET
  g_autoptr (GHashTable) attributes = make_attributes (provider);
  g_autolist (SecretRetrievable) items = NULL;
  GError *cause = NULL;
  gboolean cleared = secret_password_clearv_sync (&schema, attributes, cancellable, &cause);

  if (!cleared && cause == NULL)
    {
      items = secret_password_searchv_sync (&unopened_schema, attributes, SECRET_SEARCH_ALL,
                                            cancellable, &cause);
      if (cause == NULL && may_hold_key (items))
        cause = make_locked_error (provider);
    }
  if (cause != NULL)
    g_propagate_error (error, cause);

  return cleared;
#else
  return fail (error);
#endif
}
