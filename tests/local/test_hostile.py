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

# Each operation with a request that has all of its members; ids, names and tokens are filled in.
TIMES = {'StartTime': 1.7e9, 'EndTime': 1.7e9 + 600}
OPERATIONS = {
    '/TraceSegments': {'TraceSegmentDocuments': ['{}']},
    '/Traces': {'TraceIds': [trace_id()], 'NextToken': None},
    '/TraceSummaries': {**TIMES, 'TimeRangeType': 'Event', 'Sampling': True,
                        'SamplingStrategy': {'Name': 'FixedRate', 'Value': 0.5},
                        'FilterExpression': 'ok', 'NextToken': None},
    '/TelemetryRecords': {'TelemetryRecords': [
        {'Timestamp': 1, 'SegmentsReceivedCount': 1, 'SegmentsSentCount': 1,
         'SegmentsSpilloverCount': 1, 'SegmentsRejectedCount': 1,
         'BackendConnectionErrors': {'TimeoutCount': 1}}],
        'EC2InstanceId': 'i', 'Hostname': 'h', 'ResourceARN': 'r'},
    '/ServiceGraph': {**TIMES, 'GroupName': 'g', 'GroupARN': None, 'FilterExpression': 'ok',
                      'NextToken': None},
    '/TraceGraph': {'TraceIds': [trace_id()], 'NextToken': None},
    '/TimeSeriesServiceStatistics': {
        **TIMES, 'GroupName': 'g', 'GroupARN': None, 'Period': 60, 'NextToken': None,
        'EntitySelectorExpression': 'service("a")', 'ForecastStatistics': True},
    '/CreateGroup': {'GroupName': 'x', 'FilterExpression': 'ok', 'Tags': [
        {'Key': 'k', 'Value': 'v'}], 'InsightsConfiguration': {
            'InsightsEnabled': True, 'NotificationsEnabled': True}},
    '/UpdateGroup': {'GroupName': 'g', 'GroupARN': None, 'FilterExpression': 'ok',
                     'InsightsConfiguration': {'InsightsEnabled': True}},
    '/DeleteGroup': {'GroupName': 'x', 'GroupARN': None},
    '/GetGroup': {'GroupName': 'g', 'GroupARN': None},
    '/Groups': {'NextToken': None},
    '/StartTraceRetrieval': {**TIMES, 'TraceIds': [trace_id()]},
    '/ListRetrievedTraces': {'RetrievalToken': 'x', 'TraceFormat': 'XRAY', 'NextToken': None},
    '/GetRetrievedTracesGraph': {'RetrievalToken': 'x', 'NextToken': None},
    '/CancelTraceRetrieval': {'RetrievalToken': 'x'},
    '/TagResource': {'ResourceARN': 'arn:aws:xray:local:000000000000:group/g',
                     'Tags': [{'Key': 'k', 'Value': 'v'}]},
    '/UntagResource': {'ResourceARN': 'arn:aws:xray:local:000000000000:group/g',
                       'TagKeys': ['k']},
    '/ListTagsForResource': {'ResourceARN': 'x', 'NextToken': None},
    '/EncryptionConfig': {'x': 1},
    '/PutEncryptionConfig': {'KeyId': 'k', 'Type': 'NONE'},
    '/GetTraceSegmentDestination': {'x': 1},
    '/UpdateTraceSegmentDestination': {'Destination': 'XRay'},
    '/GetIndexingRules': {'NextToken': None},
    '/UpdateIndexingRule': {'Name': 'Default', 'Rule': {'Probabilistic': {
        'DesiredSamplingPercentage': 100}}},
    '/InsightSummaries': {**TIMES, 'States': ['ACTIVE'], 'GroupName': 'g', 'MaxResults': 5,
                          'NextToken': None},
    '/Insight': {'InsightId': 'x'},
    '/InsightEvents': {'InsightId': 'x', 'MaxResults': 5, 'NextToken': None},
    '/InsightImpactGraph': {'InsightId': 'x', **TIMES, 'NextToken': None},
    '/ListResourcePolicies': {'NextToken': None},
    '/PutResourcePolicy': {'PolicyName': 'p', 'PolicyDocument': '{}'},
    '/DeleteResourcePolicy': {'PolicyName': 'p'},
}

