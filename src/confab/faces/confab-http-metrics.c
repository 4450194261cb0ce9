/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "confab-http-metrics.h"

#include "confab-exposition.h"
#include "confab-http.h"
#include "confab-process-info.h"
#include "confab-socketio-metrics.h"

typedef struct
{
  ConfabService *service;
  ConfabChatStreams *streams;
  SocketioServer *server; /* not owned: it serves us */
  char *version;
} HttpMetrics;

static const struct
{
  ConfabMetric metric;
  const char *name;
  const char *help;
  const char *labels[CONFAB_METRIC_MAX_LABELS + 1];
} counter_table[] = {
  { CONFAB_METRIC_GENERATIONS_STARTED,
    "confab_generations_started_total",
    "Generations that were accepted.",
    { "provider" } },
  { CONFAB_METRIC_GENERATIONS_ENDED,
    "confab_generations_ended_total",
    "Generations that ended, by how, and by the reason of finishing or the code of the error.",
    { "provider", "state", "reason" } },
  { CONFAB_METRIC_UPSTREAM_ERRORS,
    "confab_upstream_errors_total",
    "Questions that a provider failed to answer, tries again not counted.",
    { "provider", "code" } },
  { CONFAB_METRIC_OUTPUT_BYTES,
    "confab_output_bytes_total",
    "Bytes of text that providers answered, counted when an answer ends.",
    { "provider", "kind" } },
  { CONFAB_METRIC_MERGES,
    "confab_merged_chunks_total",
    "Chunks that stand for several, for clients that read slowly.",
    { NULL } },
  { CONFAB_METRIC_RESYNCS,
    "confab_resyncs_total",
    "Clients that were too slow and were told to resume.",
    { NULL } },
  { CONFAB_METRIC_DROPS,
    "confab_slow_clients_lost_total",
    "Clients that went, or were given up, while they were behind.",
    { "transport" } },
  { CONFAB_METRIC_LIMITED,
    "confab_rate_limited_total",
    "Requests and connections that were refused because a limit was reached.",
    { "limit" } },
};

/* The states of a generation that has not ended. */
static const ConfabState running_states[] = {
  CONFAB_STATE_QUEUED,
  CONFAB_STATE_CONNECTING,
  CONFAB_STATE_STREAMING,
};

static void
http_metrics_free (gpointer data)
{
  HttpMetrics *self = data;

  g_object_unref (self->service);
  confab_chat_streams_unref (self->streams);
  g_free (self->version);
  g_free (self);
}

typedef struct
{
  GString *out;
  const char *name;
  const char *const *label_names;
} Counting;

static void
counter_cb (const char *const *labels, guint64 value, gpointer user_data)
{
  const Counting *counting = user_data;

  confab_exposition_add (counting->out, counting->name, counting->label_names, labels,
                         (double) value);
}

static void
append_counters (GString *out, ConfabMetrics *metrics)
{
  for (guint i = 0; i < G_N_ELEMENTS (counter_table); i++)
    {
      Counting counting = { out, counter_table[i].name, counter_table[i].labels };

      confab_exposition_begin (out, counter_table[i].name, "counter", counter_table[i].help);
      /* one without labels is there from the start */
      if (counter_table[i].labels[0] == NULL)
        confab_metrics_add (metrics, counter_table[i].metric, 0, NULL, NULL, NULL);
      confab_metrics_foreach (metrics, counter_table[i].metric, counter_cb, &counting);
    }
}

static void
running_cb (ConfabGeneration *generation, const char *provider, gpointer user_data)
{
  GHashTable *by_provider = user_data;
  guint *counts = g_hash_table_lookup (by_provider, provider);

  if (counts == NULL)
    {
      counts = g_new0 (guint, CONFAB_N_STATES);
      g_hash_table_insert (by_provider, g_strdup (provider), counts);
    }
  counts[confab_generation_get_state (generation)]++;
}

/* Every provider of the settings is told, idle ones with zeros. */
static void
append_running (GString *out, ConfabService *service)
{
  static const char *const label_names[] = { "provider", "state", NULL };
  ConfabProviderRegistry *registry = confab_service_get_providers (service);
  const char *const *names = registry != NULL ? confab_provider_registry_list (registry) : NULL;
  g_autoptr (GHashTable) by_provider =
      g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  GHashTableIter iter;
  gpointer provider, counts;

  for (guint i = 0; names != NULL && names[i] != NULL; i++)
    g_hash_table_insert (by_provider, g_strdup (names[i]), g_new0 (guint, CONFAB_N_STATES));
  confab_service_foreach_running (service, running_cb, by_provider);

  confab_exposition_begin (out, "confab_generations", "gauge",
                           "Generations that have not ended, by state.");
  g_hash_table_iter_init (&iter, by_provider);
  while (g_hash_table_iter_next (&iter, &provider, &counts))
    for (guint i = 0; i < G_N_ELEMENTS (running_states); i++)
      {
        const char *labels[] = { provider, confab_state_to_string (running_states[i]), NULL };

        confab_exposition_add (out, "confab_generations", label_names, labels,
                               ((guint *) counts)[running_states[i]]);
      }
}

