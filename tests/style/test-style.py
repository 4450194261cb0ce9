#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""test-style.py SOURCE_ROOT: the tree keeps to its own style.

TAP, one point for each rule; what breaks it goes to standard error, which Meson shows.
"""

import json
import os
import re
import subprocess
import sys

SKIPPED_FOLDERS = {'.git', '.cache', 'build', 'dist', 'node_modules', 'prebuilt',
                   '__pycache__'}
MAX_COLUMNS = 100
MAX_LINES = 1500
MAX_FUNCTION_LINES = 60

C_ENDINGS = ('.c', '.h')
CODE_ENDINGS = C_ENDINGS + ('.css', '.html', '.js', '.mjs', '.py', '.svg',
                             '.ts', '.tsx')
TEXT_ENDINGS = CODE_ENDINGS + ('.md', '.xml', '.json', '.in')
MESON_NAMES = {'meson.build', 'meson_options.txt'}

# what xgettext finds with the glib preset
TRANSLATED = re.compile(r'(?<!\w)(?:_|N_|C_|NC_|Q_|ngettext|g_dn?gettext|g_dpgettext2?) ?\(\s*"')


# of those, what is for people is said by .its files
TRANSLATED_DATA = ('.desktop.in', '.gschema.xml', '.metainfo.xml.in', '.policy.in')

# who may talk is decided there
WHERE_SECRETS_ARE = ('src/confab/config/', 'src/confab/daemon/', 'src/confab/desktop/',
                     'src/confab/faces/')
DIGEST = 'src/confab/faces/confab-digest.c'
SECRET = r'token|cookie|ticket|secret|digest|authorization|bearer'
COMPARING = (r'\b(\w*(?:cmp|equal|prefix|suffix|compare)\w*|strstr|g_strrstr|g_strv_contains|'
             r'g_hash_table_(?:lookup|contains)\w*) ?\(')
COMMENT = re.compile(r'/\*.*?\*/', re.DOTALL)
STRING = re.compile(r'"(?:[^"\\\n]|\\.)*"')
GATHERING = (r'for \(guint i = 0; i < CONFAB_DIGEST_BYTES; i\+\+\)\s+'
             r'(\w+) \|= a->bytes\[i\] \^ b->bytes\[i\];\s+return \1 == 0;\s*$')
EARLY = r'\b(?!for\b)\w+(?= ?\()|\b(?:break|goto|do)\b|\?|&&|\|\|'


class Tree:
    """All files of the project, relative to its root, with their text read once."""

    def __init__(self, root):
        self.root = root
        self.files = {}
        self.data = []
        for folder, folders, names in os.walk(root):
            folders[:] = sorted(name for name in folders
                                if name not in SKIPPED_FOLDERS and not name.startswith('_build'))
            for name in sorted(names):
                path = os.path.relpath(os.path.join(folder, name), root)
                if path.startswith('data/'):
                    self.data.append(path)
                self._add(path, name)

    def _add(self, path, name):
        full = os.path.join(self.root, path)
        if os.path.islink(full):
            return
        with open(full, 'rb') as file:
            content = file.read()
        if (name.endswith(TEXT_ENDINGS) or name in MESON_NAMES or name in ('NEWS', 'LINGUAS')
                or name.startswith('.') or content.startswith(b'#!')):
            self.files[path] = content.decode('utf-8')

    def of(self, *endings):
        return [path for path in self.files if path.endswith(endings)]


def is_code(path, text):
    return (path.endswith(CODE_ENDINGS) or os.path.basename(path) in MESON_NAMES
            or path.endswith('.gresource.xml') or text.startswith('#!'))


def check_clang_format(tree):
    """clang-format would change nothing"""
    paths = [path for path in tree.of(*C_ENDINGS) if path.startswith(('src/', 'tests/'))]
    run = subprocess.run(['clang-format-14', '--dry-run', '-Werror', *paths], cwd=tree.root,
                         capture_output=True, text=True, check=False)
    places = [line for line in run.stderr.splitlines() if ': error: ' in line]
    if run.returncode != 0 and not places:
        places = [run.stderr]
    return places


def check_white_space(tree):
    """no tabs, no space at the end of a line, one newline at the end of a file"""
    for path, text in tree.files.items():
        if not text:
            continue
        if not text.endswith('\n') or text.endswith('\n\n'):
            yield f'{path}: does not end with exactly one newline'
        for number, line in enumerate(text.split('\n'), 1):
            if '\t' in line:
                yield f'{path}:{number}: tab'
            if line != line.rstrip():
                yield f'{path}:{number}: white space at the end'


def check_columns(tree):
    """no line is longer than 100 columns"""
    for path, text in tree.files.items():
        if not is_code(path, text) and not path.endswith('.md'):
            continue
        for number, line in enumerate(text.split('\n'), 1):
            # rows of a table in Markdown cannot be broken
            if len(line) > MAX_COLUMNS and not (path.endswith('.md') and line.startswith('|')):
                yield f'{path}:{number}: {len(line)} columns'


def check_length(tree):
    """no file has more than 1,500 lines"""
    for path, text in tree.files.items():
        lines = text.count('\n')
        if is_code(path, text) and lines > MAX_LINES:
            yield f'{path}: {lines} lines'


def check_functions(tree):
    """no function in C has more than 60 lines"""
    for path in tree.of('.c'):
        head = 0
        name = None
        for number, line in enumerate(tree.files[path].split('\n'), 1):
            begins = re.match(r'(\w+) \(', line)
            if begins:
                head, name = number, begins[1]
            elif line == '}' and name:
                if number - head >= MAX_FUNCTION_LINES:
                    yield f'{path}:{head}: {name}() has {number - head + 1} lines'
                name = None


def check_licence(tree):
    """every source file names its licence, and the right one of the two"""
    for path, text in tree.files.items():
        if not is_code(path, text):
            continue
        licence = ('LGPL-2.1-or-later' if path.startswith('src/socketio/')
                   else 'GPL-3.0-or-later')
        head = '\n'.join(text.split('\n')[:4])
        if not re.search(rf'SPDX-License-Identifier: {re.escape(licence)}(?![\w.-])', head):
            yield f'{path}: no SPDX-License-Identifier: {licence} in its first lines'


def check_lock_files(tree):
    """lock files name no registry"""
    for path in tree.of('package-lock.json'):
        if '"resolved"' in tree.files[path]:
            yield f'{path}: holds addresses of a registry'


def check_potfiles(tree):
    """POTFILES.in lists the sources with text for people, all of them and no other, in order"""
    listed = [line for line in tree.files['po/POTFILES.in'].splitlines()
              if line and not line.startswith('#')]
    wanted = [path for path in tree.of(*C_ENDINGS, '.ts', '.tsx')
              if path.startswith('src/') and TRANSLATED.search(tree.files[path])]
    wanted += [path for path in tree.data if path.endswith(TRANSLATED_DATA)]
    for path in sorted(set(wanted) - set(listed)):
        yield f'po/POTFILES.in: {path} is missing'
    for path in sorted(set(listed) - set(wanted)):
        yield f'po/POTFILES.in: {path} has nothing to translate or does not exist'
    if listed != sorted(listed):
        yield 'po/POTFILES.in: not in alphabetical order'


def body_of(text, name):
    """What stands between the braces of a function."""
    found = re.search(rf'^{name} \([^{{}}]*\)\n{{\n(.*?)^}}$', text, re.MULTILINE | re.DOTALL)
    return found[1] if found else ''


def comparisons(text):
    """Calls that compare or look up: their places, names and arguments, strings as "" there."""
    text = re.sub(COMMENT, lambda comment: '\n' * comment[0].count('\n'), text)
    text = re.sub(STRING, '""', text)
    for call in re.finditer(COMPARING, text):
        depth, end = 1, call.end()
        while depth:
            depth += {'(': 1, ')': -1}.get(text[end], 0)
            end += 1
        yield text.count('\n', 0, call.start()) + 1, call[1], text[call.end():end - 1]


def check_secrets(tree):
    """the token, the cookie and tickets are compared by digest, in constant time"""
    for path in tree.of(*C_ENDINGS):
        if not path.startswith(WHERE_SECRETS_ARE):
            continue
        for line, name, arguments in comparisons(tree.files[path]):
            # what stands in the source is no secret, nor is the name of the cookie
            named = re.search(SECRET, arguments.replace('cookie_name', ''), re.IGNORECASE)
            if name != 'confab_digest_equal' and named and '""' not in arguments:
                yield f'{path}:{line}: {name}() compares a secret'
        if path != DIGEST and 'ConfabDigest' in tree.files[path]:
            if re.search(r'(?:->|\.)bytes\b', tree.files[path]):
                yield f'{path}: looks into a digest'

    # all bytes are gathered, whatever they are, and no call or branch stands in the way
    equal = body_of(tree.files[DIGEST], 'confab_digest_equal')
    if not re.search(GATHERING, equal):
        yield f'{DIGEST}: confab_digest_equal() does not gather how all bytes differ'
    for early in re.findall(EARLY, equal):
        yield f'{DIGEST}: confab_digest_equal() may tell where they differ, by "{early}"'
    matches = body_of(tree.files[DIGEST], 'confab_digest_matches')
    if not matches.endswith('  return confab_digest_equal (self, &other);\n'):
        yield f'{DIGEST}: confab_digest_matches() compares by itself'


NEEDED = re.compile(r"(?<!\w)(?:dependency|find_library)\s*\(\s*'([^']+)'")


def needed_packages(tree):
    """What the builds ask for, and the file that does."""
    for path in tree.files:
        if os.path.basename(path) == 'meson.build':
            for name in NEEDED.findall(tree.files[path]):
                yield name, path
        elif os.path.basename(path) == 'package.json' and path.startswith('src/'):
            package = json.loads(tree.files[path])
            for kind in ('dependencies', 'devDependencies', 'optionalDependencies',
                         'peerDependencies'):
                yield from ((name, path) for name in package.get(kind, {}))


def check_dependencies(tree):
    """docs/threat-model.md says what each dependency is for, and of no other"""
    page = 'docs/threat-model.md'
    section = tree.files[page].partition('\n## Dependencies')[2].partition('\n## ')[0]
    reasons = {}
    for line in section.splitlines():
        cells = [cell.strip() for cell in line.strip('|').split('|')]
        if line.startswith('|') and len(cells) > 1:
            reasons.update(dict.fromkeys(re.findall('`([^`]+)`', cells[0]), all(cells)))
    needed = dict(needed_packages(tree))
    for name, path in needed.items():
        if not reasons.get(name):
            yield f'{page}: no row with a reason for {name}, which {path} needs'
    for name in sorted(set(reasons) - set(needed)):
        yield f'{page}: {name} is needed by nothing'


CHECKS = (check_clang_format, check_white_space, check_columns, check_length, check_functions,
          check_licence, check_lock_files, check_potfiles, check_secrets,
          check_dependencies)


def main(root):
    tree = Tree(root)
    failed = False
    print(f'1..{len(CHECKS)}')
    for number, check in enumerate(CHECKS, 1):
        faults = list(check(tree))
        for fault in faults:
            print(fault, file=sys.stderr)
        print(f'{"not ok" if faults else "ok"} {number} - {check.__doc__}')
        failed = failed or bool(faults)
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1]))
