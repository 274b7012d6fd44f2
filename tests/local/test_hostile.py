#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Thousands of damaged datagrams and requests: it goes on, and what is right still arrives."""
import json
import random
import socket
import sys
import unittest

from collector import HEADER, Case, segment, subsegment, trace_id

PIECES = [b'{', b'}', b'[', b']', b'"', b'\\', b'\\u', b'\\ud83d', b'\0', b'\n', b',', b':',
          b'\xff', b'\xc3', b'\xf0\x9f', b'null', b'1e999', b'-', b'0', b'"subsegments":[{}]',
          b'"subsegments":5', b'"id":"0000000000000001"', b'"parent_id":"0000000000000001"',
          b'"type":"subsegment"', b'"start_time":-1', b'"end_time":"x"', b'"in_progress":true',
          b'"cause":"0000000000000001"', b'"annotations":{"a":[]}', b'"http":{"response":[]}']


def good(generator):
    """A datagram with a bit of everything, its ids from a small set so that they meet."""
    trace = trace_id(generator.randrange(5))
    inner = segment(trace, generator.randrange(20), 'inner', http={'response': {'status': 404}},
                    error=True, annotations={'k': 'v', 'n': 1.5, 'b': True},
                    cause={'exceptions': [{'id': '1' * 16, 'type': 'T', 'message': 'm\u00e9'}]})
    members = {'subsegments': [inner, {'id': 'x'}], 'metadata': {'n': {'big': 2 ** 64}},
               'aws': {'account_id': '1', 'ec2': {'instance_id': 'i'}}, 'user': 'u'}
    number = generator.randrange(20)
    if generator.random() < 0.5:
        document = subsegment(trace, number, generator.randrange(20), **members)
    else:
        document = segment(trace, number, **members)
    return HEADER + json.dumps(document).encode()


def damaged(generator):
    data = bytearray(good(generator))
    for _ in range(generator.randrange(1, 6)):
        at = generator.randrange(len(data) + 1)
        end = at + generator.randrange(20)
        kind = generator.randrange(5)
        if kind == 0 and at < len(data):
            data[at] = generator.randrange(256)
        elif kind == 1:
            del data[at:end]
        elif kind == 2:
            data[at:at] = generator.choice(PIECES)
        elif kind == 3:
            data[at:at] = data[at:end] * generator.randrange(1, 40)
        else:
            del data[at:]
    return bytes(data[:65507])


