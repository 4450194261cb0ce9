/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "io-fixture.h"
#include "socketio-doorman.h"

G_BEGIN_DECLS

/*
 * Door: a doorman on a free port of 127.0.0.1, in the default context, and behind it an HTTP server
 * with one handler: GET is answered "hello" (/late: only after DOOR_LATE_MS), POST by its own body.
 * It is set up as SocketioServer does it.
 */
typedef struct
{
  SocketioReactor *reactor;
  SoupServer *soup_server;
  SocketioDoorman *doorman;
  GSocketAddress *address;
  guint n_requests; /* that libsoup began to read */
  guint n_handled;
  guint n_alive; /* objects of requests that are not gone */
  SocketioTimer late_timer;
} Door;

#define DOOR_LATE_MS 300

void door_set_up (Door *self, gconstpointer data);
void door_tear_down (Door *self, gconstpointer data);

/* Counts the objects of each request to @soup_server in @n_alive, until they are gone: its message,
 * and its peer's address, which its connection holds. */
void door_count_objects (SoupServer *soup_server, guint *n_alive);

/* An address of 127.0.0.1 or another with port 0. */
GSocketAddress *door_any_port (const char *host);

IoClient *door_connect (Door *self);
/* Connects and sends. */
IoClient *door_send (Door *self, const char *text);
/* Waits for the end of what the server says, whose first line must be of this status; it must also
 * say that it closes. Nothing may follow the one answer. */
void door_assert_status (IoClient *client, guint status);
/* The same, and the body is @body. */
void door_assert_answer (IoClient *client, const char *body);
/* Sends a GET, and checks its answer. */
void door_assert_open (GSocketAddress *address);

#define DOOR_GET "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"

G_END_DECLS
