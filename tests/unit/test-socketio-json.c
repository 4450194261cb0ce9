/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "socketio-json.h"

#include <float.h>
#include <math.h>
#include <string.h>

#define MEGABYTE 1000000

/* From a copy of the exact size, so that ASan sees any byte read behind the end. */
static JsonNode *
parse (const char *text, gsize length, GError **error)
{
  g_autofree char *copy = g_malloc (MAX (length, 1));

  if (length > 0)
    memcpy (copy, text, length);
  return socketio_json_parse (copy, length, error);
}

static char *
print (JsonNode *node)
{
  GString *out = g_string_new (NULL);

  socketio_json_append_node (out, node);
  return g_string_free (out, FALSE);
}

typedef struct
{
  const char *name;
  const char *text;
  gsize length;
  const char *printed;
} GoodCase;

#define TEXT(string) string, sizeof (string) - 1
#define BOX64                                                                                      \
  "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["                               \
  "]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]"

static const GoodCase good_cases[] = {
  { "null", TEXT ("null"), "null" },
  { "true", TEXT ("true"), "true" },
  { "false", TEXT ("false"), "false" },
  { "string", TEXT ("\"s\""), "\"s\"" },
  { "empty-string", TEXT ("\"\""), "\"\"" },
  { "zero", TEXT ("0"), "0" },
  { "negative", TEXT ("-12"), "-12" },
  { "empty-array", TEXT ("[]"), "[]" },
  { "empty-object", TEXT ("{}"), "{}" },
  { "empty-name", TEXT ("{\"\":1}"), "{\"\":1}" },
  { "space", TEXT (" \t\r\n{ \"a\" : [ 1 , 2 ] } \n"), "{\"a\":[1,2]}" },
  { "nested", TEXT ("[{\"a\":[{}]},[[]]]"), "[{\"a\":[{}]},[[]]]" },
  { "members-keep-their-order", TEXT ("{\"b\":1,\"a\":2}"), "{\"b\":1,\"a\":2}" },
  { "last-duplicate-wins", TEXT ("{\"a\":1,\"a\":[2],\"a\":3}"), "{\"a\":3}" },
  { "escaped-duplicate-wins", TEXT ("{\"a\":1,\"\\u0061\":2}"), "{\"a\":2}" },
  { "depth-64", TEXT (BOX64), BOX64 },
  { "escapes", TEXT ("\"\\/\\b\\f\\n\\r\\t\\\"\\\\\""), "\"/\\u0008\\u000c\\n\\r\\t\\\"\\\\\"" },
  { "escaped-bmp", TEXT ("\"\\u00e9\\u20AC\""), "\"\xc3\xa9\xe2\x82\xac\"" },
  { "escaped-pair", TEXT ("\"\\uD83D\\uDE00\""), "\"\xf0\x9f\x98\x80\"" },
  { "raw-utf8", TEXT ("\"\xf0\x9f\x98\x80\x7f\""), "\"\xf0\x9f\x98\x80\x7f\"" },
  { "noncharacter", TEXT ("\"\\uffff\""), "\"\xef\xbf\xbf\"" },
  { "escaped-nul", TEXT ("\"a\\u0000b\""),
    "\"a\xef\xbf\xbd"
    "b\"" },
  { "escaped-nul-in-name", TEXT ("{\"\\u0000\":1}"), "{\"\xef\xbf\xbd\":1}" },
  { "escaped-backslash-is-no-nul", TEXT ("\"\\\\u0000\""), "\"\\\\u0000\"" },
  { "lone-high", TEXT ("[\"\\ud83d\"]"), "[\"\xef\xbf\xbd\"]" },
  { "lone-high-before-text", TEXT ("\"\\ud83dx\""), "\"\xef\xbf\xbdx\"" },
  { "lone-high-before-escape", TEXT ("\"\\ud83d\\n\""), "\"\xef\xbf\xbd\\n\"" },
  { "lone-high-before-bmp", TEXT ("\"\\ud83d\\u0041\""),
    "\"\xef\xbf\xbd"
    "A\"" },
  { "lone-high-before-pair", TEXT ("\"\\ud83d\\ud83d\\ude00\""),
    "\"\xef\xbf\xbd\xf0\x9f\x98\x80\"" },
  { "lone-low", TEXT ("\"\\ude00\""), "\"\xef\xbf\xbd\"" },
  { "pair-reversed", TEXT ("\"\\ude00\\ud83d\""), "\"\xef\xbf\xbd\xef\xbf\xbd\"" },
  { "several-corrections", TEXT ("[\"\\u0000\",9223372036854775808,\"\\udfff\",7]"),
    "[\"\xef\xbf\xbd\",9.223372036854776e+18,\"\xef\xbf\xbd\",7]" },
  { "int64-max", TEXT ("9223372036854775807"), "9223372036854775807" },
  { "int64-min", TEXT ("-9223372036854775808"), "-9223372036854775808" },
  { "beyond-int64", TEXT ("9223372036854775808"), "9.223372036854776e+18" },
  { "beyond-negative-int64", TEXT ("[-9223372036854775809]"), "[-9.223372036854776e+18]" },
  { "beyond-uint64", TEXT ("18446744073709551616"), "1.8446744073709552e+19" },
  { "thirty-digits", TEXT ("[123456789012345678901234567890]"), "[1.2345678901234568e+29]" },
  { "exponent", TEXT ("[1E5,1e+5,1E-2,0e1]"), "[100000.0,100000.0,0.01,0.0]" },
  { "exponent-with-zeros", TEXT ("1e0000000000000000000000002"), "100.0" },
  { "fraction", TEXT ("[0.5,-1.25]"), "[0.5,-1.25]" },
  { "negative-zero", TEXT ("-0.0"), "-0.0" },
  { "largest-double", TEXT ("1.7976931348623157e308"), "1.7976931348623157e+308" },
  { "zero-with-any-exponent", TEXT ("0e999999999999"), "0.0" },
  { "too-small-is-zero", TEXT ("1e-999999999999999999999"), "0.0" },
};

