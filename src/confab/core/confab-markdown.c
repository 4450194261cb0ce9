/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "confab-markdown.h"

#include <string.h>

/* A run of '*', '_' or '~' that may begin emphasis. */
typedef struct
{
  char mark;
  gsize start;
  gsize length;
} Opener;

typedef struct
{
  const char *line;
  gsize length;
  /* for each byte of the line, whether it is only a mark */
  gboolean *marks;
  GArray *openers;
} Stripping;

static gsize
run_length (const char *text, char character)
{
  gsize n = 0;

  while (text[n] == character)
    n++;

  return n;
}

/**
 * confab_markdown_is_fence:
 * @line: a line, without space before it
 *
 * Returns: whether it begins or ends a block of code
 */
gboolean
confab_markdown_is_fence (const char *line)
{
  gsize n = run_length (line, '`');

  return (n >= 3 && strchr (line + n, '`') == NULL) || run_length (line, '~') >= 3;
}

/**
 * confab_markdown_is_rule:
 * @line: a line
 *
 * Returns: whether it is a line of marks that says nothing: a rule between paragraphs, the
 *   underlining of a heading, or the mark of a heading or a list without a text
 */
gboolean
confab_markdown_is_rule (const char *line)
{
  static const char marks[] = "-*_=#>+";

  if (*line == '\0' || strchr (marks, *line) == NULL)
    return FALSE;

  return line[strspn (line, (char[]){ *line, ' ', '\0' })] == '\0';
}

/* Behind the marks of quotations, lists and headings. */
static const char *
skip_block_marks (const char *line, gboolean *is_heading)
{
  *is_heading = FALSE;
  for (;;)
    {
      gsize n;

      line += run_length (line, ' ');
      n = run_length (line, '#');
      if (*line == '>')
        line++;
      else if (*line != '\0' && strchr ("-*+", *line) != NULL && line[1] == ' ')
        line += 2;
      else if (n >= 1 && n <= 6 && line[n] == ' ')
        {
          *is_heading = TRUE;
          return line + n + 1;
        }
      else
        return line;
    }
}

/* A letter or digit that stands in words made of such; other scripts have no space between words.
 */
static gboolean
is_of_word (gunichar character)
{
  return g_unichar_isalnum (character) && !g_unichar_iswide (character);
}

static gunichar
character_before (Stripping *self, gsize at)
{
  return at == 0 ? ' ' : g_utf8_get_char (g_utf8_prev_char (self->line + at));
}

static gunichar
character_at (Stripping *self, gsize at)
{
  return at >= self->length ? ' ' : g_utf8_get_char (self->line + at);
}

static gboolean
is_one_of (gunichar character, const char *set)
{
  return character < 0x80 && strchr (set, (int) character) != NULL;
}

/* Stricter than Markdown, which takes 2*3*4 and src/?*.c for emphasis as well. */
static gboolean
may_open (Stripping *self, gsize at, gsize length)
{
  gunichar before = character_before (self, at);
  gunichar after = character_at (self, at + length);

  return !g_unichar_isspace (after) && !is_one_of (after, "/.,;)]}") && !is_of_word (before)
         && !is_one_of (before, "/.\\@&=");
}

static gboolean
may_close (Stripping *self, gsize at, gsize length)
{
  gunichar before = character_before (self, at);
  gunichar after = character_at (self, at + length);

  return !g_unichar_isspace (before) && !is_one_of (before, "/\\([{") && !is_of_word (after)
         && !is_one_of (after, "/\\@&=");
}

static void
set_marks (Stripping *self, gsize start, gsize length)
{
  for (gsize i = start; i < start + length; i++)
    self->marks[i] = TRUE;
}

/* __init__ is a name. */
static gboolean
is_name (const char *text, gsize length)
{
  for (gsize i = 0; i < length; i++)
    if (!g_ascii_isalnum (text[i]) && text[i] != '_')
      return FALSE;

  return TRUE;
}

/* The run of marks at @at; returns its length. */
static gsize
take_emphasis (Stripping *self, gsize at)
{
  Opener run = { self->line[at], at, run_length (self->line + at, self->line[at]) };

  if (run.length > 3 || (run.mark == '~' && run.length != 2))
    return run.length;
  if (may_close (self, at, run.length))
    for (guint i = self->openers->len; i > 0; i--)
      {
        const Opener *opener = &g_array_index (self->openers, Opener, i - 1);
        gsize inner = opener->start + opener->length;

        if (opener->mark != run.mark || opener->length != run.length)
          continue;
        if (run.mark != '_' || run.length == 1 || !is_name (self->line + inner, at - inner))
          {
            set_marks (self, opener->start, opener->length);
            set_marks (self, at, run.length);
          }
        g_array_set_size (self->openers, i - 1);
        return run.length;
      }
  if (may_open (self, at, run.length))
    g_array_append_val (self->openers, run);

  return run.length;
}

