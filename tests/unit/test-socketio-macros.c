/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The macros and functions that tell of versions. */
#include "socketio.h"

/* usable where the preprocessor decides */
#if !SOCKETIO_CHECK_VERSION(0, 0, 0)
#error "not even version 0"
#endif
#if SOCKETIO_CHECK_VERSION(1000, 0, 0)
#error "the version of the far future"
#endif

static void
test_compiled (void)
{
  g_assert_true (SOCKETIO_CHECK_VERSION (SOCKETIO_MAJOR_VERSION, SOCKETIO_MINOR_VERSION,
                                         SOCKETIO_MICRO_VERSION));
  g_assert_false (SOCKETIO_CHECK_VERSION (SOCKETIO_MAJOR_VERSION, SOCKETIO_MINOR_VERSION,
                                          SOCKETIO_MICRO_VERSION + 1));
  g_assert_false (SOCKETIO_CHECK_VERSION (SOCKETIO_MAJOR_VERSION, SOCKETIO_MINOR_VERSION + 1, 0));
  g_assert_false (SOCKETIO_CHECK_VERSION (SOCKETIO_MAJOR_VERSION + 1, 0, 0));
  g_assert_true (
      SOCKETIO_CHECK_VERSION (SOCKETIO_MAJOR_VERSION - 1, SOCKETIO_MINOR_VERSION + 1, 99));
}

static void
test_running (void)
{
  g_autofree char *version = g_strdup_printf ("%d.%d.%d", SOCKETIO_MAJOR_VERSION,
                                              SOCKETIO_MINOR_VERSION, SOCKETIO_MICRO_VERSION);

  g_assert_cmpstr (SOCKETIO_VERSION_S, ==, version);
  g_assert_true (socketio_check_version (SOCKETIO_MAJOR_VERSION, SOCKETIO_MINOR_VERSION,
                                         SOCKETIO_MICRO_VERSION));
  g_assert_false (socketio_check_version (SOCKETIO_MAJOR_VERSION, SOCKETIO_MINOR_VERSION,
                                          SOCKETIO_MICRO_VERSION + 1));
  g_assert_false (socketio_check_version (SOCKETIO_MAJOR_VERSION + 1, 0, 0));
}

static void
test_error_domain (void)
{
  g_assert_cmpstr (g_quark_to_string (SOCKETIO_ERROR), ==, "socketio-error-quark");
  g_assert_nonnull (g_enum_get_value (g_type_class_peek (g_type_from_name ("SocketioError")),
                                      SOCKETIO_ERROR_CLOSING));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_type_class_ref (SOCKETIO_TYPE_ERROR);

  g_test_add_func ("/socketio-macros/compiled", test_compiled);
  g_test_add_func ("/socketio-macros/running", test_running);
  g_test_add_func ("/socketio-macros/error-domain", test_error_domain);
  return g_test_run ();
}
