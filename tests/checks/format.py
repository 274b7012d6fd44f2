#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""All C files are as clang-format 14 leaves them; skipped where there is none."""
import re
import shutil
import subprocess
import sys

from common import SOURCE, files

SKIPPED = 77
VERSION = '14'


def main():
    program = shutil.which(f'clang-format-{VERSION}') or shutil.which('clang-format')
    if not program:
        print('skipped: clang-format is not installed')
        return SKIPPED
    version = subprocess.run([program, '--version'], check=True, text=True,
                             stdout=subprocess.PIPE).stdout
    if not re.search(rf'version {VERSION}\.', version):
        print(f'skipped: versions format differently, and this is not {VERSION}: {version}')
        return SKIPPED
    sources = files('*.c', '*.h')
    if not sources:
        print('there is nothing to check')
        return 1
    result = subprocess.run([program, '--dry-run', '-Werror', *map(str, sources)], cwd=SOURCE,
                            text=True, stderr=subprocess.PIPE)
    print(result.stderr)
    if result.returncode:
        wrong = sorted(set(re.findall(r'^(\S+?):\d+:\d+: error', result.stderr, re.M)))
        print('to mend them: clang-format -i', *wrong)
    return 1 if result.returncode else 0


if __name__ == '__main__':
    sys.exit(main())
