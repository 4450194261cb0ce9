/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "socketio.h"

G_BEGIN_DECLS

/*
 * ConfabAbsentees: what the followers of one generation have that lost their connection. Every
 * event is noted with the offset that connection state recovery counts it by; a client that comes
 * back names the newest that it got, and by this is known how far it has come. So nothing is kept
 * for each client.
 */
typedef struct _ConfabAbsentees ConfabAbsentees;

/* How far a follower was when it came, by what it was told elsewhere. */
typedef struct
{
  guint64 seq;
  gboolean started; /* it need not hear of the start */
} ConfabEntry;

/* What one that came back has. */
typedef struct
{
  gboolean known; /* whether @seq is exact */
  guint64 seq;
  gboolean started;
  gboolean ended;
} ConfabReach;

typedef enum
{
  CONFAB_NOTED_START,
  CONFAB_NOTED_DELTA,
  CONFAB_NOTED_END,
} ConfabNoted;

ConfabAbsentees *confab_absentees_new (void);
void confab_absentees_free (ConfabAbsentees *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ConfabAbsentees, confab_absentees_free)

/* An event went out; whoever has it has everything to @seq. @offset: 0 if nobody can come back */
void confab_absentees_note (ConfabAbsentees *self, ConfabNoted what, guint64 offset, guint64 seq);

/* @socket has lost its connection, or may be about to. One that cannot be recovered is not added.
 */
void confab_absentees_add (ConfabAbsentees *self, SocketioSocket *socket, const ConfabEntry *entry);
guint confab_absentees_get_length (ConfabAbsentees *self);
/* @socket was recovered. FALSE if it is not one of these. */
gboolean confab_absentees_take (ConfabAbsentees *self, SocketioSocket *socket, ConfabReach *reach);

G_END_DECLS
