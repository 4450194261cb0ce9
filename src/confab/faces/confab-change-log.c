/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "confab-change-log.h"

#include "confab-change-feed.h"
#include "confab-wire-objects.h"

/* Of those that everybody was told of. Whoever may lack more than that is not recovered. */
#define MAX_SETTLED 4096

/* A session or module that changed. */
typedef struct
{
  const char *event;
  const char *id_name;
  char *id;
  GObject *object;
  char *json;    /* a GRefString; NULL until it is needed */
  GList *newest; /* its change, in the log */
  GList *early;  /* nullable: an older one, whose place it has for those who have heard of none */
  guint round;   /* in which it was collected last */
} Subject;

typedef struct
{
  guint64 number;
  Subject *subject;
  guint64 offset;    /* of the last event that told of it; G_MAXUINT64 before */
  gint64 settled_at; /* monotonic, µs; 0 before everybody was told of it */
} Change;

/* What a client had heard that was not told all when its connection was lost. */
typedef struct
{
  guint64 number;
  gint64 expires; /* monotonic, µs */
} Missed;

struct _ConfabChangeLog
{
  GQueue changes;       /* of Change, by number; those that are settled come first */
  GHashTable *subjects; /* a set of Subject, by event and id; each owned, and in the log */
  GHashTable *missed;   /* id of a client → Missed */
  guint round;
  guint n_settled;
  guint64 last;
  guint64 heard; /* the newest that anybody has heard of */

  /* of those settled that had to go too early */
  guint64 dropped;
  guint64 dropped_offset;
  gint64 dropped_until; /* monotonic, µs: when they would have expired */
};

static void
subject_free (gpointer data)
{
  Subject *subject = data;

  g_clear_object (&subject->object);
  g_clear_pointer (&subject->json, g_ref_string_release);
  g_free (subject->id);
  g_free (subject);
}

static guint
subject_hash (gconstpointer key)
{
  const Subject *subject = key;

  return g_direct_hash (subject->event) ^ g_str_hash (subject->id);
}

static gboolean
subject_equal (gconstpointer a, gconstpointer b)
{
  const Subject *one = a;
  const Subject *other = b;

  return one->event == other->event && g_str_equal (one->id, other->id);
}

ConfabChangeLog *
confab_change_log_new (void)
{
  ConfabChangeLog *self = g_new0 (ConfabChangeLog, 1);

  g_queue_init (&self->changes);
  self->subjects = g_hash_table_new_full (subject_hash, subject_equal, subject_free, NULL);
  self->missed = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);

  return self;
}

void
confab_change_log_free (ConfabChangeLog *self)
{
  g_queue_clear_full (&self->changes, g_free);
  g_hash_table_unref (self->subjects);
  g_hash_table_unref (self->missed);
  g_free (self);
}

static void
append (ConfabChangeLog *self, Subject *subject)
{
  Change *change = g_new0 (Change, 1);

  change->number = ++self->last;
  change->subject = subject;
  change->offset = G_MAXUINT64;
  g_queue_push_tail (&self->changes, change);
  subject->newest = self->changes.tail;
}

static void
remove_link (ConfabChangeLog *self, GList *link)
{
  if (((Change *) link->data)->settled_at != 0)
    self->n_settled--;
  g_free (link->data);
  g_queue_delete_link (&self->changes, link);
}

void
confab_change_log_add (ConfabChangeLog *self,
                       const char *event,
                       const char *id_name,
                       const char *id,
                       gpointer object)
{
  const Subject key = { .event = event, .id = (char *) id };
  Subject *subject = NULL;
  const Change *newest;

  if (!g_hash_table_lookup_extended (self->subjects, &key, (gpointer *) &subject, NULL))
    {
      subject = g_new0 (Subject, 1);
      subject->event = event;
      subject->id_name = id_name;
      subject->id = g_strdup (id);
      g_hash_table_add (self->subjects, subject);
      append (self, subject);
    }

  newest = subject->newest->data;
  if (newest->number <= self->heard)
    {
      /* some have heard of it, others perhaps not: these get it where it was */
      if (newest->settled_at == 0 && subject->early == NULL)
        subject->early = subject->newest;
      else
        remove_link (self, subject->newest);
      append (self, subject);
    }
  g_set_object (&subject->object, object);
  g_clear_pointer (&subject->json, g_ref_string_release);
}

guint64
confab_change_log_get_last (ConfabChangeLog *self)
{
  return self->last;
}

/* The first change after @number. */
static GList *
find_after (ConfabChangeLog *self, guint64 number)
{
  GList *found = NULL;

  for (GList *l = self->changes.tail; l != NULL && ((Change *) l->data)->number > number;
       l = l->prev)
    found = l;

  return found;
}

guint
confab_change_log_count (ConfabChangeLog *self, guint64 number, guint max)
{
  guint n = 0;

  for (GList *l = self->changes.tail; l != NULL && n < max && ((Change *) l->data)->number > number;
       l = l->prev)
    n++;

  return n;
}

