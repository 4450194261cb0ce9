/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "confab-staging-private.h"

#include <glib/gi18n-lib.h>

/* The tables without the search index, which the store fills itself. */
#define STAGING_VERSION 1

struct _ConfabStaging
{
  GObject parent_instance;

  ConfabDb *db;    /* NULL until something is looked for: most files that are refused need none */
  char *module_id; /* the one that is being filled; NULL: none */
  char *head_id;
  gint64 updated_at;
};

G_DEFINE_FINAL_TYPE (ConfabStaging, confab_staging, G_TYPE_OBJECT)

static void
confab_staging_finalize (GObject *object)
{
  ConfabStaging *self = CONFAB_STAGING (object);

  g_clear_pointer (&self->db, confab_db_abandon);
  g_free (self->module_id);
  g_free (self->head_id);

  G_OBJECT_CLASS (confab_staging_parent_class)->finalize (object);
}

static void
confab_staging_class_init (ConfabStagingClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = confab_staging_finalize;
}

static void
confab_staging_init (ConfabStaging *self)
{
}

/**
 * confab_staging_new:
 *
 * Returns: (transfer full): an empty one
 */
ConfabStaging *
confab_staging_new (void)
{
  return g_object_new (CONFAB_TYPE_STAGING, NULL);
}

static gboolean
open_db (ConfabStaging *self, GError **error)
{
  /* Lost when it fails anyway, so that it needs no journal. */
  static const char settings[] = "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;"
                                 "PRAGMA foreign_keys = ON; PRAGMA cache_size = -4096;";
  g_autoptr (ConfabDb) db = NULL;

  if (self->db != NULL)
    return TRUE;

  db = confab_db_open_temporary (STAGING_VERSION, error);
  if (db == NULL || !confab_db_exec (db, settings, error) || !confab_db_begin (db, FALSE, error))
    return FALSE;
  self->db = g_steal_pointer (&db);

  return TRUE;
}

/* Of one that is sealed. */
ConfabDb *
confab_staging_get_db (ConfabStaging *self)
{
  return self->db;
}

G_GNUC_PRINTF (2, 3)
static gboolean
refuse (GError **error, const char *format, ...)
{
  va_list args;

  va_start (args, format);
  g_propagate_error (
      error, g_error_new_valist (CONFAB_STORE_ERROR, CONFAB_STORE_ERROR_INVALID, format, args));
  va_end (args);

  return FALSE;
}

/* @sql has two ids, the first of which may be unused. */
static gboolean
find (ConfabStaging *self,
      const char *sql,
      const char *first,
      const char *second,
      gboolean *found,
      GError **error)
{
  g_autoptr (ConfabStatement) select = NULL;

  if (open_db (self, error))
    select = confab_db_prepare (self->db, sql, error);
  if (select == NULL)
    return FALSE;

  confab_statement_bind (select, "ss", first, second);

  return confab_db_step (self->db, select, found, error);
}

static gboolean
apply (ConfabStaging *self, const ConfabWrite *change, GError **error)
{
  return confab_db_apply (self->db, change, error);
}

/**
 * confab_staging_add_session:
 * @self: one that is not sealed
 * @record: a session
 * @error: return location
 *
 * Returns: whether it fits
 */
gboolean
confab_staging_add_session (ConfabStaging *self, const ConfabSessionRecord *record, GError **error)
{
  const ConfabWrite change = { .kind = CONFAB_WRITE_PUT_SESSION,
                               .session = (ConfabSessionRecord *) record };
  gboolean found;

  g_return_val_if_fail (CONFAB_IS_STAGING (self) && record != NULL, FALSE);

  if (!find (self, "SELECT 1 FROM sessions WHERE id = ?2", NULL, record->id, &found, error))
    return FALSE;
  if (found)
    return refuse (error, _ ("There are two sessions “%s”."), record->id);

  return apply (self, &change, error);
}

/* What is only known when all messages are there. */
static gboolean
close_module (ConfabStaging *self, GError **error)
{
  static const char sql[] = "SELECT 1 FROM messages"
                            "  WHERE module = (SELECT seq FROM modules WHERE id = ?1) AND id = ?2";
  ConfabModuleRecord head = { .id = self->module_id,
                              .head_id = self->head_id,
                              .updated_at = self->updated_at };
  const ConfabWrite change = { .kind = CONFAB_WRITE_SET_HEAD, .module = &head };
  gboolean found;

  if (self->module_id == NULL || self->head_id == NULL)
    return TRUE;

  if (!find (self, sql, self->module_id, self->head_id, &found, error))
    return FALSE;
  if (!found)
    return refuse (error, _ ("The module before this has no message “%s”, which is its headId."),
                   self->head_id);

  return apply (self, &change, error);
}

/**
 * confab_staging_add_module:
 * @self: one that is not sealed
 * @record: a module of a session that was added
 * @error: return location
 *
 * Returns: whether it fits, and the one before it is whole
 */
