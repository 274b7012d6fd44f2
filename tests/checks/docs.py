#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The code in the pages compiles and runs, and what they link to exists.

docs.py [--cc COMMAND] [--cxx COMMAND] [--core SHARED STATIC] [--testing SHARED STATIC]
        [--without-curl]

A block that has an #include stands for itself; any other is the inside of a
function that has the public headers. Blocks that have a file's name behind their
language ("c order.c") are, together, that program: it is built and run, with a
daemon that is a socket, once as it is and once under valgrind, if that is there.
"""
import argparse
import json
import os
import pathlib
import re
import shlex
import shutil
import socket
import subprocess
import sys
import tempfile
import textwrap
import threading
import unittest

from common import SOURCE, name, syntax_complaints

PAGES = sorted([*SOURCE.glob('*.md'), *(SOURCE / 'docs').glob('*.md'),
                *(SOURCE / 'examples').rglob('*.md')])
WARNINGS = ['-Wall', '-Wextra', '-Werror', '-Wno-unused-variable', '-D_GNU_SOURCE']
INSIDE = '''#include <stdio.h>
#include <string.h>
#include <xraytrace/xraytrace.h>
%s
int inside(void);
int inside(void)
{
%s
    return 0;
}
'''
ROOT = '1-5759e988-bd862e3fe1be46a994272793'
arguments = None


# ---- What the pages hold ------------------------------------------------------

def blocks(text, language):
    """(line number, file name or '', text) of the fenced blocks in a language."""
    for match in re.finditer(rf'^```{re.escape(language)}(?: (\S+))?\n(.*?)^```', text, re.M | re.S):
        yield text.count('\n', 0, match.start()) + 2, match[1] or '', match[2]


def programs():
    """{file name: text} of what the guide builds up block by block."""
    found = {}
    for language in ('c', 'cpp'):
        for _, file, code in blocks((SOURCE / 'docs' / 'guide.md').read_text(), language):
            if file:
                found[file] = found.get(file, '') + code
    return found


def texts():
    """(page, line, language, text) of all that has to compile."""
    for page in PAGES:
        for language in ('c', 'cpp'):
            for line, file, code in blocks(page.read_text(), language):
                if not file:
                    yield name(page), line, language, whole(code)
    for file, code in programs().items():
        yield 'docs/guide.md', file, 'c' if file.endswith('.c') else 'cpp', code


def whole(code):
    """A text that can be compiled."""
    if '#include' in code:
        return code
    needs_curl = re.search(r'curl|xray_aws_', code)
    return INSIDE % ('#include <xraytrace/aws.h>\n#include <xraytrace/curl.h>' if needs_curl else '',
                     textwrap.indent(code, '    '))


def commands(language, code):
    """The compilers that have to take it: as C11, and as C++11 what has nothing of C alone."""
    c = [*shlex.split(arguments.cc), '-std=c11', *WARNINGS]
    cxx = [*shlex.split(arguments.cxx), '-std=c++11', *WARNINGS]
    if language == 'cpp':
        return [('c++', cxx)]
    c_alone = re.search(r'[({,]\s*\.\w+ =', code)  # designated initializers
    return [('c', c)] + ([] if c_alone else [('c++', cxx)])


def anchor(heading):
    """What a heading is called in a link."""
    return re.sub(r'[^\w\- ]', '', heading.strip().lower()).replace(' ', '-')


class Docs(unittest.TestCase):
    def test_all_code_compiles(self):
        for page, line, language, code in texts():
            if arguments.without_curl and 'xraytrace/curl.h' in code:
                continue
            for compiled_as, command in commands(language, code):
                if shutil.which(command[0]):
                    with self.subTest(page=page, line=line, language=compiled_as):
                        self.assertEqual(syntax_complaints(command, compiled_as, code), '')

    def test_the_readme_has_the_program_that_is_built_from_it(self):
        [program] = [code for _, _, code in blocks((SOURCE / 'README.md').read_text(), 'c')
                     if 'main(' in code]
        consumer = (SOURCE / 'pkgconfig' / 'consumer' / 'hello.c').read_text()
        self.assertEqual(program, consumer.partition('\n')[2])

    def test_every_link_leads_somewhere(self):
        for page in PAGES:
            for target in re.findall(r'\]\(([^)\s]+)\)', page.read_text()):
                if re.match(r'[a-z]+:', target):
                    continue
                path, _, fragment = target.partition('#')
                with self.subTest(page=name(page), target=target):
                    leads_to = page.parent / path if path else page
                    self.assertTrue(leads_to.exists())
                    if fragment:
                        headings = re.findall(r'^#+ (.*)', leads_to.read_text(), re.M)
                        self.assertIn(fragment, [anchor(heading) for heading in headings])

    def test_a_planted_mistake_is_found(self):
        for language, command in commands('c', 'xray_end(1, 2);'):
            if shutil.which(command[0]):
                self.assertNotEqual(
                    syntax_complaints(command, language, INSIDE % ('', 'xray_end(1, 2);')), '')

    def test_every_program_is_run(self):
        tested = {method[len('test_'):].rpartition('_')[0] + '.' + method.rpartition('_')[2]
                  for method in dir(Programs) if method.startswith('test_')}
        self.assertEqual(sorted(programs()), sorted(tested))


# ---- What the programs send -----------------------------------------------------

class Sink:
    """A daemon that is a socket; the documents in the order in which they came, after stop()."""

    def __init__(self):
        self.documents, self.lines = [], []
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(('127.0.0.1', 0))
        self.address = '127.0.0.1:%d' % self.socket.getsockname()[1]
        self.thread = threading.Thread(target=self.receive)
        self.thread.start()

    def receive(self):
        while True:
            header, _, text = self.socket.recv(65536).partition(b'\n')
            if header == b'stop':
                return
            self.lines.append(header)
            self.documents.append(json.loads(text))

    def stop(self):
        """After the program has ended everything it sent is before this in the socket."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
            other.sendto(b'stop\n', self.socket.getsockname())
        self.thread.join()
        self.socket.close()


