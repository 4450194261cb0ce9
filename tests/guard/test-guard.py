#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""test-guard.py GUARD [--update]: what the work of a token costs, in instructions.

Time is no measure on a busy machine; instructions under callgrind hardly differ from run to run.
The counts that counts.json keeps are those of Debian 12 on x86-64, built with -O2. What costs 5 %
more fails; what costs less than that is reported, and --update keeps it.
"""

import json
import os
import re
import subprocess
import sys
import tempfile

SLACK = 0.05
FEW, MANY = 500, 2500
COUNTS = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'counts.json')


def count_instructions(guard, workload, count):
    with tempfile.TemporaryDirectory() as folder:
        run = subprocess.run(
            ['valgrind', '--tool=callgrind', f'--callgrind-out-file={folder}/out', guard, workload,
             str(count)],
            capture_output=True, text=True, check=True, env={**os.environ, 'G_SLICE': ''})
    return int(re.search(r'Collected : (\d+)', run.stderr).group(1))


def cost(guard, workload):
    """Instructions of one token or packet: start and end of the program cancel out."""
    few, many = (count_instructions(guard, workload, count) for count in (FEW, MANY))
    return round((many - few) / (MANY - FEW))


def main():
    guard = sys.argv[1]
    update = '--update' in sys.argv
    with open(COUNTS, encoding='utf-8') as file:
        counts = json.load(file)

    print(f'1..{len(counts)}')
    failed = False
    for number, (workload, kept) in enumerate(counts.items(), 1):
        seen = cost(guard, workload)
        good = update or seen <= kept * (1 + SLACK)
        failed = failed or not good
        print(f'{"" if good else "not "}ok {number} - {workload}')
        print(f'# {workload}: {seen} instructions, kept: {kept}')
        counts[workload] = seen
    if update:
        with open(COUNTS, 'w', encoding='utf-8') as file:
            json.dump(counts, file, indent=2)
            file.write('\n')
    sys.exit(1 if failed else 0)


if __name__ == '__main__':
    main()
