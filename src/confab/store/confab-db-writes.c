/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "confab-db.h"

#define RUNS "state IN ('queued', 'connecting', 'streaming')"

/* Returns: FALSE, for an error that is the batch's own fault */
G_GNUC_PRINTF (3, 4)
static gboolean
refuse (ConfabDb *self, GError **error, const char *format, ...)
{
  g_autofree char *what = NULL;
  va_list args;

  va_start (args, format);
  what = g_strdup_vprintf (format, args);
  va_end (args);
  g_set_error (error, CONFAB_STORE_ERROR, CONFAB_STORE_ERROR_INVALID,
               "The database “%s” cannot take this: %s.", confab_db_get_path (self), what);

  return FALSE;
}

static const char *
finish_reason_or_null (gboolean has, ConfabFinishReason reason)
{
  return has ? confab_finish_reason_to_string (reason) : NULL;
}

static gboolean
find_module (ConfabDb *self, const char *id, gint64 *seq, GError **error)
{
  g_autoptr (ConfabStatement) find =
      confab_db_prepare (self, "SELECT seq FROM modules WHERE id = ?", error);
  gboolean found;

  if (find == NULL)
    return FALSE;

  confab_statement_bind (find, "s", id);
  if (!confab_db_step (self, find, &found, error))
    return FALSE;
  if (!found)
    return refuse (self, error, "there is no module “%s”", id);

  *seq = sqlite3_column_int64 (find, 0);

  return TRUE;
}

static gboolean
find_message (ConfabDb *self,
              gint64 module,
              const char *id,
              gint64 *seq,
              gint64 *depth,
              GError **error)
{
  g_autoptr (ConfabStatement) find = confab_db_prepare (
      self, "SELECT seq, depth FROM messages WHERE module = ? AND id = ?", error);
  gboolean found;

  if (find == NULL)
    return FALSE;

  confab_statement_bind (find, "is", module, id);
  if (!confab_db_step (self, find, &found, error))
    return FALSE;
  if (!found)
    return refuse (self, error, "there is no message “%s” in its module", id);

  *seq = sqlite3_column_int64 (find, 0);
  if (depth != NULL)
    *depth = sqlite3_column_int64 (find, 1);

  return TRUE;
}

static gboolean
put_session (ConfabDb *self, const ConfabSessionRecord *record, GError **error)
{
  static const char sql[] = "INSERT INTO sessions (id, title, created_at, updated_at)"
                            "  VALUES (?1, coalesce(?2, ''), ?3, ?4)"
                            "  ON CONFLICT (id) DO UPDATE"
                            "  SET title = excluded.title, updated_at = excluded.updated_at";
  g_autoptr (ConfabStatement) put = confab_db_prepare (self, sql, error);

  if (put == NULL)
    return FALSE;

  confab_statement_bind (put, "ssii", record->id, record->title, record->created_at,
                         record->updated_at);

  return confab_db_run (self, put, error);
}

static gboolean
put_module (ConfabDb *self, const ConfabModuleRecord *record, GError **error)
{
  static const char sql[] =
      "INSERT INTO modules (session, id, title, title_is_auto, instructions, provider, model,"
      "    parameters, created_at, updated_at)"
      "  SELECT seq, ?2, coalesce(?3, ''), ?4, ?5, ?6, ?7, ?8, ?9, ?10"
      "    FROM sessions WHERE id = ?1"
      "  ON CONFLICT (id) DO UPDATE SET session = excluded.session, title = excluded.title,"
      "    title_is_auto = excluded.title_is_auto, instructions = excluded.instructions,"
      "    provider = excluded.provider, model = excluded.model,"
      "    parameters = excluded.parameters, updated_at = excluded.updated_at";
  g_autoptr (ConfabStatement) put = confab_db_prepare (self, sql, error);

  if (put == NULL)
    return FALSE;

  confab_statement_bind (put, "sssissssii", record->session_id, record->id, record->title,
                         (gint64) (record->title_is_auto != FALSE), record->instructions,
                         record->provider, record->model, record->parameters, record->created_at,
                         record->updated_at);
  if (!confab_db_run (self, put, error))
    return FALSE;
  if (sqlite3_changes (confab_db_get_handle (self)) == 0)
    return refuse (self, error, "there is no session “%s”", record->session_id);

  return TRUE;
}

