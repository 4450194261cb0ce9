/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "confab-record.h"

/**
 * confab_session_record_copy:
 * @self: a record
 *
 * Returns: (transfer full): a copy that shares nothing with @self
 */
ConfabSessionRecord *
confab_session_record_copy (const ConfabSessionRecord *self)
{
  ConfabSessionRecord *copy = g_memdup2 (self, sizeof *self);

  copy->id = g_strdup (self->id);
  copy->title = g_strdup (self->title);

  return copy;
}

/**
 * confab_session_record_free:
 * @self: (transfer full) (nullable): a record
 */
void
confab_session_record_free (ConfabSessionRecord *self)
{
  if (self == NULL)
    return;

  g_free (self->id);
  g_free (self->title);
  g_free (self);
}

/**
 * confab_module_record_copy:
 * @self: a record
 *
 * Returns: (transfer full): a copy that shares nothing with @self
 */
ConfabModuleRecord *
confab_module_record_copy (const ConfabModuleRecord *self)
{
  ConfabModuleRecord *copy = g_memdup2 (self, sizeof *self);

  copy->id = g_strdup (self->id);
  copy->session_id = g_strdup (self->session_id);
  copy->title = g_strdup (self->title);
  copy->instructions = g_strdup (self->instructions);
  copy->provider = g_strdup (self->provider);
  copy->model = g_strdup (self->model);
  copy->parameters = g_strdup (self->parameters);
  copy->head_id = g_strdup (self->head_id);

  return copy;
}

/**
 * confab_module_record_free:
 * @self: (transfer full) (nullable): a record
 */
void
confab_module_record_free (ConfabModuleRecord *self)
{
  if (self == NULL)
    return;

  g_free (self->id);
  g_free (self->session_id);
  g_free (self->title);
  g_free (self->instructions);
  g_free (self->provider);
  g_free (self->model);
  g_free (self->parameters);
  g_free (self->head_id);
  g_free (self);
}

/**
 * confab_message_record_copy:
 * @self: a record
 *
 * Returns: (transfer full): a copy that shares nothing with @self
 */
ConfabMessageRecord *
confab_message_record_copy (const ConfabMessageRecord *self)
{
  ConfabMessageRecord *copy = g_memdup2 (self, sizeof *self);

  copy->id = g_strdup (self->id);
  copy->module_id = g_strdup (self->module_id);
  copy->parent_id = g_strdup (self->parent_id);
  copy->parts = g_strdup (self->parts);
  copy->text = g_strdup (self->text);
  copy->generation_id = g_strdup (self->generation_id);
  copy->provider = g_strdup (self->provider);
  copy->model = g_strdup (self->model);
  copy->error_code = g_strdup (self->error_code);
  copy->error_message = g_strdup (self->error_message);
  copy->branches = confab_branches_copy (self->branches);

  return copy;
}

/**
 * confab_message_record_free:
 * @self: (transfer full) (nullable): a record
 */
void
confab_message_record_free (ConfabMessageRecord *self)
{
  if (self == NULL)
    return;

  g_free (self->id);
  g_free (self->module_id);
  g_free (self->parent_id);
  g_free (self->parts);
  g_free (self->text);
  g_free (self->generation_id);
  g_free (self->provider);
  g_free (self->model);
  g_free (self->error_code);
  g_free (self->error_message);
  confab_branches_free (self->branches);
  g_free (self);
}

/**
 * confab_generation_record_copy:
 * @self: a record
 *
 * Returns: (transfer full): a copy that shares nothing with @self
 */
ConfabGenerationRecord *
confab_generation_record_copy (const ConfabGenerationRecord *self)
{
  ConfabGenerationRecord *copy = g_memdup2 (self, sizeof *self);

  copy->id = g_strdup (self->id);
  copy->module_id = g_strdup (self->module_id);
  copy->request_id = g_strdup (self->request_id);
  copy->question_id = g_strdup (self->question_id);
  copy->answer_id = g_strdup (self->answer_id);
  copy->error_code = g_strdup (self->error_code);
  copy->error_message = g_strdup (self->error_message);

  return copy;
}

/**
 * confab_generation_record_free:
 * @self: (transfer full) (nullable): a record
 */
void
confab_generation_record_free (ConfabGenerationRecord *self)
{
  if (self == NULL)
    return;

  g_free (self->id);
  g_free (self->module_id);
  g_free (self->request_id);
  g_free (self->question_id);
  g_free (self->answer_id);
  g_free (self->error_code);
  g_free (self->error_message);
  g_free (self);
}

/**
 * confab_exchange_free:
 * @self: (transfer full) (nullable): an exchange, with its records
 */
void
confab_exchange_free (ConfabExchange *self)
{
  if (self == NULL)
    return;

  confab_generation_record_free (self->generation);
  confab_message_record_free (self->question);
  confab_message_record_free (self->answer);
  g_free (self);
}

/**
 * confab_branch_end_free:
 * @self: (transfer full) (nullable): where a branch ends
 */
void
confab_branch_end_free (ConfabBranchEnd *self)
{
  if (self == NULL)
    return;

  g_free (self->parent_id);
  g_free (self->leaf_id);
  g_free (self);
}

/**
 * confab_fork_free:
 * @self: (transfer full) (nullable): a place among the messages
 */
void
confab_fork_free (ConfabFork *self)
{
  if (self == NULL)
    return;

  confab_branches_free (self->branches);
  confab_branches_free (self->next);
  g_free (self);
}

/**
 * confab_overview_free:
 * @self: (transfer full) (nullable): an overview, with its records
 */
void
confab_overview_free (ConfabOverview *self)
{
  if (self == NULL)
    return;

  g_ptr_array_unref (self->sessions);
  g_ptr_array_unref (self->modules);
  g_free (self);
}

/**
 * confab_search_result_free:
 * @self: (transfer full) (nullable): a result
 */
void
confab_search_result_free (ConfabSearchResult *self)
{
  if (self == NULL)
    return;

  g_free (self->session_id);
  g_free (self->module_id);
  g_free (self->message_id);
  g_free (self->title);
  g_free (self->snippet);
  g_free (self);
}
