/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "confab-service-private.h"
#include "confab-service-transfer.h"

G_BEGIN_DECLS

gboolean
confab_service_add_transfer (ConfabService *self, ConfabTransfer *transfer, GError **error);
void confab_service_remove_transfer (ConfabService *self, ConfabTransfer *transfer);
void confab_service_cancel_transfers (ConfabService *self);
GError *confab_service_transfer_error (ConfabService *self, const GError *cause);

G_END_DECLS
