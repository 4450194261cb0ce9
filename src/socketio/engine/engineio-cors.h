/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <libsoup/soup.h>

G_BEGIN_DECLS

/* What pages of other origins may do (the JS server's `cors`). Lists are nullable. */
typedef struct
{
  char **methods;         /* NULL: GET, POST */
  char **allowed_headers; /* NULL: those that are asked for */
  char **exposed_headers; /* NULL: none */
  gboolean credentials;
  guint max_age; /* in s */
} EngineioCors;

/* @allowed: whether the page of @message's Origin may read the answer */
void
engineio_cors_add_headers (const EngineioCors *self, SoupServerMessage *message, gboolean allowed);
/* Answers OPTIONS; after the headers were added. */
void engineio_cors_answer_preflight (const EngineioCors *self, SoupServerMessage *message);

G_END_DECLS
