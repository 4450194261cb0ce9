/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lab-adapter.h"

struct _LabAdapter
{
  SocketioAdapter parent_instance;

  guint n_broadcasts;
};

G_DEFINE_FINAL_TYPE (LabAdapter, lab_adapter, SOCKETIO_TYPE_ADAPTER)

static void
lab_adapter_broadcast (SocketioAdapter *adapter,
                       SocketioBroadcast *broadcast,
                       const char *event,
                       SocketioArgs *args,
                       const char *json_args)
{
  LAB_ADAPTER (adapter)->n_broadcasts++;
  SOCKETIO_ADAPTER_CLASS (lab_adapter_parent_class)
      ->broadcast (adapter, broadcast, event, args, json_args);
}

static void
lab_adapter_class_init (LabAdapterClass *klass)
{
  SOCKETIO_ADAPTER_CLASS (klass)->broadcast = lab_adapter_broadcast;
}

static void
lab_adapter_init (LabAdapter *self)
{
}

guint
lab_adapter_get_n_broadcasts (LabAdapter *self)
{
  return self->n_broadcasts;
}