static gboolean
insert_message (ConfabDb *self,
                const ConfabMessageRecord *record,
                gint64 module,
                gint64 parent,
                gint64 depth,
                GError **error)
{
  /* nullif: absent counts are NULL in the table, and all four are where there is no usage */
  static const char sql[] =
      "INSERT INTO messages (module, id, parent, depth, role, state, generation_id,"
      "    finish_reason, provider, model, input_tokens, output_tokens, reasoning_tokens,"
      "    cached_input_tokens, error_code, error_message, created_at, parts)"
      "  VALUES (?1, ?2, nullif(?3, 0), ?4, ?5, ?6, ?7, ?8, ?9, ?10, iif(?11, ?12, NULL),"
      "    iif(?11, ?13, NULL), iif(?11, ?14, NULL), iif(?11, ?15, NULL), ?16, ?17, ?18, ?19)"
      "  ON CONFLICT (module, id) DO UPDATE SET state = excluded.state,"
      "    generation_id = excluded.generation_id, finish_reason = excluded.finish_reason,"
      "    provider = excluded.provider, model = excluded.model,"
      "    input_tokens = excluded.input_tokens, output_tokens = excluded.output_tokens,"
      "    reasoning_tokens = excluded.reasoning_tokens,"
      "    cached_input_tokens = excluded.cached_input_tokens,"
      "    error_code = excluded.error_code, error_message = excluded.error_message,"
      "    parts = excluded.parts"
      "  WHERE " RUNS;
  g_autoptr (ConfabStatement) put = confab_db_prepare (self, sql, error);
  const ConfabUsage *usage = &record->usage;

  if (put == NULL)
    return FALSE;

  confab_statement_bind (put, "isiissssssiiiiissis", module, record->id, parent, depth,
                         confab_role_to_string (record->role),
                         confab_state_to_string (record->state), record->generation_id,
                         finish_reason_or_null (record->has_finish_reason, record->finish_reason),
                         record->provider, record->model, (gint64) (record->has_usage != FALSE),
                         usage->input_tokens, usage->output_tokens, usage->reasoning_tokens,
                         usage->cached_input_tokens, record->error_code, record->error_message,
                         record->created_at, record->parts);

  return confab_db_run (self, put, error);
}

static gboolean
put_message (ConfabDb *self, const ConfabMessageRecord *record, GError **error)
{
  g_autofree char *text = confab_parts_join (record->parts, "text");
  gint64 parent_depth = 0;
  gint64 parent = 0;
  gint64 module = 0;

  if (text == NULL)
    return refuse (self, error, "the parts of message “%s” are no JSON array", record->id);
  if (!find_module (self, record->module_id, &module, error))
    return FALSE;
  if (record->parent_id != NULL
      && !find_message (self, module, record->parent_id, &parent, &parent_depth, error))
    return FALSE;

  return insert_message (self, record, module, parent, parent_depth + 1, error);
}

static gboolean
grow_message (ConfabDb *self, const ConfabMessageRecord *record, GError **error)
{
  static const char sql[] = "UPDATE messages SET state = ?1, parts = ?2"
                            "  WHERE module = (SELECT seq FROM modules WHERE id = ?3)"
                            "    AND id = ?4 AND " RUNS;
  g_autoptr (ConfabStatement) grow = confab_db_prepare (self, sql, error);

  if (grow == NULL)
    return FALSE;

  confab_statement_bind (grow, "ssss", confab_state_to_string (record->state), record->parts,
                         record->module_id, record->id);

  return confab_db_run (self, grow, error);
}

static gboolean
put_generation (ConfabDb *self, const ConfabGenerationRecord *record, GError **error)
{
  static const char sql[] =
      "INSERT INTO generations (module, id, request_id, question, answer, state, event_seq,"
      "    finish_reason, error_code, error_message, created_at, ended_at)"
      "  VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)"
      "  ON CONFLICT (module, id) DO UPDATE SET state = excluded.state,"
      "    event_seq = excluded.event_seq, finish_reason = excluded.finish_reason,"
      "    error_code = excluded.error_code, error_message = excluded.error_message,"
      "    ended_at = excluded.ended_at"
      "  WHERE " RUNS;
  g_autoptr (ConfabStatement) put = confab_db_prepare (self, sql, error);
  gint64 question = 0;
  gint64 answer = 0;
  gint64 module = 0;

  if (put == NULL || !find_module (self, record->module_id, &module, error)
      || !find_message (self, module, record->question_id, &question, NULL, error)
      || !find_message (self, module, record->answer_id, &answer, NULL, error))
    return FALSE;

  confab_statement_bind (put, "issiisisssii", module, record->id, record->request_id, question,
                         answer, confab_state_to_string (record->state), (gint64) record->seq,
                         finish_reason_or_null (record->has_finish_reason, record->finish_reason),
                         record->error_code, record->error_message, record->created_at,
                         record->ended_at);

  return confab_db_run (self, put, error);
}

static gboolean
set_head (ConfabDb *self, const ConfabModuleRecord *record, GError **error)
{
  g_autoptr (ConfabStatement) set = confab_db_prepare (
      self, "UPDATE modules SET head = nullif(?, 0), updated_at = ? WHERE seq = ?", error);
  gint64 module = 0;
  gint64 head = 0;

  if (set == NULL || !find_module (self, record->id, &module, error)
      || (record->head_id != NULL
          && !find_message (self, module, record->head_id, &head, NULL, error)))
    return FALSE;

  confab_statement_bind (set, "iii", head, record->updated_at, module);

  return confab_db_run (self, set, error);
}

