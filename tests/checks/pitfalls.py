#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Each pitfall that tests/pitfalls.md lists has tests, and these are there and built."""
import re
import unittest

from common import SOURCE, files, name

EXPECTED = [*range(1, 38), 39, 40, *range(47, 53)]


def rows(text):
    """{number: [test, …]} of the table."""
    found = {}
    for line in text.splitlines():
        match = re.match(r'\| (\d+) \|[^|]*\|([^|]*)\|$', line)
        if match:
            found[int(match[1])] = re.findall(r'`([^`]+)`', match[2])
    return found


def tests_of(path, text):
    """Names of the tests in one file, as the table has them."""
    if path.endswith('.py'):
        return {f'{path.rpartition("/")[2]}::{test}' for test in re.findall(r'def (test_\w+)\(', text)}
    return {'::'.join(test) for test in re.findall(r'^Test\(\s*(\w+),\s*(\w+)', text, re.M)}


def is_built(path, builds):
    """Whether a list of the build in its directory names it: 'name' of test_name.c, or the file."""
    directory, _, file = path.rpartition('/')
    stem = re.sub(r'^test_', '', file.rpartition('.')[0])
    return bool(re.search(rf"'({re.escape(file)}|{re.escape(stem)})'", builds.get(directory, '')))


class Pitfalls(unittest.TestCase):
    def setUp(self):
        self.rows = rows((SOURCE / 'tests' / 'pitfalls.md').read_text())
        self.builds = {name(path.parent): path.read_text()
                       for path in files('meson.build', under=['tests'])}

    def existing(self):
        found = set()
        for path in files('*.c', '*.py', under=['tests']):
            if is_built(name(path), self.builds):
                found |= {name(path)} | tests_of(name(path), path.read_text())
        return found

    def test_each_has_a_row(self):
        self.assertEqual(sorted(self.rows), EXPECTED)

    def test_each_has_a_test(self):
        self.assertEqual([number for number, tests in self.rows.items() if not tests], [])

    def test_each_test_is_there_and_built(self):
        existing = self.existing()
        self.assertGreater(len(existing), 500)
        missing = [f'{number}: {test}' for number, tests in self.rows.items() for test in tests
                   if test not in existing]
        self.assertEqual(missing, [], '\n' + '\n'.join(missing))

    def test_a_planted_row_is_found(self):
        self.assertEqual(rows('| 7 | a member | `a::b` `tests/c.c` |\n'), {7: ['a::b', 'tests/c.c']})
        self.assertEqual(tests_of('tests/unit/test_a.c', 'Test(a, b)\nTest(a, c, .init = d)\n'),
                         {'a::b', 'a::c'})
        self.assertTrue(is_built('tests/unit/test_a.c', {'tests/unit': "['a', 'b']"}))
        self.assertFalse(is_built('tests/unit/test_c.c', {'tests/unit': "['a', 'b']"}))


if __name__ == '__main__':
    unittest.main()
