#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""docs/environment.md lists the variables that the libraries read, and no others."""
import re
import unittest

from common import SOURCE, files, name, without_comments

NAME = r'_?[A-Z][A-Z0-9_]+'


def in_code():
    """The table of the core, and what libxraytrace-curl asks for by name."""
    found = set(re.findall(rf'"({NAME})"', (SOURCE / 'src/base/env.c').read_text()))
    for path in files('*.c', under=['src/curl']):
        text = without_comments(path.read_text())
        found |= set(re.findall(rf'getenv\w*\(\s*"({NAME})"', text))
    return found


def in_page():
    """The first column of its tables."""
    page = (SOURCE / 'docs/environment.md').read_text()
    rows = re.findall(r'^\|([^|]*)\|', page, re.M)
    return {variable for row in rows for variable in re.findall(rf'`({NAME})`', row)}


class Environment(unittest.TestCase):
    def test_the_page_lists_what_is_read(self):
        self.assertGreater(len(in_code()), 5)
        self.assertEqual(sorted(in_code() - in_page()), [], 'read, but not in the page')

    def test_what_the_page_lists_is_read(self):
        # AWS_ENDPOINT_URL_<SERVICE> is put together from a prefix.
        code = '\n'.join(path.read_text() for path in files('*.c', under=['src']))
        self.assertEqual([variable for variable in sorted(in_page() - in_code())
                          if f'"{variable}' not in code], [], 'in the page, but not read')

    def test_the_headers_name_no_other_variable(self):
        for path in files('*.h', under=['include']):
            named = set(re.findall(r'\b(AWS_XRAY_[A-Z_]+|XRAYTRACE_[A-Z_]+_RATE)\b', path.read_text()))
            self.assertLessEqual(named, in_page(), name(path))


if __name__ == '__main__':
    unittest.main()
