/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <glib-object.h>

G_BEGIN_DECLS

/*
 * ConfabChangeLog: the newest change of each session and module, in the order in which they have to
 * be told. Each has a number, which grows; who has heard of one has heard of all before it. What
 * changes again after somebody has heard of it gets a new number.
 *
 * Changes that everybody here was told of stay for a while, for those who are away: a client that
 * is recovered says up to which offset of connection state recovery it has got everything.
 */
typedef struct _ConfabChangeLog ConfabChangeLog;

/* What is to be sent of a change. */
typedef struct
{
  guint64 number;
  const char *event; /* static */
  char *json;        /* a GRefString */
} ConfabTelling;

ConfabChangeLog *confab_change_log_new (void);
void confab_change_log_free (ConfabChangeLog *self);

/* @event, @id_name: static. @object: (nullable): a ConfabSession or ConfabModule; NULL if it was
 * deleted */
void confab_change_log_add (ConfabChangeLog *self,
                            const char *event,
                            const char *id_name,
                            const char *id,
                            gpointer object);
/* Returns: the newest number; 0 before there is any */
guint64 confab_change_log_get_last (ConfabChangeLog *self);
/* Returns: how many changes come after @number, or @max if there are more */
guint confab_change_log_count (ConfabChangeLog *self, guint64 number, guint max);
/* Somebody is about to hear of all that comes after @number.
 * Returns: (transfer full) (element-type ConfabTelling) */
GArray *confab_change_log_collect (ConfabChangeLog *self, guint64 number);

/* Some were sent what comes after @number, up to @last, and that by @offset. */
void confab_change_log_note (ConfabChangeLog *self, guint64 number, guint64 last, guint64 offset);
/* Everybody here has been sent all up to @number. @keep: what is old has to stay too */
void confab_change_log_settle (ConfabChangeLog *self, guint64 number, gboolean keep);

/* The client of that id had heard of all up to @number when its connection was lost, which is less
 * than others. */
void confab_change_log_miss (ConfabChangeLog *self, const char *id, guint64 number);
/* @number: (out): after which a client lacks anything that has everything up to @offset
 * Returns: whether all that is known still */
gboolean
confab_change_log_find (ConfabChangeLog *self, const char *id, guint64 offset, guint64 *number);

/* Drops what nobody can ask for any more. @keep: as above. Returns: whether some is left. */
gboolean confab_change_log_expire (ConfabChangeLog *self, gboolean keep);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ConfabChangeLog, confab_change_log_free)

G_END_DECLS
