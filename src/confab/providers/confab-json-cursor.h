/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/*
 * ConfabJsonCursor: walks over JSON without making a tree of it, for the few members that each
 * token of an answer comes in. It knows the plain cases only: where a function returns %FALSE the
 * text is wrong JSON, or merely unusual, and socketio_json_parse() has the say. What it takes, that
 * takes too, and as the same.
 */
typedef struct
{
  const char *at;
  const char *end;
} ConfabJsonCursor;

typedef struct
{
  const char *text;
  gsize length;
} ConfabJsonKey;

typedef enum
{
  CONFAB_JSON_STEP_ITEM,
  CONFAB_JSON_STEP_END,
  CONFAB_JSON_STEP_UNFIT,
} ConfabJsonStep;

void confab_json_cursor_init (ConfabJsonCursor *self, const char *text, gsize length);

/* Each expects a value to begin here, and goes past it. */
gboolean confab_json_cursor_take_word (ConfabJsonCursor *self, const char *word);
gboolean confab_json_cursor_take_string (ConfabJsonCursor *self, GString *out);
gboolean confab_json_cursor_skip (ConfabJsonCursor *self);

/* Into an object or an array; then its items, each of whose values has to be taken or skipped. */
gboolean confab_json_cursor_enter (ConfabJsonCursor *self, char bracket);
ConfabJsonStep
confab_json_cursor_next_member (ConfabJsonCursor *self, gboolean first, ConfabJsonKey *key);
ConfabJsonStep confab_json_cursor_next_element (ConfabJsonCursor *self, gboolean first);

/* Whether nothing but white space is left. */
gboolean confab_json_cursor_is_at_end (ConfabJsonCursor *self);

gboolean confab_json_key_is (const ConfabJsonKey *key, const char *name);

G_END_DECLS
