#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The limits of what is kept, as options."""
import time
import unittest

from collector import Collector, run, segment, trace_id


class Limits(unittest.TestCase):
    def start(self, *options):
        collector = Collector('--port', '0', *options)
        self.addCleanup(collector.stop)
        return collector

    def fill(self, collector, traces, **members):
        for number in range(1, traces + 1):
            self.assertEqual(collector.put(segment(trace_id(number), 1, **members)), [])
        return {summary['Id'] for summary in collector.summaries()}

    def test_the_oldest_make_room_for_more_traces_than_allowed(self):
        kept = self.fill(self.start('--max-traces', '3'), 5)
        self.assertEqual({found[-1] for found in kept}, set('345'))

    def test_bytes_have_units(self):
        note = {'metadata': {'default': {'note': 'x' * 30000}}}
        kept = self.fill(self.start('--max-bytes', '100K'), 8, **note)
        self.assertIn(len(kept), (2, 3))
        self.assertEqual(len(self.fill(self.start('--max-bytes', '100M'), 8, **note)), 8)

    def test_traces_expire(self):
        collector = self.start('--max-age', '1s')
        self.fill(collector, 2)
        while collector.summaries():
            time.sleep(0.05)

    def test_what_is_no_limit_is_refused_with_an_example(self):
        for option, values in {'--max-traces': ('0', '-1', 'many', '10000001', '1.5'),
                               '--max-bytes': ('0', '1T', '10 M', '-5', '', '0x10'),
                               '--max-age': ('0', '1w', 'h', '4000d', '-1s')}.items():
            for value in values:
                with self.subTest(option=option, value=value):
                    code, _, errors = run(option, value)
                    self.assertEqual(code, 2)
                    self.assertIn(f'{option} is a', errors)


if __name__ == '__main__':
    unittest.main()
