#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""test-catalogues.py SOURCE_ROOT: every text for people is there in every language.

TAP, one point for each rule and language; what breaks it goes to standard error, which Meson shows.
`ninja -C _build confab-update-po` brings new texts into the catalogues.
"""

import ast
import os
import re
import subprocess
import sys
import tempfile

KEYWORDS = ('_', 'N_', 'C_:1c,2', 'NC_:1c,2', 'g_dcgettext:2', 'g_dngettext:2,3',
            'g_dpgettext2:2c,3', 'ngettext:1,2')
# as the languages have it
PLURALS = {'de': 'nplurals=2; plural=n != 1;', 'fr': 'nplurals=2; plural=n > 1;'}
# what is filled in, by C and by the page, and by the built-in talker
PLACES = re.compile(r'%(?:\d+\$)?[-+ #0]*\d*(?:\.\d+)?(?:hh|h|ll|l|z|j|t)?[diouxXeEfgGcsp]|\{\}')
FIELD = re.compile(r'(msgctxt|msgid_plural|msgid|msgstr(?:\[\d+\])?) (".*")')


def run(*command, **more):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          text=True, **more).stdout


def read(text):
    """The entries of a catalogue: their fields by name, and their flags."""
    entries = []
    for block in text.split('\n\n'):
        entry, field = {'flags': set()}, None
        for line in block.splitlines():
            found = FIELD.match(line)
            if found:
                field = found.group(1)
                entry[field] = ast.literal_eval(found.group(2))
            elif line.startswith('"') and field:
                entry[field] += ast.literal_eval(line)
            elif line.startswith('#,'):
                entry['flags'] |= {flag.strip() for flag in line[2:].split(',')}
        if 'msgid' in entry:
            entries.append(entry)
    return entries


def extract(root, folder):
    """All texts of the sources, as a template."""
    template = os.path.join(folder, 'confab.pot')
    run('xgettext', '--files-from=po/POTFILES.in', '--directory=.', '--from-code=UTF-8',
        f'--output={template}', *(f'--keyword={keyword}' for keyword in KEYWORDS), cwd=root,
        env={**os.environ, 'GETTEXTDATADIRS': os.path.join(root, 'po')})
    return template


def key(entry):
    return entry.get('msgctxt'), entry['msgid']


def quote(entry):
    return repr(entry['msgid'][:70])


class Catalogue:
    def __init__(self, root, language, texts):
        self.path = os.path.join(root, 'po', language + '.po')
        self.language = language
        self.texts = texts
        with open(self.path, encoding='utf-8') as file:
            self.entries = read(file.read())
        self.header = self.entries.pop(0)

    def check_complete(self):
        """no text is missing, or only guessed"""
        known = {key(entry): entry for entry in self.entries}
        for text in self.texts:
            entry = known.get(key(text))
            if entry is None or entry.get('msgid_plural') != text.get('msgid_plural'):
                yield f'{quote(text)} is missing'
            elif 'fuzzy' in entry['flags']:
                yield f'{quote(text)} is fuzzy'
            elif not all(self.translations(entry)):
                yield f'{quote(text)} is not translated'

    def check_msgfmt(self):
        """msgfmt finds nothing wrong"""
        done = subprocess.run(['msgfmt', '--check', '--output-file=/dev/null', self.path],
                              capture_output=True, text=True, check=False)
        return done.stderr.splitlines() if done.returncode or done.stderr else []

    def check_places(self):
        """what is filled in agrees, and so do the line's ends"""
        for entry in self.entries:
            wanted = sorted(PLACES.findall(entry.get('msgid_plural', entry['msgid'])))
            for translation in filter(None, self.translations(entry)):
                if sorted(PLACES.findall(translation)) != wanted:
                    yield f'{quote(entry)}: other places in {translation[:70]!r}'
                for end in ('\n', ' '):
                    if translation.endswith(end) != entry['msgid'].endswith(end):
                        yield f'{quote(entry)}: another end in {translation[-20:]!r}'

    def check_plurals(self):
        """it has the language's plural forms"""
        if f'Plural-Forms: {PLURALS[self.language]}\n' not in self.header['msgstr']:
            yield f'Plural-Forms is not “{PLURALS[self.language]}”'
        for entry in self.entries:
            if 'msgid_plural' in entry and len(self.translations(entry)) != 2:
                yield f'{quote(entry)}: not as many forms'

    @staticmethod
    def translations(entry):
        return [value for field, value in entry.items() if field.startswith('msgstr')]


CHECKS = (Catalogue.check_complete, Catalogue.check_msgfmt, Catalogue.check_places,
          Catalogue.check_plurals)


def main(root):
    with open(os.path.join(root, 'po/LINGUAS'), encoding='utf-8') as file:
        languages = [line.strip() for line in file if line.strip() and not line.startswith('#')]
    with tempfile.TemporaryDirectory(prefix='confab-po-') as folder:
        with open(extract(root, folder), encoding='utf-8') as file:
            texts = read(file.read())[1:]

    # a template of nothing would make everything complete
    print(f'1..{len(languages) * len(CHECKS) + 1}')
    print(f'{"ok" if len(texts) > 300 else "not ok"} 1 - the sources have texts: {len(texts)}')
    failed, number = len(texts) <= 300, 1
    for language in languages:
        catalogue = Catalogue(root, language, texts)
        for check in CHECKS:
            faults = list(check(catalogue))
            number += 1
            for fault in faults:
                print(f'{language}: {fault}', file=sys.stderr)
            print(f'{"not ok" if faults else "ok"} {number} - {language}: {check.__doc__}')
            failed = failed or bool(faults)
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1]))
