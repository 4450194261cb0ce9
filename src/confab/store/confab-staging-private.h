/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "confab-db.h"
#include "confab-staging.h"

G_BEGIN_DECLS

ConfabDb *confab_staging_get_db (ConfabStaging *self);

G_END_DECLS
