/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* ConfabActivation: the listening sockets that systemd hands over, by the protocol of
 * sd_listen_fds(3): "http" for TCP, "unix" for UNIX sockets. */
typedef struct _ConfabActivation ConfabActivation;

ConfabActivation *confab_activation_take (GError **error);
void confab_activation_free (ConfabActivation *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ConfabActivation, confab_activation_free)

guint confab_activation_get_n_sockets (ConfabActivation *self);
/* Of the TCP sockets: 0 if there is none. */
guint16 confab_activation_get_port (ConfabActivation *self);
/* Returns: (transfer none) (nullable): the first that is no loopback address */
GInetAddress *confab_activation_get_outer_address (ConfabActivation *self);
/* Returns: (nullable): the first UNIX socket's */
const char *confab_activation_get_unix_path (ConfabActivation *self);
int confab_activation_steal_socket (ConfabActivation *self, guint index);

G_END_DECLS