static void
test_good (gconstpointer data)
{
  const GoodCase *c = data;
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonNode) node = parse (c->text, c->length, &error);
  g_autofree char *printed = NULL;

  g_assert_no_error (error);
  g_assert_nonnull (node);
  printed = print (node);
  g_assert_cmpstr (printed, ==, c->printed);
}

typedef struct
{
  const char *name;
  const char *text;
  gsize length;
  JsonParserError code;
} BadCase;

#define PARSE JSON_PARSER_ERROR_PARSE
#define WORD JSON_PARSER_ERROR_INVALID_BAREWORD
#define COMMA JSON_PARSER_ERROR_MISSING_COMMA
#define COLON JSON_PARSER_ERROR_MISSING_COLON
#define DATA JSON_PARSER_ERROR_INVALID_DATA

static const BadCase bad_cases[] = {
  { "empty", TEXT (""), PARSE },
  { "space-alone", TEXT (" \n"), PARSE },
  { "two-values", TEXT ("1 2"), PARSE },
  { "trailing-bytes", TEXT ("[]x"), PARSE },
  { "trailing-nul", TEXT ("[]\0"), DATA },
  { "trailing-comma", TEXT ("[],"), PARSE },
  { "trailing-bracket", TEXT ("[]]"), PARSE },
  { "byte-order-mark", TEXT ("\xef\xbb\xbf[]"), PARSE },
  { "form-feed-is-no-space", TEXT ("\f[]"), PARSE },
  { "no-break-space", TEXT ("[\xc2\xa0]"), PARSE },
  { "comment", TEXT ("[/* a */]"), PARSE },
  { "line-comment", TEXT ("[] // a"), PARSE },
  { "assignment", TEXT ("var x = {}"), PARSE },
  { "array-open", TEXT ("["), PARSE },
  { "array-open-behind-value", TEXT ("[1"), PARSE },
  { "array-open-behind-comma", TEXT ("[1,"), PARSE },
  { "array-trailing-comma", TEXT ("[1,]"), PARSE },
  { "array-leading-comma", TEXT ("[,1]"), PARSE },
  { "array-without-comma", TEXT ("[1 2]"), COMMA },
  { "array-with-colon", TEXT ("[1:2]"), COMMA },
  { "array-closed-as-object", TEXT ("[1}"), COMMA },
  { "array-empty-closed-as-object", TEXT ("[}"), PARSE },
  { "object-open", TEXT ("{"), PARSE },
  { "object-open-behind-name", TEXT ("{\"a\""), COLON },
  { "object-open-behind-colon", TEXT ("{\"a\":"), PARSE },
  { "object-open-behind-value", TEXT ("{\"a\":1"), PARSE },
  { "object-trailing-comma", TEXT ("{\"a\":1,}"), PARSE },
  { "object-without-colon", TEXT ("{\"a\" 1}"), COLON },
  { "object-without-value", TEXT ("{\"a\":}"), PARSE },
  { "object-without-comma", TEXT ("{\"a\":1 \"b\":2}"), COMMA },
  { "object-closed-as-array", TEXT ("{\"a\":1]"), COMMA },
  { "object-name-is-number", TEXT ("{1:2}"), PARSE },
  { "object-name-is-word", TEXT ("{a:2}"), PARSE },
  { "word-cut", TEXT ("tru"), WORD },
  { "word-longer", TEXT ("trues"), PARSE },
  { "word-capital", TEXT ("True"), PARSE },
  { "word-nan", TEXT ("NaN"), PARSE },
  { "word-infinity", TEXT ("-Infinity"), PARSE },
  { "word-nul", TEXT ("nul"), WORD },
  { "number-plus", TEXT ("+1"), PARSE },
  { "number-minus-alone", TEXT ("-"), PARSE },
  { "number-minus-space", TEXT ("- 1"), PARSE },
  { "number-two-minus", TEXT ("--1"), PARSE },
  { "number-leading-zero", TEXT ("01"), PARSE },
  { "number-negative-leading-zero", TEXT ("-01"), PARSE },
  { "number-hexadecimal", TEXT ("0x1"), PARSE },
  { "number-point-first", TEXT (".5"), PARSE },
  { "number-point-last", TEXT ("1."), PARSE },
  { "number-point-before-exponent", TEXT ("1.e1"), PARSE },
  { "number-exponent-cut", TEXT ("1e"), PARSE },
  { "number-exponent-sign-alone", TEXT ("1e+"), PARSE },
  { "number-exponent-two-signs", TEXT ("1e+-1"), PARSE },
  { "number-too-large", TEXT ("[1e999]"), DATA },
  { "number-too-negative", TEXT ("-1e999"), DATA },
  { "number-just-too-large", TEXT ("1.7976931348623159e308"), DATA },
  { "number-exponent-overflows", TEXT ("1e99999999999999999999"), DATA },
  { "string-open", TEXT ("\"abc"), PARSE },
  { "string-open-behind-backslash", TEXT ("\"\\"), PARSE },
  { "string-open-behind-escape", TEXT ("\"\\\""), PARSE },
  { "string-single-quotes", TEXT ("'a'"), PARSE },
  { "string-newline", TEXT ("\"a\nb\""), PARSE },
  { "string-tab", TEXT ("\"\t\""), PARSE },
  { "string-nul", TEXT ("\"a\0b\""), DATA },
  { "escape-unknown", TEXT ("\"\\x41\""), PARSE },
  { "escape-octal", TEXT ("\"\\101\""), PARSE },
  { "escape-quote", TEXT ("\"\\'\""), PARSE },
  { "escape-unicode-cut", TEXT ("\"\\u12"), PARSE },
  { "escape-unicode-short", TEXT ("\"\\u12\""), PARSE },
  { "escape-unicode-no-digit", TEXT ("\"\\u12g4\""), PARSE },
  { "escape-unicode-sign", TEXT ("\"\\u+123\""), PARSE },
  { "escape-unicode-capital", TEXT ("\"\\U0041\""), PARSE },
  { "escape-second-of-pair-short", TEXT ("\"\\ud83d\\ude0\""), PARSE },
  { "utf8-lone-continuation", TEXT ("\"\x80\""), DATA },
  { "utf8-cut", TEXT ("\"\xe2\x82\""), DATA },
  { "utf8-overlong", TEXT ("\"\xc0\xa2\""), DATA },
  { "utf8-surrogate", TEXT ("\"\xed\xa0\x80\""), DATA },
  { "utf8-too-high", TEXT ("\"\xf4\x90\x80\x80\""), DATA },
  { "utf8-broken-outside-of-strings", TEXT ("[]\xff"), DATA },
  { "depth-65", TEXT ("[" BOX64 "]"), DATA },
};

