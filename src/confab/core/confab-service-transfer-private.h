/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "confab-service-private.h"
#include "confab-service-transfer.h"

G_BEGIN_DECLS

ConfabTransfer *confab_service_open_transfer (ConfabService *self,
                                              int fd,
                                              GCancellable *cancellable,
                                              ConfabTransferProgress progress,
                                              gpointer progress_data,
                                              GTask *task);
void confab_service_remove_transfer (ConfabService *self, ConfabTransfer *transfer);
void confab_service_cancel_transfers (ConfabService *self);
GError *confab_service_transfer_error (ConfabService *self, const GError *cause);

G_END_DECLS