DEEP = json.loads('[' * 900 + ']' * 900)
VALUES = [None, True, 0, -1, 1.5, 1e300, -1e300, 2 ** 63, '', 'x', '\0', '\u00e4' * 201,
          'a' + '\U0001f6d2' * 100, '"' * 300, '%s%n', '../../x', 'x' * 100000, '(' * 5000,
          '!' * 20000, [], [[]], [{}], [None], [5], ['x'] * 3, ['x' * 50000], [''] * 5000, {},
          {'Name': 5}, {'': ''}, {'Key': []}, [{'Key': 5, 'Value': {}}], DEEP]


def places(value, path=()):
    """Where in the request there are values, the outermost first."""
    if path:
        yield path
    if isinstance(value, (dict, list)):
        for key in value if isinstance(value, dict) else range(len(value)):
            yield from places(value[key], (*path, key))


def replaced(value, path, new):
    """A copy with another value at the place."""
    if not path:
        return new
    copy = value.copy()
    copy[path[0]] = replaced(value[path[0]], path[1:], new)
    return copy


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

    def expect_json(self, path, request):
        """Whatever is asked: a reply, and if it is an error then one that says something."""
        body = request if isinstance(request, bytes) else json.dumps(request).encode()
        status, headers, reply = self.collector.request('POST', path, body)
        self.assertIn(status, (200, 400, 404), (path, body[:200], reply[:200]))
        reply = json.loads(reply.decode('utf-8'))
        if status != 200:
            self.assertTrue(headers['x-amzn-ErrorType'], path)
            self.assertTrue(reply['Message'], path)
            self.assertLess(len(reply['Message']), 1000)
        return status

    def test_every_member_of_every_operation_with_values_of_all_kinds(self):
        self.collector.send(segment(trace_id(1), 1))
        self.collector.ask('/CreateGroup', {'GroupName': 'g'})
        for path, request in OPERATIONS.items():
            for place in places(request):
                for value in VALUES:
                    self.expect_json(path, replaced(request, place, value))
            for body in (b'', b'null', b'[]', b'5', b'"x"', b'{', b'{}', b'{"a":' * 2000, b'\xff',
                         b'{"TraceIds":[],"TraceIds":5}', b'{"\\u0000":1}'):
                self.expect_json(path, body)
        self.expect_it_works()

    def test_members_of_other_types_are_refused_by_name(self):
        for path, request in OPERATIONS.items():
            for name, value in request.items():
                if name != 'x' and value is not None:
                    wrong = {'n': 1} if not isinstance(value, dict) else [1]
                    status, _, reply = self.collector.call(path, {**request, name: wrong})
                    self.assertEqual(status, 400, (path, name))
                    self.assertIn(name, reply['Message'], path)

    def test_ids_that_are_none(self):
        good_id = trace_id()
        for one in ('', '1', '1-', good_id[:-1], good_id + '0', good_id.replace('-', ''),
                    good_id.replace('1-', '2-', 1), good_id.replace('0', 'g'), '-' * 35, good_id + '\0',
                    ' ' + good_id, '1-' + '\u00e4' * 16, good_id.upper(), 'x' * 100000):
            for path in ('/Traces', '/TraceGraph', '/StartTraceRetrieval'):
                self.expect_json(path, {**TIMES, 'TraceIds': [good_id, one]})

    def test_many_retrievals_push_the_oldest_out(self):
        tokens = [self.collector.ask('/StartTraceRetrieval', {
            **TIMES, 'TraceIds': [trace_id()]})['RetrievalToken'] for _ in range(101)]
        self.assertEqual(len(set(tokens)), 101)
        self.assertEqual([self.expect_json('/ListRetrievedTraces', {'RetrievalToken': token})
                          for token in (tokens[-1], tokens[1])], [200, 200])
        self.assertEqual(self.expect_json('/ListRetrievedTraces', {'RetrievalToken': tokens[0]}),
                         404)

    def test_times_of_all_sizes_are_counted(self):
        ends = (-1e300, -1e18, -5, 0, 1e-300, 1, 5.5, 1e9, 2.0 ** 53, 1e19, 1e21, 1e300)
        for number, end in enumerate(ends):
            self.collector.call('/TraceSegments', {'TraceSegmentDocuments': [json.dumps(
                {**segment(trace_id(number), 1, start=end), 'end_time': end})]})
        for start in ends:
            for length in (0, 1, 600, 21600):
                for path in ('/ServiceGraph', '/TimeSeriesServiceStatistics', '/TraceSummaries'):
                    for kind in ('TraceId', 'Event', 'Service'):
                        self.expect_json(path, {'StartTime': start, 'EndTime': start + length,
                                                'TimeRangeType': kind})
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
