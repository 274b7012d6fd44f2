#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What is kept goes to another daemon too."""
import json
import socket
import sys
import unittest

from collector import HEADER, LONG, Collector, run, segment, trace_id


class Forward(unittest.TestCase):
    def setUp(self):
        self.daemon = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.daemon.bind(('127.0.0.1', 0))
        self.daemon.settimeout(LONG)
        self.addCleanup(self.daemon.close)
        self.port = self.daemon.getsockname()[1]

    def start(self, target):
        collector = Collector('--port', '0', '--forward', target)
        self.addCleanup(collector.stop)
        return collector

    def state(self, collector):
        return json.loads(collector.request('GET', '/api/status')[2])['forward']

    def test_what_is_kept_arrives_as_it_came(self):
        collector = self.start(f'udp:127.0.0.1:{self.port}')
        text = json.dumps(segment(trace_id(), 1)) [:-1] + ', "metadata": {"n": {"x": 1e400}}}'
        text = text.replace('1e400', '18446744073709551615')
        collector.datagram(HEADER + text.encode())
        self.assertEqual(self.daemon.recv(65536), HEADER + text.encode())
        collector.put(segment(trace_id(), 2))
        self.assertEqual(json.loads(self.daemon.recv(65536).partition(b'\n')[2])['id'],
                         '%016x' % 2)
        self.assertEqual(self.state(collector), {'target': f'udp:127.0.0.1:{self.port}',
                                                 'sent': 2, 'failed': 0})

    def test_what_is_refused_does_not(self):
        collector = self.start(f'udp:localhost:{self.port}')
        collector.datagram(HEADER + b'{"id":"x"}')
        collector.datagram(b'nonsense')
        collector.send(segment(trace_id(), 7))
        self.assertIn(b'%016x' % 7, self.daemon.recv(65536))
        self.assertEqual(self.state(collector)['sent'], 1)

    def test_a_chain_of_two_keeps_the_same(self):
        last = Collector()
        self.addCleanup(last.stop)
        first = self.start(f'udp:127.0.0.1:{last.port}')
        for number in range(50):
            first.send(segment(trace_id(number), 1))
        self.assertEqual(len(first.summaries()), 50)
        self.assertEqual(self.state(first)['sent'], 50)
        self.assertEqual(len(last.summaries()), 50)

    def test_nobody_there_is_counted_and_keeps_nobody_waiting(self):
        self.daemon.close()
        collector = self.start(f'udp:127.0.0.1:{self.port}')
        for number in range(20):
            collector.put(segment(trace_id(number), 1))
        state = self.state(collector)
        self.assertEqual(state['sent'] + state['failed'], 20)
        self.assertGreaterEqual(state['failed'], 10)
        self.assertEqual(len(collector.summaries()), 20)

    def test_a_document_beyond_a_datagram_is_counted_as_failed(self):
        collector = self.start(f'udp:127.0.0.1:{self.port}')
        collector.put(segment(trace_id(), 1, metadata={'n': {'x': 'x' * 70000}}))
        self.assertEqual(self.state(collector)['failed'], 1)

    def test_a_wrong_target_ends_the_program_with_the_reason(self):
        for target, code, word in (('nonsense', 2, 'udp:HOST:PORT'), ('udp:127.0.0.1', 2, 'HOST'),
                                   ('udp:127.0.0.1:0', 2, 'PORT'), ('udp::1:2000', 2, 'IPv6'),
                                   ('udp:127.0.0.1:99999', 2, 'PORT'), ('udp::2000', 2, 'HOST'),
                                   ('udp:127.0.0.1:2x', 2, 'PORT'),
                                   ('udp:no host.invalid:2000', 1, 'no such host')):
            result, _, errors = run('--port', '0', '--forward', target)
            self.assertEqual(result, code, target)
            self.assertIn(word, errors)

    def test_it_never_forwards_to_itself(self):
        self.daemon.close()
        for bind, host in (('127.0.0.1', '127.0.0.1'), ('127.0.0.1', 'localhost'),
                           ('0.0.0.0', '127.0.0.1'), ('127.0.0.1', '0.0.0.0')):
            result, _, errors = run('--port', str(self.port), '--bind', bind, '--otlp-port', '0',
                                    '--forward', f'udp:{host}:{self.port}')
            self.assertEqual(result, 1, (bind, host))
            self.assertIn('itself', errors)


if __name__ == '__main__':
    sys.exit(unittest.main())
