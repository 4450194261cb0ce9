/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "confab-store-cut.h"

#include "confab-store-private.h"

typedef struct
{
  const ConfabCutModule *module;
  gint64 last;
  const gint64 *seqs;
  gsize n_seqs;
} Question;

static gpointer
cut_in_thread (ConfabDb *db, gpointer input, GError **error)
{
  return confab_db_read_cut (db, error);
}

/**
 * confab_store_read_cut:
 * @self: a store
 * @error: return location
 *
 * Returns: (transfer full) (nullable): what there is now, with all that was committed before
 */
ConfabCut *
confab_store_read_cut (ConfabStore *self, GError **error)
{
  g_return_val_if_fail (CONFAB_IS_STORE (self), NULL);

  return confab_store_thread_call (confab_store_get_thread (self), cut_in_thread, NULL, error);
}

static gpointer
list_in_thread (ConfabDb *db, gpointer input, GError **error)
{
  const Question *question = input;

  return confab_db_list_messages (db, question->module, question->last, error);
}

/**
 * confab_store_list_messages:
 * @self: a store
 * @cut: a moment
 * @module: a module of @cut
 * @error: return location
 *
 * Returns: (transfer full) (nullable) (element-type gint64): the messages that @module had then, of
 *   all its branches, oldest first, as numbers for confab_store_read_page()
 */
GArray *
confab_store_list_messages (ConfabStore *self,
                            const ConfabCut *cut,
                            const ConfabCutModule *module,
                            GError **error)
{
  Question question = { .module = module };

  g_return_val_if_fail (CONFAB_IS_STORE (self) && cut != NULL && module != NULL, NULL);

  question.last = cut->last_message;

  return confab_store_thread_call (confab_store_get_thread (self), list_in_thread, &question,
                                   error);
}

static gpointer
page_in_thread (ConfabDb *db, gpointer input, GError **error)
{
  const Question *question = input;

  return confab_db_read_page (db, question->module, question->seqs, question->n_seqs, error);
}

/**
 * confab_store_read_page:
 * @self: a store
 * @module: a module of a cut
 * @seqs: (array length=n_seqs): messages of @module, as they were listed
 * @n_seqs: how many, at least 1
 * @error: return location
 *
 * Returns: (transfer full) (nullable) (element-type ConfabCutMessage): the first of them, at least
 *   one, each as it is by now
 */
GPtrArray *
confab_store_read_page (ConfabStore *self,
                        const ConfabCutModule *module,
                        const gint64 *seqs,
                        gsize n_seqs,
                        GError **error)
{
  Question question = { .module = module, .seqs = seqs, .n_seqs = n_seqs };

  g_return_val_if_fail (CONFAB_IS_STORE (self) && module != NULL && n_seqs > 0, NULL);

  return confab_store_thread_call (confab_store_get_thread (self), page_in_thread, &question,
                                   error);
}
