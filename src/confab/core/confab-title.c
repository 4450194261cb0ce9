/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "confab-title.h"

#include "confab-markdown.h"

#define MAX_CHARACTERS 60
/* So much of a message is looked at: more than a title with its marks and addresses would take. */
#define MAX_LINE_BYTES 1000
#define MAX_LINES 50

/* The next character to show, or 0 at the end of the line; @gap: whether space stands before it. */
static gunichar
next_visible (const char **text, gboolean *gap)
{
  *gap = FALSE;
  while (**text != '\0')
    {
      gunichar character = g_utf8_get_char (*text);

      if (character == '\n')
        return 0;
      *text = g_utf8_next_char (*text);
      if (!g_unichar_isspace (character) && !g_unichar_iscntrl (character))
        return character;
      *gap = TRUE;
    }

  return 0;
}

/* Reads a line of @message, with one space for any other; %NULL if there is none any more. */
static char *
next_line (const char **message)
{
  g_autoptr (GString) line = g_string_new (NULL);
  gunichar character;
  gboolean gap;

  while (g_unichar_isspace (g_utf8_get_char (*message)))
    *message = g_utf8_next_char (*message);
  if (**message == '\0')
    return NULL;

  while ((character = next_visible (message, &gap)) != 0)
    {
      if (line->len >= MAX_LINE_BYTES)
        continue;
      if (gap && line->len > 0)
        g_string_append_c (line, ' ');
      g_string_append_unichar (line, character);
    }
  if (**message == '\n')
    (*message)++;

  return g_string_free (g_steal_pointer (&line), FALSE);
}

/* The first line that says something, without marks; without such the first that is not empty. */
static char *
first_text (const char *message)
{
  g_autofree char *fallback = NULL;
  gboolean is_code = FALSE;
  char *line;

  for (guint i = 0; i < MAX_LINES && (line = next_line (&message)) != NULL; i++)
    {
      g_autofree char *raw = line;
      g_autofree char *text = NULL;

      if (*raw == '\0')
        continue;
      if (fallback == NULL)
        fallback = g_strdup (raw);
      if (confab_markdown_is_fence (raw))
        {
          is_code = !is_code;
          continue;
        }
      if (is_code)
        return g_steal_pointer (&raw);
      text = confab_markdown_is_rule (raw) ? NULL : confab_markdown_line_to_text (raw);
      if (text != NULL && *g_strstrip (text) != '\0')
        return g_steal_pointer (&text);
    }

  return fallback != NULL ? g_steal_pointer (&fallback) : g_strdup ("");
}

/**
 * confab_title_from_message:
 * @message: the first message of a module, UTF-8
 *
 * Returns: (transfer full): its first line that says something, without marks of Markdown, in at
 *   most 60 characters, cut between words where that can be; an ellipsis follows if more of the
 *   line does
 */
char *
confab_title_from_message (const char *message)
{
  g_autoptr (GString) title = g_string_new (NULL);
  g_autofree char *line = first_text (message);
  const char *rest = line;
  gsize last_gap = 0;
  guint n = 0;
  gunichar character;
  gboolean gap;

  while ((character = next_visible (&rest, &gap)) != 0)
    {
      gap = gap && n > 0;
      if (gap)
        last_gap = title->len;
      if (n + (gap ? 2 : 1) > MAX_CHARACTERS)
        {
          /* a word that takes half of the title is cut, not dropped */
          if (last_gap > title->len / 2)
            g_string_truncate (title, last_gap);
          g_string_append (title, "…");
          break;
        }

      if (gap)
        g_string_append_c (title, ' ');
      g_string_append_unichar (title, character);
      n += gap ? 2 : 1;
    }

  return g_string_free (g_steal_pointer (&title), FALSE);
}
