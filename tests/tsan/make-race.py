#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""make-race.py NAME SOURCE OUT: writes SOURCE to OUT with the mistake of that name in it.

Fails if SOURCE does not look as it has to for that.
"""

import sys

RACES = {
    # several callers' threads count at once
    'counted-without-lock': (
        '''      g_mutex_lock (&self->mutex);
      confab_histogram_observe (&self->latency, g_get_monotonic_time () - *begun);
      g_mutex_unlock (&self->mutex);
''', '''      confab_histogram_observe (&self->latency, g_get_monotonic_time () - *begun);
'''),
    # who waits for it reads it with the lock held
    'done-without-lock': (
        '''      g_mutex_lock (&self->mutex);
      job->done = TRUE;
      g_cond_broadcast (&self->cond);
''', '''      job->done = TRUE;
      g_mutex_lock (&self->mutex);
      g_cond_broadcast (&self->cond);
'''),
    # whoever was answered frees the job
    'looked-at-after-answer': (
        '''      answer (self, group[i]);
''', '''      answer (self, group[i]);
      if (group[i]->kind != JOB_COMMIT)
        next = NULL;
'''),
}


def main(name, source, out):
    before, after = RACES[name]
    with open(source, encoding='utf-8') as file:
        text = file.read()
    if text.count(before) != 1:
        sys.exit(f'make-race.py: {name} does not fit {source}')
    with open(out, 'w', encoding='utf-8') as file:
        file.write(text.replace(before, after))


main(*sys.argv[1:])
