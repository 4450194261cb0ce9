/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "confab-service.h"
#include "socketio.h"

G_BEGIN_DECLS

/*
 * ConfabFollowers: which sockets hear of which generation. Whoever asked follows that generation;
 * whoever resumed follows all of the module. A socket that reads too slowly is sent nothing more
 * until it has caught up, and then what it missed in one piece; if that grows too long it is told
 * to resume. None of this slows the others.
 */
typedef struct _ConfabFollowers ConfabFollowers;

ConfabFollowers *confab_followers_new (ConfabService *service, SocketioNamespace *namespace);
void confab_followers_free (ConfabFollowers *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ConfabFollowers, confab_followers_free)

/* At least so long between two chunks, in ms; 0 sends each as it comes. */
void confab_followers_set_chunk_interval (ConfabFollowers *self, guint interval_ms);

/* Before an ack says how far @generation is: whoever follows it already has heard as much. */
void confab_followers_catch_up (ConfabFollowers *self, ConfabGeneration *generation);

/* From the newest seq on; nothing happens if it has ended. */
void confab_followers_follow_generation (ConfabFollowers *self,
                                         SocketioSocket *socket,
                                         ConfabGeneration *generation);
void confab_followers_follow_module (ConfabFollowers *self,
                                     SocketioSocket *socket,
                                     const char *module_id);
/* @socket is back after its connection was lost, and was recovered. */
void confab_followers_recover (ConfabFollowers *self, SocketioSocket *socket);
void confab_followers_leave_module (ConfabFollowers *self,
                                    SocketioSocket *socket,
                                    const char *module_id);

G_END_DECLS
