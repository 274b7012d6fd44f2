#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""./demo and ./check say what is wrong, and their counts can be relied on."""
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

from common import SOURCE

sys.path.insert(0, str(SOURCE / 'build-aux'))
sys.dont_write_bytecode = True
import tally  # noqa: E402


def run(*command, **environment):
    return subprocess.run(command, text=True, stdin=subprocess.DEVNULL, timeout=120, cwd=SOURCE,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          env={**os.environ, **environment})


class Machine:
    """A PATH on which some of the system's tools answer as on another machine."""

    def __init__(self, folder, **tools):
        self.folder = pathlib.Path(folder)
        for tool, body in tools.items():
            path = self.folder / tool.replace('_', '-')
            path.write_text('#!/bin/sh\n' + body + '\n')
            path.chmod(0o755)
        # Nothing else but what the scripts themselves need: no sudo above all.
        for tool in ('bash', 'sh', 'dirname', 'mkdir', 'cat', 'env', 'grep', 'cmp', 'tr', 'sed'):
            for directory in ('/bin', '/usr/bin'):
                if os.path.exists(f'{directory}/{tool}') and not (self.folder / tool).exists():
                    (self.folder / tool).symlink_to(f'{directory}/{tool}')

    def prepare(self, packages):
        """What need_packages says, with its build folder elsewhere."""
        script = f'''set -u; source={self.folder}; . {SOURCE}/build-aux/prepare.sh
                     need_packages "{packages}"; echo prepared'''
        return run('/bin/bash', '-c', script, 'demo', PATH=str(self.folder))


class Packages(unittest.TestCase):
    # Knows of one package that is installed, and of one that was removed but not purged.
    KNOWS = '''for name; do :; done
               case $name in gcc) printf installed ;; ffmpeg) printf config-files ;; *) exit 1 ;; esac'''

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def test_without_root_the_exact_line_to_run_is_printed(self):
        machine = Machine(self.folder, dpkg_query=self.KNOWS, id='echo 1000')
        result = machine.prepare('gcc ffmpeg meson|meson-ng')
        self.assertEqual(result.returncode, 2, result.stderr)
        self.assertIn('\n    apt-get install --no-install-recommends ffmpeg meson\n', result.stderr)
        self.assertNotIn('prepared', result.stdout)

    def test_what_is_there_is_not_installed_again(self):
        machine = Machine(self.folder, dpkg_query=self.KNOWS, id='echo 1000')
        result = machine.prepare('gcc tcc|gcc')
        self.assertEqual((result.returncode, result.stdout), (0, 'prepared\n'), result.stderr)

    def test_root_installs_what_is_missing_after_fetching_the_lists(self):
        log = pathlib.Path(self.folder) / 'log'
        machine = Machine(self.folder, dpkg_query=self.KNOWS, id='echo 0', apt_cache='exit 100',
                          apt_get=f'echo "$DEBIAN_FRONTEND $*" >> {log}')
        result = machine.prepare('gcc meson')
        self.assertEqual(result.returncode, 0, result.stderr)
        update, install = log.read_text().splitlines()
        self.assertRegex(update, r'^noninteractive .* update$')
        self.assertRegex(install, r'^noninteractive .* install .* meson$')

    def test_sudo_is_used_where_there_is_one(self):
        log = pathlib.Path(self.folder) / 'log'
        machine = Machine(self.folder, dpkg_query=self.KNOWS, id='echo 1000', apt_cache='exit 0',
                          sudo=f'echo "$*" >> {log}')
        result = machine.prepare('gcc meson')
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertRegex(log.read_text().splitlines()[-1], r'apt-get .* install .* meson$')


class Usage(unittest.TestCase):
    def test_help_has_examples_and_the_exit_statuses(self):
        for command in ('./demo', './check'):
            with self.subTest(command):
                result = run(command, '--help')
                self.assertEqual(result.returncode, 0)
                self.assertRegex(result.stdout, r'(?s)Usage: .*Exit status: .*Examples:')

    def test_an_unknown_lane_is_named(self):
        result = run('./check', 'nonsense')
        self.assertEqual(result.returncode, 2)
        self.assertIn('"nonsense"', result.stderr)


class Tally(unittest.TestCase):
    def count(self, result, text):
        passed, failed = tally.program('x', result, text)
        return passed, len(failed)

    def test_each_test_of_a_tap_program_counts(self):
        self.assertEqual(self.count('OK', '1..3\nok 1 - a\nok - b\nok 3 - c # SKIP why\n'), (2, 0))
        self.assertEqual(self.count('FAIL', '1..2\nok 1 - a\nnot ok 2 - b\n'), (1, 1))

    def test_a_program_that_ends_badly_counts_as_a_failure(self):
        self.assertEqual(self.count('ERROR', '1..2\nok 1 - a\nok 2 - b\n'), (2, 1))
        self.assertEqual(self.count('TIMEOUT', ''), (0, 1))

    def test_each_test_of_a_unittest_script_counts(self):
        self.assertEqual(self.count('OK', 'Ran 4 tests in 0.1s\n\nOK (skipped=1)\n'), (3, 0))
        self.assertEqual(self.count('FAIL', 'FAIL: a (b.c)\nERROR: d (e)\nRan 4 tests in 0.1s\n\n'
                                    'FAILED (failures=1, errors=1)\n'), (2, 2))

    def test_a_program_without_tests_is_a_failure(self):
        self.assertEqual(self.count('OK', 'Ran 0 tests in 0.0s\n\nOK\n'), (0, 1))

    def test_any_other_program_counts_once(self):
        self.assertEqual(self.count('OK', 'hello'), (1, 0))
        self.assertEqual(self.count('FAIL', 'hello'), (0, 1))
        self.assertEqual(self.count('SKIP', ''), (0, 0))

    def test_the_logs_of_meson_are_read(self):
        with tempfile.NamedTemporaryFile('w', suffix='.json') as file:
            file.write(json.dumps({'name': 'a', 'result': 'OK', 'stdout': '1..1\nok 1 - b\n'}) + '\n')
            file.write(json.dumps({'name': 'c', 'result': 'FAIL', 'stdout': ''}) + '\n')
            file.flush()
            result = run(sys.executable, 'build-aux/tally.py', file.name)
        self.assertEqual(result.stdout, 'FAILED c\n1 1\n')


if __name__ == '__main__':
    unittest.main()
