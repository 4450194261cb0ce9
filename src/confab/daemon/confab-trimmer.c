/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "confab-trimmer.h"

#ifdef HAVE_MALLOC_TRIM
#include <malloc.h>
#endif

/* After the first end of something; all that ends until then is one. */
#define DELAY_SECONDS 3
/* Less than this is left to malloc(), which will need it again soon. Bytes. */
#define LEAST_FREE (4 * 1024 * 1024)

struct _ConfabTrimmer
{
  GObject parent_instance;

  guint source;
};

G_DEFINE_FINAL_TYPE (ConfabTrimmer, confab_trimmer, G_TYPE_OBJECT)

static void
confab_trimmer_finalize (GObject *object)
{
  ConfabTrimmer *self = CONFAB_TRIMMER (object);

  g_clear_handle_id (&self->source, g_source_remove);

  G_OBJECT_CLASS (confab_trimmer_parent_class)->finalize (object);
}

static void
confab_trimmer_class_init (ConfabTrimmerClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = confab_trimmer_finalize;
}

static void
confab_trimmer_init (ConfabTrimmer *self)
{
}

/* By itself glibc gives back only what is free at the end of its heap: one small thing that was
 * allocated at the height of a storm holds all that is below it. */
static gboolean
trim_cb (gpointer user_data)
{
  ConfabTrimmer *self = user_data;

  self->source = 0;
#ifdef HAVE_MALLOC_TRIM
  if (mallinfo2 ().fordblks >= LEAST_FREE)
    malloc_trim (0);
#endif

  return G_SOURCE_REMOVE;
}

static void
something_ended (ConfabTrimmer *self)
{
  if (self->source != 0)
    return;
  self->source = g_timeout_add_seconds_full (G_PRIORITY_LOW, DELAY_SECONDS, trim_cb, self, NULL);
  g_source_set_name_by_id (self->source, "[confab] trim");
}

static void
started_cb (ConfabTrimmer *self, ConfabGeneration *generation)
{
  g_signal_connect_object (generation, "ended", G_CALLBACK (something_ended), self,
                           G_CONNECT_SWAPPED);
}

/**
 * confab_trimmer_new:
 * @service: whose answers end
 * @server: whose connections and requests end
 *
 * Returns: (transfer full): a trimmer, at work until it is freed
 */
ConfabTrimmer *
confab_trimmer_new (ConfabService *service, SocketioServer *server)
{
  ConfabTrimmer *self = g_object_new (CONFAB_TYPE_TRIMMER, NULL);
  SoupServer *soup_server = socketio_server_get_soup_server (server);

  g_signal_connect_object (service, "generation-started", G_CALLBACK (started_cb), self,
                           G_CONNECT_SWAPPED);
  g_signal_connect_object (server, "connection-closed", G_CALLBACK (something_ended), self,
                           G_CONNECT_SWAPPED);
  g_signal_connect_object (soup_server, "request-finished", G_CALLBACK (something_ended), self,
                           G_CONNECT_SWAPPED);
  g_signal_connect_object (soup_server, "request-aborted", G_CALLBACK (something_ended), self,
                           G_CONNECT_SWAPPED);

  return self;
}
