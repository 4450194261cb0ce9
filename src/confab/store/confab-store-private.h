/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "confab-store-thread.h"
#include "confab-store.h"

G_BEGIN_DECLS

/* Owned by the store, as long as that lives. */
ConfabStoreThread *confab_store_get_thread (ConfabStore *self);

G_END_DECLS
