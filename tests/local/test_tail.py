#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""--tail in front of a program of three services: whole traces are kept or dropped."""
import json
import math
import os
import pathlib
import re
import socket
import subprocess
import time
import unittest

from collector import LONG, Collector, run, segment, trace_id

PROGRAM = os.environ['THREE_SERVICES']
WORD = (1 << 64) - 1


def mix(x):
    x = ((x ^ (x >> 30)) * 0xbf58476d1ce4e5b9) & WORD
    x = ((x ^ (x >> 27)) * 0x94d049bb133111eb) & WORD
    return x ^ (x >> 31)


def is_sampled(trace, rate):
    """What every process says of this trace id."""
    number = int(trace[2:].replace('-', ''), 16)
    return (mix(mix(number >> 64) ^ (number & WORD)) >> 11) * 2**-53 < rate


class Tail(unittest.TestCase):
    def start(self, *options):
        collector = Collector('--port', '0', *options)
        self.addCleanup(collector.stop)
        return collector

    def requests(self, collector, count, faults):
        """{trace id: had a fault} of so many requests."""
        output = subprocess.check_output([PROGRAM, f'127.0.0.1:{collector.port}', str(count),
                                          str(faults)], text=True, timeout=LONG)
        words = dict(line.split() for line in output.splitlines())
        self.assertEqual(len(words), count)
        return {trace: word == 'fault' for trace, word in words.items()}

    def tail(self, collector):
        return json.loads(collector.request('GET', '/api/status')[2])['tail']

    def kept(self, collector):
        found, token = set(), None
        while True:
            page = collector.ask('/TraceSummaries', {
                'StartTime': 0, 'EndTime': time.time() + 60,
                **({'NextToken': token} if token else {})})
            found |= {summary['Id'] for summary in page['TraceSummaries']}
            token = page.get('NextToken')
            if not token:
                return found

    def test_all_faults_and_a_share_of_the_rest_are_kept_whole(self):
        collector = self.start('--tail=60')
        requests = self.requests(collector, 1000, 20)
        faulty = {trace for trace, fault in requests.items() if fault}
        rest = set(requests) - faulty
        self.assertEqual(len(faulty), 20)
        share = {trace for trace in rest if is_sampled(trace, 0.05)}
        found = self.kept(collector)
        self.assertEqual(found, faulty | share)
        for trace in found:
            names = {document['name'] for document in collector.trace(trace)}
            self.assertEqual(names, {'shop', 'stock', 'mail'}, trace)
        # Ids are random: three deviations would fail once in 370 runs.
        deviation = math.sqrt(len(rest) * 0.05 * 0.95)
        self.assertLess(abs(len(share) - len(rest) * 0.05), 5 * deviation)

    def test_a_trace_that_was_dropped_stays_so(self):
        collector = self.start('--tail=0.1', '--tail-rate', '0')
        dropped, kept = trace_id(1), trace_id(2)
        collector.put(segment(dropped, 1))
        while self.tail(collector)['dropped'] == 0:
            time.sleep(0.01)
        collector.put(segment(dropped, 2, fault=True), segment(kept, 3, fault=True))
        self.assertEqual(self.kept(collector), {kept})
        tail = self.tail(collector)
        self.assertEqual((tail['kept'], tail['dropped'], tail['late_faults'], tail['bytes']),
                         (1, 1, 1, 0))

    def test_slow_ones_and_errors_are_kept_if_told(self):
        collector = self.start('--tail', '--tail-rate', '0', '--tail-slow', '2', '--tail-errors')
        collector.put(segment(trace_id(1, 1700000000), 1, start=1700000000, duration=3),
                      segment(trace_id(2, 1700000000), 2, start=1700000000, error=True),
                      segment(trace_id(3, 1700000000), 3, start=1700000000))
        self.assertEqual(self.kept(collector),
                         {trace_id(1, 1700000000), trace_id(2, 1700000000)})

    def test_what_is_kept_is_forwarded_and_nothing_else(self):
        daemon = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.addCleanup(daemon.close)
        daemon.bind(('127.0.0.1', 0))
        daemon.settimeout(LONG)
        collector = self.start('--tail', '--tail-rate', '0', '--forward',
                               f'udp:127.0.0.1:{daemon.getsockname()[1]}')
        collector.put(segment(trace_id(1), 1), segment(trace_id(2), 2),
                      segment(trace_id(2), 3, fault=True))
        ids = {json.loads(daemon.recv(65536).split(b'\n', 1)[1])['id'] for _ in range(2)}
        self.assertEqual(ids, {'%016x' % 2, '%016x' % 3})
        collector.stop()
        daemon.setblocking(False)
        self.assertRaises(BlockingIOError, daemon.recv, 1)

    @unittest.skipIf('ASAN_OPTIONS' in os.environ, 'AddressSanitizer keeps what was freed')
    def test_memory_is_bounded(self):
        collector = self.start('--tail=3600', '--tail-rate', '0')
        note = {'default': {'note': 'x' * 900_000}}
        for number in range(200):
            self.assertEqual(collector.put(segment(trace_id(number), 1, metadata=note)), [])
        status = pathlib.Path(f'/proc/{collector.process.pid}/status').read_text()
        self.assertLess(int(re.search(r'VmRSS:\s+(\d+)', status)[1]), 130_000)

    def test_wrong_values_are_refused(self):
        for words in (['--tail=0'], ['--tail=x'], ['--tail', '--tail-rate', '2'],
                      ['--tail', '--tail-rate', '-1'], ['--tail', '--tail-slow', 'nan']):
            with self.subTest(words):
                code, _, errors = run(*words)
                self.assertEqual(code, 2)
                self.assertIn('--tail', errors)

    def test_its_rules_need_it(self):
        code, _, errors = run('--tail-rate', '0.5')
        self.assertEqual(code, 2)
        self.assertIn('with --tail', errors)


if __name__ == '__main__':
    unittest.main()
