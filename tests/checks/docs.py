#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The C code in the pages compiles, and what they link to exists.

docs.py [--cc COMMAND] [--without-curl]

A block that has an #include stands for itself; any other is the inside of a
function that has the public headers.
"""
import argparse
import re
import shlex
import subprocess
import sys
import unittest

from common import SOURCE, name

PAGES = sorted([*SOURCE.glob('*.md'), *(SOURCE / 'docs').glob('*.md'),
                *(SOURCE / 'examples').rglob('*.md')])
INSIDE = '''#include <xraytrace/xraytrace.h>
%s
int inside(void);
int inside(void)
{
%s
    return 0;
}
'''
arguments = None


def blocks(text, language):
    """(line number, text) of the fenced blocks in a language."""
    for match in re.finditer(rf'^```{language}\n(.*?)^```', text, re.M | re.S):
        yield text.count('\n', 0, match.start()) + 2, match[1]


def complaints(code):
    result = subprocess.run(
        [*shlex.split(arguments.cc), '-std=c11', '-x', 'c', '-fsyntax-only', '-Wall', '-Wextra',
         '-Werror', '-Wno-unused-variable', '-D_GNU_SOURCE', '-I', str(SOURCE / 'include'), '-'],
        input=code, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=120)
    return result.stdout or ('' if result.returncode == 0 else 'it failed')


class Docs(unittest.TestCase):
    def test_all_code_compiles(self):
        for page in PAGES:
            for line, code in blocks(page.read_text(), 'c'):
                if arguments.without_curl and re.search(r'curl|xray_aws_client', code):
                    continue
                with self.subTest(page=name(page), line=line):
                    curl = '#include <xraytrace/aws.h>\n#include <xraytrace/curl.h>'
                    if '#include' not in code:
                        uses = re.search(r'curl|xray_aws_', code)
                        code = INSIDE % (curl if uses else '', code)
                    self.assertEqual(complaints(code), '')

    def test_the_readme_has_the_program_that_is_built_from_it(self):
        [program] = [code for _, code in blocks((SOURCE / 'README.md').read_text(), 'c')
                     if 'main(' in code]
        consumer = (SOURCE / 'pkgconfig' / 'consumer' / 'hello.c').read_text()
        self.assertEqual(program, consumer.partition('\n')[2])

    def test_every_link_leads_somewhere(self):
        for page in PAGES:
            for target in re.findall(r'\]\(([^)#\s]+)[^)]*\)', page.read_text()):
                if not re.match(r'[a-z]+:', target):
                    with self.subTest(page=name(page), target=target):
                        self.assertTrue((page.parent / target).exists())

    def test_a_planted_mistake_is_found(self):
        self.assertNotEqual(complaints(INSIDE % ('', 'xray_end(1, 2);')), '')


if __name__ == '__main__':
    parser = argparse.ArgumentParser()
    parser.add_argument('--cc', default='cc')
    parser.add_argument('--without-curl', action='store_true')
    arguments, rest = parser.parse_known_args()
    unittest.main(argv=sys.argv[:1] + rest)
