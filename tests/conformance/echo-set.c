/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "echo-set.h"

#include <stdlib.h>

static void
set_cookie (GValue *value, const char *name)
{
  SoupCookie *cookie = soup_cookie_new (name, "", "", "/", -1);

  soup_cookie_set_http_only (cookie, TRUE);
  soup_cookie_set_same_site_policy (cookie, SOUP_SAME_SITE_POLICY_LAX);
  g_value_take_boxed (value, cookie);
}

/* By its nick. */
static void
set_enum (GValue *value, GParamSpec *pspec, const char *nick)
{
  GEnumValue *found = g_enum_get_value_by_nick (G_PARAM_SPEC_ENUM (pspec)->enum_class, nick);

  g_value_set_enum (value, found != NULL ? found->value : 0);
}

static void
add_property (GPtrArray *names, GArray *values, const char *text)
{
  g_auto (GStrv) pair = g_strsplit (text, "=", 2);
  g_autoptr (GTypeClass) klass = g_type_class_ref (SOCKETIO_TYPE_SERVER);
  GParamSpec *pspec = g_object_class_find_property (G_OBJECT_CLASS (klass), pair[0]);
  g_autoptr (GVariant) variant = NULL;
  g_autoptr (GError) error = NULL;
  GValue value = G_VALUE_INIT;

  if (pspec == NULL || pair[1] == NULL
      || (variant = g_variant_parse (NULL, pair[1], NULL, NULL, &error)) == NULL)
    {
      g_printerr ("%s: --set %s: %s\n", g_get_prgname (), text,
                  error != NULL ? error->message : "no");
      exit (2);
    }

  g_value_init (&value, pspec->value_type);
  if (pspec->value_type == SOUP_TYPE_COOKIE)
    set_cookie (&value, g_variant_get_string (variant, NULL));
  else if (G_IS_PARAM_SPEC_ENUM (pspec))
    set_enum (&value, pspec, g_variant_get_string (variant, NULL));
  else if (pspec->value_type == G_TYPE_STRV)
    g_value_take_boxed (&value, g_variant_dup_strv (variant, NULL));
  else if (pspec->value_type == G_TYPE_BOOLEAN)
    g_value_set_boolean (&value, g_variant_get_boolean (variant));
  else if (pspec->value_type == G_TYPE_UINT)
    g_value_set_uint (&value, (guint) g_variant_get_int32 (variant));
  else if (pspec->value_type == G_TYPE_UINT64)
    g_value_set_uint64 (&value, (guint64) g_variant_get_int32 (variant));
  else
    g_value_set_string (&value, g_variant_get_string (variant, NULL));
  g_ptr_array_add (names, g_strdup (g_param_spec_get_name (pspec)));
  g_array_append_val (values, value);
}

SocketioServer *
echo_make_server (char **set)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GArray) values = g_array_new (FALSE, FALSE, sizeof (GValue));

  g_array_set_clear_func (values, (GDestroyNotify) g_value_unset);
  for (guint i = 0; set != NULL && set[i] != NULL; i++)
    add_property (names, values, set[i]);

  return SOCKETIO_SERVER (g_object_new_with_properties (SOCKETIO_TYPE_SERVER, names->len,
                                                        (const char **) names->pdata,
                                                        (const GValue *) (gpointer) values->data));
}