/* The span of code at @at, if one begins there; returns how much of the line is done with. */
static gsize
take_code (Stripping *self, gsize at)
{
  gsize n = run_length (self->line + at, '`');
  gsize first = at + n;
  gsize end = first;
  gsize size;

  while (end < self->length && (size = run_length (self->line + end, '`')) != n)
    end += MAX (size, 1);
  if (end >= self->length)
    return n;
  set_marks (self, at, n);
  set_marks (self, end, n);
  /* space that keeps a grave accent of the code from the marks */
  if (end - first > 2 && self->line[first] == ' ' && self->line[end - 1] == ' ')
    self->marks[first] = self->marks[end - 1] = TRUE;

  return end + n - at;
}

/* Whether a link leads to what stands between the brackets; an index of an array does not. */
static gboolean
is_destination (const char *text, gsize length)
{
  gsize address = 0;

  while (address < length && text[address] != ' ')
    address++;
  if (address < length && text[address + 1] != '"' && text[address + 1] != '\'')
    return FALSE;
  for (gsize i = 0; i < address; i++)
    if (strchr (":/.#", text[i]) != NULL)
      return TRUE;

  return FALSE;
}

/* The link that begins with the bracket at @at, if one does: its label stays. */
static void
take_link (Stripping *self, gsize at)
{
  const char *line = self->line;
  gsize label_end = at;
  gsize end;
  guint depth = 0;

  for (; label_end < self->length; label_end++)
    if (line[label_end] == '[')
      depth++;
    else if (line[label_end] == ']' && --depth == 0)
      break;
  if (label_end >= self->length || label_end == at + 1 || line[label_end + 1] != '(')
    return;
  depth = 0;
  for (end = label_end + 1; end < self->length; end++)
    if (line[end] == '(')
      depth++;
    else if (line[end] == ')' && --depth == 0)
      break;
  if (end >= self->length || !is_destination (line + label_end + 2, end - label_end - 2))
    return;
  if (at > 0 && line[at - 1] == '!')
    set_marks (self, at - 1, 1);
  set_marks (self, at, 1);
  set_marks (self, label_end, end + 1 - label_end);
}

/* An address between angle brackets, which stays; returns how much of the line is done with. */
static gsize
take_address (Stripping *self, gsize at)
{
  gsize end = at + strcspn (self->line + at, " >");
  const char *scheme = strstr (self->line + at, "://");

  if (self->line[end] != '>' || scheme == NULL || scheme > self->line + end)
    return 1;
  self->marks[at] = self->marks[end] = TRUE;

  return end + 1 - at;
}

static void
find_marks (Stripping *self)
{
  gsize i = 0;

  while (i < self->length)
    {
      char character = self->line[i];

      if (self->marks[i])
        i++;
      else if (character == '\\' && g_ascii_ispunct (self->line[i + 1]))
        i += 2;
      else if (character == '`')
        i += take_code (self, i);
      else if (character == '<')
        i += take_address (self, i);
      else if (character == '*' || character == '_' || character == '~')
        i += take_emphasis (self, i);
      else
        {
          if (character == '[')
            take_link (self, i);
          i++;
        }
    }
}

/**
 * confab_markdown_line_to_text:
 * @line: a line of Markdown, UTF-8, of a thousand bytes or so: it is searched for each mark
 *
 * Leaves out the marks of headings, quotations, lists, emphasis, code and links. What is not
 * surely a mark, such as the stars of a product and the underscores of a name, stays.
 *
 * Returns: (transfer full): what a reader would see of the line
 */
char *
confab_markdown_line_to_text (const char *line)
{
  g_autoptr (GString) text = g_string_new (NULL);
  g_autoptr (GArray) openers = g_array_new (FALSE, FALSE, sizeof (Opener));
  g_autofree gboolean *marks = NULL;
  g_autofree char *content = NULL;
  Stripping self = { 0 };
  gboolean is_heading;

  content = g_strchomp (g_strdup (skip_block_marks (line, &is_heading)));
  self.line = content;
  self.length = strlen (content);
  marks = g_new0 (gboolean, self.length + 1);
  self.marks = marks;
  self.openers = openers;
  if (is_heading)
    {
      gsize end = self.length;

      while (end > 0 && content[end - 1] == '#')
        end--;
      if (end == 0 || content[end - 1] == ' ')
        set_marks (&self, end, self.length - end);
    }
  find_marks (&self);
  for (gsize i = 0; i < self.length; i++)
    if (!self.marks[i])
      g_string_append_c (text, content[i]);

  return g_string_free (g_steal_pointer (&text), FALSE);
}
