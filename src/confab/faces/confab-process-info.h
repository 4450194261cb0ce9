/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* ConfabProcessInfo: what this process takes of the machine; -1 where the system does not tell. */
typedef struct
{
  double resident_bytes;
  double open_fds;
  double max_fds;
  double cpu_seconds;
  double start_time; /* seconds since the epoch */
} ConfabProcessInfo;

void confab_process_info_read (ConfabProcessInfo *self);

G_END_DECLS