static void
check_bad (const char *text, gsize length, JsonParserError code)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonNode) node = parse (text, length, &error);

  g_assert_null (node);
  g_assert_error (error, JSON_PARSER_ERROR, (int) code);
}

static void
test_bad (gconstpointer data)
{
  const BadCase *c = data;

  check_bad (c->text, c->length, c->code);
}

static void
test_value_types (void)
{
  static const struct
  {
    const char *text;
    GType type;
  } cases[] = {
    { "1", G_TYPE_INT64 },
    { "-9223372036854775808", G_TYPE_INT64 },
    { "9223372036854775808", G_TYPE_DOUBLE },
    { "1.0", G_TYPE_DOUBLE },
    { "1e0", G_TYPE_DOUBLE },
    { "\"1\"", G_TYPE_STRING },
    { "true", G_TYPE_BOOLEAN },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (JsonNode) node = parse (cases[i].text, strlen (cases[i].text), NULL);

      g_assert_true (JSON_NODE_HOLDS_VALUE (node));
      g_assert_cmpstr (g_type_name (json_node_get_value_type (node)), ==,
                       g_type_name (cases[i].type));
    }
}

/* json-glib alone would overflow the stack on these. */
static void
test_depth_bombs (void)
{
  static const char *const units[] = { "[", "{\"\":", "[{\"a\":", "[[],", "{\"a\":{},\"b\":" };

  for (gsize i = 0; i < G_N_ELEMENTS (units); i++)
    {
      g_autoptr (GString) text = g_string_sized_new (MEGABYTE);

      while (text->len < MEGABYTE)
        g_string_append (text, units[i]);
      check_bad (text->str, text->len, DATA);
    }
}

