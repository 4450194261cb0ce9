/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fuzz.h"

#include <string.h>

/*
 * The main of a fuzz target in the ordinary suite, where there is no libFuzzer: runs the target on
 * every file of the folder given, whole and cut at every byte. TAP, one point for each file.
 */

static GPtrArray *
list_folder (const char *path)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GDir) dir = g_dir_open (path, 0, &error);
  GPtrArray *names = g_ptr_array_new_with_free_func (g_free);
  const char *name;

  if (dir == NULL)
    g_error ("%s", error->message);
  while ((name = g_dir_read_name (dir)) != NULL)
    g_ptr_array_add (names, g_build_filename (path, name, NULL));
  g_ptr_array_sort (names, (GCompareFunc) (GCallback) g_strcmp0);
  return names;
}

static void
run_file (const char *path)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *content = NULL;
  gsize length;

  if (!g_file_get_contents (path, &content, &length, &error))
    g_error ("%s", error->message);

  for (gsize cut = 0; cut <= length; cut++)
    {
      /* ends where the input does, so that AddressSanitizer sees a step beyond */
      g_autofree guint8 *exact = g_malloc (MAX (cut, 1));

      memcpy (exact, content, cut);
      LLVMFuzzerTestOneInput (exact, cut);
    }
}

int
main (int argc, char **argv)
{
  g_autoptr (GPtrArray) files = NULL;

  if (argc != 2)
    {
      g_printerr ("usage: %s FOLDER\n", argv[0]);
      return 2;
    }

  LLVMFuzzerInitialize (&argc, &argv);
  files = list_folder (argv[1]);
  g_assert_cmpuint (files->len, >, 0);

  g_print ("1..%u\n", files->len);
  for (guint i = 0; i < files->len; i++)
    {
      const char *path = g_ptr_array_index (files, i);
      g_autofree char *name = g_path_get_basename (path);

      run_file (path);
      g_print ("ok %u %s\n", i + 1, name);
    }
  return 0;
}
