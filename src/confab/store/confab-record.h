/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <glib.h>

#include "confab-branches.h"
#include "confab-completion.h"
#include "confab-parts.h"
#include "confab-state.h"

G_BEGIN_DECLS

/*
 * Rows of the store as plain structs. A record belongs to one owner at a time and owns all that it
 * points to; it may move between threads. Times are ms since the epoch, and only told: the order
 * of things never comes from them. Strings are UTF-8; where not marked as nullable, NULL is
 * written as "".
 */

typedef struct
{
  char *id;
  char *title;
  gint64 created_at;
  gint64 updated_at;
} ConfabSessionRecord;

typedef struct
{
  char *id;
  char *session_id;
  char *title;
  gboolean title_is_auto; /* made from the first message, not chosen by a person */
  char *instructions;     /* nullable */
  char *provider;         /* nullable */
  char *model;            /* nullable */
  char *parameters;       /* nullable; JSON text */
  gint64 created_at;
  gint64 updated_at;

  /* Only read: put_module leaves both alone, confab_batch_set_head() changes them. */
  char *head_id;      /* nullable; newest message of the visible branch */
  guint64 n_messages; /* of the visible branch */
} ConfabModuleRecord;

typedef struct
{
  char *id; /* unique in its module */
  char *module_id;
  char *parent_id; /* nullable: first of the module */
  ConfabRole role;
  char *parts; /* JSON: [{"type":"text","text":…}, …]; unknown types are kept */
  char *text;  /* only read: the text parts joined */
  ConfabState state;
  char *generation_id; /* nullable */
  gboolean has_finish_reason;
  ConfabFinishReason finish_reason;
  char *provider; /* nullable */
  char *model;    /* nullable */
  gboolean has_usage;
  ConfabUsage usage;
  char *error_code;    /* nullable */
  char *error_message; /* nullable */
  gint64 created_at;
  guint64 depth;            /* only read: messages from the first of its branch to this one */
  ConfabBranches *branches; /* nullable; only read, of history */
} ConfabMessageRecord;

typedef struct
{
  char *id; /* unique in its module */
  char *module_id;
  char *request_id; /* nullable; unique in its module for good */
  char *question_id;
  char *answer_id;
  ConfabState state;
  guint64 seq; /* newest seq when this was written */
  gboolean has_finish_reason;
  ConfabFinishReason finish_reason;
  char *error_code;    /* nullable */
  char *error_message; /* nullable */
  gint64 created_at;
  gint64 ended_at; /* 0: it runs */
} ConfabGenerationRecord;

/* A generation with the two messages it is about. */
typedef struct
{
  ConfabGenerationRecord *generation;
  ConfabMessageRecord *question;
  ConfabMessageRecord *answer;
  gboolean anew; /* the question was there before, or is another wording of one that was */
} ConfabExchange;

typedef struct
{
  GPtrArray *sessions; /* of ConfabSessionRecord, oldest first */
  GPtrArray *modules;  /* of ConfabModuleRecord, oldest first */
} ConfabOverview;

/* The branch that runs through a message, as far down as it goes. */
typedef struct
{
  char *parent_id;    /* nullable; of that message */
  char *leaf_id;      /* the newest message, by the newest one at every fork; or the head */
  guint64 n_messages; /* from the first of the module to the leaf */
  gboolean visible;   /* the leaf is the head, and that message on its way there */
} ConfabBranchEnd;

/* A place in the tree of messages, where one more may follow. */
typedef struct
{
  ConfabBranches *branches; /* nullable; of the message that is there */
  ConfabBranches *next;     /* nullable; of the next one to follow it */
} ConfabFork;

/* What was found: a message, or (without message_id) a module, or (without both) a session. */
typedef struct
{
  char *session_id;
  char *module_id;  /* nullable */
  char *message_id; /* nullable */
  char *title;      /* of the module, or of the session */
  char *snippet;    /* the words around the hit, on one or several lines */
  gint64 created_at;
} ConfabSearchResult;

ConfabSessionRecord *confab_session_record_copy (const ConfabSessionRecord *self);
void confab_session_record_free (ConfabSessionRecord *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ConfabSessionRecord, confab_session_record_free)

ConfabModuleRecord *confab_module_record_copy (const ConfabModuleRecord *self);
void confab_module_record_free (ConfabModuleRecord *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ConfabModuleRecord, confab_module_record_free)

ConfabMessageRecord *confab_message_record_copy (const ConfabMessageRecord *self);
void confab_message_record_free (ConfabMessageRecord *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ConfabMessageRecord, confab_message_record_free)

ConfabGenerationRecord *confab_generation_record_copy (const ConfabGenerationRecord *self);
void confab_generation_record_free (ConfabGenerationRecord *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ConfabGenerationRecord, confab_generation_record_free)

void confab_exchange_free (ConfabExchange *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ConfabExchange, confab_exchange_free)

void confab_branch_end_free (ConfabBranchEnd *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ConfabBranchEnd, confab_branch_end_free)

void confab_fork_free (ConfabFork *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ConfabFork, confab_fork_free)

void confab_overview_free (ConfabOverview *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ConfabOverview, confab_overview_free)

void confab_search_result_free (ConfabSearchResult *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ConfabSearchResult, confab_search_result_free)

G_END_DECLS
