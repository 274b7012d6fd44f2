#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A file over 500 lines or a function over 60 is asking to be two."""
import re
import unittest

from common import files, name

FILE_LINES = 500
FUNCTION_LINES = 60
ALLOWED = {}  # what may be longer: the reason


def long_functions(text):
    """(first line, lines) of the bodies that are too long: from a brace in column 0 to the next."""
    start = None
    for number, line in enumerate(text.splitlines(), 1):
        if line.startswith('{') or re.match(r'[\w].*\)\s*\{$', line):
            start = number
        elif line.startswith('}') and start:
            if number - start - 1 > FUNCTION_LINES:
                yield start, number - start - 1
            start = None


class Budgets(unittest.TestCase):
    def sources(self, *patterns):
        found = [(name(path), path.read_text()) for path in files(*patterns)]
        self.assertGreater(len(found), 10)
        return [(path, text) for path, text in found if path not in ALLOWED]

    def test_no_file_is_over_500_lines(self):
        found = [f'{path}: {text.count(chr(10))} lines'
                 for path, text in self.sources('*.[ch]', '*.py', '*.sh')
                 # A module has one test file, however much there is to test.
                 if 'tests' not in path.split('/') and text.count('\n') > FILE_LINES]
        self.assertEqual(found, [], '\n' + '\n'.join(found))

    def test_no_function_is_over_60_lines(self):
        found = [f'{path}:{line}: {lines} lines' for path, text in self.sources('*.c', '*.h')
                 for line, lines in long_functions(text)]
        self.assertEqual(found, [], '\n' + '\n'.join(found))

    def test_what_is_allowed_exists(self):
        paths = {name(path) for path in files('*')}
        self.assertEqual([path for path in ALLOWED if path not in paths], [])

    def test_a_planted_long_function_is_found(self):
        body = '    a();\n'
        self.assertEqual(list(long_functions('int f(void)\n{\n' + body * 60 + '}\n')), [])
        self.assertEqual(list(long_functions('int f(void)\n{\n' + body * 61 + '}\n')), [(2, 61)])


if __name__ == '__main__':
    unittest.main()
