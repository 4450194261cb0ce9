# SPDX-License-Identifier: GPL-3.0-or-later
"""What the shared library shows to the world is what its headers say, and no more."""

import json
import os
import re
import subprocess
import sys
import tempfile
import unittest

LIBRARY = os.environ['SOCKETIO_LIBRARY']
GIR = os.environ.get('SOCKETIO_GIR', '')
CFLAGS = os.environ['SOCKETIO_CFLAGS'].split()

MARK = r'SOCKETIO_(?:AVAILABLE_IN_\w+|DEPRECATED_IN_\w+?(?:_FOR\s*\([^)]*\))?)'
DECLARED_TYPE = re.compile(MARK + r'\s+G_DECLARE_\w+_TYPE\s*\(\s*\w+\s*,\s*(\w+)')
DECLARED_FUNCTION = re.compile(
    MARK + r'\s+(?!G_DECLARE_)[^;]*?(\w+)\s*\([^;]*?\)\s*(?:G_GNUC_\w+\s*)?;')


def run(*command):
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def installed_headers():
    installed = json.loads(run('meson', 'introspect', '--installed',
                               os.environ['CONFAB_BUILD_ROOT']))
    return sorted(path for path, target in installed.items()
                  if target.endswith('.h') and '/socketio-glib-1/' in target)


HEADERS = installed_headers()


def without_comments(text):
    text = re.sub(r'/\*.*?\*/', '', text, flags=re.DOTALL)
    return re.sub(r'^\s*#(?:[^\n]*\\\n)*[^\n]*', '', text, flags=re.MULTILINE)


def declared():
    """The functions that the headers mark."""
    names = set()
    for path in HEADERS:
        with open(path, encoding='utf-8') as header:
            text = without_comments(header.read())
        names |= {name + '_get_type' for name in DECLARED_TYPE.findall(text)}
        names |= set(DECLARED_FUNCTION.findall(text))
    return names


def exported():
    """Everything that a program could link to."""
    symbols = (line.split() for line in run('nm', '-D', '--defined-only', LIBRARY).splitlines())
    return {symbol[2] for symbol in symbols
            if not re.match(r'_init$|_fini$|_edata$|_end$|__bss_start$|__asan|__ubsan|__odr',
                            symbol[2])}


def compile_program(text, *flags):
    with tempfile.TemporaryDirectory() as folder:
        source = os.path.join(folder, 'program.c')
        with open(source, 'w', encoding='utf-8') as program:
            program.write(text)
        return subprocess.run(['cc', '-fsyntax-only', '-Wall', '-Wextra', '-Werror',
                               '-Wno-unused-parameter', *flags, *CFLAGS, source],
                              capture_output=True, text=True, check=False)


class Symbols(unittest.TestCase):
    def test_exported_are_declared(self):
        self.assertEqual(exported() - declared(), set())

    def test_declared_are_exported(self):
        self.assertEqual(declared() - exported(), set())

    def test_there_are_some(self):
        self.assertLess({'socketio_server_get_type', 'socketio_args_new', 'socketio_error_quark',
                         'socketio_emit_flags_get_type'}, declared())

    def test_soname(self):
        dynamic = run('readelf', '-d', LIBRARY)
        self.assertRegex(dynamic, r'SONAME.*\[libsocketio-glib-1\.so\.0\]')

    def test_introspected_are_exported(self):
        if not GIR:
            self.skipTest('built without introspection')
        with open(GIR, encoding='utf-8') as gir:
            names = set(re.findall(r'c:identifier="(socketio_\w+)"', gir.read()))
        self.assertEqual(names - exported(), set())
        # memory that a language binding takes care of by itself stays out
        self.assertEqual({name for name in exported() - names
                          if not name.endswith('_get_type')}, set())


class Headers(unittest.TestCase):
    def test_each_stands_alone(self):
        for path in HEADERS:
            with self.subTest(header=os.path.basename(path)):
                result = compile_program(f'#include "{path}"\n', '-std=gnu99')
                self.assertEqual(result.stderr, '')

    def test_all_together(self):
        result = compile_program('#include <socketio.h>\n', '-std=gnu99', '-Wstrict-prototypes',
                                 '-Wundef', '-Wshadow', '-Wredundant-decls')
        self.assertEqual(result.stderr, '')

    def test_allowed_may_not_be_older_than_required(self):
        result = compile_program('#define SOCKETIO_VERSION_MAX_ALLOWED (G_ENCODE_VERSION (0, 0))\n'
                                 '#include <socketio.h>\n')
        self.assertIn('must not be older', result.stderr)

    def test_newer_than_allowed_is_warned_of(self):
        text = ('#define SOCKETIO_VERSION_MIN_REQUIRED (G_ENCODE_VERSION (0, 0))\n'
                '#define SOCKETIO_VERSION_MAX_ALLOWED (G_ENCODE_VERSION (0, 0))\n'
                '#include <socketio.h>\n'
                'SOCKETIO_AVAILABLE_IN_0_1 void newer (void);\n'
                'void use (void);\nvoid use (void) { newer (); }\n')
        self.assertIn('Not available before 0.1', compile_program(text).stderr)

    def test_deprecated_is_warned_of(self):
        text = ('#include <socketio.h>\n'
                'SOCKETIO_DEPRECATED_IN_0_1_FOR (better) void old (void);\n'
                'void use (void);\nvoid use (void) { old (); }\n')
        self.assertIn("Use 'better' instead", compile_program(text).stderr)


if __name__ == '__main__':
    sys.exit(unittest.main())
