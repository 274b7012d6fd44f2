#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What is in the packages: all that they need, in the sizes that Lambda takes."""
import pathlib
import re
import tempfile
import unittest
import zipfile

import root
from root import FUNCTION, LAYER, SOURCE

import archive
import elf
from common import Failure


def pinned(name):
    """The version of yt-dlp in a list of requirements."""
    text = (SOURCE / 'build-aux' / name).read_text()
    return re.search(r'^yt-dlp==(\S+)', text, re.M)[1]


class Contents(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.folder.cleanup)
        cls.task = pathlib.Path(cls.folder.name, 'task')
        cls.layer = pathlib.Path(cls.folder.name, 'layer')
        root.unpack(FUNCTION, cls.task)
        root.unpack(LAYER, cls.layer)

    def test_bootstrap_is_at_the_root_and_may_be_executed(self):
        with zipfile.ZipFile(FUNCTION) as file:
            mode = file.getinfo('bootstrap').external_attr >> 16
        self.assertEqual(mode, 0o100755)

    def test_bootstrap_is_static(self):
        self.assertEqual(elf.needed(self.task / 'bootstrap'), [])
        self.assertIsNone(elf.loader(self.task / 'bootstrap'))

    def test_nothing_needs_what_is_not_there(self):
        self.assertGreater(len(elf.files(self.layer)), 20)
        self.assertEqual(elf.problems(self.task, '/var/task'), [])
        self.assertEqual(elf.problems(self.layer, '/opt'), [])

    def test_a_program_of_this_machine_needs_what_is_not_there(self):
        with tempfile.TemporaryDirectory() as folder:
            pathlib.Path(folder, 'sleep').write_bytes(pathlib.Path('/bin/sleep').read_bytes())
            found = ' '.join(elf.problems(pathlib.Path(folder), '/opt'))
        self.assertIn('its loader', found)
        self.assertIn('needs libc.so.6', found)

    def test_lambda_takes_the_sizes(self):
        archive.check([FUNCTION, LAYER])

    def test_too_much_is_refused(self):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder, 'large.zip')
            with zipfile.ZipFile(path, 'w', zipfile.ZIP_DEFLATED, compresslevel=1) as file:
                for name in '01':
                    file.writestr(name, bytes(126 << 20))
            with self.assertRaisesRegex(Failure, 'Lambda takes'):
                archive.check([path])

    def test_the_same_files_make_the_same_zip(self):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder, 'again.zip')
            (self.task / 'bootstrap').touch()
            archive.write(self.task, path)
            self.assertEqual(path.read_bytes(), FUNCTION.read_bytes())

    def test_each_part_is_named_with_its_licence(self):
        for path, names in ((self.task / 'PARTS.md', ('curl', 'libssl3', 'libc6', 'cjson')),
                            (self.layer / 'share/PARTS.md', ('ffmpeg', 'quickjs', 'libssl3', 'yt-dlp',
                                                             'yt-dlp-ejs', 'libc6'))):
            text = path.read_text()
            for name in names:
                self.assertRegex(text, rf'(?m)^\| {name} \| \d\S* \| \S.* \|$')

    def test_yt_dlp_is_the_one_that_the_other_tests_run(self):
        self.assertEqual(pinned('requirements-layer.txt'), pinned('requirements.txt'))
        self.assertTrue(list(self.layer.glob(
            f'lib/yt-dlp/packages/yt_dlp-{pinned("requirements.txt")}.dist-info')))


if __name__ == '__main__':
    unittest.main(verbosity=2)
