/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Whose socket listens at a port of 127.0.0.1, as far as the kernel tells. */
typedef enum
{
  /* Nobody's, or it is not told: in a user namespace, or where there is no /proc. */
  CONFAB_LISTENER_UNKNOWN,
  /* Of this user, root, or a service of the system. */
  CONFAB_LISTENER_TRUSTED,
  /* Of another person. */
  CONFAB_LISTENER_STRANGER,
} ConfabListener;

typedef enum
{
  CONFAB_LISTENER_LINE_OTHER,
  /* It listens at the port, and takes what comes to 127.0.0.1. */
  CONFAB_LISTENER_LINE_FOUND,
  /* It does not listen; nor do those that follow. */
  CONFAB_LISTENER_LINE_PAST,
} ConfabListenerLine;

ConfabListener confab_listener_look (guint16 port);

/* For tests. */
ConfabListenerLine confab_listener_read_line (const char *line, guint16 port, guint *uid);
ConfabListener confab_listener_judge (guint uid, guint own_uid);

G_END_DECLS
