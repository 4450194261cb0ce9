/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "confab-direct-route.h"

#include "confab-read-ahead.h"

#define PROTOCOL "confab-direct"

/* The proxy: what GSocketClient asks to make a stream of the connection to it. */
#define CONFAB_TYPE_DIRECT_PROXY (confab_direct_proxy_get_type ())
G_DECLARE_FINAL_TYPE (ConfabDirectProxy, confab_direct_proxy, CONFAB, DIRECT_PROXY, GObject)

struct _ConfabDirectProxy
{
  GObject parent_instance;
};

static void proxy_iface_init (GProxyInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (ConfabDirectProxy,
                               confab_direct_proxy,
                               G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (G_TYPE_PROXY, proxy_iface_init))

static void
confab_direct_proxy_class_init (ConfabDirectProxyClass *klass)
{
}

static void
confab_direct_proxy_init (ConfabDirectProxy *self)
{
}

/* Returns: (transfer full): a stream that keeps @connection, which would be closed with its last
 * reference */
static GIOStream *
wrap (GIOStream *connection)
{
  g_autoptr (GInputStream) input =
      confab_read_ahead_new (g_io_stream_get_input_stream (connection));
  GIOStream *stream = g_simple_io_stream_new (input, g_io_stream_get_output_stream (connection));

  g_object_set_data_full (G_OBJECT (stream), "confab-connection", g_object_ref (connection),
                          g_object_unref);

  return stream;
}

static GIOStream *
direct_connect (GProxy *proxy,
                GIOStream *connection,
                GProxyAddress *address,
                GCancellable *cancellable,
                GError **error)
{
  return wrap (connection);
}

static void
direct_connect_async (GProxy *proxy,
                      GIOStream *connection,
                      GProxyAddress *address,
                      GCancellable *cancellable,
                      GAsyncReadyCallback callback,
                      gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (proxy, cancellable, callback, user_data);

  g_task_set_source_tag (task, direct_connect_async);
  g_task_return_pointer (task, wrap (connection), g_object_unref);
}

static GIOStream *
direct_connect_finish (GProxy *proxy, GAsyncResult *result, GError **error)
{
  return g_task_propagate_pointer (G_TASK (result), error);
}

/* Nothing is resolved for it: it is the server. */
static gboolean
direct_supports_hostname (GProxy *proxy)
{
  return TRUE;
}

static void
proxy_iface_init (GProxyInterface *iface)
{
  iface->connect = direct_connect;
  iface->connect_async = direct_connect_async;
  iface->connect_finish = direct_connect_finish;
  iface->supports_hostname = direct_supports_hostname;
}

/* The resolver: what GSocketClient asks which proxy to take. */
#define CONFAB_TYPE_DIRECT_ROUTE (confab_direct_route_get_type ())
G_DECLARE_FINAL_TYPE (ConfabDirectRoute, confab_direct_route, CONFAB, DIRECT_ROUTE, GObject)

struct _ConfabDirectRoute
{
  GObject parent_instance;
};

static void resolver_iface_init (GProxyResolverInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (ConfabDirectRoute,
                               confab_direct_route,
                               G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (G_TYPE_PROXY_RESOLVER, resolver_iface_init))

static void
register_proxy (void)
{
  /* Nobody has it; but the question makes GIO register the extension point. */
  g_autoptr (GProxy) none = g_proxy_get_default_for_protocol (PROTOCOL);

  g_return_if_fail (none == NULL);
  g_io_extension_point_implement (G_PROXY_EXTENSION_POINT_NAME, CONFAB_TYPE_DIRECT_PROXY, PROTOCOL,
                                  0);
}

static void
confab_direct_route_class_init (ConfabDirectRouteClass *klass)
{
  register_proxy ();
}

static void
confab_direct_route_init (ConfabDirectRoute *self)
{
}

/* TLS reads records of its own size, so that there is nothing to gain. */
static char **
route_lookup (GProxyResolver *resolver, const char *uri, GCancellable *cancellable, GError **error)
{
  g_autoptr (GUri) parsed = g_uri_parse (uri, G_URI_FLAGS_NONE, error);
  g_autofree char *route = NULL;

  if (parsed == NULL)
    return NULL;

  if (g_strcmp0 (g_uri_get_scheme (parsed), "http") != 0)
    return g_strdupv ((char *[]){ (char *) "direct://", NULL });

  route = g_uri_join (G_URI_FLAGS_NONE, PROTOCOL, NULL, g_uri_get_host (parsed),
                      g_uri_get_port (parsed) > 0 ? g_uri_get_port (parsed) : 80, "", NULL, NULL);

  return g_strdupv ((char *[]){ route, NULL });
}

static void
route_lookup_async (GProxyResolver *resolver,
                    const char *uri,
                    GCancellable *cancellable,
                    GAsyncReadyCallback callback,
                    gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (resolver, cancellable, callback, user_data);
  GError *error = NULL;
  char **routes = route_lookup (resolver, uri, cancellable, &error);

  g_task_set_source_tag (task, route_lookup_async);
  if (routes == NULL)
    g_task_return_error (task, error);
  else
    g_task_return_pointer (task, routes, (GDestroyNotify) g_strfreev);
}

static char **
route_lookup_finish (GProxyResolver *resolver, GAsyncResult *result, GError **error)
{
  return g_task_propagate_pointer (G_TASK (result), error);
}

static gboolean
route_is_supported (GProxyResolver *resolver)
{
  return TRUE;
}

static void
resolver_iface_init (GProxyResolverInterface *iface)
{
  iface->is_supported = route_is_supported;
  iface->lookup = route_lookup;
  iface->lookup_async = route_lookup_async;
  iface->lookup_finish = route_lookup_finish;
}

/**
 * confab_direct_route_new:
 *
 * Returns: (transfer full): for soup_session_set_proxy_resolver()
 */
GProxyResolver *
confab_direct_route_new (void)
{
  return g_object_new (CONFAB_TYPE_DIRECT_ROUTE, NULL);
}
