/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "confab-cut.h"

static void
cut_module_free (gpointer data)
{
  ConfabCutModule *module = data;

  confab_module_record_free (module->record);
  g_free (module);
}

ConfabCut *
confab_cut_new (void)
{
  ConfabCut *self = g_new0 (ConfabCut, 1);

  self->sessions = g_ptr_array_new_with_free_func ((GDestroyNotify) confab_session_record_free);
  self->modules = g_ptr_array_new_with_free_func (cut_module_free);

  return self;
}

void
confab_cut_free (ConfabCut *self)
{
  g_ptr_array_unref (self->sessions);
  g_ptr_array_unref (self->modules);
  g_free (self);
}

/* Takes @record. */
ConfabCutModule *
confab_cut_add_module (ConfabCut *self, gint64 seq, ConfabModuleRecord *record)
{
  ConfabCutModule *module = g_new (ConfabCutModule, 1);

  *module = (ConfabCutModule){ seq, record };
  g_ptr_array_add (self->modules, module);

  return module;
}

void
confab_cut_message_free (ConfabCutMessage *self)
{
  g_clear_pointer (&self->message, confab_message_record_free);
  g_clear_pointer (&self->generation, confab_generation_record_free);
  g_free (self);
}
