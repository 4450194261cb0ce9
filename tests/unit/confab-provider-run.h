/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "confab-http-provider.h"
#include "confab-raw-server.h"

G_BEGIN_DECLS

/* ProviderRun: one generation of a provider against a raw server, and what it brought. */
typedef struct
{
  GString *text;
  GString *reasoning;
  guint n_deltas;
  guint n_callbacks;
  ConfabOutcome *outcome;
  GError *error;
  /* To be cancelled at the first delta, if set. */
  GCancellable *cancel_at_delta;
  gint64 cancelled_at;
  gboolean started;
} ProviderRun;

void provider_run_init (ProviderRun *run);
void provider_run_clear (ProviderRun *run);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (ProviderRun, provider_run_clear)

void provider_run_start (ProviderRun *run,
                         ConfabHttpProvider *provider,
                         ConfabPrompt *prompt,
                         GCancellable *cancellable);
void provider_run_wait (ProviderRun *run);
void provider_assert_text (const ProviderRun *run, const char *text, ConfabFinishReason reason);

/* Makes a provider of the kind under test, with the key "sk-secret". @server: NULL where none is
 * asked; @model: nullable */
typedef ConfabHttpProvider *(*ProviderMaker) (RawServer *server, const char *model);

/* ProviderCase: what one raw answer must come to. */
typedef struct
{
  const char *name;
  /* All bytes, or, with an HTTP status of 200 before them, those of a streamed body. */
  const char *answer;
  const char *text;
  const char *reasoning;
  /* ConfabFinishReason, or -1 with what must be true of the error. */
  int reason;
  const char *code;
  gboolean retryable;
  gint64 retry_after_ms;
  /* Nullable: must stand in the error's message. */
  const char *words;
} ProviderCase;

/* g_test_init() without TLS. */
void provider_test_init (int *argc, char ***argv);
/* Adds one test for each of @cases, named after it below @path. */
void
provider_add_cases (const char *path, const ProviderCase *cases, gsize n_cases, GTestDataFunc func);

/* Runs @c: a streamed body whole and with every byte a chunk of its own, and then the reader alone
 * with pieces of every size. */
void provider_check_case (ProviderMaker maker, const char *type, const ProviderCase *c);
/* Runs @c with an answer that need not even be HTTP: it is sent as it is, once. */
void provider_check_verbatim (ProviderMaker maker, const ProviderCase *c);

/* Stops before the head, and at the first delta of @body: the connection must end within 200 ms.
 * @body has more than one change of kind, so that the stop falls between the deltas of one turn. */
void provider_check_stop_before_head (ProviderMaker maker);
void provider_check_stop_in_body (ProviderMaker maker, const char *type, const char *body);
/* The same two with a server of the caller's. @model: NULL to have it asked for */
void provider_check_stop_at_request (ProviderMaker maker, RawServer *server, const char *model);
void provider_check_stop_at_delta (ProviderMaker maker, RawServer *server);
/* What all of these measure: the end of a connection after a stop at @since. */
void provider_assert_closed_soon (RawServer *server, gint64 since);

/* All of @body in one piece: one delta of each kind, and no wait for the connection's end. */
void provider_check_end_does_not_wait (ProviderMaker maker, const char *type, const char *body);
/* A server that falls silent after @body, which has text. */
void provider_check_stall (ProviderMaker maker, const char *type, const char *body);

/* ProviderStream: a body that a handler streams. */
typedef struct
{
  const char *type;
  const char *body;
  /* Bytes to a chunk; 0: all in one. */
  gsize step;
  /* Every byte that is sent is sent alone. */
  gboolean slow;
} ProviderStream;

gboolean provider_send_stream (int fd, const ProviderStream *stream);
/* Streams @user_data, a ProviderStream, and keeps the connection. */
RawEnd provider_stream_handler (RawServer *server, int fd, const char *request, gpointer user_data);
/* Sends @user_data, a text, as it is and closes. */
RawEnd
provider_verbatim_handler (RawServer *server, int fd, const char *request, gpointer user_data);

G_END_DECLS