static void
append_connections (HttpMetrics *self, GString *out)
{
  static const char *const label_names[] = { "transport", NULL };
  static const char *const transports[] = { "websocket", "polling" };
  SocketioNamespace *namespace = socketio_server_of (self->server, "/");
  g_autoptr (GPtrArray) sockets = socketio_namespace_fetch_sockets (namespace, NULL);
  guint64 queued = 0;

  confab_exposition_begin (out, "confab_connections", "gauge", "Clients that are connected.");
  for (guint i = 0; i < G_N_ELEMENTS (transports); i++)
    confab_exposition_add (out, "confab_connections", label_names,
                           (const char *[]){ transports[i], NULL },
                           socketio_server_count_connections (self->server, transports[i]));
  confab_exposition_add (out, "confab_connections", label_names, (const char *[]){ "sse", NULL },
                         confab_chat_streams_get_n_streams (self->streams));

  for (guint i = 0; i < sockets->len; i++)
    queued += socketio_socket_get_queued_bytes (g_ptr_array_index (sockets, i));
  confab_exposition_begin (out, "confab_queued_bytes", "gauge",
                           "Bytes that wait for clients of Socket.IO to read them.");
  confab_exposition_add (out, "confab_queued_bytes", NULL, NULL, (double) queued);
}

static void
append_histograms (GString *out, ConfabService *service)
{
  ConfabHistogram commits;

  confab_exposition_begin (out, "confab_time_to_first_token_seconds", "histogram",
                           "From asking a provider to the first word of its answer.");
  confab_exposition_add_histogram (
      out, "confab_time_to_first_token_seconds",
      confab_metrics_get_first_token (confab_service_get_metrics (service)));
  confab_exposition_begin (out, "confab_added_latency_seconds", "histogram",
                           "From noticing that a provider sent something to having queued it for "
                           "all who follow; without the pause of chunk-interval.");
  confab_exposition_add_histogram (
      out, "confab_added_latency_seconds",
      confab_metrics_get_added_latency (confab_service_get_metrics (service)));
  confab_exposition_begin (out, "confab_store_commit_seconds", "histogram",
                           "From giving something to the store to having it on disk.");
  confab_service_get_store_latency (service, &commits);
  confab_exposition_add_histogram (out, "confab_store_commit_seconds", &commits);
}

static void
append_one (GString *out, const char *name, const char *type, const char *help, double value)
{
  if (value < 0)
    return;

  confab_exposition_begin (out, name, type, help);
  confab_exposition_add (out, name, NULL, NULL, value);
}

static void
append_process (HttpMetrics *self, GString *out)
{
  static const char *const label_names[] = { "version", NULL };
  const char *labels[] = { self->version, NULL };
  ConfabProcessInfo info;

  confab_process_info_read (&info);
  append_one (out, "process_resident_memory_bytes", "gauge", "Resident memory.",
              info.resident_bytes);
  append_one (out, "process_cpu_seconds_total", "counter", "CPU time, of user and system.",
              info.cpu_seconds);
  append_one (out, "process_open_fds", "gauge", "Open file descriptors.", info.open_fds);
  append_one (out, "process_max_fds", "gauge", "File descriptors that may be open.", info.max_fds);
  append_one (out, "process_start_time_seconds", "gauge", "Start, in seconds since the epoch.",
              info.start_time);
  confab_exposition_begin (out, "confab_build_info", "gauge", "Which Confab this is; always 1.");
  confab_exposition_add (out, "confab_build_info", label_names, labels, 1);
}

static void
request_cb (SoupServer *server,
            SoupServerMessage *message,
            const char *path,
            GHashTable *query,
            gpointer user_data)
{
  HttpMetrics *self = user_data;
  g_autoptr (GString) out = g_string_new (NULL);

  if (!g_str_equal (path, CONFAB_METRICS_PATH))
    {
      confab_http_respond_not_found (message);
      return;
    }
  if (!confab_http_check_method (message, "GET, HEAD", confab_http_is_read (message)))
    return;

  append_connections (self, out);
  confab_socketio_metrics_append (out, self->server);
  append_running (out, self->service);
  append_counters (out, confab_service_get_metrics (self->service));
  append_histograms (out, self->service);
  append_one (out, "confab_ready", "gauge", "Whether questions are taken.",
              confab_service_is_ready (self->service));
  append_process (self, out);
  confab_http_respond_text (message, SOUP_STATUS_OK, out->str);
  soup_message_headers_replace (soup_server_message_get_response_headers (message), "Content-Type",
                                CONFAB_EXPOSITION_CONTENT_TYPE);
}

/**
 * confab_http_metrics_serve:
 * @service: whose figures to tell
 * @streams: the answers on their way over HTTP
 * @server: the connections of Socket.IO, and where to serve
 * @version: Confab's version
 */
void
confab_http_metrics_serve (ConfabService *service,
                           ConfabChatStreams *streams,
                           SocketioServer *server,
                           const char *version)
{
  HttpMetrics *self;

  g_return_if_fail (CONFAB_IS_SERVICE (service) && SOCKETIO_IS_SERVER (server));
  g_return_if_fail (streams != NULL && version != NULL);

  self = g_new (HttpMetrics, 1);
  self->service = g_object_ref (service);
  self->streams = confab_chat_streams_ref (streams);
  self->server = server;
  self->version = g_strdup (version);
  soup_server_add_handler (socketio_server_get_soup_server (server), CONFAB_METRICS_PATH,
                           request_cb, self, http_metrics_free);
}