class Programs(unittest.TestCase):
    """Each method is named after its program."""
    wrapper = []

    @classmethod
    def setUpClass(cls):
        if not arguments.core:
            raise unittest.SkipTest('the library is not built as shared library without sanitizers')
        directory = tempfile.TemporaryDirectory()
        cls.addClassCleanup(directory.cleanup)
        cls.directory = pathlib.Path(directory.name)
        cls.libraries = [pathlib.Path(both[0]).resolve() for both in (arguments.testing, arguments.core)]

    def build(self, file):
        source = self.directory / file
        source.write_text(programs()[file])
        [(_, command)] = commands('cpp' if file.endswith('.cc') else 'c', '{ .c_alone = 1')[:1]
        if not shutil.which(command[0]):
            self.skipTest(f'there is no {command[0]}')
        built = self.directory / source.stem
        libraries = self.libraries if 'xraytrace/testing.h' in source.read_text() else self.libraries[1:]
        paths = [f'-Wl,-rpath,{library.parent}' for library in self.libraries]
        subprocess.run([*command, '-g', '-I', SOURCE / 'include', '-o', built, source, *libraries, *paths,
                        '-pthread'], check=True, timeout=120)
        return built

    def run_program(self, file, count):
        """What it printed, and that many documents."""
        built = self.build(file)
        sink = Sink()
        try:
            result = subprocess.run(
                [*self.wrapper, built], text=True, timeout=300,
                stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                env={**{key: value for key, value in os.environ.items()
                        if not key.startswith(('AWS_', '_X_AMZN', 'XRAY', 'LAMBDA_'))},
                     'AWS_XRAY_DAEMON_ADDRESS': sink.address, 'XRAYTRACE_SAMPLING_RATE': '1'})
        finally:
            sink.stop()
        self.assertEqual((result.returncode, result.stderr), (0, ''), result.stdout)
        self.assertEqual(sink.lines, [b'{"format":"json","version":1}'] * count)
        return result.stdout, sink.documents

    def test_order_c(self):
        output, [found, missing] = self.run_program('order.c', 2)
        self.assertEqual((found['name'], found['trace_id'], found['parent_id']),
                         ('orders', ROOT, '53995c3f42cd8ad8'))
        self.assertEqual((found['annotations'], found['metadata']),
                         ({'item': 'teapot'}, {'default': {'cart': {'items': 1}}}))
        query, call = found['subsegments']
        self.assertEqual((query['namespace'], query['sql']['database_type']), ('remote', 'PostgreSQL'))
        self.assertEqual(call['http']['response']['status'], 200)
        self.assertEqual(output, 'POST http://stock.shop.example/reservations\n'
                         f'X-Amzn-Trace-Id: Root={ROOT};Parent={call["id"]};Sampled=1\n200 404\n')
        self.assertEqual((missing['http']['response']['status'], missing['error']), (404, True))
        self.assertNotIn('parent_id', missing)
        self.assertEqual(len(missing['subsegments']), 1)

    def check_child(self, child, parent):
        self.assertEqual((child['trace_id'], child['parent_id']), (parent['trace_id'], parent['id']))

    def test_threads_c(self):
        _, [order, invoice] = self.run_program('threads.c', 2)
        self.check_child(invoice, order)
        self.assertEqual(invoice['subsegments'][0]['annotations'], {'item': 'teapot'})

    def test_loop_c(self):
        _, [request] = self.run_program('loop.c', 1)
        self.assertEqual({step['name']: step['annotations']['bytes'] for step in request['subsegments']},
                         {'prices.shop.example': 4711, 'stock.shop.example': 120})

    def test_fork_c(self):
        _, [label, order] = self.run_program('fork.c', 2)
        self.assertEqual(label['name'], 'print label')
        self.check_child(label, order)

    def test_test_c(self):
        output, _ = self.run_program('test.c', 0)
        self.assertRegex(output, r'^POST /orders [0-9.]+ ms\n  charge [0-9.]+ ms fault card="expired"\n'
                         r'    CardExpired: the card is of last year\n$')

    def test_queue_c(self):
        output, documents = self.run_program('queue.c', 100)
        self.assertEqual(output, '100 sent\n')
        self.assertEqual({document['name'] for document in documents}, {'orders'})

    def test_order_cc(self):
        _, [order] = self.run_program('order.cc', 1)
        self.assertIs(order['annotations']['express'], True)
        self.assertEqual(order['http']['response']['status'], 200)


class ProgramsUnderValgrind(Programs):
    """The same in one plain process each: every read and write is looked at."""
    # Slabs of recycled blocks stay for good, and only what is in use of them is pointed to.
    wrapper = ['valgrind', '--quiet', '--error-exitcode=99', '--trace-children=yes',
               '--leak-check=full', '--show-leak-kinds=definite,indirect',
               '--errors-for-leak-kinds=definite,indirect']

    @classmethod
    def setUpClass(cls):
        if not shutil.which('valgrind'):
            raise unittest.SkipTest('valgrind is not installed')
        super().setUpClass()


if __name__ == '__main__':
    parser = argparse.ArgumentParser()
    parser.add_argument('--cc', default='cc')
    parser.add_argument('--cxx', default='c++')
    parser.add_argument('--core', nargs=2)
    parser.add_argument('--testing', nargs=2)
    parser.add_argument('--without-curl', action='store_true')
    arguments, rest = parser.parse_known_args()
    unittest.main(argv=sys.argv[:1] + rest)
