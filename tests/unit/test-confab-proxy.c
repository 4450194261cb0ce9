/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <string.h>

#include "confab-openai-provider.h"
#include "confab-provider-run.h"

/* ProxyOfTest: a desktop's settings, as GIO finds them: one proxy for everything. */
#define PROXY_TYPE_OF_TEST (proxy_of_test_get_type ())
G_DECLARE_FINAL_TYPE (ProxyOfTest, proxy_of_test, PROXY, OF_TEST, GObject)

struct _ProxyOfTest
{
  GObject parent_instance;
};

static void proxy_of_test_iface_init (GProxyResolverInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (ProxyOfTest,
                               proxy_of_test,
                               G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (G_TYPE_PROXY_RESOLVER,
                                                      proxy_of_test_iface_init))

static char **
lookup (GProxyResolver *resolver, const char *uri, GCancellable *cancellable, GError **error)
{
  const char *const proxies[] = { g_getenv ("PROXY_OF_TEST"), NULL };

  return g_strdupv ((char **) proxies);
}

static void
lookup_async (GProxyResolver *resolver,
              const char *uri,
              GCancellable *cancellable,
              GAsyncReadyCallback callback,
              gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (resolver, cancellable, callback, user_data);

  g_task_set_source_tag (task, lookup_async);
  g_task_return_pointer (task, lookup (resolver, uri, NULL, NULL), (GDestroyNotify) g_strfreev);
}

static char **
lookup_finish (GProxyResolver *resolver, GAsyncResult *result, GError **error)
{
  return g_task_propagate_pointer (G_TASK (result), error);
}

static gboolean
is_supported (GProxyResolver *resolver)
{
  return TRUE;
}

static void
proxy_of_test_iface_init (GProxyResolverInterface *iface)
{
  iface->is_supported = is_supported;
  iface->lookup = lookup;
  iface->lookup_async = lookup_async;
  iface->lookup_finish = lookup_finish;
}

static void
proxy_of_test_class_init (ProxyOfTestClass *klass)
{
}

static void
proxy_of_test_init (ProxyOfTest *self)
{
}

/* Runs a question to @base_url, with @proxy as the system's. */
static void
run_to (const char *base_url, RawServer *proxy)
{
  g_autofree char *origin = raw_server_dup_origin (proxy);
  g_autoptr (GError) error = NULL;
  g_autoptr (ConfabOpenaiProvider) provider =
      confab_openai_provider_new (base_url, NULL, "m", &error);
  g_auto (ProviderRun) run;

  g_assert_no_error (error);
  g_setenv ("PROXY_OF_TEST", origin, TRUE);
  confab_http_provider_set_retries (CONFAB_HTTP_PROVIDER (provider), 0);
  provider_run_init (&run);
  provider_run_start (&run, CONFAB_HTTP_PROVIDER (provider), NULL, NULL);
  provider_run_wait (&run);
  g_assert_no_error (run.error);
}

static void
test_remote (void)
{
  ProviderStream stream = { "text/event-stream", "data: [DONE]\n\n", 0, FALSE };
  g_autoptr (RawServer) proxy = raw_server_new (provider_stream_handler, &stream);
  g_autofree char *request = NULL;

  /* a name that only the proxy can find */
  run_to ("http://models.invalid/v1", proxy);
  request = raw_server_dup_last_request (proxy);
  g_assert_true (
      g_str_has_prefix (request, "POST http://models.invalid/v1/chat/completions HTTP/1.1\r\n"));
  g_assert_nonnull (strstr (request, "\r\nHost: models.invalid\r\n"));
}

static void
test_local (void)
{
  ProviderStream stream = { "text/event-stream", "data: [DONE]\n\n", 0, FALSE };
  g_autoptr (RawServer) proxy = raw_server_new (provider_stream_handler, &stream);
  g_autoptr (RawServer) server = raw_server_new (provider_stream_handler, &stream);
  g_autofree char *address = g_strdup_printf ("http://127.0.0.1:%u", raw_server_get_port (server));
  g_autofree char *name = g_strdup_printf ("http://localhost:%u", raw_server_get_port (server));

  run_to (address, proxy);
  run_to (name, proxy);
  g_assert_cmpuint (raw_server_get_n_requests (server), ==, 2);
  g_assert_cmpuint (raw_server_get_n_connections (proxy), ==, 0);
}

int
main (int argc, char **argv)
{
  /* Before GIO looks for them. */
  g_setenv ("GIO_USE_TLS", "dummy", TRUE);
  g_setenv ("GIO_USE_PROXY_RESOLVER", "of-test", TRUE);
  g_test_init (&argc, &argv, NULL);

  /* GIO makes the extension point when it is first asked; until then it takes none. */
  g_io_extension_point_register (G_PROXY_RESOLVER_EXTENSION_POINT_NAME);
  g_io_extension_point_implement (G_PROXY_RESOLVER_EXTENSION_POINT_NAME, PROXY_TYPE_OF_TEST,
                                  "of-test", 100);

  g_test_add_func ("/confab/proxy/remote", test_remote);
  g_test_add_func ("/confab/proxy/local", test_local);

  return g_test_run ();
}
