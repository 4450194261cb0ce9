/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "confab-secrets.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "confab-error.h"
#include "confab-keyring.h"

/* Nobody waits longer for a keyring that hangs. */
#define TIMEOUT_MS 3000
/* How long it is left alone then. */
#define PAUSE_US (60 * G_USEC_PER_SEC)
#define MAX_KEY_BYTES 4096

struct _ConfabSecrets
{
  GObject parent_instance;

  gint64 paused_until; /* monotonic */
};

/* Lookup: what one needs; owned by its task. */
typedef struct
{
  char *name;
  GCancellable *inner; /* cancelled by the caller's, or when time is up */
  GCancellable *outer;
  gulong outer_handler;
  GSource *timeout;
  gboolean timed_out;
} Lookup;

static void confab_secrets_iface_init (ConfabKeySourceInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (ConfabSecrets,
                               confab_secrets,
                               G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (CONFAB_TYPE_KEY_SOURCE,
                                                      confab_secrets_iface_init))

static void
lookup_free (gpointer data)
{
  Lookup *lookup = data;

  if (lookup->timeout != NULL)
    g_source_destroy (lookup->timeout);
  g_clear_pointer (&lookup->timeout, g_source_unref);
  g_cancellable_disconnect (lookup->outer, lookup->outer_handler);
  g_clear_object (&lookup->outer);
  g_clear_object (&lookup->inner);
  g_free (lookup->name);
  g_free (lookup);
}

static void
confab_secrets_class_init (ConfabSecretsClass *klass)
{
}

static void
confab_secrets_init (ConfabSecrets *self)
{
}

/* Reads a regular file that not everybody can read; NULL with a warning otherwise. */
static char *
read_private (const char *path)
{
  char text[MAX_KEY_BYTES + 1];
  char *key = NULL;
  struct stat info;
  gssize length = -1;
  int fd = open (path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

  if (fd < 0)
    {
      if (errno != ENOENT)
        g_warning ("The credential %s cannot be read: %s", path, g_strerror (errno));
      return NULL;
    }
  if (fstat (fd, &info) != 0 || !S_ISREG (info.st_mode) || (info.st_mode & 07) != 0)
    g_warning ("The credential %s is left out: everybody can read it", path);
  else
    length = read (fd, text, sizeof text);
  close (fd);

  if (length > MAX_KEY_BYTES)
    g_warning ("The credential %s is left out: it is too long for a key", path);
  else if (length > 0)
    key = g_strstrip (g_strndup (text, (gsize) length));
  explicit_bzero (text, sizeof text);

  return key;
}

static char *
read_credential (const char *name)
{
  const char *directory = g_getenv ("CREDENTIALS_DIRECTORY");
  g_autofree char *file_name = g_strconcat ("confab.", name, NULL);
  g_autofree char *path = NULL;

  if (directory == NULL || !g_path_is_absolute (directory))
    return NULL;
  path = g_build_filename (directory, file_name, NULL);

  return read_private (path);
}

static void
return_credential (GTask *task)
{
  Lookup *lookup = g_task_get_task_data (task);

  g_task_return_pointer (task, read_credential (lookup->name), g_free);
}

static void
looked_up_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  ConfabSecrets *self = g_task_get_source_object (task);
  Lookup *lookup = g_task_get_task_data (task);
  g_autoptr (GError) error = NULL;
  char *key = confab_keyring_lookup_finish (result, &error);

  if (key != NULL)
    g_task_return_pointer (task, key, g_free);
  else if (g_error_matches (error, CONFAB_ERROR, CONFAB_ERROR_UPSTREAM_AUTH))
    {
      key = read_credential (lookup->name);
      if (key != NULL)
        g_task_return_pointer (task, key, g_free);
      else
        g_task_return_error (task, g_steal_pointer (&error));
    }
  else
    {
      if (lookup->timed_out)
        {
          self->paused_until = g_get_monotonic_time () + PAUSE_US;
          g_warning ("The keyring does not answer; going on without it");
        }
      else if (error != NULL)
        g_info ("The keyring has no key for %s: %s", lookup->name, error->message);
      return_credential (task);
    }
}

static gboolean
timeout_cb (gpointer user_data)
{
  Lookup *lookup = user_data;

  lookup->timed_out = TRUE;
  g_cancellable_cancel (lookup->inner);

  return G_SOURCE_REMOVE;
}

/* Whether there may be a keyring: asking for a bus that is not there could start one. */
static gboolean
has_session_bus (void)
{
  const char *address = g_getenv ("DBUS_SESSION_BUS_ADDRESS");
  g_autofree char *socket = g_build_filename (g_get_user_runtime_dir (), "bus", NULL);

  return (address != NULL && *address != '\0') || g_file_test (socket, G_FILE_TEST_EXISTS);
}

static void
confab_secrets_lookup_async (ConfabKeySource *source,
                             const char *name,
                             GCancellable *cancellable,
                             GAsyncReadyCallback callback,
                             gpointer user_data)
{
  ConfabSecrets *self = CONFAB_SECRETS (source);
  GTask *task = g_task_new (self, cancellable, callback, user_data);
  Lookup *lookup = g_new0 (Lookup, 1);

  g_task_set_source_tag (task, confab_secrets_lookup_async);
  lookup->name = g_strdup (name);
  lookup->inner = g_cancellable_new ();
  g_task_set_task_data (task, lookup, lookup_free);

  if (!has_session_bus () || g_get_monotonic_time () < self->paused_until)
    {
      return_credential (task);
      g_object_unref (task);
      return;
    }

  if (cancellable != NULL)
    {
      lookup->outer = g_object_ref (cancellable);
      lookup->outer_handler = g_cancellable_connect (cancellable, G_CALLBACK (g_cancellable_cancel),
                                                     lookup->inner, NULL);
    }
  lookup->timeout = g_timeout_source_new (TIMEOUT_MS);
  g_source_set_static_name (lookup->timeout, "[confab] keyring limit");
  g_source_set_callback (lookup->timeout, timeout_cb, lookup, NULL);
  g_source_attach (lookup->timeout, g_main_context_get_thread_default ());

  confab_keyring_lookup_async (name, lookup->inner, looked_up_cb, task);
}

static char *
confab_secrets_lookup_finish (ConfabKeySource *source, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, source), NULL);

  return g_task_propagate_pointer (G_TASK (result), error);
}

static void
confab_secrets_iface_init (ConfabKeySourceInterface *iface)
{
  iface->lookup_async = confab_secrets_lookup_async;
  iface->lookup_finish = confab_secrets_lookup_finish;
}

/**
 * confab_secrets_new:
 *
 * Returns: (transfer full): a source of keys
 */
ConfabSecrets *
confab_secrets_new (void)
{
  return g_object_new (CONFAB_TYPE_SECRETS, NULL);
}
