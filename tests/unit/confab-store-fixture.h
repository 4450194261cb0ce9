/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "confab-store.h"

/* A folder of its own for each test, and the store's calls made blocking. */

typedef struct
{
  char *folder;
  char *path; /* of the database in it */
} Fixture;

void fixture_set_up (Fixture *self, gconstpointer data);
void fixture_tear_down (Fixture *self, gconstpointer data);

typedef struct
{
  const char *name;
  void (*func) (Fixture *self, gconstpointer data);
} StoreTest;

/* Adds each of them as /@prefix/NAME. */
void store_add_tests (const char *prefix, const StoreTest *tests, gsize n_tests);
void remove_tree (const char *folder);

/* Mounts a file system of @size ("size=…") for this program alone, gone with it at the latest.
 * Returns: FALSE: no right to */
gboolean mount_small (const char *folder, const char *size);

/* Name, mode, size, time of change and checksum of all that is in @folder. */
char *snapshot (const char *folder);

ConfabStore *open_store (const char *path);
void close_store (ConfabStore *store);

/* Waits for a callback of store_ready_cb, whose user_data is the pointer. */
void store_ready_cb (GObject *source, GAsyncResult *result, gpointer user_data);
void wait_for (GAsyncResult **result);

gboolean commit (ConfabStore *store, ConfabBatch *batch, GError **error);
void commit_ok (ConfabStore *store, ConfabBatch *batch);
GPtrArray *history (ConfabStore *store,
                    const char *module_id,
                    const char *before_id,
                    guint limit,
                    gboolean *more,
                    GError **error);
GPtrArray *branch (ConfabStore *store, const char *module_id, const char *leaf_id);
ConfabMessageRecord *
get_message (ConfabStore *store, const char *module_id, const char *message_id);
ConfabExchange *find_request (ConfabStore *store, const char *module_id, const char *request_id);
GPtrArray *search (ConfabStore *store, const char *query, guint limit);
/* "id id …" */
char *join_ids (GPtrArray *messages);

/* Add a row with plain content to @batch. */
void put_session (ConfabBatch *batch, const char *id, const char *title);
void put_module (ConfabBatch *batch, const char *session_id, const char *id, const char *title);
void put_message (ConfabBatch *batch,
                  const char *module_id,
                  const char *parent_id,
                  const char *id,
                  ConfabState state,
                  const char *text);
void put_generation (ConfabBatch *batch,
                     const char *module_id,
                     const char *id,
                     const char *request_id,
                     const char *question_id,
                     const char *answer_id,
                     ConfabState state);
/* Session "s" and module "m" in it. */
void put_ground (ConfabStore *store);

/* Of module "m". */
void assert_ids (GPtrArray *messages, const char *expected);
void assert_history (ConfabStore *store,
                     const char *before_id,
                     guint limit,
                     const char *expected,
                     gboolean expected_more);
/* The ground, with a visible and a hidden branch in "m". */
void put_tree (ConfabStore *store);

void make_database (const char *path);
void check_database (const char *path);
void run_sql (const char *path, const char *sql);
void assert_is_sentence (const GError *error, const char *path);
void assert_refused (Fixture *self, ConfabStoreError code);
