#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""extract.py FUNCTION NAME: a program of docs/guide.md as a function, on stdout.

extract.py fragments: the blocks that are no programs, and need libxraytrace alone, each as
a function, and a list of them.
"""
import re
import sys

from docs import INSIDE, SOURCE, blocks, programs


def program(function, file):
    return f'#define main {function}\nint {function}(void);\n{programs()[file]}'


def fragments():
    page = (SOURCE / 'docs' / 'guide.md').read_text()
    names = []
    for line, file, code in blocks(page, 'c'):
        if file or '#include' in code or re.search(r'curl|xray_aws_', code):
            continue
        names.append(f'guide_line_{line}')
        yield (INSIDE % ('', code)).replace('int inside', f'int {names[-1]}')
    yield 'int (*const guide_fragments[])(void) = { %s, NULL };\n' % ', '.join(names)


if __name__ == '__main__':
    if sys.argv[1:] == ['fragments']:
        print('extern int (*const guide_fragments[])(void);', *fragments(), sep='\n')
    else:
        print(program(*sys.argv[1:]))
