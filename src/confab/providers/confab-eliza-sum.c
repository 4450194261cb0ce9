/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <math.h>
#include <string.h>

#include "confab-eliza.h"

/* Brackets and signs recurse. */
#define MAX_DEPTH 32

typedef struct
{
  const char *pos;
  guint depth;
  guint n_operators;
  gboolean failed;
} Sum;

static double parse_sum (Sum *sum);

static void
skip_space (Sum *sum)
{
  while (g_ascii_isspace (*sum->pos))
    sum->pos++;
}

/* Takes any one of the given signs, some of which have several bytes. Returns: its index, or -1 */
static int
take_sign (Sum *sum, const char *const *signs)
{
  skip_space (sum);
  for (int i = 0; signs[i] != NULL; i++)
    {
      if (g_str_has_prefix (sum->pos, signs[i]))
        {
          sum->pos += strlen (signs[i]);
          return i;
        }
    }

  return -1;
}

/* Decimal digits with at most one point; g_ascii_strtod() alone would take "inf" and "0x1p3". */
static double
parse_number (Sum *sum)
{
  gsize length = strspn (sum->pos, "0123456789.");
  g_autofree char *digits = NULL;
  char *rest = NULL;
  double value;

  if (length == 0 || length > 30)
    {
      sum->failed = TRUE;
      return 0;
    }

  digits = g_strndup (sum->pos, length);
  value = g_ascii_strtod (digits, &rest);
  if (rest == digits || *rest != '\0')
    sum->failed = TRUE;
  sum->pos += length;

  return value;
}

static double
parse_factor (Sum *sum)
{
  static const char *const minus[] = { "-", "−", NULL };
  static const char *const open[] = { "(", NULL };
  static const char *const close[] = { ")", NULL };
  double value;

  if (sum->failed || ++sum->depth > MAX_DEPTH)
    {
      sum->failed = TRUE;
      return 0;
    }

  if (take_sign (sum, minus) >= 0)
    {
      value = -parse_factor (sum);
    }
  else if (take_sign (sum, open) >= 0)
    {
      value = parse_sum (sum);
      if (take_sign (sum, close) < 0)
        sum->failed = TRUE;
    }
  else
    {
      value = parse_number (sum);
    }
  sum->depth--;

  return value;
}

static double
parse_product (Sum *sum)
{
  static const char *const signs[] = { "/", "÷",     "divided by",    "*", "×",
                                       "x", "times", "multiplied by", NULL };
  double value = parse_factor (sum);
  int sign;

  while (!sum->failed && (sign = take_sign (sum, signs)) >= 0)
    {
      double other = parse_factor (sum);

      sum->n_operators++;
      value = sign <= 2 ? value / other : value * other;
    }

  return value;
}

static double
parse_sum (Sum *sum)
{
  static const char *const signs[] = { "-", "−", "minus", "+", "plus", NULL };
  double value = parse_product (sum);
  int sign;

  while (!sum->failed && (sign = take_sign (sum, signs)) >= 0)
    {
      double other = parse_product (sum);

      sum->n_operators++;
      value = sign <= 2 ? value - other : value + other;
    }

  return value;
}

/**
 * confab_eliza_calculate:
 * @text: lower case
 * @value: (out): the result; not finite if something was divided by zero
 *
 * Works out sums, with the usual precedence. A lone number is none.
 *
 * Returns: whether the whole of @text was a sum
 */
gboolean
confab_eliza_calculate (const char *text, double *value)
{
  Sum sum = { .pos = text };

  g_return_val_if_fail (text != NULL && value != NULL, FALSE);

  *value = parse_sum (&sum);
  skip_space (&sum);

  return !sum.failed && *sum.pos == '\0' && sum.n_operators > 0;
}
