/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "confab-bus-gate.h"
#include "confab-bus-watchers.h"
#include "confab-bus.h"

G_BEGIN_DECLS

#define CONFAB_BUS_MODULE_INTERFACE "org.confab.Confab1.Module"
#define CONFAB_BUS_SESSIONS_PATH CONFAB_BUS_PATH "/sessions"

/*
 * The objects on the bus are registered by the generated descriptions of their interfaces, with
 * tables of our own for what they do, and not by generated skeletons under a
 * GDBusObjectManagerServer. Those put every property into InterfacesAdded and PropertiesChanged,
 * and texts must be in no broadcast; their authorization covers methods but not properties, and
 * runs in a thread for each call, so that calls overtake each other; and 20,000 of them are several
 * times as large.
 */

/* Takes @invocation. @item: what the object stands for; NULL for the manager */
typedef void (*ConfabBusMethodFunc) (ConfabBus *bus,
                                     gpointer item,
                                     GVariant *parameters,
                                     GDBusMethodInvocation *invocation);

typedef struct
{
  const char *name;
  ConfabBusMethodFunc call;
  const char *action;
} ConfabBusMethod;

typedef struct
{
  const char *name;
  GVariant *(*get) (ConfabBus *bus, gpointer item); /* floating */
  const char *field;                                /* of an update; NULL: it cannot be set */
} ConfabBusProperty;

/* One interface: what gdbus-codegen knows of it, and what we do. */
typedef struct
{
  GDBusInterfaceInfo *(*get_info) (void);
  const ConfabBusMethod *methods;
  const ConfabBusProperty *properties; /* as many and in the order in which they are described */
  guint n_properties;
  /* Takes @invocation, and sets @field. */
  void (*set) (ConfabBus *bus,
               gpointer item,
               const char *field,
               GVariant *value,
               GDBusMethodInvocation *invocation);
} ConfabBusKind;

extern const ConfabBusKind confab_bus_manager_kind;
extern const ConfabBusKind confab_bus_session_kind;
extern const ConfabBusKind confab_bus_module_kind;

/* Of GetManagedObjects(), while it is being answered. */
typedef struct _ConfabBusListing ConfabBusListing;

struct _ConfabBus
{
  GObject parent_instance;

  ConfabService *service;
  ConfabAccess *access;
  ConfabLimits *limits;
  SocketioServer *server;
  char *version;
  char **addresses;
  ConfabBusRotateFunc rotate; /* NULL: no token is asked for */
  gpointer rotate_data;

  ConfabBusName *name;
  GDBusConnection *connection; /* NULL: nothing is shown now */
  ConfabBusGate *gate;         /* the same */
  GHashTable *objects;         /* path → Object of confab-bus-objects.c; key belongs to it */
  GHashTable *modules;         /* id → ConfabModule that is shown; key belongs to it */
  guint object_manager_id;
  GHashTable *dirty; /* set of paths whose properties may have changed */
  GSource *flush_source;
  GSource *connections_source; /* while there are connections */
  ConfabBusListing *listing;   /* NULL: nobody has asked */
  guint n_holds;               /* how many keep broadcasts waiting */
  GQueue broadcasts;           /* of Broadcast of confab-bus-broadcasts.c, which wait */

  GHashTable *generations; /* ConfabGeneration whose end was not told yet → path */
  ConfabBusWatchers *watchers;
};

/* confab-bus-objects.c */
GHashTable *confab_bus_objects_new (void);
void confab_bus_add_object (ConfabBus *self,
                            const char *path,
                            const ConfabBusKind *kind,
                            gpointer item,
                            gboolean tell);
void confab_bus_remove_object (ConfabBus *self, const char *path);
void confab_bus_touch (ConfabBus *self, const char *path);
GVariant *confab_bus_describe_object (ConfabBus *self, const char *path, gsize *room);
GPtrArray *confab_bus_get_paths (ConfabBus *self);
void confab_bus_register_object_manager (ConfabBus *self);
/* What the gate let through. */
void confab_bus_dispatch (GDBusMethodInvocation *invocation, gpointer user_data);
void confab_bus_clear_objects (ConfabBus *self);

/* confab-bus-broadcasts.c */
void confab_bus_emit (ConfabBus *self,
                      const char *path,
                      const char *interface,
                      const char *signal,
                      GVariant *parameters);
/* Tells of it; for the signal of the service, @user_data is a ConfabBus. */
void confab_bus_branch_changed_cb (ConfabService *service,
                                   const ConfabBranchChange *change,
                                   gpointer user_data);
/* Until as many calls of the second as of the first, what is emitted waits. */
void confab_bus_hold_broadcasts (ConfabBus *self);
void confab_bus_release_broadcasts (ConfabBus *self);
void confab_bus_clear_broadcasts (ConfabBus *self);

/* confab-bus-changes.c: what the service does, as the bus is told of it */
void confab_bus_follow_service (ConfabBus *self);
/* Whoever is told of an object finds it. */
void confab_bus_show_session (ConfabBus *self, ConfabSession *session);
void confab_bus_show_module (ConfabBus *self, ConfabModule *module);
void confab_bus_add_module (ConfabBus *self, ConfabModule *module, gboolean tell);
void confab_bus_track (ConfabBus *self, ConfabGeneration *generation);
void confab_bus_untrack_all (ConfabBus *self);

/* confab-bus-listing.c */
void confab_bus_list_objects (ConfabBus *self, GDBusMethodInvocation *invocation);
void confab_bus_listing_note (ConfabBusListing *self, const char *path);
void confab_bus_listing_free (ConfabBusListing *self);

/* confab-bus-transfer.c: methods of the manager */
void confab_bus_export (ConfabBus *self,
                        gpointer item,
                        GVariant *parameters,
                        GDBusMethodInvocation *invocation);
void confab_bus_import (ConfabBus *self,
                        gpointer item,
                        GVariant *parameters,
                        GDBusMethodInvocation *invocation);
void confab_bus_import_with_options (ConfabBus *self,
                                     gpointer item,
                                     GVariant *parameters,
                                     GDBusMethodInvocation *invocation);

/* confab-bus.c */
/* A call of which more is needed than its invocation when it is answered. */
typedef struct
{
  ConfabBus *bus;
  GDBusMethodInvocation *invocation;
} ConfabBusCall;

ConfabBusCall *confab_bus_call_new (ConfabBus *bus, GDBusMethodInvocation *invocation);
void confab_bus_call_free (ConfabBusCall *call);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ConfabBusCall, confab_bus_call_free)

char *confab_bus_session_path (const char *session_id);
char *confab_bus_module_path (ConfabModule *module);
void confab_bus_emit_called (ConfabBus *self);
void confab_bus_refuse (GDBusMethodInvocation *invocation, const GError *error);

G_END_DECLS