static gboolean
delete_by_id (ConfabDb *self, const char *sql, const char *id, GError **error)
{
  g_autoptr (ConfabStatement) statement = confab_db_prepare (self, sql, error);

  if (statement == NULL)
    return FALSE;

  confab_statement_bind (statement, "s", id);

  return confab_db_run (self, statement, error);
}

/* Within a transaction. Returns: FALSE, with INVALID, for a change that is its own fault */
gboolean
confab_db_apply (ConfabDb *self, const ConfabWrite *change, GError **error)
{
  static const char delete_session[] = "DELETE FROM sessions WHERE id = ?";
  static const char delete_module[] = "DELETE FROM modules WHERE id = ?";

  switch (change->kind)
    {
    case CONFAB_WRITE_PUT_SESSION:
      return put_session (self, change->session, error);
    case CONFAB_WRITE_PUT_MODULE:
      return put_module (self, change->module, error);
    case CONFAB_WRITE_PUT_MESSAGE:
      return put_message (self, change->message, error);
    case CONFAB_WRITE_GROW_MESSAGE:
      return grow_message (self, change->message, error);
    case CONFAB_WRITE_PUT_GENERATION:
      return put_generation (self, change->generation, error);
    case CONFAB_WRITE_SET_HEAD:
      return set_head (self, change->module, error);
    case CONFAB_WRITE_DELETE_SESSION:
      return delete_by_id (self, delete_session, change->id, error);
    case CONFAB_WRITE_DELETE_MODULE:
      return delete_by_id (self, delete_module, change->id, error);
    default:
      g_assert_not_reached ();
    }
}

static gboolean
commit_together (ConfabDb *self, ConfabBatch *const *batches, guint n_batches, GError **error)
{
  gboolean durable = FALSE;
  gboolean ok = TRUE;

  for (guint i = 0; i < n_batches; i++)
    durable = durable || confab_batch_is_durable (batches[i]);

  if (!confab_db_begin (self, durable, error))
    return FALSE;

  for (guint i = 0; ok && i < n_batches; i++)
    for (guint j = 0; ok && j < confab_batch_get_n_writes (batches[i]); j++)
      ok = confab_db_apply (self, confab_batch_get_write (batches[i], j), error);

  ok = ok && confab_db_end (self, error);
  if (!ok)
    confab_db_rollback (self);

  return ok;
}

/**
 * confab_db_commit:
 * @self: a database
 * @batches: (array length=n_batches): batches in the order in which they were committed
 * @n_batches: at least 1
 * @errors: (array length=n_batches): for each batch, %NULL when it is in, else why it is not
 *
 * Writes all batches in one transaction; if that fails, each in its own, so that none suffers from
 * the fault of another.
 */
void
confab_db_commit (ConfabDb *self, ConfabBatch *const *batches, guint n_batches, GError **errors)
{
  if (n_batches > 1 && commit_together (self, batches, n_batches, NULL))
    return;

  for (guint i = 0; i < n_batches; i++)
    commit_together (self, &batches[i], 1, &errors[i]);
}

static gboolean
run_recovery (ConfabDb *self, guint *n_recovered, GError **error)
{
  static const char generations[] =
      "UPDATE generations SET state = 'interrupted', error_code = 'interrupted',"
      "  error_message = ?, ended_at = ? WHERE " RUNS;
  static const char messages[] =
      "UPDATE messages SET state = 'interrupted', error_code = 'interrupted',"
      "  error_message = ? WHERE " RUNS;
  const char *reason = "Confab stopped before this answer was complete.";
  sqlite3 *handle = confab_db_get_handle (self);
  g_autoptr (ConfabStatement) first = confab_db_prepare (self, generations, error);
  g_autoptr (ConfabStatement) second = NULL;
  guint n;

  if (first == NULL || (second = confab_db_prepare (self, messages, error)) == NULL)
    return FALSE;

  confab_statement_bind (first, "si", reason, g_get_real_time () / 1000);
  if (!confab_db_run (self, first, error))
    return FALSE;
  n = sqlite3_changes (handle);

  confab_statement_bind (second, "s", reason);
  if (!confab_db_run (self, second, error))
    return FALSE;

  /* each generation has its answer; were they ever not alike, the larger number says it */
  *n_recovered = MAX (n, (guint) sqlite3_changes (handle));

  return TRUE;
}

/**
 * confab_db_recover:
 * @self: a database in which nothing can be running
 * @n_recovered: (out): how many answers were left unfinished
 * @error: return location
 *
 * Ends what a crash left without an end, in one transaction.
 *
 * Returns: whether it succeeded
 */
gboolean
confab_db_recover (ConfabDb *self, guint *n_recovered, GError **error)
{
  if (!confab_db_begin (self, TRUE, error))
    return FALSE;

  if (!run_recovery (self, n_recovered, error) || !confab_db_end (self, error))
    {
      confab_db_rollback (self);
      return FALSE;
    }

  return TRUE;
}
