#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Starting, receiving datagrams and stopping."""
import json
import os
import signal
import socket
import subprocess
import sys
import unittest

from collector import HEADER, Case, Collector, run, segment, subsegment, trace_id


class Datagrams(Case):
    def test_what_was_sent_before_a_question_is_in_the_answer(self):
        for number in range(1, 200):
            trace = trace_id(number)
            self.collector.send(segment(trace, 1), subsegment(trace, 2, 1))
            documents = self.collector.trace(trace)
            self.assertEqual(len(documents), 1)
            self.assertEqual(documents[0]['subsegments'][0]['id'], '%016x' % 2)

    def test_a_burst_of_ten_thousand_subsegments_arrives_or_is_counted_as_lost(self):
        trace = trace_id()
        self.collector.send(segment(trace, 1, duration=60))
        for number in range(2, 10002):
            self.collector.send(subsegment(trace, number, 1))
        document, = self.collector.trace(trace)
        status = self.collector.status()
        lost = [int(line.split()[1]) for line in status.splitlines() if line.startswith('lost')]
        self.assertEqual(len(document['subsegments']) + sum(lost), 10000, status)

    def test_the_complete_document_replaces_the_one_in_progress(self):
        trace = trace_id()
        running = segment(trace, 1, 'running', in_progress=True)
        del running['end_time']
        self.collector.send(running)
        self.assertEqual(self.collector.trace(trace)[0]['name'], 'running')
        self.collector.send(segment(trace, 1, 'done'), running)
        self.assertEqual(self.collector.trace(trace)[0]['name'], 'done')

    def test_refused_datagrams_are_counted_by_reason_and_logged_once(self):
        for _ in range(3):
            self.collector.datagram(b'no newline')
            self.collector.datagram(b'{"format":"json","version":2}\n{}')
            self.collector.datagram(HEADER)
            self.collector.datagram(HEADER + b'{')
            self.collector.datagram(HEADER + b'{}')
        status = self.collector.status()
        for reason in ('no newline after the header', "the header's version is not 1",
                       'nothing after the header', 'not JSON', 'no valid id'):
            self.assertIn(f'3: {reason}\n', status)
        self.assertEqual(self.collector.stop(), 0)
        self.assertEqual(len(self.collector.errors), 5, self.collector.errors)

    def test_the_largest_datagram_is_kept(self):
        trace = trace_id()
        document = segment(trace, 1, metadata={'n': {'x': ''}})
        self.collector.send(document)
        room = 65507 - len(HEADER) - len(json.dumps(document))
        document['metadata']['n']['x'] = 'x' * room
        self.collector.send(document)
        kept = self.collector.trace(trace)[0]
        self.assertEqual(len(kept['metadata']['n']['x']), room)


