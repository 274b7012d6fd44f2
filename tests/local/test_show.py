#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The commands that ask a running instance."""
import json
import os
import pty
import re
import socket
import subprocess
import sys
import threading
import time
import unittest

from collector import LONG, PROGRAM, Case, run, segment, subsegment, trace_id

UTF8 = {'LC_ALL': 'C.UTF-8'}


def in_terminal(*arguments, **environment):
    """What the program writes to a terminal."""
    ours, its = pty.openpty()
    environment = {**os.environ, 'TERM': 'xterm', **UTF8, **environment}
    with subprocess.Popen([PROGRAM, *arguments], stdin=subprocess.DEVNULL, stdout=its, stderr=its,
                          env=environment) as process:
        os.close(its)
        output = b''
        while True:
            try:
                part = os.read(ours, 65536)
            except OSError:  # the other end is closed
                break
            if not part:
                break
            output += part
        os.close(ours)
        process.wait(LONG)
    return output.decode()


class Show(Case):
    def send_shop(self):
        trace, now = trace_id(), time.time() - 10
        self.collector.send(
            segment(trace, 1, 'shop', now, 2, origin='AWS::Lambda::Function', fault=True,
                    http={'response': {'status': 500}},
                    cause={'exceptions': [{'type': 'Broken', 'message': 'pipe'}]}),
            subsegment(trace, 2, 1, 'DynamoDB', start=now + 0.5, duration=0.25, namespace='aws'))
        return trace

    def test_a_trace_is_drawn(self):
        trace = self.send_shop()
        code, out, errors = self.collector.show(trace, **UTF8)
        self.assertEqual((code, errors), (0, ''))
        lines = out.splitlines()
        self.assertEqual(lines[0], f'Trace {trace}  1 segment, 1 subsegment  2.00 s  fault')
        self.assertRegex(lines[3], r'^shop +AWS::Lambda::Function +\+0 ms +2\.00 s +█+  500 fault$')
        self.assertEqual(lines[4], '│   Broken: pipe')
        self.assertRegex(lines[5], r'^╰╴DynamoDB +aws +\+500 ms +250 ms +▐?█+[▏▎▍▌▋▊▉]? +ok$')
        self.assertEqual(len(lines), 6)

    def test_the_id_may_be_written_as_32_digits(self):
        trace = self.send_shop()
        code, out, _ = self.collector.show(trace[2:].replace('-', '').upper())
        self.assertEqual(code, 0)
        self.assertTrue(out.startswith(f'Trace {trace}'))

    def test_without_utf8_it_is_ascii(self):
        code, out, _ = self.collector.show(self.send_shop(), LC_ALL='C')
        self.assertEqual(code, 0)
        self.assertTrue(out.isascii())
        self.assertRegex(out, r'`-DynamoDB .* #+ ')

    def test_colours_come_in_a_terminal_or_when_asked_for(self):
        trace = self.send_shop()
        port = str(self.collector.port)
        self.assertIn('\033[31m', in_terminal('show', trace, '--port', port))
        self.assertNotIn('\033', in_terminal('show', trace, '--port', port, NO_COLOR='1'))
        self.assertNotIn('\033', in_terminal('show', trace, '--port', port, '--color', 'never'))
        self.assertNotIn('\033', self.collector.show(trace)[1])
        self.assertIn('\033[31m', self.collector.show(trace, '--color', 'always')[1])

    def test_the_width_is_kept(self):
        trace = self.send_shop()
        for width in (60, 80, 100, 200):
            out = self.collector.show(trace, '--width', str(width), **UTF8)[1]
            self.assertLessEqual(max(map(len, out.splitlines()[2:])), width)

    def test_json_has_the_documents_as_objects(self):
        trace = self.send_shop()
        self.collector.send(segment(trace, 3, 'x\x1b[31m\x7f\u009b\u202e'))
        code, out, _ = self.collector.show(trace, '--json', **UTF8)
        self.assertEqual(code, 0)
        shown = json.loads(out)
        self.assertEqual(shown['Id'], trace)
        names = {entry['Document']['name'] for entry in shown['Segments']
                 if not entry['Document'].get('inferred')}
        self.assertEqual(names, {'shop', 'x\x1b[31m\x7f\u009b\u202e'})
        self.assertEqual(re.findall('[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]', out), [])

    def test_documents_cannot_reach_the_terminal(self):
        trace = trace_id()
        evil = '\x1b]0;title\x07\x1b[2J\r\n\x9b31m\u202e'
        self.collector.send(segment(
            trace, 1, evil, origin=evil, fault=True, user=evil, namespace=evil,
            cause={'exceptions': [{'type': evil, 'message': evil}], 'message': evil}))
        for out in (self.collector.show(trace, **UTF8)[1],
                    self.collector.show(trace, LC_ALL='C')[1],
                    run('list', '--port', str(self.collector.port), environment=UTF8)[1]):
            self.assertEqual(re.findall('[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]', out), [])

    def test_what_has_no_parent_is_under_a_line_that_says_so(self):
        trace = trace_id()
        self.collector.send(segment(trace, 1), subsegment(trace, 3, 2, 'lost'))
        out = self.collector.show(trace, **UTF8)[1]
        self.assertRegex(out, r'\nparent 0000000000000002 not received\n╰╴lost ')

    def test_a_trace_that_is_not_there_is_1(self):
        code, out, errors = self.collector.show(trace_id())
        self.assertEqual((code, out), (1, ''))
        self.assertIn('nothing of trace 1-', errors)

    def test_a_deep_trace_of_many_documents_is_shown(self):
        trace = trace_id()
        self.collector.send(segment(trace, 1, duration=100))
        for number in range(2, 3000):
            self.collector.send(subsegment(trace, number, number - 1, f'level {number}'))
        code, out, errors = self.collector.show(trace)
        self.assertEqual(code, 0, errors)
        self.assertIn('level 2999', out)
        self.assertNotIn('not received', out)


