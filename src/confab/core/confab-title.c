/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "confab-title.h"

#define MAX_CHARACTERS 60

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

/**
 * confab_title_from_message:
 * @message: the first message of a module, UTF-8
 *
 * Returns: (transfer full): its first line that says something, in at most 60 characters, cut
 *   between words where that can be; an ellipsis follows if more of the line does
 */
char *
confab_title_from_message (const char *message)
{
  g_autoptr (GString) title = g_string_new (NULL);
  gsize last_gap = 0;
  guint n = 0;
  gunichar character;
  gboolean gap;

  while (g_unichar_isspace (g_utf8_get_char (message)))
    message = g_utf8_next_char (message);

  while ((character = next_visible (&message, &gap)) != 0)
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
