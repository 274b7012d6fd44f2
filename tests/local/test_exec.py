#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A command beside a collector, and what it sent held against filters."""
import json
import os
import pathlib
import re
import shlex
import signal
import subprocess
import sys
import tempfile
import time
import unittest

from collector import LONG, PROGRAM, run, trace_id

SOURCE = pathlib.Path(__file__).resolve().parents[2]
SENDER = '''
import json, os, socket, sys, time
host, port = os.environ['AWS_XRAY_DAEMON_ADDRESS'].rsplit(':', 1)
sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sender.connect((host, int(port)))
for document in sys.stdin.read().splitlines():
    sender.send(b'{"format":"json","version":1}\\n' + document.encode())
'''


def sending(*documents):
    """A command that sends these documents."""
    text = '\n'.join(json.dumps(document) for document in documents)
    return f'echo {shlex.quote(text)} | {sys.executable} -c {shlex.quote(SENDER)}'


def segment(number, name='api', **members):
    now = time.time()
    return {'trace_id': trace_id(number), 'id': '%016x' % number, 'name': name,
            'start_time': now - 1, 'end_time': now, **members}


def execute(command, *arguments, **environment):
    return run('--exec', command, *arguments, environment=environment)


class Exec(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.directory = pathlib.Path(directory.name)

    def test_what_holds_ends_well(self):
        code, out, errors = execute(sending(segment(1), segment(2, fault=True)),
                                    '--assert', 'service("api") {fault}', '--expect', '1',
                                    '--assert', 'ok')
        self.assertEqual((code, out), (0, ''), errors)
        self.assertEqual(errors.splitlines(), [
            'xraytrace-local: 2 traces, 2 documents',
            '  holds   service("api") {fault}  expected 1, found 1',
            '  holds   ok  expected >=1, found 1'])

    def test_what_does_not_hold_names_its_traces(self):
        bad = segment(2, 'stock', fault=True)
        code, _, errors = execute(sending(segment(1), bad), '--assert', 'fault', '--expect', '0')
        self.assertEqual(code, 5)
        self.assertIn('  FAILED  fault  expected 0, found 1\n', errors)
        self.assertRegex(errors, rf'\n +{bad["trace_id"]}  1\.00 s  stock  fault\n')
        self.assertIn(f'Trace {bad["trace_id"]}  1 segment', errors)

    def test_at_most_ten_traces_are_named(self):
        code, _, errors = execute(sending(*(segment(n) for n in range(1, 14))),
                                  '--assert', 'ok', '--expect', '0')
        self.assertEqual(code, 5)
        self.assertEqual(len(re.findall(r'^ {10}1-', errors, re.M)), 10)
        self.assertIn('and 3 more', errors)

    def expected(self, expectation, count):
        """Whether so many traces are what is expected."""
        return execute(sending(*(segment(n + 1) for n in range(count))), '--assert', '',
                       '--expect', expectation)[0]

    def test_a_number_is_that_many(self):
        self.assertEqual([self.expected('2', n) for n in (1, 2, 3)], [5, 0, 5])

    def test_a_number_may_be_the_least(self):
        self.assertEqual([self.expected('>=2', n) for n in (1, 2, 3)], [5, 0, 0])

    def test_a_number_may_be_the_most(self):
        self.assertEqual([self.expected('<=2', n) for n in (1, 2, 3)], [0, 0, 5])

    def test_a_failure_of_the_command_is_told_apart(self):
        code, _, errors = execute('exit 3', '--assert', 'ok')
        self.assertEqual(code, 6)
        self.assertIn('the command ended with exit code 3\n', errors)
        self.assertIn('FAILED  ok', errors)
        code, _, errors = execute('kill -9 $$')
        self.assertEqual(code, 6)
        self.assertIn('the command was ended by signal 9 (Killed)\n', errors)

    def test_the_commands_own_output_is_left_alone(self):
        code, out, _ = execute('cat; echo out; echo err >&2')
        self.assertEqual((code, out), (0, 'out\n'))

    def test_a_wrong_filter_is_told_before_anything_runs(self):
        marker = self.directory / 'ran'
        code, _, errors = execute(f'touch {marker}', '--assert', 'ok',
                                  '--assert', 'service("api"){}}')
        self.assertEqual(code, 2)
        self.assertEqual(errors.splitlines(), [
            "xraytrace-local: --assert: unexpected '}' at 16, expected AND, OR or the end",
            '  service("api"){}}',
            '                  ^'])
        self.assertFalse(marker.exists())

    def test_the_command_knows_where_to_send(self):
        code, out, _ = execute('env', AWS_XRAY_DAEMON_ADDRESS='192.0.2.1:2000')
        found = dict(line.partition('=')[::2] for line in out.splitlines())
        self.assertEqual(code, 0)
        address = found['AWS_XRAY_DAEMON_ADDRESS']
        self.assertRegex(address, r'^127\.0\.0\.1:\d+$')
        self.assertEqual(found['AWS_ENDPOINT_URL_XRAY'], 'http://' + address)
        self.assertEqual(found['OTEL_EXPORTER_OTLP_ENDPOINT'], 'http://' + address)
        self.assertEqual(found['OTEL_EXPORTER_OTLP_PROTOCOL'], 'http/protobuf')
        self.assertEqual(out.count('AWS_XRAY_DAEMON_ADDRESS='), 1)

    def test_results_are_json_for_programs(self):
        bad = segment(1, fault=True)
        code, out, errors = execute(sending(bad), '--json', '--assert', 'fault', '--expect', '<=0')
        self.assertEqual((code, errors), (5, ''))
        self.assertEqual(json.loads(out), {
            'command': sending(bad), 'exit': 0, 'traces': 1, 'documents': 1, 'refused': 0,
            'lost': 0, 'evicted': 0,
            'assertions': [{'filter': 'fault', 'expected': '<=0', 'found': 1, 'holds': False,
                            'traces': [bad['trace_id']]}]})

    def test_what_was_refused_is_told(self):
        code, _, errors = execute(sending(segment(1), {'id': 'x'}))
        self.assertEqual(code, 0)
        self.assertRegex(errors, r'\n  refused: 1, \w')

    def test_documents_are_kept_in_a_file(self):
        file = self.directory / 'kept.jsonl'
        sent = [segment(1), segment(2)]
        code, _, errors = execute(sending(*sent), '-o', str(file))
        self.assertEqual(code, 0, errors)
        kept = [json.loads(line) for line in file.read_text().splitlines()]
        self.assertEqual(sorted(kept, key=lambda d: d['id']), sent)

    def test_a_file_that_cannot_be_written_is_told(self):
        code, _, errors = execute('true', '-o', str(self.directory / 'no' / 'such'))
        self.assertEqual(code, 1)
        self.assertIn('no/such: No such file or directory\n', errors)

    def test_a_silence_is_waited_for(self):
        later = f'(sleep 0.5; {sending(segment(1))}) >/dev/null 2>&1 &'
        code, _, errors = execute(later, '--settle', '3s', '--assert', 'ok', '--expect', '1')
        self.assertEqual(code, 0, errors)

    def interrupted(self, number, preexec=None):
        ready = self.directory / 'ready'
        told = self.directory / 'told'
        inner = f'trap "echo $$ > {told}; exit 0" INT TERM; touch {ready}; while :; do sleep 0.05; done'
        # The outer shell waits: only its whole group being told reaches the inner one.
        command = f'sh -c {shlex.quote(inner)}; true'
        with subprocess.Popen([PROGRAM, '--exec', command], stdin=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL, preexec_fn=preexec) as process:
            end = time.monotonic() + LONG
            while not ready.exists() and time.monotonic() < end:
                time.sleep(0.02)
            process.send_signal(number)
            code = process.wait(LONG)
            while not (told.exists() and told.read_text()) and time.monotonic() < end:
                time.sleep(0.02)
        return code, told.exists()

    def test_a_signal_goes_through_and_ends_it(self):
        self.assertEqual(self.interrupted(signal.SIGINT), (130, True))

    def test_so_does_the_signal_of_a_service_manager(self):
        self.assertEqual(self.interrupted(signal.SIGTERM), (143, True))

    def test_the_port_may_be_given(self):
        code, _, errors = execute('echo', '--port', '1', '--bind', '192.0.2.1')
        self.assertEqual(code, 1, errors)
        self.assertIn('cannot listen on 192.0.2.1 port 1', errors)


class Usage(unittest.TestCase):
    def complains(self, message, *arguments):
        code, out, errors = run(*arguments)
        self.assertEqual((code, out), (2, ''))
        self.assertIn(message, errors)

    def test_assertions_go_with_exec(self):
        self.complains('--assert goes with --exec', '--assert', 'ok')
        self.complains('--settle goes with --exec', 'list', '--settle', '1s')

    def test_an_expectation_follows_its_assertion(self):
        self.complains('--expect 3 says how many', '--exec', 'true', '--expect', '3')

    def test_an_expectation_is_a_number(self):
        for wrong in ('x', '>2', '-1', '', '>= 2', '99999999999'):
            self.complains('--expect is a number of traces', '--exec', 'true', '--assert', 'ok',
                           '--expect', wrong)

    def test_the_command_is_one_word(self):
        self.complains('test is one word too many', '--exec', 'make', 'test')


class Documented(unittest.TestCase):
    def filters(self, page):
        blocks = re.findall(r'^```filter\n(.*?)^```', page.read_text(), re.M | re.S)
        return [line for block in blocks for line in block.splitlines()]

    def test_the_filters_of_the_pages_are_understood(self):
        found = {page.name: self.filters(page) for page in (SOURCE / 'docs').glob('*.md')}
        self.assertGreater(len(found['local.md']), 10)
        self.assertGreater(len(found['annotations.md']), 10)
        assertions = [word for filters in found.values() for text in filters
                      for word in ('--assert', text, '--expect', '0')]
        code, _, errors = execute('true', *assertions)
        self.assertEqual(code, 0, errors)

    def test_the_page_names_every_exit_code(self):
        text = (SOURCE / 'docs' / 'local.md').read_text()
        table = text[text.index('## Exit codes'):].split('\n## ')[0]
        self.assertEqual(re.findall(r'^\| (\d+)', table, re.M), ['0', '1', '2', '3', '4', '5', '6', '128'])

    def test_help_names_all_that_the_source_knows(self):
        text = (SOURCE / 'tools/local/cli/options.c').read_text()
        options = re.findall(r'^    \{ "([\w-]+)", (?:true|false),', text, re.M)
        commands = re.findall(r'^    \{ "(\w+)", COMMAND_', text, re.M)
        out = run('--help')[1]
        self.assertGreater(len(options), 20)
        self.assertGreater(len(commands), 4)
        self.assertEqual([name for name in options
                          if not re.search(rf'(?<![\w-])--{name}(?![\w-])', out)],
                         ['output'])  # which is there as -o
        self.assertEqual([name for name in commands
                          if not re.search(rf'^  {name}\b', out, re.M)], [])


if __name__ == '__main__':
    unittest.main()