class List(Case):
    def list(self, *arguments):
        return run('list', '--port', str(self.collector.port), *arguments, environment=UTF8)

    def test_the_latest_come_first(self):
        now = time.time() - 100
        for number in range(30):
            self.collector.send(segment(trace_id(number), 1, f'entry {number}', now + number, 0.5,
                                        fault=number == 29))
        code, out, _ = self.list()
        lines = out.splitlines()
        self.assertEqual((code, len(lines)), (0, 20))
        self.assertRegex(lines[0], r'^1-\S{33}  \d{4}-\d\d-\d\d \d\d:\d\d:\d\d +500 ms  '
                         r'entry 29 +fault$')
        self.assertRegex(lines[19], r' entry 10 +ok$')

    def test_more_than_a_page_can_be_asked_for(self):
        for number in range(250):
            self.collector.send(segment(trace_id(number), 1))
        self.assertEqual(len(self.list('--limit', '220')[1].splitlines()), 220)
        self.assertEqual(len(self.list('--limit', '1000')[1].splitlines()), 250)

    def test_nothing_yet_is_said(self):
        code, out, _ = self.list()
        self.assertEqual(code, 0)
        self.assertIn('no traces yet', out)


class Elsewhere(unittest.TestCase):
    """What answers is not there, or not xraytrace-local."""

    def expect_unreachable(self, port, words):
        for command in (['list'], ['show', trace_id()]):
            code, out, errors = run(*command, '--port', str(port))
            self.assertEqual((code, out), (3, ''))
            self.assertIn(words, errors)

    def test_nobody_there_is_3(self):
        with socket.socket() as unused:
            unused.bind(('127.0.0.1', 0))  # bound, but it does not listen
            self.expect_unreachable(unused.getsockname()[1], 'no xraytrace-local can be reached')

    def answer_with(self, data):
        server = socket.create_server(('127.0.0.1', 0))
        self.addCleanup(server.close)

        def answer():
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                with connection:
                    connection.settimeout(LONG)
                    try:
                        connection.recv(65536)
                        connection.sendall(data)
                    except OSError:
                        pass

        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        return server.getsockname()[1]

    def test_an_answer_that_makes_no_sense_is_3(self):
        for data in (b'', b'SSH-2.0-x\r\n', b'HTTP/1.1 200 OK\r\n', b'HTTP/1.1 200 OK\r\n\r\n<html>',
                     b'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{}', b'HTTP/1.1 500 x\r\n\r\n{}',
                     b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n',
                     b'\0' * 100, b'HTTP/1.1 \r\n\r\n'):
            with self.subTest(data):
                self.expect_unreachable(self.answer_with(data), 'is not xraytrace-local')

    def test_hostile_documents_in_an_answer_do_no_harm(self):
        documents = ['', '[]', '{', '{"subsegments":[[],{},5]}', '{"id":5,"name":[],"http":5}',
                     '{"subsegments":{},"cause":5}', '[' * 5000, '{"start_time":1e308}', '\u202e']
        body = json.dumps({'Traces': [{'Segments': [{'Document': text} for text in documents]
                                       + [{'Document': 5}, 5, {}]}]}).encode()
        head = b'HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n' % len(body)
        port = self.answer_with(head + body)
        code, out, errors = run('show', trace_id(), '--port', str(port), environment=UTF8)
        self.assertEqual((code, errors), (0, ''))
        self.assertIn('4 segments', out)


if __name__ == '__main__':
    sys.exit(unittest.main())