static char *
object_text (guint n_members, gboolean collide)
{
  GString *text = g_string_new ("{");

  for (guint i = 0; i < n_members; i++)
    {
      g_string_append (text, i > 0 ? ",\"" : "\"");
      /* "Ez" and "FY" have one hash, and so has every row of them */
      for (guint bit = 0; collide && bit < 16; bit++)
        g_string_append (text, (i >> bit) & 1 ? "Ez" : "FY");
      if (!collide)
        g_string_append_printf (text, "%u", MIN (i, n_members / 2));
      g_string_append (text, "\":0");
    }
  g_string_append_c (text, '}');
  return g_string_free (text, FALSE);
}

static void
test_members_at_limit (void)
{
  g_autofree char *text = object_text (4096, TRUE);
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonNode) node = parse (text, strlen (text), &error);

  g_assert_no_error (error);
  g_assert_cmpuint (json_object_get_size (json_node_get_object (node)), ==, 4096);
}

static void
test_members_beyond_limit (void)
{
  g_autofree char *text = object_text (5000, FALSE);

  check_bad (text, strlen (text), DATA);
}

/* json-glib alone needs 10 s and more for the first of these. */
static void
test_members_that_collide (void)
{
  g_autofree char *colliding = object_text (25000, TRUE);
  g_autofree char *repeated = object_text (100000, FALSE);
  gint64 start = g_get_monotonic_time ();

  check_bad (colliding, strlen (colliding), DATA);
  check_bad (repeated, strlen (repeated), DATA);
  g_assert_cmpint (g_get_monotonic_time () - start, <, 5 * G_USEC_PER_SEC);
}

/* The limit is for members of one object, not for how many objects there are. */
static void
test_members_of_many_objects (void)
{
  static const guint sizes[] = { 2, 10, 100 };

  for (gsize i = 0; i < G_N_ELEMENTS (sizes); i++)
    {
      g_autofree char *object = object_text (sizes[i], FALSE);
      g_autoptr (GString) text = g_string_new ("[");
      g_autoptr (JsonNode) node = NULL;
      g_autoptr (GError) error = NULL;

      while (text->len < 2 * MEGABYTE)
        {
          g_string_append (text, object);
          g_string_append_c (text, ',');
        }
      text->str[text->len - 1] = ']';
      node = parse (text->str, text->len, &error);
      g_assert_no_error (error);
      g_assert_true (JSON_NODE_HOLDS_ARRAY (node));
    }
}

static void
test_long_numbers (void)
{
  static const char *const heads[] = { "1", "0.", "1e", "0e" };

  for (gsize i = 0; i < G_N_ELEMENTS (heads); i++)
    {
      g_autoptr (GString) text = g_string_new (heads[i]);
      g_autoptr (JsonNode) node = NULL;
      g_autoptr (GError) error = NULL;
      gint64 start = g_get_monotonic_time ();

      while (text->len < MEGABYTE)
        g_string_append_c (text, '3');
      node = parse (text->str, text->len, &error);
      if (i % 2 == 0)
        g_assert_error (error, JSON_PARSER_ERROR, DATA);
      else
        g_assert_no_error (error);
      g_assert_cmpint (g_get_monotonic_time () - start, <, 5 * G_USEC_PER_SEC);
    }
}

