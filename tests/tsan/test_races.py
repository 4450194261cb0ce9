# SPDX-License-Identifier: GPL-3.0-or-later
"""Sources of ours with a lock or an order left out: ThreadSanitizer tells of each."""

import os
import re
import subprocess
import unittest

# its exit status, unless it was told otherwise
FOUND = 66


class TestRaces(unittest.TestCase):
    def assert_found(self, name, what):
        """The test of that part ends with a report, in which all of `what` stands."""
        program = os.path.join(os.environ['RACED'], f'raced-{name}')
        env = {**os.environ, 'G_SLICE': 'always-malloc', 'TSAN_OPTIONS': ''}
        done = subprocess.run([program], env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              text=True, errors='replace', timeout=250, check=False)
        self.assertEqual(done.returncode, FOUND, done.stderr)
        reports = done.stderr.split('WARNING: ThreadSanitizer: ')[1:]
        self.assertTrue(any(re.search(what, report, re.DOTALL) for report in reports), done.stderr)

    def test_counted_without_the_lock(self):
        self.assert_found('counted-without-lock', r'^data race.*confab_store_commit_finish')

    def test_told_of_without_the_lock(self):
        self.assert_found('done-without-lock',
                          r'^data race.*confab_store_thread_call.*in (?:answer|run_call|'
                          r'confab_store_thread_call)')

    def test_looked_at_after_it_was_handed_over(self):
        self.assert_found('looked-at-after-answer',
                          r'^(?:data race|heap-use-after-free).*run_commits')