gboolean
confab_staging_add_module (ConfabStaging *self, const ConfabModuleRecord *record, GError **error)
{
  const ConfabWrite change = { .kind = CONFAB_WRITE_PUT_MODULE,
                               .module = (ConfabModuleRecord *) record };
  gboolean found;

  g_return_val_if_fail (CONFAB_IS_STAGING (self) && record != NULL, FALSE);

  if (!close_module (self, error)
      || !find (self, "SELECT 1 FROM modules WHERE id = ?2", NULL, record->id, &found, error))
    return FALSE;
  if (found)
    return refuse (error, _ ("There are two modules “%s”."), record->id);
  if (!find (self, "SELECT 1 FROM sessions WHERE id = ?2", NULL, record->session_id, &found, error))
    return FALSE;
  if (!found)
    return refuse (error, _ ("There is no session “%s” before it."), record->session_id);

  g_free (self->module_id);
  g_free (self->head_id);
  self->module_id = g_strdup (record->id);
  self->head_id = g_strdup (record->head_id);
  self->updated_at = record->updated_at;

  return apply (self, &change, error);
}

static gboolean
has_message (ConfabStaging *self, const char *id, gboolean *found, GError **error)
{
  static const char sql[] = "SELECT 1 FROM messages"
                            "  WHERE module = (SELECT max(seq) FROM modules) AND ?1 IS NULL"
                            "    AND id = ?2";

  return find (self, sql, NULL, id, found, error);
}

static gboolean
add_generation (ConfabStaging *self,
                const ConfabMessageRecord *answer,
                const ConfabGenerationRecord *record,
                GError **error)
{
  static const char by_id[] = "SELECT 1 FROM generations"
                              "  WHERE module = (SELECT max(seq) FROM modules)"
                              "    AND (id = ?1 OR request_id = ?2)";
  ConfabGenerationRecord generation = *record;
  const ConfabWrite change = { .kind = CONFAB_WRITE_PUT_GENERATION, .generation = &generation };
  gboolean found;

  if (!has_message (self, record->question_id, &found, error))
    return FALSE;
  if (!found)
    return refuse (error, _ ("Its module has no message “%s” before it, which is its questionId."),
                   record->question_id);
  if (!find (self, by_id, answer->generation_id, record->request_id, &found, error))
    return FALSE;
  if (found)
    return refuse (error,
                   _ ("Another answer of its module has the generationId “%s”, or its "
                      "requestId."),
                   answer->generation_id);

  generation.id = answer->generation_id;
  generation.module_id = self->module_id;
  generation.answer_id = answer->id;

  return apply (self, &change, error);
}

/**
 * confab_staging_add_message:
 * @self: one that is not sealed
 * @record: a message, after the one that it follows
 * @generation: (nullable): what wrote it, by the id that @record has
 * @error: return location
 *
 * Returns: whether it fits
 */
gboolean
confab_staging_add_message (ConfabStaging *self,
                            const ConfabMessageRecord *record,
                            const ConfabGenerationRecord *generation,
                            GError **error)
{
  ConfabMessageRecord message;
  const ConfabWrite change = { .kind = CONFAB_WRITE_PUT_MESSAGE, .message = &message };
  gboolean found;

  g_return_val_if_fail (CONFAB_IS_STAGING (self) && record != NULL, FALSE);
  g_return_val_if_fail (generation == NULL || record->generation_id != NULL, FALSE);

  if (self->module_id == NULL)
    return refuse (error, _ ("There is no module before the message “%s”."), record->id);
  if (!has_message (self, record->id, &found, error))
    return FALSE;
  if (found)
    return refuse (error, _ ("Its module has two messages “%s”."), record->id);
  if (record->parent_id != NULL && !has_message (self, record->parent_id, &found, error))
    return FALSE;
  if (record->parent_id != NULL && !found)
    return refuse (error, _ ("Its module has no message “%s” before it, which is its parentId."),
                   record->parent_id);

  message = *record;
  message.module_id = self->module_id;

  return apply (self, &change, error)
         && (generation == NULL || add_generation (self, record, generation, error));
}

/**
 * confab_staging_seal:
 * @self: one that is not sealed
 * @error: return location
 *
 * Returns: whether all of it is whole
 */
gboolean
confab_staging_seal (ConfabStaging *self, GError **error)
{
  guint n_recovered;

  g_return_val_if_fail (CONFAB_IS_STAGING (self), FALSE);

  return open_db (self, error) && close_module (self, error) && confab_db_end (self->db, error)
         && confab_db_recover (self->db, &n_recovered, error);
}

/**
 * confab_staging_read_overview:
 * @self: one that is sealed
 * @error: return location
 *
 * Returns: (transfer full) (nullable): its sessions and modules, in the order in which they were
 *   added
 */
ConfabOverview *
confab_staging_read_overview (ConfabStaging *self, GError **error)
{
  g_return_val_if_fail (CONFAB_IS_STAGING (self), NULL);

  return confab_db_read_overview (self->db, error);
}