/* Anything cut or changed is refused or is good JSON: then what it prints parses to its equal. */
static void
check_mutant (const char *text, gsize length)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonNode) node = parse (text, length, &error);
  g_autoptr (JsonNode) again = NULL;
  g_autofree char *printed = NULL;

  if (node == NULL)
    {
      g_assert_true (error->domain == JSON_PARSER_ERROR);
      return;
    }
  g_assert_no_error (error);
  printed = print (node);
  again = parse (printed, strlen (printed), &error);
  g_assert_no_error (error);
  g_assert_true (json_node_equal (node, again));
}

static void
test_mutants (void)
{
  static const char text[] =
      "[\"ev\\u00e9\\ud83d\\ude00\\u0000\",{\"a\":[1,-2.5e+3,{}],\"b\":null},"
      "true,92233720368547758070,\"\xf0\x9f\x98\x80\\n\"] ";
  static const char bytes[] = "\"\\[]{},:-+.0e9tfnu \x80\xff\x01";
  g_autofree char *copy = g_memdup2 (text, sizeof text - 1);

  for (gsize length = 0; length < sizeof text - 1; length++)
    check_mutant (text, length);
  for (gsize i = 0; i < sizeof text - 1; i++)
    {
      for (gsize j = 0; j < sizeof bytes; j++)
        {
          copy[i] = bytes[j];
          check_mutant (copy, sizeof text - 1);
        }
      copy[i] = text[i];
    }
}

static void
test_append_string (void)
{
  static const struct
  {
    const char *text;
    gssize length;
    const char *literal;
  } cases[] = {
    { "", -1, "\"\"" },
    { "plain text", -1, "\"plain text\"" },
    { "plain text", 5, "\"plain\"" },
    { "a\"b\\c/d", -1, "\"a\\\"b\\\\c/d\"" },
    { "\"", -1, "\"\\\"\"" },
    { "\n\r\t", -1, "\"\\n\\r\\t\"" },
    { "\x01\b\f\x1f\x7f", -1, "\"\\u0001\\u0008\\u000c\\u001f\x7f\"" },
    { "a\0b", 3, "\"a\\u0000b\"" },
    { "\xe2\x82\xac\xf0\x9f\x98\x80", -1, "\"\xe2\x82\xac\xf0\x9f\x98\x80\"" },
    { "\xe2\x80\xa8", -1, "\"\xe2\x80\xa8\"" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GString) out = g_string_new ("x");

      socketio_json_append_string (out, cases[i].text, cases[i].length);
      g_assert_cmpint (out->str[0], ==, 'x');
      g_assert_cmpstr (out->str + 1, ==, cases[i].literal);
    }
}

