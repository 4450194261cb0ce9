/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "io-fixture.h"
#include "socketio-reactor.h"
#include "socketio-shard.h"

G_BEGIN_DECLS

/*
 * ReactorFixture: a reactor, of which every test sees two: one in the default context, and one in a
 * context of its own.
 */
typedef struct
{
  GMainContext *context; /* NULL: the default one */
  SocketioReactor *reactor;
  GString *log;
} ReactorFixture;

typedef struct
{
  const char *name;
  void (*func) (ReactorFixture *fixture, gconstpointer data);
} ReactorTest;

/* Adds each of them as /@prefix/default/NAME and /@prefix/own/NAME. */
void reactor_add_tests (const char *prefix, const ReactorTest *tests, gsize n_tests);

/* The context that the reactor must be in, never NULL. */
GMainContext *reactor_fixture_get_context (ReactorFixture *fixture);
/* The one that sources of @shard are attached to. */
GMainContext *reactor_fixture_get_shard_context (SocketioShard *shard);

/* Writes its letter into the fixture's log. */
typedef struct
{
  ReactorFixture *fixture;
  char letter;
} Note;

void note_cb (gpointer note);

/* A pair of sockets, one of which is watched; it counts its events. */
typedef struct _Watch Watch;

struct _Watch
{
  ReactorFixture *fixture;
  Watch *victim; /* nullable */
  SocketioWatchId id;
  int fds[2]; /* the first is watched */
  guint n_events;
  guint32 events;
  gboolean victim_is_replaced;
};

void watch_cb (guint32 events, gpointer watch);
void watch_open (Watch *self, ReactorFixture *fixture, guint32 events);
void watch_close (Watch *self);
/* Makes an event, and takes what made it. */
void send_byte (Watch *watch);
void take_byte (Watch *watch);

G_END_DECLS
