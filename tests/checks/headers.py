#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The public headers compile alone and together, as C and as C++, without a warning.

headers.py [--cc COMMAND] [--cxx COMMAND] [--without-curl]

With the compiler of the build, and with gcc and clang where they are installed.
"""
import argparse
import sys
import unittest

from common import CURL_HEADERS, HEADERS, LANGUAGES, SOURCE, compilers, syntax_complaints

# Padding in a struct would be bytes that a later version cannot use.
WARNINGS = ['-Wall', '-Wextra', '-pedantic', '-Wpadded', '-Wshadow', '-Wconversion', '-Werror']
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


def complaints(compiler, language, standard, text):
    return syntax_complaints([*compiler, f'-std={standard}', *WARNINGS], language, text)


class Headers(unittest.TestCase):
    def test_there_are_compilers_for_both_languages(self):
        self.assertEqual([language for language in LANGUAGES if not found[language]], [])


def compiles(compiler, language, standard, headers):
    def test(self):
        text = ''.join(f'#include <xraytrace/{header}>\n' for header in headers)
        # C wants a declaration, which version.h has not.
        self.assertEqual(complaints(compiler, language, standard, text + 'extern int some;\n'), '')
    return test


def compiles_scenarios(compiler, language, standard):
    def test(self):
        text = (SOURCE / 'tests' / 'abi' / 'scenarios.c').read_text()
        self.assertEqual(complaints(compiler, language, standard, text), '')
    return test


def takes(compiler, language, value, wanted):
    def test(self):
        said = complaints(compiler, language, LANGUAGES[language][0], USE % (value, value))
        self.assertEqual(said == '', wanted, said or f'{value} was taken')
    return test


def add(test, *words):
    setattr(Headers, '_'.join(['test', *words]).replace('+', 'p').replace('.', '_'), test)


def add_tests(headers, with_curl):
    for language, compiler_names in found.items():
        for compiler, command in compiler_names.items():
            for standard in LANGUAGES[language]:
                for header in headers:
                    add(compiles(command, language, standard, [header]),
                        header, 'compiles_alone_as', standard, 'with', compiler)
                for order, all_of_them in (('', headers), ('_in_reverse', headers[::-1]),
                                           ('_twice', headers * 2)):
                    add(compiles(command, language, standard, all_of_them),
                        'all_compile_together' + order, 'as', standard, 'with', compiler)
                if with_curl:
                    add(compiles_scenarios(command, language, standard),
                        'what_real_programs_do_compiles_as', standard, 'with', compiler)
            for what, value, wanted in (
                    ('text', 'text', True), ('a_literal', '"x"', True), ('a_number', '42', True),
                    ('a_double', '1.5', True), ('a_bool', 'xray_bool(true)', True),
                    ('a_value', 'xray_json("[]")', True),
                    ('a_pointer_to_int', 'number', False), ('a_cast_pointer', '(int *)text', False),
                    ('a_void_pointer', '(void *)text', False), ('a_segment', 's', False)):
                add(takes(command, language, value, wanted), 'an_annotation',
                    'takes' if wanted else 'refuses', what, 'in', language, 'with', compiler)


if __name__ == '__main__':
    parser = argparse.ArgumentParser()
    parser.add_argument('--cc', default='cc')
    parser.add_argument('--cxx', default='c++')
    parser.add_argument('--without-curl', action='store_true')
    arguments, rest = parser.parse_known_args()
    found = compilers(arguments.cc, arguments.cxx)
    with_curl = not arguments.without_curl
    add_tests(sorted(path.name for path in HEADERS.glob('*.h')
                     if with_curl or path.name not in CURL_HEADERS), with_curl)
    unittest.main(argv=sys.argv[:1] + rest)
