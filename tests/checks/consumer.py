#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Builds pkgconfig/consumer against an installed prefix, as any user would.

consumer.py --prefix PREFIX --work DIRECTORY
"""
import argparse
import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import unittest

SOURCE = pathlib.Path(__file__).resolve().parents[2]
# What any shared object may need: the C library, the loader, the kernel's page.
SYSTEM = {'libc.so.6', 'ld-linux', 'linux-vdso.so.1', 'linux-gate.so.1'}


def run(*command, **keywords):
    result = subprocess.run([str(part) for part in command], text=True, timeout=120,
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **keywords)
    if result.returncode:
        raise AssertionError(f'{" ".join(map(str, command))} failed:\n{result.stdout}')
    return result.stdout


def needed(path):
    """Names of all libraries that the loader brings in, without version numbers of the loader."""
    names = re.findall(r'^\s*(\S+?\.so[.\d]*)', run('ldd', path), re.M)
    names = [os.path.basename(name) for name in names]
    return {'ld-linux' if name.startswith(('ld-linux', 'ld-musl')) else name for name in names}


class Consumer(unittest.TestCase):
    prefix = work = None

    @classmethod
    def setUpClass(cls):
        shutil.rmtree(cls.work, ignore_errors=True)
        shutil.copytree(SOURCE / 'pkgconfig' / 'consumer', cls.work)
        cls.environment = {key: value for key, value in os.environ.items()
                           if not key.startswith(('AWS_', '_X_AMZN', 'XRAY', 'PKG_CONFIG', 'LD_'))}
        cls.environment['PKG_CONFIG_PATH'] = str(cls.prefix / 'lib' / 'pkgconfig')

    def build(self, target):
        run('make', '-B', 'CFLAGS=-Wall -Wextra -Werror', target, cwd=self.work,
            env=self.environment)
        return self.work / target

    def document(self, program, **environment):
        """Runs the program with a daemon that is a socket; the document that it received."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as daemon:
            daemon.bind(('127.0.0.1', 0))
            daemon.settimeout(60)
            address = '127.0.0.1:%d' % daemon.getsockname()[1]
            run(program, env={**self.environment, 'AWS_XRAY_DAEMON_ADDRESS': address,
                              **environment})
            header, _, text = daemon.recv(65536).partition(b'\n')
        self.assertEqual(json.loads(header), {'format': 'json', 'version': 1})
        return json.loads(text)

    def check_document(self, document):
        self.assertEqual(document['name'], 'hello')
        [work] = document['subsegments']
        self.assertEqual((work['name'], work['annotations']), ('work', {'answer': 42}))
        self.assertGreaterEqual(document['end_time'], document['start_time'])

    def test_the_shared_library_sends_what_was_recorded(self):
        program = self.build('hello')
        self.assertRegex(run('ldd', program,
                             env={**self.environment, 'LD_LIBRARY_PATH': str(self.prefix / 'lib')}),
                         r'libxraytrace\.so\.0 => ' + re.escape(str(self.prefix)))
        self.check_document(self.document(program, LD_LIBRARY_PATH=str(self.prefix / 'lib')))

    def test_the_archive_sends_what_was_recorded(self):
        program = self.build('hello-static')
        self.assertNotIn('libxraytrace.so.0', needed(program))
        self.check_document(self.document(program))

    def test_the_library_needs_libc_and_cjson_only(self):
        beyond = needed(self.prefix / 'lib' / 'libxraytrace.so') - SYSTEM
        # cJSON itself may need the mathematical part of libc.
        self.assertEqual({re.sub(r'\.so.*', '', name) for name in beyond} - {'libm'}, {'libcjson'})
        dynamic = run('readelf', '-d', self.prefix / 'lib' / 'libxraytrace.so')
        direct = set(re.findall(r'NEEDED.*\[(.*?)\]', dynamic))
        self.assertEqual({re.sub(r'\.so.*', '', name) for name in direct if name not in SYSTEM
                          and not name.startswith('ld-linux')}, {'libcjson'})

    def test_nothing_leaks_into_cflags(self):
        for name in ('xraytrace', 'xraytrace-curl', 'xraytrace-testing'):
            text = (self.prefix / 'lib' / 'pkgconfig' / f'{name}.pc').read_text()
            self.assertEqual(re.findall(r'^Cflags:(.*)', text, re.M), [' -I${includedir}'])
        flags = run('pkg-config', '--cflags', 'xraytrace', env=self.environment).split()
        self.assertEqual(len(flags), 1, flags)

    def test_the_curl_library_names_libcurl_as_its_requirement(self):
        source = self.work / 'fetch.c'
        source.write_text('#include <xraytrace/curl.h>\n'
                          '#include <xraytrace/aws.h>\n'
                          'int main(void)\n'
                          '{\n'
                          '    CURL *easy = curl_easy_init();\n'
                          '    CURLcode code = xray_curl_perform(easy, XRAY_CURL_NO_HEADERS);\n'
                          '    curl_easy_cleanup(easy);\n'
                          '    return code == CURLE_URL_MALFORMAT ? 0 : 1;\n'
                          '}\n')
        flags = run('pkg-config', '--cflags', '--libs', 'xraytrace-curl', env=self.environment).split()
        self.assertIn('-lcurl', flags)
        run('cc', '-Wall', '-Wextra', '-Werror', '-o', self.work / 'fetch', source, *flags)
        run(self.work / 'fetch', env={**self.environment,
                                      'AWS_XRAY_CONTEXT_MISSING': 'IGNORE_ERROR',
                                      'LD_LIBRARY_PATH': str(self.prefix / 'lib')})


if __name__ == '__main__':
    parser = argparse.ArgumentParser()
    parser.add_argument('--prefix', type=pathlib.Path, required=True)
    parser.add_argument('--work', type=pathlib.Path, required=True)
    arguments, rest = parser.parse_known_args()
    Consumer.prefix = arguments.prefix.resolve()
    Consumer.work = arguments.work.resolve()
    unittest.main(argv=sys.argv[:1] + rest)
