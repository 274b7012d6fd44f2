#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Each public header compiles alone, as C and as C++, without a warning and without padding.

headers.py [--cc COMMAND] [--cxx COMMAND] [--without-curl]
"""
import argparse
import shlex
import shutil
import subprocess
import sys
import unittest

from common import CURL_HEADERS, HEADERS, SOURCE

WARNINGS = ['-Wall', '-Wextra', '-Wpadded', '-Werror']
LANGUAGES = {'c': ['c11', 'c17'], 'c++': ['c++11', 'c++17']}
USE = '''#include <xraytrace/xraytrace.h>
void use(xray_segment *s, int *number, char *text);
void use(xray_segment *s, int *number, char *text)
{
    (void)number;
    (void)text;
    xray_annotate(s, "k", %s);
    xray_add_metadata(s, "n", "k", %s);
}
'''


class Headers(unittest.TestCase):
    compilers = {}

    def compile(self, language, standard, text):
        """The compiler's complaints, "" for none."""
        command = self.compilers[language]
        if not command:
            self.skipTest(f'there is no compiler for {language}')
        result = subprocess.run(
            [*command, f'-std={standard}', '-x', language, '-fsyntax-only', *WARNINGS,
             '-I', str(SOURCE / 'include'), '-'],
            input=text, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=120)
        return result.stdout or ('' if result.returncode == 0 else 'it failed')

    def use(self, language, value):
        return self.compile(language, LANGUAGES[language][0], USE % (value, value))


def compiles_alone(header, language, standard):
    def test(self):
        self.assertEqual(self.compile(language, standard, f'#include <xraytrace/{header}>\n'), '')
    return test


def takes(language, value, wanted):
    def test(self):
        complaints = self.use(language, value)
        self.assertEqual(complaints == '', wanted, complaints or f'{value} was taken')
    return test


def add_tests(headers):
    for language, standards in LANGUAGES.items():
        plain = language.replace('+', 'p')
        for standard in standards:
            for header in headers:
                setattr(Headers, f'test_{header[:-2]}_h_compiles_alone_as_{standard}'.replace('+', 'p'),
                        compiles_alone(header, language, standard))
        for what, value, wanted in (
                ('text', 'text', True), ('a_literal', '"x"', True), ('a_number', '42', True),
                ('a_double', '1.5', True), ('a_bool', 'xray_bool(true)', True),
                ('a_pointer_to_int', 'number', False), ('a_cast_pointer', '(int *)text', False),
                ('a_void_pointer', '(void *)text', False), ('a_segment', 's', False)):
            verb = 'takes' if wanted else 'refuses'
            setattr(Headers, f'test_an_annotation_{verb}_{what}_in_{plain}',
                    takes(language, value, wanted))


if __name__ == '__main__':
    parser = argparse.ArgumentParser()
    parser.add_argument('--cc', default='cc')
    parser.add_argument('--cxx', default='c++')
    parser.add_argument('--without-curl', action='store_true')
    arguments, rest = parser.parse_known_args()
    for language, command in (('c', arguments.cc), ('c++', arguments.cxx)):
        words = shlex.split(command)
        Headers.compilers[language] = words if shutil.which(words[0]) else None
    add_tests(sorted(path.name for path in HEADERS.glob('*.h')
                     if not (arguments.without_curl and path.name in CURL_HEADERS)))
    unittest.main(argv=sys.argv[:1] + rest)
