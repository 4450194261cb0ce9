#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""tap_unittest.py FILE: runs the unittest cases of a file and reports them as TAP."""

import importlib.util
import os
import sys
import traceback
import unittest


class TapResult(unittest.TestResult):
    """One point for each test; why one failed goes to standard error, which Meson shows."""

    def __init__(self):
        super().__init__()
        self.count = 0

    def point(self, verdict, test, directive=''):
        self.count += 1
        name = test.id().replace('#', ' ')
        print(f'{verdict} {self.count} - {name}{directive}', flush=True)

    def failure(self, test, error):
        print(''.join(traceback.format_exception(*error)), file=sys.stderr)
        self.point('not ok', test)

    def addSuccess(self, test):
        super().addSuccess(test)
        self.point('ok', test)

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self.failure(test, err)

    def addError(self, test, err):
        super().addError(test, err)
        self.failure(test, err)

    def addSubTest(self, test, subtest, err):
        super().addSubTest(test, subtest, err)
        if err is not None:
            self.failure(subtest, err)

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        self.point('ok', test, f' # SKIP {reason}')

    def addExpectedFailure(self, test, err):
        super().addExpectedFailure(test, err)
        self.point('ok', test)

    def addUnexpectedSuccess(self, test):
        super().addUnexpectedSuccess(test)
        self.point('not ok', test)


def load(path):
    name = os.path.splitext(os.path.basename(path))[0]
    sys.path.insert(0, os.path.dirname(os.path.abspath(path)))
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return unittest.defaultTestLoader.loadTestsFromModule(module)


def main(path):
    result = TapResult()
    load(path).run(result)
    print(f'1..{result.count}')
    return 0 if result.count > 0 and result.wasSuccessful() else 1


if __name__ == '__main__':
    sys.exit(main(sys.argv[1]))