class Hostile(Case):
    def expect_it_works(self):
        trace = trace_id(77)
        self.collector.send(segment(trace, 1, 'alive'))
        self.assertEqual(self.collector.trace(trace)[0]['name'], 'alive')

    def expect_all_can_be_read(self):
        """Whatever was kept: replies are JSON, and can be shown."""
        for summary in self.collector.summaries():
            self.collector.trace(summary['Id'])
            code, _, errors = self.collector.show(summary['Id'], '--width', '80')
            self.assertEqual((code, errors), (0, ''))

    def test_damaged_datagrams(self):
        generator = random.Random(20)
        for batch in range(60):
            for _ in range(100):
                self.collector.datagram(damaged(generator))
            self.assertIn('a local X-Ray', self.collector.status(), batch)
        self.expect_all_can_be_read()
        self.expect_it_works()

    def test_random_bytes(self):
        generator = random.Random(21)
        for _ in range(2000):
            self.collector.datagram(generator.randbytes(generator.randrange(0, 600)))
            self.collector.datagram(HEADER + generator.randbytes(generator.randrange(0, 600)))
        self.expect_it_works()

    def test_known_tricks(self):
        trace = trace_id(1)
        deep = b'{"subsegments":[' * 3000
        ids = b'"trace_id":"%s","id":"0000000000000001","start_time":1' % trace.encode()
        for body in (b'[' * 65000, deep, b'{' + ids + b',"x":' + b'[' * 30000 + b']' * 30000 + b'}',
                     b'{' + ids + b',"subsegments":[' + b'{},' * 15000 + b'{}]}',
                     b'{' + ids + b',"name":"' + b'\xcc\x81' * 20000 + b'"}',
                     b'{' + ids + b',"name":"\\u0000x","id\\u0000":1}',
                     b'{' + ids + b',' + ids + b',"subsegments":[{}],"subsegments":[5]}',
                     b'{' + ids + b',"end_time":1e308,"subsegments":[{"start_time":-1e308}]}',
                     b'1' * 65000, b'"' + b'\\' * 60000, b' ' * 65000, b'[]', b'[[]]', b'[{}]'):
            self.collector.datagram(HEADER + body)
        self.collector.datagram(b'\n' * 65507)
        self.collector.datagram(b'{' * 65507)
        self.collector.datagram(b'')
        self.expect_all_can_be_read()
        self.expect_it_works()

    def test_subsegments_nested_as_deep_as_json_may_be(self):
        trace = trace_id(1)
        head = json.dumps(segment(trace, 1, 'top'))[:-1]
        levels = 400
        text = head + ',"subsegments":[{"name":"n"' * levels + '}]' * levels + '}'
        self.assertEqual(self.collector.put(text), [])
        self.assertEqual(self.collector.show(trace)[0], 0)
        refused = self.collector.put(head + ',"subsegments":[{"name":"n"' * 500 + '}]' * 500 + '}')
        self.assertEqual(refused[0]['ErrorCode'], 'ParseError')

    def test_damaged_requests(self):
        generator = random.Random(22)
        whole = (b'POST /TraceSegments HTTP/1.1\r\nHost: localhost\r\nContent-Length: 28\r\n\r\n'
                 b'{"TraceSegmentDocuments":[]}')
        for _ in range(500):
            data = bytearray(whole)
            for _ in range(generator.randrange(1, 6)):
                at = generator.randrange(len(data) + 1)
                if generator.random() < 0.5:
                    data[at:at] = generator.choice(PIECES + [b'\r\n', b' ', b'%00', b'99999999999'])
                else:
                    del data[at:at + generator.randrange(10)]
            with socket.create_connection(('127.0.0.1', self.collector.port)) as connection:
                connection.sendall(data)
        self.expect_it_works()

    def test_damaged_questions(self):
        generator = random.Random(23)
        self.collector.send(segment(trace_id(1), 1))
        whole = json.dumps({'TraceIds': [trace_id(1)], 'StartTime': 0, 'EndTime': 2e9,
                            'TraceSegmentDocuments': [json.dumps(segment(trace_id(1), 2))],
                            'NextToken': '0' * 80, 'TimeRangeType': 'Event'}).encode()
        for _ in range(600):
            data = bytearray(whole)
            at = generator.randrange(len(data))
            data[at:at + generator.randrange(12)] = generator.choice(PIECES)
            for path in ('/Traces', '/TraceSummaries', '/TraceSegments'):
                status, _, reply = self.collector.request('POST', path, bytes(data))
                self.assertIn(status, (200, 400))
                json.loads(reply)
        self.expect_it_works()

    def test_damaged_sampling(self):
        generator = random.Random(24)
        rule = {'RuleName': 'r', 'ResourceARN': '*', 'Priority': 5, 'FixedRate': 0.25,
                'ReservoirSize': 10, 'ServiceName': '*', 'ServiceType': '*', 'Host': '*',
                'HTTPMethod': '*', 'URLPath': '*', 'Version': 1, 'Attributes': {'k': 'v'},
                'SamplingRateBoost': {'MaxRate': 0.5, 'CooldownWindowMinutes': 1}}
        counts = {'RuleName': 'r', 'ClientID': 'a' * 24, 'Timestamp': 1e9, 'RequestCount': 1,
                  'SampledCount': 0, 'BorrowCount': 0, 'ServiceName': 's', 'AnomalyCount': 1,
                  'TotalCount': 1, 'SampledAnomalyCount': 1}
        whole = json.dumps({'SamplingRule': rule, 'RuleName': 'r',
                            'SamplingRuleUpdate': {'RuleName': 'r', 'Priority': 3},
                            'SamplingStatisticsDocuments': [counts],
                            'SamplingBoostStatisticsDocuments': [counts]}).encode()
        paths = ('/CreateSamplingRule', '/UpdateSamplingRule', '/SamplingTargets',
                 '/DeleteSamplingRule')
        for _ in range(600):
            data = bytearray(whole)
            at = generator.randrange(len(data))
            data[at:at + generator.randrange(12)] = generator.choice(PIECES)
            for path in paths:
                status, _, reply = self.collector.request('POST', path, bytes(data))
                self.assertIn(status, (200, 400))
                json.loads(reply)
        for path in ('/GetSamplingRules', '/SamplingStatisticSummaries'):
            for token in PIECES:
                status, _, reply = self.collector.request('POST', path, json.dumps(
                    {'NextToken': 'rules-00001-' + token.decode('latin-1')}).encode())
                self.assertIn(status, (200, 400))
        for _ in range(30):
            self.collector.call('/CreateSamplingRule', {'SamplingRule': rule})
        self.collector.ask('/UpdateSamplingRule', {'SamplingRuleUpdate': {'RuleName': 'r',
                                                                          'FixedRate': 0.5}})
        self.expect_it_works()


if __name__ == '__main__':
    sys.exit(unittest.main())
