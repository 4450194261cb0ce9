/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * To be preloaded: the time of day jumps by up to a day, back and forth, twenty times a second. The
 * monotonic clock stays as it is. Needs nothing but libc, since it gets into a running program.
 */
#include <stdint.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define JUMP_EVERY_MS 50
#define DAY_S 86400

static int64_t
get_offset_s (void)
{
  struct timespec now;
  uint64_t value;

  syscall (SYS_clock_gettime, CLOCK_MONOTONIC, &now);
  value = (uint64_t) now.tv_sec * (1000 / JUMP_EVERY_MS)
          + (uint64_t) now.tv_nsec / (JUMP_EVERY_MS * 1000000);
  /* whatever turns neighbours into strangers */
  value *= 0x9e3779b97f4a7c15u;

  return (int64_t) ((value >> 32) % (2 * DAY_S)) - DAY_S;
}

__attribute__ ((visibility ("default"))) int
clock_gettime (clockid_t id, struct timespec *time)
{
  int result = (int) syscall (SYS_clock_gettime, id, time);

  if (result == 0 && (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE))
    time->tv_sec += get_offset_s ();

  return result;
}

__attribute__ ((visibility ("default"))) int
gettimeofday (struct timeval *restrict time, void *restrict zone)
{
  struct timespec now;

  clock_gettime (CLOCK_REALTIME, &now);
  *time = (struct timeval){ now.tv_sec, now.tv_nsec / 1000 };

  return 0;
}

__attribute__ ((visibility ("default"))) time_t
time (time_t *result)
{
  struct timespec now;

  clock_gettime (CLOCK_REALTIME, &now);
  if (result != NULL)
    *result = now.tv_sec;

  return now.tv_sec;
}
