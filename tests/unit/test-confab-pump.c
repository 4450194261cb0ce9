/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include "confab-error.h"
#include "confab-pump.h"

static void
test_gives_up (void)
{
  g_autofree char *much = g_strnfill (1024 * 1024, 'x');
  g_autoptr (GError) error = NULL;
  int fds[2];

  g_assert_cmpint (pipe (fds), ==, 0);
  ConfabPump out = { fds[1], 50, NULL };
  ConfabPump in = { fds[0], 50, NULL };

  g_assert_false (confab_pump_write (&out, much, 1024 * 1024, &error));
  g_assert_error (error, CONFAB_ERROR, CONFAB_ERROR_INTERRUPTED);
  g_clear_error (&error);
  while (confab_pump_read (&in, much, 1024 * 1024, &error) > 0)
    ;
  g_assert_error (error, CONFAB_ERROR, CONFAB_ERROR_INTERRUPTED);
  /* the mode that both ends share is as it was */
  g_assert_cmpint (fcntl (fds[1], F_GETFL) & O_NONBLOCK, ==, 0);
  close (fds[0]);
  close (fds[1]);
}

static void
test_reader_gone (void)
{
  g_autofree char *much = g_strnfill (1024 * 1024, 'x');
  int fds[2];

  for (guint i = 0; i < 2; i++)
    {
      g_autoptr (GError) error = NULL;

      g_assert_cmpint (i == 0 ? pipe2 (fds, O_CLOEXEC) : socketpair (AF_UNIX, SOCK_STREAM, 0, fds),
                       ==, 0);
      ConfabPump out = { fds[1], 10000, NULL };

      close (fds[0]);
      g_assert_false (confab_pump_write (&out, much, 1024 * 1024, &error));
      g_assert_error (error, CONFAB_ERROR, CONFAB_ERROR_INTERRUPTED);
      close (fds[1]);
    }
}

static void
test_wrong_way (void)
{
  g_autoptr (GError) error = NULL;
  char byte;
  int fd = open ("/dev/null", O_WRONLY | O_CLOEXEC);
  ConfabPump pump = { fd, 10000, NULL };

  g_assert_cmpint (confab_pump_read (&pump, &byte, 1, &error), ==, -1);
  g_assert_error (error, CONFAB_ERROR, CONFAB_ERROR_INVALID_REQUEST);
  close (fd);
}

static void
test_disk_full (void)
{
  g_autoptr (GError) error = NULL;
  int fd = open ("/dev/full", O_WRONLY | O_CLOEXEC);
  ConfabPump pump = { fd, 10000, NULL };

  g_assert_false (confab_pump_write (&pump, "x", 1, &error));
  g_assert_error (error, CONFAB_ERROR, CONFAB_ERROR_STORAGE);
  close (fd);
}

static gpointer
cancel_thread (gpointer data)
{
  g_usleep (20 * 1000);
  g_cancellable_cancel (data);

  return NULL;
}

static void
test_cancelled (void)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GError) error = NULL;
  char byte;
  int fds[2];
  GThread *thread;

  g_assert_cmpint (pipe (fds), ==, 0);
  ConfabPump in = { fds[0], 60 * 1000, cancellable };

  thread = g_thread_new ("cancel", cancel_thread, cancellable);
  g_assert_cmpint (confab_pump_read (&in, &byte, 1, &error), ==, -1);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_thread_join (thread);
  close (fds[0]);
  close (fds[1]);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  /* as confabd does */
  signal (SIGPIPE, SIG_IGN);

  g_test_add_func ("/confab/pump/gives-up", test_gives_up);
  g_test_add_func ("/confab/pump/reader-gone", test_reader_gone);
  g_test_add_func ("/confab/pump/wrong-way", test_wrong_way);
  g_test_add_func ("/confab/pump/disk-full", test_disk_full);
  g_test_add_func ("/confab/pump/cancelled", test_cancelled);

  return g_test_run ();
}
