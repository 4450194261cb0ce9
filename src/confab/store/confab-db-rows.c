/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "confab-db-rows.h"

/* Returns: FALSE, with @error set */
gboolean
confab_db_fail_damaged (ConfabDb *self, const char *what, GError **error)
{
  g_set_error (error, CONFAB_STORE_ERROR, CONFAB_STORE_ERROR_CORRUPT,
               "The database “%s” is damaged: it holds an unknown %s.", confab_db_get_path (self),
               what);
  return FALSE;
}

char *
confab_row_dup_text (ConfabStatement *row, int column)
{
  return g_strdup ((const char *) sqlite3_column_text (row, column));
}

static gboolean
parse_state (const char *name, ConfabState *state)
{
  for (guint i = 0; i < CONFAB_N_STATES; i++)
    if (g_strcmp0 (name, confab_state_to_string (i)) == 0)
      {
        *state = i;
        return TRUE;
      }

  return FALSE;
}

static gboolean
parse_role (const char *name, ConfabRole *role)
{
  for (guint i = CONFAB_ROLE_SYSTEM; i <= CONFAB_ROLE_ASSISTANT; i++)
    if (g_strcmp0 (name, confab_role_to_string (i)) == 0)
      {
        *role = i;
        return TRUE;
      }

  return FALSE;
}

static gboolean
parse_finish_reason (const char *name, gboolean *has, ConfabFinishReason *reason)
{
  *has = name != NULL;
  if (name == NULL)
    return TRUE;

  for (guint i = CONFAB_FINISH_STOP; i <= CONFAB_FINISH_OTHER; i++)
    if (g_strcmp0 (name, confab_finish_reason_to_string (i)) == 0)
      {
        *reason = i;
        return TRUE;
      }

  return FALSE;
}

/* From CONFAB_BRANCHES_COLUMNS; NULL: alone. */
ConfabBranches *
confab_row_read_branches (ConfabStatement *row, int column)
{
  const ConfabBranches branches = {
    .count = sqlite3_column_int64 (row, column),
    .index = sqlite3_column_int64 (row, column + 1),
    .previous_id = (char *) sqlite3_column_text (row, column + 2),
    .next_id = (char *) sqlite3_column_text (row, column + 3),
  };

  return branches.count > 1 ? confab_branches_copy (&branches) : NULL;
}

/* From CONFAB_MESSAGE_COLUMNS, and CONFAB_BRANCHES_COLUMNS if the row has them. */
ConfabMessageRecord *
confab_row_read_message (ConfabDb *self, ConfabStatement *row, GError **error)
{
  g_autoptr (ConfabMessageRecord) message = g_new0 (ConfabMessageRecord, 1);

  message->id = confab_row_dup_text (row, 0);
  message->module_id = confab_row_dup_text (row, 1);
  message->parent_id = confab_row_dup_text (row, 2);
  message->parts = confab_row_dup_text (row, 4);
  message->text = confab_parts_join (message->parts, "text");
  message->generation_id = confab_row_dup_text (row, 6);
  message->provider = confab_row_dup_text (row, 8);
  message->model = confab_row_dup_text (row, 9);
  message->has_usage = sqlite3_column_type (row, 10) != SQLITE_NULL;
  if (message->has_usage)
    message->usage =
        (ConfabUsage){ sqlite3_column_int64 (row, 10), sqlite3_column_int64 (row, 11),
                       sqlite3_column_int64 (row, 12), sqlite3_column_int64 (row, 13) };
  else
    message->usage = (ConfabUsage){ -1, -1, -1, -1 };
  message->error_code = confab_row_dup_text (row, 14);
  message->error_message = confab_row_dup_text (row, 15);
  message->created_at = sqlite3_column_int64 (row, 16);
  message->depth = sqlite3_column_int64 (row, 17);
  if (sqlite3_column_count (row) > CONFAB_N_MESSAGE_COLUMNS)
    message->branches = confab_row_read_branches (row, CONFAB_N_MESSAGE_COLUMNS);

  if (message->text == NULL
      || !parse_role ((const char *) sqlite3_column_text (row, 3), &message->role)
      || !parse_state ((const char *) sqlite3_column_text (row, 5), &message->state)
      || !parse_finish_reason ((const char *) sqlite3_column_text (row, 7),
                               &message->has_finish_reason, &message->finish_reason))
    {
      confab_db_fail_damaged (self, "kind of message", error);
      return NULL;
    }

  return g_steal_pointer (&message);
}

/* From CONFAB_GENERATION_COLUMNS. */
ConfabGenerationRecord *
confab_row_read_generation (ConfabDb *self, ConfabStatement *row, GError **error)
{
  g_autoptr (ConfabGenerationRecord) generation = g_new0 (ConfabGenerationRecord, 1);

  generation->id = confab_row_dup_text (row, 2);
  generation->module_id = confab_row_dup_text (row, 3);
  generation->request_id = confab_row_dup_text (row, 4);
  generation->question_id = confab_row_dup_text (row, 5);
  generation->answer_id = confab_row_dup_text (row, 6);
  generation->seq = sqlite3_column_int64 (row, 8);
  generation->error_code = confab_row_dup_text (row, 10);
  generation->error_message = confab_row_dup_text (row, 11);
  generation->created_at = sqlite3_column_int64 (row, 12);
  generation->ended_at = sqlite3_column_int64 (row, 13);

  if (!parse_state ((const char *) sqlite3_column_text (row, 7), &generation->state)
      || !parse_finish_reason ((const char *) sqlite3_column_text (row, 9),
                               &generation->has_finish_reason, &generation->finish_reason))
    {
      confab_db_fail_damaged (self, "kind of generation", error);
      return NULL;
    }

  return g_steal_pointer (&generation);
}