static void
test_append_double (void)
{
  static const struct
  {
    double value;
    const char *printed;
  } cases[] = {
    { 0.0, "0.0" },
    { -0.0, "-0.0" },
    { 1.0, "1.0" },
    { -3.0, "-3.0" },
    { 0.1, "0.1" },
    { 0.1 + 0.2, "0.30000000000000004" },
    { 1.0 / 3.0, "0.3333333333333333" },
    { 100000.0, "100000.0" },
    { 9007199254740993.0, "9007199254740992.0" },
    { 1e22, "1e+22" },
    { 1e-7, "1e-07" },
    { DBL_MAX, "1.7976931348623157e+308" },
    { 5e-324, "4.94065645841247e-324" },
    { NAN, "null" },
    { INFINITY, "null" },
    { -INFINITY, "null" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (JsonNode) node = json_node_init_double (json_node_alloc (), cases[i].value);
      g_autofree char *printed = print (node);

      g_assert_cmpstr (printed, ==, cases[i].printed);
    }
}

static void
test_append_unset_nodes (void)
{
  static const JsonNodeType types[] = { JSON_NODE_OBJECT, JSON_NODE_ARRAY, JSON_NODE_VALUE,
                                        JSON_NODE_NULL };
  g_autoptr (JsonNode) string = json_node_init_string (json_node_alloc (), NULL);
  g_autofree char *null_string = print (string);

  g_assert_cmpstr (null_string, ==, "null");
  for (gsize i = 0; i < G_N_ELEMENTS (types); i++)
    {
      g_autoptr (JsonNode) node = json_node_new (types[i]);
      g_autofree char *printed = print (node);

      g_assert_cmpstr (printed, ==, "null");
    }
}

static double
random_double (void)
{
  union
  {
    guint64 bits;
    double value;
  } number;

  do
    number.bits = (guint64) (guint32) g_test_rand_int () << 32 | (guint32) g_test_rand_int ();
  while (!isfinite (number.value));
  return number.value;
}

/* Bit by bit: json_node_equal() and == would let a zero's sign pass. */
static void
test_doubles_round_trip (void)
{
  for (guint i = 0; i < 20000; i++)
    {
      double value = random_double ();
      g_autoptr (JsonNode) node = json_node_init_double (json_node_alloc (), value);
      g_autofree char *printed = print (node);
      g_autoptr (JsonNode) again = parse (printed, strlen (printed), NULL);
      double read;

      g_assert_nonnull (again);
      g_assert_true (json_node_get_value_type (again) == G_TYPE_DOUBLE);
      read = json_node_get_double (again);
      g_assert_cmpmem (&read, sizeof read, &value, sizeof value);
    }
}

static char *
random_text (void)
{
  GString *text = g_string_new (NULL);
  guint length = (guint) g_test_rand_int_range (0, 12);

  for (guint i = 0; i < length; i++)
    {
      static const gunichar some[] = { '"', '\\', '/', '\n', 1,      0x1f,   0x7f,
                                       'a', 0xe9, 'u', '0',  0x20ac, 0x2028, 0x1f600 };

      g_string_append_unichar (text, some[g_test_rand_int_range (0, G_N_ELEMENTS (some))]);
    }
  return g_string_free (text, FALSE);
}

static JsonNode *
random_node (guint depth)
{
  JsonNode *node = json_node_alloc ();
  guint n = (guint) g_test_rand_int_range (0, 5);
  g_autofree char *text = random_text ();

  switch (g_test_rand_int_range (depth == 0 ? 2 : 0, 7))
    {
    case 0:
      json_node_init (node, JSON_NODE_OBJECT);
      json_node_take_object (node, json_object_new ());
      for (guint i = 0; i < n; i++)
        {
          g_autofree char *name = random_text ();
          json_object_set_member (json_node_get_object (node), name, random_node (depth - 1));
        }
      return node;
    case 1:
      json_node_init (node, JSON_NODE_ARRAY);
      json_node_take_array (node, json_array_new ());
      for (guint i = 0; i < n; i++)
        json_array_add_element (json_node_get_array (node), random_node (depth - 1));
      return node;
    case 2:
      return json_node_init_string (node, text);
    case 3:
      return json_node_init_int (node, (gint64) g_test_rand_int () * g_test_rand_int ());
    case 4:
      return json_node_init_double (node, random_double ());
    case 5:
      return json_node_init_boolean (node, g_test_rand_bit ());
    default:
      return json_node_init_null (node);
    }
}

static void
test_trees_round_trip (void)
{
  for (guint i = 0; i < 2000; i++)
    {
      g_autoptr (JsonNode) node = random_node (6);
      g_autofree char *printed = print (node);
      g_autoptr (GError) error = NULL;
      g_autoptr (JsonNode) again = parse (printed, strlen (printed), &error);

      g_assert_no_error (error);
      g_assert_true (json_node_equal (node, again));
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  for (gsize i = 0; i < G_N_ELEMENTS (good_cases); i++)
    {
      g_autofree char *path = g_strconcat ("/socketio-json/good/", good_cases[i].name, NULL);
      g_test_add_data_func (path, &good_cases[i], test_good);
    }
  for (gsize i = 0; i < G_N_ELEMENTS (bad_cases); i++)
    {
      g_autofree char *path = g_strconcat ("/socketio-json/bad/", bad_cases[i].name, NULL);
      g_test_add_data_func (path, &bad_cases[i], test_bad);
    }
  g_test_add_func ("/socketio-json/value-types", test_value_types);
  g_test_add_func ("/socketio-json/depth-bombs", test_depth_bombs);
  g_test_add_func ("/socketio-json/members/at-limit", test_members_at_limit);
  g_test_add_func ("/socketio-json/members/beyond-limit", test_members_beyond_limit);
  g_test_add_func ("/socketio-json/members/that-collide", test_members_that_collide);
  g_test_add_func ("/socketio-json/members/of-many-objects", test_members_of_many_objects);
  g_test_add_func ("/socketio-json/long-numbers", test_long_numbers);
  g_test_add_func ("/socketio-json/mutants", test_mutants);
  g_test_add_func ("/socketio-json/append/string", test_append_string);
  g_test_add_func ("/socketio-json/append/double", test_append_double);
  g_test_add_func ("/socketio-json/append/unset-nodes", test_append_unset_nodes);
  g_test_add_func ("/socketio-json/round-trip/doubles", test_doubles_round_trip);
  g_test_add_func ("/socketio-json/round-trip/trees", test_trees_round_trip);
  return g_test_run ();
}
