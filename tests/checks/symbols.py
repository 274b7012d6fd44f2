#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What the headers declare, the version scripts list and the libraries export is the same.

symbols.py [--core SHARED STATIC] [--curl SHARED STATIC] [--testing SHARED STATIC]
"""
import argparse
import re
import subprocess
import sys
import unittest

from common import CORE_HEADERS, CURL_HEADERS, HEADERS, SOURCE, TESTING_HEADERS, public_functions

arguments = None


def version_script(text):
    """(node, names) of a version script; its form is checked elsewhere."""
    node = re.match(r'(\w+) \{\nglobal:\n', text)[1]
    return node, re.findall(r'^    (.*);$', text.partition('local:')[0], re.M)


def well_formed(text):
    """One node; names only, without wildcards, sorted and once each; the rest is local."""
    node, names = version_script(text)
    listed = ''.join(f'    {symbol};\n' for symbol in sorted(set(names)))
    return (text == f'{node} {{\nglobal:\n{listed}local:\n    *;\n}};\n'
            and all(re.fullmatch(r'xray_\w+', symbol) for symbol in names))


def nm(*options):
    """(name, kind) of each symbol; a version, as in name@@NODE, is part of the name."""
    output = subprocess.run(['nm', *options], check=True, text=True, stdout=subprocess.PIPE).stdout
    return re.findall(r'^[0-9a-f]+ ([A-Za-z]) (\S+)', output, re.M)


def exported(path, node):
    """What a shared object exports, without the symbol that the linker makes of the node."""
    return {(kind, symbol) for kind, symbol in nm('--dynamic', '--defined-only', '--extern-only', path)
            if symbol.partition('@')[0] != node}


class Symbols:
    name = headers = script = None  # of the library: its option, its headers, its version script

    @property
    def libraries(self):
        return getattr(arguments, self.name)

    def setUp(self):
        self.declared = public_functions([HEADERS / header for header in self.headers])
        self.node, self.listed = version_script((SOURCE / 'src' / self.script).read_text())

    def library(self, which):
        if not self.libraries:
            self.skipTest(f'{self.name}: not built as shared and static library without sanitizers')
        return self.libraries[which]

    def test_the_headers_declare_functions(self):
        self.assertGreater(len(self.declared), 5)

    def test_the_version_script_is_a_sorted_list(self):
        self.assertTrue(well_formed((SOURCE / 'src' / self.script).read_text()))

    def test_the_version_script_lists_what_is_declared(self):
        self.assertEqual(sorted(self.declared - set(self.listed)), [],
                         f'declared, but not in src/{self.script}')
        self.assertEqual(sorted(set(self.listed) - self.declared), [],
                         f'in src/{self.script}, but in no header')

    def test_the_shared_object_exports_what_is_declared(self):
        symbols = {symbol.partition('@')[0] for _, symbol in exported(self.library(0), self.node)}
        self.assertEqual(sorted(self.declared - symbols), [], 'declared, but not exported')
        self.assertEqual(sorted(symbols - self.declared), [], 'exported, but in no header')

    def test_the_shared_object_exports_functions_of_its_version_only(self):
        for kind, symbol in exported(self.library(0), self.node):
            with self.subTest(symbol):
                self.assertEqual((kind, symbol.partition('@')[2]), ('T', '@' + self.node))

    def test_the_shared_object_has_its_soname_and_is_never_unloaded(self):
        path = self.library(0)
        dynamic = subprocess.run(['readelf', '--dynamic', path], check=True, text=True,
                                 stdout=subprocess.PIPE).stdout
        soname = re.search(r'\(SONAME\).*\[(.*)\]', dynamic)[1]
        self.assertRegex(path, '/' + re.escape(soname) + r'(\.\d+)*$')
        self.assertRegex(soname, r'\.so\.0$')
        self.assertRegex(dynamic, r'\(FLAGS_1\).*\bNODELETE\b')

    def test_the_archive_has_prefixed_names_only(self):
        found = {symbol for _, symbol in nm('--extern-only', '--defined-only', self.library(1))}
        self.assertEqual(sorted(self.declared - found), [], 'declared, but not in the archive')
        self.assertEqual(sorted(symbol for symbol in found if not re.match('xr_|xray_', symbol)), [],
                         'would clash with the names of programs')


class Core(Symbols, unittest.TestCase):
    name = 'core'
    headers = sorted(CORE_HEADERS)
    script = 'xraytrace.map'


class Curl(Symbols, unittest.TestCase):
    name = 'curl'
    headers = sorted(CURL_HEADERS)
    script = 'xraytrace-curl.map'


class Testing(Symbols, unittest.TestCase):
    name = 'testing'
    headers = sorted(TESTING_HEADERS)
    script = 'xraytrace-testing.map'


class Planted(unittest.TestCase):
    def script(self, *names):
        return 'N_0 {\nglobal:\n' + ''.join(f'    {n};\n' for n in names) + 'local:\n    *;\n};\n'

    def test_what_a_version_script_must_not_hold_is_found(self):
        self.assertTrue(well_formed(self.script('xray_a', 'xray_b')))
        for names in (['xray_*'], ['xray_b', 'xray_a'], ['xray_a', 'xray_a'], ['xr_a'], ['printf']):
            with self.subTest(names=names):
                self.assertFalse(well_formed(self.script(*names)))

    def test_a_second_node_is_found(self):
        self.assertFalse(well_formed(self.script('xray_a') + self.script('xray_b')))


if __name__ == '__main__':
    parser = argparse.ArgumentParser()
    parser.add_argument('--core', nargs=2)
    parser.add_argument('--curl', nargs=2)
    parser.add_argument('--testing', nargs=2)
    arguments, rest = parser.parse_known_args()
    unittest.main(argv=sys.argv[:1] + rest)
