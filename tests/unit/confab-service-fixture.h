/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "confab-scripted-provider.h"
#include "confab-service.h"
#include "confab-store-fixture.h"

/* A service on a store, with a scripted provider. */
typedef struct
{
  Fixture files;
  const char *path; /* of the database; NULL: in memory */

  ConfabStore *store;
  ConfabService *service;
  ConfabProviderRegistry *providers;
  ScriptedProvider *provider; /* the default one */
  /* "started:QUESTION;", "ended:QUESTION:STATE;", "module:ID;", "-module:ID;" for one that was
   * deleted, and the same of sessions, "branch:ID:LENGTH;", as the signals came */
  GString *heard;
} ServiceFixture;

void service_set_up (ServiceFixture *self, gconstpointer data);
void service_set_up_on_disk (ServiceFixture *self, gconstpointer data);
void service_tear_down (ServiceFixture *self, gconstpointer data);

typedef struct
{
  const char *name;
  void (*func) (ServiceFixture *self, gconstpointer data);
  gconstpointer data;
} ServiceTest;

/* Adds each of them as /confab/service/@prefix/NAME. */
void service_add_tests_on_disk (const char *prefix, const ServiceTest *tests, gsize n_tests);

/* Shut down, closed, opened and loaded again from the same file. */
void service_reopen (ServiceFixture *self);
/* Opens what is in a copy of the folder, as after a crash at the time of the copy. */
void service_open_copy (ServiceFixture *self, const char *folder);
char *service_copy_files (ServiceFixture *self);
/* Until it is free again no file can be written. */
void service_fill_disk (void);
void service_free_disk (void);
void service_expect_refusal (void);

/* Names and strings, ended by NULL; a NULL string is left out. */
JsonObject *fields (const char *name, ...) G_GNUC_NULL_TERMINATED;

/* Every call takes its payload. */
ConfabGeneration *try_generate (ServiceFixture *self,
                                const char *call,
                                JsonObject *payload,
                                gboolean *repeated,
                                GError **error);
/* The same in two halves; the second waits, and takes the result. @repeated may be NULL. */
void
begin_asking (ServiceFixture *self, const char *call, JsonObject *payload, GAsyncResult **result);
ConfabGeneration *
end_asking (ServiceFixture *self, GAsyncResult **result, gboolean *repeated, GError **error);
ConfabGeneration *assert_asking_ends (ServiceFixture *self, GAsyncResult **result);
void assert_asking_fails (ServiceFixture *self, GAsyncResult **result, ConfabError code);
ConfabGeneration *generate (ServiceFixture *self, JsonObject *payload);
ConfabGeneration *regenerate (ServiceFixture *self, JsonObject *payload);
ConfabGeneration *ask (ServiceFixture *self, const char *module_id, const char *message);
void assert_not_generated (ServiceFixture *self,
                           const char *call,
                           JsonObject *payload,
                           ConfabError code);
gint stop (ServiceFixture *self, const char *module_id, const char *generation_id, GError **error);
ConfabGeneration *recall (ServiceFixture *self, JsonObject *payload, GError **error);
GPtrArray *get_history (ServiceFixture *self, JsonObject *payload, gboolean *more, GError **error);
ConfabSession *
change_session (ServiceFixture *self, const char *call, JsonObject *payload, GError **error);
ConfabModule *
change_module (ServiceFixture *self, const char *call, JsonObject *payload, GError **error);
gboolean shut_down (ServiceFixture *self, GError **error);

/* The run of that number, as soon as the provider is asked. */
ScriptedRun *await_run (ServiceFixture *self, guint index);
void await_end (ConfabGeneration *generation);
/* What the provider says in that run, which ends with it. */
void answer (ServiceFixture *self, ConfabGeneration *generation, guint run, const char *text);
/* Asked and answered. */
ConfabGeneration *
converse (ServiceFixture *self, const char *module_id, const char *message, const char *text);
/* Lets everything happen that waits for nobody: the store has done all that it was asked for. */
void settle (ServiceFixture *self);

/* "user:one;assistant:1;" of the visible branch, as history tells it. */
void assert_branch (ServiceFixture *self, const char *module_id, const char *expected);

/* A module that must be there. */
ConfabModule *lookup_module (ServiceFixture *self, const char *id);
const char *question_id (ConfabGeneration *generation);
const char *answer_id (ConfabGeneration *generation);
