#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What the headers declare is what the libraries export, no more and no less.

symbols.py --core SHARED STATIC [--curl SHARED STATIC]
"""
import argparse
import re
import subprocess
import sys
import unittest

from common import CURL_HEADERS, HEADERS, public_functions

arguments = None


def nm(*options):
    output = subprocess.run(['nm', *options], check=True, text=True, stdout=subprocess.PIPE).stdout
    # Weak symbols of sanitizers and the linker's own are nobody's.
    return {match[1] for match in re.finditer(r'^[0-9a-f]+ [A-Z] (\w+)', output, re.M)}


def exported(path):
    return {symbol for symbol in nm('--dynamic', '--defined-only', '--extern-only', path)
            if not re.fullmatch(r'XRAYTRACE\w*', symbol)}


class Symbols(unittest.TestCase):
    def shared(self, path, headers):
        declared = public_functions(headers)
        self.assertGreater(len(declared), 5)
        self.assertEqual(sorted(declared - exported(path)), [], 'declared, but not exported')
        self.assertEqual(sorted(exported(path) - declared), [], 'exported, but in no header')

    def static(self, path):
        found = nm('--extern-only', '--defined-only', path)
        self.assertGreater(len(found), 5)
        self.assertEqual(sorted(symbol for symbol in found if not re.match('xr_|xray_', symbol)), [],
                         'would clash with the names of programs')

    def test_the_library_exports_what_its_headers_declare(self):
        self.shared(arguments.core[0], [path for path in HEADERS.glob('*.h')
                                        if path.name not in CURL_HEADERS])

    def test_the_archive_has_prefixed_names_only(self):
        self.static(arguments.core[1])

    def test_the_curl_library_exports_what_its_headers_declare(self):
        if not arguments.curl:
            self.skipTest('libxraytrace-curl is not built')
        self.shared(arguments.curl[0], [HEADERS / header for header in CURL_HEADERS])

    def test_the_curl_archive_has_prefixed_names_only(self):
        if not arguments.curl:
            self.skipTest('libxraytrace-curl is not built')
        self.static(arguments.curl[1])


if __name__ == '__main__':
    parser = argparse.ArgumentParser()
    parser.add_argument('--core', nargs=2, required=True)
    parser.add_argument('--curl', nargs=2)
    arguments, rest = parser.parse_known_args()
    unittest.main(argv=sys.argv[:1] + rest)