class Start(unittest.TestCase):
    def start(self, *arguments):
        collector = Collector(*arguments)
        self.addCleanup(collector.stop)
        return collector

    def test_three_lines_say_what_it_is_and_how_to_use_it(self):
        collector = self.start('--port', '0')
        port = collector.port
        self.assertRegex(collector.lines[0], r'^xraytrace-local \d+\.\d+\.\d+ listens on '
                         rf'127\.0\.0\.1:{port} \(UDP and TCP\)\n$')
        self.assertEqual(f'look at traces: http://127.0.0.1:{port}/ or xraytrace-local list '
                         f'--port {port}\n', collector.lines[1])
        self.assertEqual(collector.lines[2], 'tell X-Ray SDKs: export '
                         f'AWS_XRAY_DAEMON_ADDRESS=127.0.0.1:{port}\n')

    def test_each_stop_signal_ends_it_well(self):
        for number in (signal.SIGINT, signal.SIGTERM):
            collector = self.start('--port', '0')
            self.assertEqual(collector.stop(number), 0)
            self.assertEqual(collector.errors, [])

    def test_its_port_can_be_taken_again_at_once(self):
        first = self.start('--port', '0')
        first.call('/TelemetryRecords', {})
        first.stop()
        second = self.start('--port', str(first.port))
        self.assertEqual(second.port, first.port)

    def test_a_port_that_another_instance_has_is_named_with_its_process(self):
        first = self.start('--port', '0')
        code, _, errors = run('--port', str(first.port))
        self.assertEqual(code, 4)
        self.assertIn(f'port {first.port} (UDP) is taken by process {first.process.pid} '
                      '(xraytrace-local)', errors)

    def taken(self, kind, address='127.0.0.1'):
        family = socket.AF_INET6 if ':' in address else socket.AF_INET
        with socket.socket(family, kind) as holder:
            holder.bind((address, 0))
            if kind == socket.SOCK_STREAM:
                holder.listen()
            code, _, errors = run('--port', str(holder.getsockname()[1]))
            self.assertEqual(code, 4)
            self.assertIn(f'is taken by process {os.getpid()} (', errors)
            return errors

    def test_the_holder_of_a_udp_port_is_named(self):
        self.assertIn('(UDP)', self.taken(socket.SOCK_DGRAM))

    def test_the_holder_of_a_tcp_port_is_named(self):
        self.assertIn('(TCP)', self.taken(socket.SOCK_STREAM))

    def test_a_holder_of_all_addresses_is_named(self):
        self.taken(socket.SOCK_DGRAM, '0.0.0.0')

    def test_a_holder_through_ipv6_is_named(self):
        try:
            self.taken(socket.SOCK_DGRAM, '::')
        except OSError as error:
            self.skipTest(f'no IPv6 here: {error}')

    def test_it_listens_on_loopback_only(self):
        collector = self.start('--port', '0')
        with open('/proc/net/tcp', encoding='ascii') as tcp, \
                open('/proc/net/udp', encoding='ascii') as udp:
            wanted = f':{collector.port:04X}'
            own = {line.split()[1] for file in (tcp, udp) for line in file
                   if line.split()[1].endswith(wanted) and line.split()[3] in ('0A', '07')}
        self.assertEqual(own, {f'0100007F:{collector.port:04X}'})

    def test_it_can_be_bound_elsewhere(self):
        collector = self.start('--port', '0', '--bind', '127.0.0.2')
        self.assertEqual(collector.address, '127.0.0.2')
        self.assertEqual(collector.ask('/TelemetryRecords', {}), {})
        self.assertIn('=127.0.0.2:', collector.lines[2])

    def test_it_speaks_ipv6(self):
        try:
            with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as probe:
                probe.bind(('::1', 0))
        except OSError as error:
            self.skipTest(f'no IPv6 here: {error}')
        collector = self.start('--port', '0', '--bind', '::1')
        trace = trace_id()
        collector.send(segment(trace, 1, 'six'))
        code, out, _ = collector.show(trace, '--host', '::1')
        self.assertEqual(code, 0)
        self.assertIn('six', out)

    def test_an_address_that_is_not_ours_is_an_error(self):
        code, _, errors = run('--port', '0', '--bind', '192.0.2.1')
        self.assertEqual(code, 1)
        self.assertIn('cannot listen on 192.0.2.1 port 0', errors)

    def test_it_writes_no_file(self):
        collector = self.start('--port', '0')
        trace = trace_id()
        collector.send(segment(trace, 1))
        collector.trace(trace)
        opened = []
        for name in os.listdir(f'/proc/{collector.process.pid}/fd'):
            try:
                opened.append(os.readlink(f'/proc/{collector.process.pid}/fd/{name}'))
            except FileNotFoundError:
                pass  # a connection that was closed meanwhile
        self.assertEqual([path for path in opened if path.startswith('/')
                          and not path.startswith('/dev/') and '/reports' not in path], [])


class Usage(unittest.TestCase):
    def test_help_has_examples(self):
        code, out, errors = run('--help')
        self.assertEqual((code, errors), (0, ''))
        self.assertIn('Examples:', out)
        self.assertIn('xraytrace-local show 1-', out)

    def test_version_is_the_librarys(self):
        code, out, _ = run('--version')
        self.assertEqual(code, 0)
        self.assertRegex(out, r'^xraytrace-local \d+\.\d+\.\d+\n$')

    def test_wrong_usage_is_said_and_ends_with_2(self):
        wrong = (['--nonsense'], ['dance'], ['--port'], ['--port', '65536'], ['--port', '-1'],
                 ['--port', '1x'], ['--bind', 'localhost'], ['--json'], ['show'],
                 ['show', 'x'], ['show', trace_id(), 'more'], ['show', trace_id(), '--limit', '1'],
                 ['show', trace_id(), '--port', '0'], ['list', '--limit', '0'],
                 ['list', '--color', 'blue'], ['show', trace_id(), '--width', '59'])
        for arguments in wrong:
            with self.subTest(arguments):
                code, out, errors = run(*arguments)
                self.assertEqual((code, out), (2, ''))
                self.assertRegex(errors, r'^xraytrace-local: .*; see xraytrace-local --help\n$')

    def test_a_full_disk_is_an_error(self):
        if not os.path.exists('/dev/full'):
            self.skipTest('no /dev/full')
        collector = Collector()
        self.addCleanup(collector.stop)
        trace = trace_id()
        collector.send(segment(trace, 1))
        with open('/dev/full', 'w', encoding='ascii') as full:
            for command in (['show', trace], ['list']):
                result = subprocess.run(
                    [os.environ['XRAYTRACE_LOCAL'], *command, '--port', str(collector.port)],
                    stdout=full, stderr=subprocess.PIPE, text=True, timeout=60)
                self.assertEqual(result.returncode, 1)
                self.assertIn('cannot write', result.stderr)


if __name__ == '__main__':
    sys.exit(unittest.main())
