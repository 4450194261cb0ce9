/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "confab-import-parameters.h"

#include <glib/gi18n-lib.h>
#include <string.h>

#include "confab-error.h"

#define MAX_TEXT_BYTES 256
/* Of a name that we do not know, in characters. */
#define MAX_SHOWN 64

/* What shapes an answer and does nothing else, whatever API it belongs to. */
static const char *const plain_names[] = {
  /* how likely what comes next is */
  "temperature",
  "top_p",
  "top_k",
  "top_a",
  "min_p",
  "typical_p",
  "tfs_z",
  "top_n_sigma",
  "dynatemp_range",
  "dynatemp_exponent",
  "xtc_probability",
  "xtc_threshold",
  "mirostat",
  "mirostat_eta",
  "mirostat_tau",
  "samplers",
  "seed",
  "random_seed",
  "logit_bias",
  "logprobs",
  "top_logprobs",
  /* repetition */
  "presence_penalty",
  "frequency_penalty",
  "repeat_penalty",
  "repetition_penalty",
  "repeat_last_n",
  "penalize_newline",
  "dry_multiplier",
  "dry_base",
  "dry_allowed_length",
  "dry_penalty_last_n",
  "dry_sequence_breakers",
  /* length, and where it ends */
  "max_tokens",
  "max_completion_tokens",
  "max_output_tokens",
  "min_tokens",
  "num_predict",
  "n_predict",
  "num_ctx",
  "num_keep",
  "truncation",
  "length_penalty",
  "ignore_eos",
  "stop",
  "stop_sequences",
  "keep_alive",
  /* thinking, and the form of the answer */
  "reasoning",
  "reasoning_effort",
  "reasoning_format",
  "include_reasoning",
  "effort",
  "output_config",
  "think",
  "thinking",
  "thinking_budget",
  "enable_thinking",
  "chat_template_kwargs",
  "verbosity",
  "text",
  "format",
  "response_format",
};

static gboolean
is_plain_name (const char *name)
{
  for (guint i = 0; i < G_N_ELEMENTS (plain_names); i++)
    if (strcmp (plain_names[i], name) == 0)
      return TRUE;

  return FALSE;
}

static gboolean
is_scalar (JsonNode *node)
{
  if (JSON_NODE_HOLDS_NULL (node))
    return TRUE;
  if (!JSON_NODE_HOLDS_VALUE (node))
    return FALSE;

  return json_node_get_value_type (node) != G_TYPE_STRING
         || strlen (json_node_get_string (node)) <= MAX_TEXT_BYTES;
}

/* What is nested deeper, as a schema is, could hold anything, and addresses with it. */
static gboolean
is_plain_value (JsonNode *node)
{
  g_autoptr (GList) values = NULL;

  if (JSON_NODE_HOLDS_OBJECT (node))
    values = json_object_get_values (json_node_get_object (node));
  else if (JSON_NODE_HOLDS_ARRAY (node))
    values = json_array_get_elements (json_node_get_array (node));
  else
    return is_scalar (node);

  for (GList *l = values; l != NULL; l = l->next)
    if (!is_scalar (l->data))
      return FALSE;

  return TRUE;
}

gboolean
confab_import_check_parameters (JsonObject *parameters, GError **error)
{
  JsonObjectIter iter;
  const char *name;
  JsonNode *value;

  json_object_iter_init_ordered (&iter, parameters);
  while (json_object_iter_next_ordered (&iter, &name, &value))
    {
      g_autofree char *begin = NULL;

      if (is_plain_name (name) && is_plain_value (value))
        continue;

      begin = g_utf8_substring (name, 0, MIN (g_utf8_strlen (name, -1), MAX_SHOWN));

      return confab_error_refuse (
          error, CONFAB_ERROR_INVALID_REQUEST,
          _ ("the parameter “%s” is none of those that only shape answers: it could take what is "
             "said elsewhere. If you trust this file, import it with all its parameters."),
          begin);
    }

  return TRUE;
}
