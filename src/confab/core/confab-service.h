/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "confab-module.h"
#include "confab-provider.h"
#include "confab-session.h"

G_BEGIN_DECLS

/* The longest message of a user, in bytes of UTF-8. */
#define CONFAB_MAX_MESSAGE_BYTES (256 * 1024)
/* An answer that grows beyond this many bytes, thinking included, is cut off as by a token limit.
 */
#define CONFAB_MAX_ANSWER_BYTES (4 * 1024 * 1024)
/* Where a module goes whose client names no session. */
#define CONFAB_DEFAULT_SESSION "default"

#define CONFAB_TYPE_SERVICE (confab_service_get_type ())

/*
 * ConfabService: what all faces call. It owns the sessions and every running generation, whatever
 * becomes of the clients that asked.
 */
G_DECLARE_FINAL_TYPE (ConfabService, confab_service, CONFAB, SERVICE, GObject)

/* What a client asks; strings as they came, belonging to the caller. */
typedef struct
{
  const char *module_id;
  const char *message;
  const char *session_id;      /* nullable */
  const char *request_id;      /* nullable */
  const char *user_message_id; /* nullable */
} ConfabQuestion;

ConfabService *confab_service_new (void);

void confab_service_set_provider (ConfabService *self, ConfabProvider *provider);
ConfabProvider *confab_service_get_provider (ConfabService *self); /* nullable */

ConfabGeneration *confab_service_generate (ConfabService *self,
                                           const ConfabQuestion *question,
                                           gboolean *repeated,
                                           GError **error);
gint confab_service_stop (ConfabService *self,
                          const char *module_id,
                          const char *generation_id,
                          GError **error);
void confab_service_shutdown (ConfabService *self);
gboolean confab_service_is_shut_down (ConfabService *self);
guint confab_service_get_n_running (ConfabService *self);

ConfabModule *confab_service_lookup_module (ConfabService *self, const char *module_id);
ConfabSession *confab_service_lookup_session (ConfabService *self, const char *session_id);

G_END_DECLS
