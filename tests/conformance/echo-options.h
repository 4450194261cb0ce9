/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* What both programs can be told. Times in ms, sizes in bytes. */
typedef struct
{
  int port;
  char *path;
  int ping_interval;
  int ping_timeout;
  int upgrade_timeout;
  int connect_timeout;
  int max_payload;
  int max_queued;
  int recovery_window;
  int recovery_max_packets;
  gboolean allow_eio3;
  gboolean takes_set; /* the program looks at @set; else --set is an error */
  char **set;         /* of "NAME=VALUE" */
  gboolean stock;     /* attached to an HTTP server that is not the library's */
} EchoOptions;

/* Reads the command line into @options, which holds the defaults; exits with 2 if it is wrong. */
void echo_options_parse (EchoOptions *options, int argc, char **argv);
void echo_options_clear (EchoOptions *options);

/* Tells on standard output that @address is served, and runs until SIGTERM or SIGINT. */
void echo_run (GSocketAddress *address);

G_END_DECLS
