#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Failures on purpose, as who tests an SDK asks for them."""
import email.utils
import json
import socket
import sys
import threading
import time
import unittest

from collector import Collector, run, segment, trace_id


class Fail(unittest.TestCase):
    def start(self, *faults):
        options = [word for fault in faults for word in ('--fail', fault)]
        collector = Collector('--port', '0', *options)
        self.addCleanup(collector.stop)
        return collector

    def statuses(self, collector, count=200):
        return [collector.call('/GetSamplingRules')[0] for _ in range(count)]

    def fail_of(self, collector):
        return json.loads(collector.request('GET', '/api/status')[2])['fail']

    def test_each_kind_fails_as_the_service_does(self):
        for fault, status, kind in (('throttle:1', 429, 'ThrottledException'),
                                    ('error:1', 500, 'InternalFailure'),
                                    ('skew', 403, 'InvalidSignatureException')):
            collector = self.start(fault)
            for path in ('/GetSamplingRules', '/TraceSegments', '/v1/traces'):
                got, headers, reply = collector.call(path, {'TraceSegmentDocuments': []})
                self.assertEqual((got, headers['x-amzn-ErrorType']), (status, kind))
                self.assertIn('--fail', reply['Message'])

    def test_a_reply_of_skew_has_the_right_time(self):
        _, headers, _ = self.start('skew:1').call('/GetSamplingRules')
        date = email.utils.parsedate_to_datetime(headers['Date']).timestamp()
        self.assertLess(abs(date - time.time()), 600)

    def test_a_share_of_requests_fails(self):
        statuses = self.statuses(self.start('throttle:0.5'))
        self.assertEqual(set(statuses), {200, 429})
        self.assertLess(abs(statuses.count(429) - 100), 50)  # 7 standard deviations

    def test_several_kinds_are_mixed_and_a_share_of_0_is_none(self):
        self.assertEqual(set(self.statuses(self.start('throttle:0.3', 'error:0.3', 'skew:0.3'))),
                         {200, 429, 500, 403})
        self.assertEqual(set(self.statuses(self.start('throttle:0', 'error:0'), 20)), {200})

    def test_what_fails_is_not_kept(self):
        collector = self.start('error:1')
        collector.call('/TraceSegments',
                       {'TraceSegmentDocuments': [json.dumps(segment(trace_id(), 1))]})
        self.assertEqual(self.counts(collector)['documents'], 0)

    def counts(self, collector):
        return json.loads(collector.request('GET', '/api/status')[2])['counts']

    def test_a_share_of_datagrams_is_dropped(self):
        collector = self.start('drop:0.5')
        for number in range(200):
            collector.send(segment(trace_id(number), 1))
        kept = self.counts(collector)['documents']
        self.assertLess(abs(kept - 100), 50)
        self.assertEqual(collector.call('/GetSamplingRules')[0], 200)
        self.assertEqual(self.fail_of(collector), f'drop 0.5 ({200 - kept} so far)')

    def test_replies_are_late_but_not_one_after_the_other(self):
        collector = self.start('latency:400ms')
        begin = time.monotonic()
        threads = [threading.Thread(target=collector.call, args=('/GetSamplingRules',))
                   for _ in range(30)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        took = time.monotonic() - begin
        self.assertGreaterEqual(took, 0.4)
        self.assertLess(took, 6)  # one after the other would be 12

    def test_it_ends_while_replies_are_held_back(self):
        collector = self.start('latency:60s')
        with socket.create_connection(('127.0.0.1', collector.port)) as waiting:
            waiting.sendall(b'POST /GetSamplingRules HTTP/1.1\r\nHost: localhost\r\n'
                            b'Content-Length: 0\r\n\r\n')
            time.sleep(0.2)
            self.assertEqual(collector.stop(), 0)

    def test_the_page_itself_works_on(self):
        collector = self.start('error:1', 'latency:60s')
        self.assertEqual(collector.request('GET', '/api/status')[0], 200)
        self.assertEqual(collector.request('POST', '/api/sample-trace', b'')[0], 200)
        status, _, _ = collector.request('POST', '/GetSamplingRules', b'',
                                         {'Sec-Fetch-Site': 'same-origin'})
        self.assertEqual(status, 200)

    def test_it_is_said_at_the_start_and_in_the_status(self):
        collector = self.start('throttle:0.25', 'latency:2s')
        self.assertEqual(self.fail_of(collector), 'throttle 0.25 (0 so far), latency 2000 ms')
        collector.stop()
        self.assertIn('throttle 0.25', ''.join(collector.errors))

    def test_wrong_faults_are_named_with_the_remedy(self):
        for fault in ('', 'x', 'throttle', 'throttle:', 'throttle:2', 'throttle:-1', 'throttle:nan',
                      'error:0x1', 'latency:5', 'latency:ms', 'latency:61s', 'latency:-1s',
                      'latency:99999999999999999999s', 'skew:', 'drop:1e0'):
            code, _, errors = run('--port', '0', '--fail', fault)
            self.assertEqual(code, 2, fault)
            self.assertIn('latency:TIME', errors)


if __name__ == '__main__':
    sys.exit(unittest.main())
