/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "confab-change-log.h"

#include <string.h>

#include "confab-session.h"

/* Adds a change of a session with that id and title. */
static void
change (ConfabChangeLog *log, const char *id, const char *title)
{
  g_autoptr (ConfabSession) session = confab_session_new (id);

  confab_session_set_title (session, title);
  confab_change_log_add (log, "session:changed", "sessionId", id, session);
}

static void delete (ConfabChangeLog *log, const char *id)
{
  confab_change_log_add (log, "session:changed", "sessionId", id, NULL);
}

/* What is told to one who has heard of @number: the parts, in this order, and no more. */
static void
assert_told (ConfabChangeLog *log, guint64 number, const char *const *parts)
{
  g_autoptr (GArray) tellings = confab_change_log_collect (log, number);

  g_assert_cmpuint (tellings->len, ==, g_strv_length ((char **) parts));
  for (guint i = 0; i < tellings->len; i++)
    {
      const ConfabTelling *telling = &g_array_index (tellings, ConfabTelling, i);

      g_assert_cmpstr (telling->event, ==, "session:changed");
      g_assert_nonnull (strstr (telling->json, parts[i]));
      g_assert_cmpuint (telling->number, >, i == 0 ? number : telling[-1].number);
    }
}

#define assert_told(log, number, ...)                                                              \
  assert_told (log, number, (const char *const[]){ __VA_ARGS__ __VA_OPT__ (, ) NULL })

/* Everybody hears of all that there is, by an event of that offset. */
static guint64
tell_all (ConfabChangeLog *log, guint64 number, guint64 offset)
{
  guint64 last = confab_change_log_get_last (log);
  g_autoptr (GArray) tellings = confab_change_log_collect (log, number);

  g_assert_cmpuint (tellings->len, >, 0);
  confab_change_log_note (log, number, last, offset);
  confab_change_log_settle (log, last, FALSE);
  return last;
}

static void
test_order (void)
{
  g_autoptr (ConfabChangeLog) log = confab_change_log_new ();

  assert_told (log, 0);
  change (log, "a", "A1");
  change (log, "b", "B1");
  g_assert_cmpuint (confab_change_log_count (log, 0, 10), ==, 2);
  g_assert_cmpuint (confab_change_log_count (log, 0, 1), ==, 1);
  assert_told (log, 0, "A1", "B1");
  assert_told (log, 1, "B1");
  assert_told (log, 2);
}

/* Of what nobody has heard yet, only the newest state is ever told. */
static void
test_merged (void)
{
  g_autoptr (ConfabChangeLog) log = confab_change_log_new ();

  change (log, "a", "A1");
  change (log, "b", "B1");
  change (log, "a", "A2");
  delete (log, "b");
  assert_told (log, 0, "A2", "\"deleted\":true");
}

/* Some have heard of the first state: they hear of the second; others of that alone, in its place.
 */
static void
test_changed_amid_a_round (void)
{
  g_autoptr (ConfabChangeLog) log = confab_change_log_new ();

  change (log, "a", "A1");
  change (log, "b", "B1");
  assert_told (log, 0, "A1", "B1");
  change (log, "a", "A2");
  change (log, "a", "A3");
  assert_told (log, 2, "A3");
  assert_told (log, 0, "A3", "B1");
  change (log, "a", "A4");
  assert_told (log, 2, "A4");
  assert_told (log, 3, "A4");
  assert_told (log, 0, "A4", "B1");

  /* once all have heard of the first, it is of no use */
  confab_change_log_settle (log, 2, FALSE);
  assert_told (log, 0, "B1", "A4");
}

static void
test_kept_for_the_absent (void)
{
  g_autoptr (ConfabChangeLog) log = confab_change_log_new ();
  guint64 told, number;

  change (log, "a", "A1");
  told = tell_all (log, 0, 10);
  change (log, "b", "B1");
  told = tell_all (log, told, 20);

  /* it went before either was told, between them, and after */
  g_assert_true (confab_change_log_find (log, "id", 9, &number));
  assert_told (log, number, "A1", "B1");
  g_assert_true (confab_change_log_find (log, "id", 10, &number));
  assert_told (log, number, "B1");
  g_assert_true (confab_change_log_find (log, "id", 20, &number));
  assert_told (log, number);

  /* what is not told to all by now is told to it too */
  change (log, "a", "A2");
  g_assert_true (confab_change_log_find (log, "id", 30, &number));
  assert_told (log, number, "A2");
  g_assert_true (confab_change_log_find (log, "id", 10, &number));
  assert_told (log, number, "B1", "A2");
}

/* It got a later event, but its turn to be told had not come. */
static void
test_gone_before_its_turn (void)
{
  g_autoptr (ConfabChangeLog) log = confab_change_log_new ();
  guint64 number;

  change (log, "a", "A1");
  confab_change_log_miss (log, "late", 0);
  tell_all (log, 0, 10);

  g_assert_true (confab_change_log_find (log, "other", 15, &number));
  assert_told (log, number);
  g_assert_true (confab_change_log_find (log, "late", 15, &number));
  assert_told (log, number, "A1");
  /* it has been told now */
  g_assert_true (confab_change_log_find (log, "late", 15, &number));
  assert_told (log, number);
}

/* Nobody was there to be told. */
static void
test_told_to_nobody (void)
{
  g_autoptr (ConfabChangeLog) log = confab_change_log_new ();
  guint64 number;

  change (log, "a", "A1");
  confab_change_log_settle (log, 1, FALSE);
  g_assert_true (confab_change_log_find (log, "id", 5, &number));
  assert_told (log, number, "A1");
}

/* What is kept is bounded, unless somebody here still needs it; who needs more is told so. */
static void
test_bounded (void)
{
  g_autoptr (ConfabChangeLog) log = confab_change_log_new ();
  guint64 told = 0, number;

  confab_change_log_miss (log, "late", 0);
  for (guint i = 0; i < 5000; i++)
    {
      g_autofree char *id = g_strdup_printf ("s%u", i);
      g_autoptr (GArray) collected = NULL;

      change (log, id, "");
      collected = confab_change_log_collect (log, told);
      confab_change_log_note (log, told, told + 1, i + 1);
      confab_change_log_settle (log, ++told, TRUE);
    }
  g_assert_cmpuint (confab_change_log_count (log, 0, G_MAXUINT), ==, 5000);
  g_assert_true (confab_change_log_find (log, "early", 100, &number));

  confab_change_log_settle (log, told, FALSE);
  g_assert_cmpuint (confab_change_log_count (log, 0, G_MAXUINT), <, 5000);
  g_assert_false (confab_change_log_find (log, "early", 100, &number));
  g_assert_false (confab_change_log_find (log, "late", 5000, &number));
  g_assert_true (confab_change_log_find (log, "other", 4000, &number));
  g_assert_cmpuint (confab_change_log_count (log, number, G_MAXUINT), ==, 1000);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/change-log/order", test_order);
  g_test_add_func ("/change-log/merged", test_merged);
  g_test_add_func ("/change-log/changed-amid-a-round", test_changed_amid_a_round);
  g_test_add_func ("/change-log/kept-for-the-absent", test_kept_for_the_absent);
  g_test_add_func ("/change-log/gone-before-its-turn", test_gone_before_its_turn);
  g_test_add_func ("/change-log/told-to-nobody", test_told_to_nobody);
  g_test_add_func ("/change-log/bounded", test_bounded);

  return g_test_run ();
}
