/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "confab-store-error.h"

G_DEFINE_QUARK (confab - store - error - quark, confab_store_error)
