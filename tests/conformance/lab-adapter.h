/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "socketio.h"

G_BEGIN_DECLS

/* An adapter of the application's own: it counts what is said to many. */
#define LAB_TYPE_ADAPTER (lab_adapter_get_type ())
G_DECLARE_FINAL_TYPE (LabAdapter, lab_adapter, LAB, ADAPTER, SocketioAdapter)

guint lab_adapter_get_n_broadcasts (LabAdapter *self);

G_END_DECLS