static JsonObject *
subject_to_object (const Subject *subject)
{
  if (subject->object == NULL)
    return confab_wire_deleted (subject->id_name, subject->id);
  if (CONFAB_IS_SESSION (subject->object))
    return confab_wire_session (CONFAB_SESSION (subject->object));

  return confab_wire_module (CONFAB_MODULE (subject->object));
}

static char *
ref_json (Subject *subject)
{
  g_autofree char *json = NULL;

  if (subject->json == NULL)
    {
      json = confab_wire_to_string (subject_to_object (subject));
      subject->json = g_ref_string_new (json);
    }

  return g_ref_string_acquire (subject->json);
}

static void
telling_clear (gpointer data)
{
  g_ref_string_release (((ConfabTelling *) data)->json);
}

GArray *
confab_change_log_collect (ConfabChangeLog *self, guint64 number)
{
  GArray *tellings = g_array_new (FALSE, FALSE, sizeof (ConfabTelling));

  g_array_set_clear_func (tellings, telling_clear);
  self->round++;
  for (GList *l = find_after (self, number); l != NULL; l = l->next)
    {
      const Change *change = l->data;
      ConfabTelling telling = { change->number, change->subject->event, NULL };

      if (change->subject->round == self->round)
        continue;
      change->subject->round = self->round;
      telling.json = ref_json (change->subject);
      g_array_append_val (tellings, telling);
    }
  self->heard = self->last;

  return tellings;
}

void
confab_change_log_note (ConfabChangeLog *self, guint64 number, guint64 last, guint64 offset)
{
  for (GList *l = find_after (self, number); l != NULL && ((Change *) l->data)->number <= last;
       l = l->next)
    ((Change *) l->data)->offset = offset;
}

static void
drop_oldest (ConfabChangeLog *self)
{
  Subject *subject = ((Change *) self->changes.head->data)->subject;

  remove_link (self, self->changes.head);
  g_hash_table_remove (self->subjects, subject);
}

static gint64
get_expiry (const Change *change)
{
  return change->settled_at + CONFAB_REMEMBER_CHANGES_SECONDS * G_TIME_SPAN_SECOND;
}

static void
settle_one (ConfabChangeLog *self, GList *link, gint64 now)
{
  Change *change = link->data;
  Subject *subject = change->subject;

  if (link == subject->early)
    {
      subject->early = NULL;
      remove_link (self, link);
      return;
    }
  change->settled_at = now;
  self->n_settled++;
  g_clear_pointer (&subject->json, g_ref_string_release);
}

void
confab_change_log_settle (ConfabChangeLog *self, guint64 number, gboolean keep)
{
  gint64 now = g_get_monotonic_time ();
  GList *previous;

  for (GList *l = self->changes.tail; l != NULL; l = previous)
    {
      const Change *change = l->data;

      previous = l->prev;
      if (change->settled_at != 0)
        break;
      if (change->number <= number)
        settle_one (self, l, now);
    }

  while (!keep && self->n_settled > MAX_SETTLED)
    {
      const Change *oldest = self->changes.head->data;

      self->dropped = oldest->number;
      self->dropped_offset = MAX (self->dropped_offset, oldest->offset);
      self->dropped_until = get_expiry (oldest);
      drop_oldest (self);
    }
}

void
confab_change_log_miss (ConfabChangeLog *self, const char *id, guint64 number)
{
  Missed *missed = g_new (Missed, 1);

  missed->number = number;
  missed->expires = g_get_monotonic_time () + CONFAB_REMEMBER_CHANGES_SECONDS * G_TIME_SPAN_SECOND;
  g_hash_table_insert (self->missed, g_strdup (id), missed);
}

/* By what was sent: no change was told later than one that comes after it. */
static guint64
find_sent (ConfabChangeLog *self, guint64 offset)
{
  for (GList *l = self->changes.head; l != NULL; l = l->next)
    {
      const Change *change = l->data;

      if (change->settled_at == 0 || change->offset > offset)
        return change->number - 1;
    }

  return self->last;
}

gboolean
confab_change_log_find (ConfabChangeLog *self, const char *id, guint64 offset, guint64 *number)
{
  const Missed *missed = g_hash_table_lookup (self->missed, id);

  *number = find_sent (self, offset);
  /* what told it nothing may have told others, before an event that it got */
  if (missed != NULL)
    *number = MIN (*number, missed->number);
  g_hash_table_remove (self->missed, id);

  return g_get_monotonic_time () >= self->dropped_until
         || (*number >= self->dropped && offset >= self->dropped_offset);
}

static gboolean
is_expired (gpointer id, gpointer value, gpointer user_data)
{
  return ((const Missed *) value)->expires <= *(const gint64 *) user_data;
}

gboolean
confab_change_log_expire (ConfabChangeLog *self, gboolean keep)
{
  gint64 now = g_get_monotonic_time ();

  while (!keep && self->n_settled > 0 && get_expiry (self->changes.head->data) <= now)
    drop_oldest (self);
  if (now >= self->dropped_until)
    self->dropped_offset = 0;
  g_hash_table_foreach_remove (self->missed, is_expired, &now);

  return self->n_settled > 0 || g_hash_table_size (self->missed) > 0;
}
