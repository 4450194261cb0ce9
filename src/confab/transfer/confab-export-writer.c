/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "confab-export-writer.h"

#include "socketio-json.h"

static void
add_name (GString *out, const char *name)
{
  g_string_append_printf (out, ",\"%s\":", name);
}

static void
add_string (GString *out, const char *name, const char *value)
{
  add_name (out, name);
  if (value != NULL)
    socketio_json_append_string (out, value, -1);
  else
    g_string_append (out, "null");
}

static void
add_int (GString *out, const char *name, gint64 value)
{
  add_name (out, name);
  g_string_append_printf (out, "%" G_GINT64_FORMAT, value);
}

/* Of tokens, which may be unknown. */
static void
add_count (GString *out, const char *name, gint64 value)
{
  if (value >= 0)
    add_int (out, name, value);
  else
    add_string (out, name, NULL);
}

/* As it is stored: JSON already. */
static void
add_json (GString *out, const char *name, const char *json)
{
  add_name (out, name);
  g_string_append (out, json != NULL ? json : "null");
}

static void
begin_record (ConfabExportWriter *self, const char *type)
{
  g_string_append_printf (self->out, "%s\n{\"type\":\"%s\"", self->has_records ? "," : "", type);
  self->has_records = TRUE;
}

/**
 * confab_export_write_begin:
 * @self: a writer with an empty @out
 * @generator: name and version of the program
 * @exported_at: when, in ms since the epoch
 */
void
confab_export_write_begin (ConfabExportWriter *self, const char *generator, gint64 exported_at)
{
  g_string_append (self->out, "{\"format\":\"" CONFAB_EXPORT_FORMAT "\"");
  add_int (self->out, "version", CONFAB_EXPORT_VERSION);
  add_string (self->out, "generator", generator);
  add_int (self->out, "exportedAt", exported_at);
  g_string_append (self->out, ",\"records\":[");
}

void
confab_export_write_session (ConfabExportWriter *self, const ConfabSessionRecord *session)
{
  begin_record (self, "session");
  add_string (self->out, "sessionId", session->id);
  add_string (self->out, "title", session->title);
  add_int (self->out, "createdAt", session->created_at);
  add_int (self->out, "updatedAt", session->updated_at);
  g_string_append_c (self->out, '}');
}

void
confab_export_write_module (ConfabExportWriter *self, const ConfabModuleRecord *module)
{
  begin_record (self, "module");
  add_string (self->out, "moduleId", module->id);
  add_string (self->out, "sessionId", module->session_id);
  add_string (self->out, "title", module->title);
  add_json (self->out, "titleIsAuto", module->title_is_auto ? "true" : "false");
  add_string (self->out, "instructions", module->instructions);
  add_string (self->out, "provider", module->provider);
  add_string (self->out, "model", module->model);
  add_json (self->out, "parameters", module->parameters);
  add_string (self->out, "headId", module->head_id);
  add_int (self->out, "createdAt", module->created_at);
  add_int (self->out, "updatedAt", module->updated_at);
  g_string_append_c (self->out, '}');
}

static void
add_end (GString *out,
         ConfabState state,
         const ConfabFinishReason *finish_reason,
         const char *code,
         const char *error)
{
  add_string (out, "state", confab_state_to_string (state));
  add_string (out, "finishReason",
              finish_reason != NULL ? confab_finish_reason_to_string (*finish_reason) : NULL);
  add_string (out, "code", code);
  add_string (out, "error", error);
}

static void
add_usage (GString *out, const ConfabUsage *usage)
{
  add_name (out, "usage");
  if (usage == NULL)
    {
      g_string_append (out, "null");
      return;
    }

  /* without a comma before the first */
  g_string_append (out, "{\"inputTokens\":");
  if (usage->input_tokens >= 0)
    g_string_append_printf (out, "%" G_GINT64_FORMAT, usage->input_tokens);
  else
    g_string_append (out, "null");
  add_count (out, "outputTokens", usage->output_tokens);
  add_count (out, "reasoningTokens", usage->reasoning_tokens);
  add_count (out, "cachedInputTokens", usage->cached_input_tokens);
  g_string_append_c (out, '}');
}

static void
add_generation (GString *out, const ConfabGenerationRecord *generation)
{
  add_name (out, "generation");
  if (generation == NULL)
    {
      g_string_append (out, "null");
      return;
    }

  g_string_append (out, "{\"questionId\":");
  socketio_json_append_string (out, generation->question_id, -1);
  add_string (out, "requestId", generation->request_id);
  add_end (out, generation->state,
           generation->has_finish_reason ? &generation->finish_reason : NULL,
           generation->error_code, generation->error_message);
  add_int (out, "seq", (gint64) generation->seq);
  add_int (out, "createdAt", generation->created_at);
  add_int (out, "endedAt", generation->ended_at);
  g_string_append_c (out, '}');
}

void
confab_export_write_message (ConfabExportWriter *self, const ConfabCutMessage *message)
{
  const ConfabMessageRecord *record = message->message;

  begin_record (self, "message");
  add_string (self->out, "messageId", record->id);
  add_string (self->out, "parentId", record->parent_id);
  add_string (self->out, "role", confab_role_to_string (record->role));
  add_json (self->out, "parts", record->parts);
  add_end (self->out, record->state, record->has_finish_reason ? &record->finish_reason : NULL,
           record->error_code, record->error_message);
  add_string (self->out, "generationId", record->generation_id);
  add_generation (self->out, message->generation);
  add_string (self->out, "provider", record->provider);
  add_string (self->out, "model", record->model);
  add_usage (self->out, record->has_usage ? &record->usage : NULL);
  add_int (self->out, "createdAt", record->created_at);
  g_string_append_c (self->out, '}');
}

void
confab_export_write_end (ConfabExportWriter *self)
{
  g_string_append (self->out, self->has_records ? "\n]}\n" : "]}\n");
}
