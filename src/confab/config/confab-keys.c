/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "confab-keys.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gi18n-lib.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_NAME "access"
#define GROUP "access"
#define FILE_MAX_BYTES 4096

/**
 * confab_keys_free:
 * @self: (transfer full): keys
 *
 * Frees @self, leaving nothing of it in memory.
 */
void
confab_keys_free (ConfabKeys *self)
{
  if (self->token != NULL)
    explicit_bzero (self->token, strlen (self->token));
  if (self->cookie != NULL)
    explicit_bzero (self->cookie, strlen (self->cookie));
  g_free (self->token);
  g_free (self->cookie);
  g_free (self);
}

/**
 * confab_secret_new:
 * @n_bytes: how many random bytes, at most 256
 *
 * Returns: (transfer full): a secret
 */
char *
confab_secret_new (gsize n_bytes)
{
  g_autofree guint8 *bytes = g_malloc (n_bytes);
  char *text;
  gsize length;

  g_return_val_if_fail (n_bytes > 0 && n_bytes <= 256, NULL);

  /* up to 256 bytes never come short once the pool is ready */
  while (getrandom (bytes, n_bytes, 0) != (gssize) n_bytes)
    if (errno != EINTR)
      g_error ("No random numbers from the kernel: %s", g_strerror (errno));

  text = g_base64_encode (bytes, n_bytes);
  explicit_bzero (bytes, n_bytes);
  for (length = 0; text[length] != '\0' && text[length] != '='; length++)
    {
      if (text[length] == '+')
        text[length] = '-';
      else if (text[length] == '/')
        text[length] = '_';
    }
  text[length] = '\0';

  return text;
}

static void
set_errno_error (GError **error, const char *path)
{
  int saved_errno = errno;

  g_set_error (error, G_IO_ERROR, g_io_error_from_errno (saved_errno), _ ("Cannot use %s: %s"),
               path, g_strerror (saved_errno));
}

/* Only a regular file of ours that nobody else can read holds secrets. */
static gboolean
check_private (int fd, const char *path, GError **error)
{
  struct stat info;

  if (fstat (fd, &info) != 0)
    {
      set_errno_error (error, path);
      return FALSE;
    }
  if (!S_ISREG (info.st_mode) || info.st_uid != geteuid ())
    {
      g_set_error (error, G_IO_ERROR, G_IO_ERROR_PERMISSION_DENIED,
                   _ ("%s is not a file of the user who runs confabd"), path);
      return FALSE;
    }
  if ((info.st_mode & 077) != 0)
    {
      g_set_error (
          error, G_IO_ERROR, G_IO_ERROR_PERMISSION_DENIED,
          _ ("%s is open to other users; delete it to get new secrets, or run chmod 600 on it"),
          path);
      return FALSE;
    }

  return TRUE;
}

static gboolean
is_secret (const char *text)
{
  return text != NULL && strlen (text) >= 43
         && strspn (text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
                == strlen (text);
}

static ConfabKeys *
parse (const char *text, gsize length, const char *path, GError **error)
{
  g_autoptr (GKeyFile) file = g_key_file_new ();
  g_autoptr (ConfabKeys) self = g_new0 (ConfabKeys, 1);

  if (g_key_file_load_from_data (file, text, length, G_KEY_FILE_NONE, NULL))
    {
      self->token = g_key_file_get_string (file, GROUP, "token", NULL);
      self->cookie = g_key_file_get_string (file, GROUP, "cookie", NULL);
    }
  if (!is_secret (self->token) || !is_secret (self->cookie))
    {
      g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
                   _ ("%s does not hold what confabd wrote; delete it to get new secrets"), path);
      return NULL;
    }

  return g_steal_pointer (&self);
}

static ConfabKeys *
read_file (const char *path, GError **error)
{
  char text[FILE_MAX_BYTES];
  ConfabKeys *self = NULL;
  gssize length;
  int fd = open (path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);

  if (fd < 0)
    {
      set_errno_error (error, path);
      return NULL;
    }
  if (check_private (fd, path, error))
    {
      length = read (fd, text, sizeof text);
      if (length < 0)
        set_errno_error (error, path);
      else
        self = parse (text, length, path, error);
      explicit_bzero (text, sizeof text);
    }
  close (fd);

  return self;
}

static gboolean
write_all (int fd, const char *text)
{
  gsize length = strlen (text);

  for (gsize done = 0; done < length;)
    {
      gssize n = write (fd, text + done, length - done);

      if (n < 0 && errno != EINTR)
        return FALSE;
      done += MAX (n, 0);
    }

  return fsync (fd) == 0;
}

/* The file appears whole or not at all, and of two that start at once the first one's stands;
 * unless it shall @replace the one that is there. */
static gboolean
create_file (const char *path, gboolean replace, GError **error)
{
  g_autofree char *temporary = g_strconcat (path, ".XXXXXX", NULL);
  g_autofree char *token = confab_secret_new (CONFAB_SECRET_BYTES);
  g_autofree char *cookie = confab_secret_new (CONFAB_SECRET_BYTES);
  g_autofree char *text = g_strdup_printf ("[" GROUP "]\ntoken=%s\ncookie=%s\n", token, cookie);
  int fd = g_mkstemp_full (temporary, O_WRONLY | O_CLOEXEC, 0600);
  gboolean ok;

  if (fd < 0)
    {
      set_errno_error (error, temporary);
      return FALSE;
    }

  ok =
      write_all (fd, text)
      && (replace ? rename (temporary, path) == 0 : link (temporary, path) == 0 || errno == EEXIST);
  if (!ok)
    set_errno_error (error, path);
  g_unlink (temporary);
  close (fd);
  explicit_bzero (token, strlen (token));
  explicit_bzero (cookie, strlen (cookie));
  explicit_bzero (text, strlen (text));

  return ok;
}

/**
 * confab_keys_load:
 * @data_dir: the directory for everything that is kept; made with mode 0700 if it is missing
 * @error: return location for a %G_IO_ERROR with a sentence for people
 *
 * Reads the secrets, or makes them the first time.
 *
 * Returns: (transfer full) (nullable): the keys
 */
ConfabKeys *
confab_keys_load (const char *data_dir, GError **error)
{
  g_autofree char *path = NULL;

  g_return_val_if_fail (data_dir != NULL, NULL);

  if (g_mkdir_with_parents (data_dir, 0700) != 0)
    {
      set_errno_error (error, data_dir);
      return NULL;
    }

  path = g_build_filename (data_dir, FILE_NAME, NULL);
  if (!g_file_test (path, G_FILE_TEST_EXISTS | G_FILE_TEST_IS_SYMLINK)
      && !create_file (path, FALSE, error))
    return NULL;

  return read_file (path, error);
}

/**
 * confab_keys_renew:
 * @data_dir: the directory for everything that is kept
 * @error: return location for a %G_IO_ERROR with a sentence for people; the old secrets stand then
 *
 * Makes new secrets in place of the old ones.
 *
 * Returns: (transfer full) (nullable): the keys
 */
ConfabKeys *
confab_keys_renew (const char *data_dir, GError **error)
{
  g_autofree char *path = NULL;

  g_return_val_if_fail (data_dir != NULL, NULL);

  path = g_build_filename (data_dir, FILE_NAME, NULL);

  return create_file (path, TRUE, error) ? read_file (path, error) : NULL;
}
