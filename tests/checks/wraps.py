#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The wraps are complete, and what was fetched for them is what they name.

wraps.py [PACKAGECACHE…]
"""
import configparser
import hashlib
import pathlib
import re
import sys
import unittest

from common import SOURCE

SUBPROJECTS = SOURCE / 'subprojects'
caches = []


def wraps():
    for path in sorted(SUBPROJECTS.glob('*.wrap')):
        wrap = configparser.ConfigParser(interpolation=None)
        wrap.read(path)
        yield path.name, wrap


class Wraps(unittest.TestCase):
    def test_there_are_wraps(self):
        self.assertIn('cjson.wrap', dict(wraps()))

    def test_each_wrap_names_a_release_and_its_hash(self):
        for name, wrap in wraps():
            with self.subTest(name):
                file = wrap['wrap-file']
                self.assertRegex(file['source_url'], r'^https://')
                self.assertRegex(file['source_hash'], r'^[0-9a-f]{64}$')
                version = re.search(r'-(\d+(?:\.\d+)+)$', file['directory'])[1]
                self.assertIn(version, file['source_url'])
                self.assertIn(version, file['source_filename'])
                build = SUBPROJECTS / 'packagefiles' / file['patch_directory'] / 'meson.build'
                self.assertIn(f"version: '{version}'", build.read_text())

    def test_each_wrap_provides_what_its_build_defines(self):
        for name, wrap in wraps():
            with self.subTest(name):
                directory = wrap['wrap-file']['patch_directory']
                build = (SUBPROJECTS / 'packagefiles' / directory / 'meson.build').read_text()
                provided = dict(wrap['provide'])
                self.assertTrue(provided)
                for variable in provided.values():
                    self.assertRegex(build, rf'(?m)^{variable} = ')

    def test_what_was_fetched_has_the_hash_of_its_wrap(self):
        found = 0
        for name, wrap in wraps():
            file = wrap['wrap-file']
            for cache in caches:
                fetched = cache / file['source_filename']
                if not fetched.is_file():
                    continue
                found += 1
                with self.subTest(name, cache=str(cache)):
                    self.assertEqual(hashlib.sha256(fetched.read_bytes()).hexdigest(),
                                     file['source_hash'])
        if not found:
            self.skipTest('nothing was fetched: ./check wraps does so')


if __name__ == '__main__':
    caches = [SUBPROJECTS / 'packagecache', SOURCE / 'build' / 'packagecache']
    caches += [pathlib.Path(argument) for argument in sys.argv[1:]]
    unittest.main(argv=sys.argv[:1])
