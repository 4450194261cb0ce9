/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "confab-exposition.h"

/**
 * confab_exposition_begin:
 * @out: what is told
 * @name: the name of a metric, without characters that would have to be escaped
 * @type: "counter", "gauge" or "histogram"
 * @help: one sentence, of one line
 */
void
confab_exposition_begin (GString *out, const char *name, const char *type, const char *help)
{
  g_string_append_printf (out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void
append_label_value (GString *out, const char *value)
{
  for (const char *c = value; *c != '\0'; c++)
    switch (*c)
      {
      case '\n':
        g_string_append (out, "\\n");
        break;
      case '"':
      case '\\':
        g_string_append_c (out, '\\');
        G_GNUC_FALLTHROUGH;
      default:
        g_string_append_c (out, *c);
      }
}

/* Whatever the locale, and without digits that say nothing. */
static void
append_number (GString *out, double value)
{
  char buffer[G_ASCII_DTOSTR_BUF_SIZE];

  g_string_append (out, g_ascii_formatd (buffer, sizeof buffer, "%.15g", value));
}

/**
 * confab_exposition_add:
 * @out: what is told
 * @name: the name of the metric that was begun
 * @label_names: (nullable): names of labels
 * @label_values: (nullable): as many values, any UTF-8
 * @value: how much it is
 */
void
confab_exposition_add (GString *out,
                       const char *name,
                       const char *const *label_names,
                       const char *const *label_values,
                       double value)
{
  g_string_append (out, name);
  for (guint i = 0; label_names != NULL && label_names[i] != NULL && label_values[i] != NULL; i++)
    {
      g_string_append_printf (out, "%c%s=\"", i == 0 ? '{' : ',', label_names[i]);
      append_label_value (out, label_values[i]);
      g_string_append_c (out, '"');
      if (label_names[i + 1] == NULL || label_values[i + 1] == NULL)
        g_string_append_c (out, '}');
    }
  g_string_append_c (out, ' ');
  append_number (out, value);
  g_string_append_c (out, '\n');
}

/**
 * confab_exposition_add_histogram:
 * @out: what is told
 * @name: the name of the metric that was begun, in seconds
 * @histogram: what to tell
 */
void
confab_exposition_add_histogram (GString *out, const char *name, const ConfabHistogram *histogram)
{
  guint64 count = 0;

  for (guint i = 0; i <= CONFAB_HISTOGRAM_N_BOUNDS; i++)
    {
      count += histogram->counts[i];
      g_string_append_printf (out, "%s_bucket{le=\"", name);
      if (i < CONFAB_HISTOGRAM_N_BOUNDS)
        append_number (out, confab_histogram_get_bound (i));
      else
        g_string_append (out, "+Inf");
      g_string_append_printf (out, "\"} %" G_GUINT64_FORMAT "\n", count);
    }
  g_string_append_printf (out, "%s_sum ", name);
  append_number (out, (double) histogram->sum_us / G_USEC_PER_SEC);
  g_string_append_printf (out, "\n%s_count %" G_GUINT64_FORMAT "\n", name, count);
}
