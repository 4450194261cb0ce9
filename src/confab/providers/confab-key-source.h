/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* ConfabKeySource: where the keys of providers are kept. Asked only when a key is needed, as a
 * keyring may take its time, and what it holds may change. */
#define CONFAB_TYPE_KEY_SOURCE (confab_key_source_get_type ())
G_DECLARE_INTERFACE (ConfabKeySource, confab_key_source, CONFAB, KEY_SOURCE, GObject)

struct _ConfabKeySourceInterface
{
  GTypeInterface parent_iface;

  void (*lookup_async) (ConfabKeySource *self,
                        const char *name,
                        GCancellable *cancellable,
                        GAsyncReadyCallback callback,
                        gpointer user_data);
  char *(*lookup_finish) (ConfabKeySource *self, GAsyncResult *result, GError **error);
};

void confab_key_source_lookup_async (ConfabKeySource *self,
                                     const char *name,
                                     GCancellable *cancellable,
                                     GAsyncReadyCallback callback,
                                     gpointer user_data);
char *confab_key_source_lookup_finish (ConfabKeySource *self, GAsyncResult *result, GError **error);

G_END_DECLS
