/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "confab-process-info.h"

#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

/* Place of starttime in /proc/self/stat, counted from after the name, which may hold anything. */
#define STAT_START_TIME 19

static double
read_resident_bytes (void)
{
  g_autofree char *text = NULL;
  g_auto (GStrv) fields = NULL;

  if (!g_file_get_contents ("/proc/self/statm", &text, NULL, NULL))
    return -1;
  fields = g_strsplit (text, " ", 3);

  return g_strv_length (fields) < 2
             ? -1
             : g_ascii_strtod (fields[1], NULL) * (double) sysconf (_SC_PAGESIZE);
}

static double
count_open_fds (void)
{
  GDir *dir = g_dir_open ("/proc/self/fd", 0, NULL);
  int n = 0;

  if (dir == NULL)
    return -1;
  while (g_dir_read_name (dir) != NULL)
    n++;
  g_dir_close (dir);

  /* without the one that was counting */
  return n - 1;
}

static double
read_start_time (void)
{
  g_autofree char *text = NULL;
  g_auto (GStrv) fields = NULL;
  const char *rest;
  struct timespec now, since_boot;
  double ticks;

  if (!g_file_get_contents ("/proc/self/stat", &text, NULL, NULL))
    return -1;
  rest = strrchr (text, ')');
  fields = rest != NULL ? g_strsplit (rest + 2, " ", -1) : NULL;
  if (fields == NULL || g_strv_length (fields) <= STAT_START_TIME)
    return -1;

  ticks = g_ascii_strtod (fields[STAT_START_TIME], NULL);
  clock_gettime (CLOCK_REALTIME, &now);
  clock_gettime (CLOCK_BOOTTIME, &since_boot);

  return (double) now.tv_sec - (double) since_boot.tv_sec + ticks / (double) sysconf (_SC_CLK_TCK);
}

static double
to_seconds (struct timeval time)
{
  return (double) time.tv_sec + (double) time.tv_usec / G_USEC_PER_SEC;
}

/**
 * confab_process_info_read:
 * @self: (out caller-allocates): what is known
 */
void
confab_process_info_read (ConfabProcessInfo *self)
{
  struct rusage usage;
  struct rlimit limit;

  self->resident_bytes = read_resident_bytes ();
  self->open_fds = count_open_fds ();
  self->start_time = read_start_time ();
  self->max_fds = getrlimit (RLIMIT_NOFILE, &limit) == 0 ? (double) limit.rlim_cur : -1;
  self->cpu_seconds = getrusage (RUSAGE_SELF, &usage) == 0
                          ? to_seconds (usage.ru_utime) + to_seconds (usage.ru_stime)
                          : -1;
}
