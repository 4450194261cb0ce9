/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <gio/gio.h>
#include <sqlite3.h>

#include "confab-batch-private.h"
#include "confab-cut.h"
#include "confab-store-error.h"

G_BEGIN_DECLS

/*
 * ConfabDb: the database file, used by one thread at a time: by the one that opens it, then by the
 * thread of the store. All functions block.
 */
typedef struct _ConfabDb ConfabDb;

/* A statement of the cache; released (reset, not finalised) when it goes out of scope. */
typedef sqlite3_stmt ConfabStatement;

/* confab-db.c */
ConfabDb *confab_db_new (sqlite3 *handle, const char *path);
gboolean confab_db_close (ConfabDb *self, GError **error);
void confab_db_abandon (ConfabDb *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ConfabDb, confab_db_abandon)
sqlite3 *confab_db_get_handle (ConfabDb *self);
const char *confab_db_get_path (ConfabDb *self);
gboolean confab_db_exec (ConfabDb *self, const char *sql, GError **error);
gboolean confab_db_fail (ConfabDb *self, GError **error);
gboolean confab_db_get_int (ConfabDb *self, const char *sql, gint64 *value, GError **error);
gboolean confab_db_begin (ConfabDb *self, gboolean durable, GError **error);
gboolean confab_db_end (ConfabDb *self, GError **error);
void confab_db_rollback (ConfabDb *self);

/* @sql must be a static string: the cache is keyed by its address. */
ConfabStatement *confab_db_prepare (ConfabDb *self, const char *sql, GError **error);
void confab_statement_release (ConfabStatement *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ConfabStatement, confab_statement_release)
/* @types: "s" for a nullable string that outlives the step, "i" for a gint64. */
void confab_statement_bind (ConfabStatement *self, const char *types, ...);
gboolean
confab_db_step (ConfabDb *self, ConfabStatement *statement, gboolean *has_row, GError **error);
gboolean confab_db_run (ConfabDb *self, ConfabStatement *statement, GError **error);

/* confab-db-schema.c */
#define CONFAB_DB_APPLICATION_ID 0x436f6e66 /* "Conf" */
int confab_db_get_newest_version (void);
gboolean confab_db_migrate (ConfabDb *self, int from, int to, GError **error);

/* In SQL: whether a message is being written, and the text of its parts. */
#define CONFAB_DB_RUNS "state IN ('queued', 'connecting', 'streaming')"
#define CONFAB_DB_TEXT_OF(parts)                                                                   \
  "(SELECT coalesce(group_concat(piece, ''), '') FROM ("                                           \
  "  SELECT json_extract(value, '$.text') AS piece FROM json_each(" parts ")"                      \
  "  WHERE CASE type WHEN 'object' THEN json_extract(value, '$.type') = 'text' ELSE 0 END"         \
  "  ORDER BY key))"

/* confab-db-index.c */
/* As the table "unindexed" has it, and the remainder of a rowid of the search. */
typedef enum
{
  CONFAB_INDEXED_MESSAGE = 0,
  CONFAB_INDEXED_MODULE = 1,
  CONFAB_INDEXED_SESSION = 2,
} ConfabIndexed;

gboolean confab_db_mark_unindexed (ConfabDb *self,
                                   ConfabIndexed kind,
                                   gint64 first,
                                   gint64 last,
                                   GError **error);
gboolean confab_db_index (ConfabDb *self, gboolean *more, GError **error);

/* confab-db-open.c */
ConfabDb *confab_db_open (const char *path, GError **error);
/* Without the settings of one that is kept; gone when it is closed. */
ConfabDb *confab_db_open_temporary (int version, GError **error);
gboolean confab_db_create_file (const char *path, int version, GError **error);

/* confab-db-writes.c */
gboolean confab_db_apply (ConfabDb *self, const ConfabWrite *change, GError **error);
void
confab_db_commit (ConfabDb *self, ConfabBatch *const *batches, guint n_batches, GError **errors);
gboolean confab_db_recover (ConfabDb *self, guint *n_recovered, GError **error);

/* confab-db-reads.c */
ConfabOverview *confab_db_read_overview (ConfabDb *self, GError **error);
GPtrArray *confab_db_read_history (ConfabDb *self,
                                   const char *module_id,
                                   const char *before_id,
                                   guint limit,
                                   gboolean *more,
                                   GError **error);
GPtrArray *
confab_db_read_branch (ConfabDb *self, const char *module_id, const char *leaf_id, GError **error);
gboolean confab_db_read_message (ConfabDb *self,
                                 const char *module_id,
                                 const char *message_id,
                                 ConfabMessageRecord **message,
                                 GError **error);

/* confab-db-tree.c */
ConfabBranchEnd *confab_db_read_branch_end (ConfabDb *self,
                                            const char *module_id,
                                            const char *message_id,
                                            GError **error);
ConfabFork *
confab_db_read_fork (ConfabDb *self, const char *module_id, const char *parent_id, GError **error);

typedef enum
{
  CONFAB_EXCHANGE_BY_REQUEST,
  CONFAB_EXCHANGE_BY_GENERATION,
  CONFAB_EXCHANGE_LAST,
} ConfabExchangeKey;

gboolean confab_db_read_exchange (ConfabDb *self,
                                  ConfabExchangeKey key,
                                  const char *module_id,
                                  const char *id,
                                  ConfabExchange **exchange,
                                  GError **error);

/* confab-db-cut.c */
ConfabCut *confab_db_read_cut (ConfabDb *self, GError **error);
GArray *confab_db_list_messages (ConfabDb *self,
                                 const ConfabCutModule *module,
                                 gint64 last,
                                 GError **error);
GPtrArray *confab_db_read_page (ConfabDb *self,
                                const ConfabCutModule *module,
                                const gint64 *seqs,
                                gsize n_seqs,
                                GError **error);

/* confab-db-merge.c */
gboolean confab_db_merge (ConfabDb *self,
                          ConfabDb *from,
                          const char *const *session_ids,
                          const char *const *module_ids,
                          GCancellable *cancellable,
                          GError **error);

/* confab-db-search.c */
char *confab_db_search_expression (const char *query);
GPtrArray *confab_db_search (ConfabDb *self, const char *query, guint limit, GError **error);

G_END_DECLS
