/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "confab-bus-watchers.h"
#include "confab-pace.h"

G_BEGIN_DECLS

/* For the files that make up ConfabBusWatchers: who watches what, and what is sent to them. */
typedef struct _ConfabBusWatcher ConfabBusWatcher;
typedef struct _ConfabBusWatching ConfabBusWatching;
typedef struct _ConfabBusWatch ConfabBusWatch;

struct _ConfabBusWatchers
{
  ConfabService *service;
  GDBusConnection *connection; /* NULL: nobody watches */
  GCancellable *cancellable;   /* of the pings on it */
  GHashTable *modules;         /* id → ConfabBusWatching; key belongs to it */
  GHashTable *watchers;        /* unique name → ConfabBusWatcher; key belongs to it */
  guint interval_ms;
};

/* A client; as long as it watches something. */
struct _ConfabBusWatcher
{
  ConfabBusWatchers *watchers;
  char *name;
  guint name_id;
  guint n_watches;
  guint64 sent;      /* bytes, in all */
  guint64 confirmed; /* how many of them it has read for sure */
  guint64 asked;     /* where the ping under way stands */
  gboolean pinging;
};

/* A module that is watched. */
struct _ConfabBusWatching
{
  ConfabBusWatchers *watchers;
  char *module_id;
  char *path;
  GPtrArray *watches;           /* of ConfabBusWatch */
  ConfabGeneration *generation; /* NULL: none runs */
  guint64 told_seq;             /* of it; behind it only while an interval passes */
  ConfabPace pace;
};

/* One client and one module. */
struct _ConfabBusWatch
{
  ConfabBusWatching *watching;
  ConfabBusWatcher *watcher;
  guint64 seq;     /* what it was sent last */
  gsize n_missed;  /* bytes since then, of one that is behind */
  gboolean behind; /* it is sent nothing until it has read more */
  gboolean resync; /* it is sent nothing until it watches anew */
};

/* What @generation says from here on goes to all who watch. */
void confab_bus_watching_follow (ConfabBusWatching *watching, ConfabGeneration *generation);
/* Tells what an interval still gathers. There must be a generation. */
void confab_bus_watching_tell (ConfabBusWatching *watching);
/* Sends what is left, unless it is too much, and stops. */
void confab_bus_watching_end (ConfabBusWatching *watching);
void confab_bus_watching_stop (ConfabBusWatching *watching);

/* Asks whether it has read what was sent so far, unless it is being asked. */
void confab_bus_watcher_ping (ConfabBusWatcher *watcher);

G_END_DECLS
