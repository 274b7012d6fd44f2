#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The service map: the API's, and the command that draws it."""
import json
import sys
import time
import unittest

from collector import Case, run, segment, subsegment, trace_id

UTF8 = {'LC_ALL': 'C.UTF-8'}


class Map(Case):
    def setUp(self):
        super().setUp()
        self.now = time.time() - 10

    def send_shop(self, number=1, fault=False):
        """A shop that asks a stock service, which asks a table."""
        trace = trace_id(number)
        self.collector.send(
            segment(trace, 1, 'shop', self.now, 2, origin='AWS::EC2::Instance', subsegments=[
                {'id': '%016x' % 2, 'name': 'stock', 'namespace': 'remote', 'start_time': self.now,
                 'end_time': self.now + 1.5, 'fault': fault}]),
            segment(trace, 3, 'stock', self.now + 0.1, 1, parent_id='%016x' % 2, fault=fault),
            subsegment(trace, 4, 3, 'DynamoDB', namespace='aws', aws={'table_name': 'items'}))
        return trace

    def map(self, *arguments):
        return run('map', '--port', str(self.collector.port), *arguments, environment=UTF8)

    def graph(self, **members):
        request = {'StartTime': time.time() - 600, 'EndTime': time.time() + 60}
        return self.collector.ask('/ServiceGraph', {**request, **members})

    def names(self, services):
        return [(service['Name'], service.get('Type')) for service in services]

    def test_the_service_graph_has_everything_in_the_time(self):
        self.send_shop(1)
        self.send_shop(2, fault=True)
        services = self.graph()['Services']
        self.assertEqual(self.names(services),
                         [('shop', 'client'), ('shop', 'AWS::EC2::Instance'),
                          ('items', 'AWS::DynamoDB::Table'), ('stock', None)])
        shop = services[1]
        edge, = shop['Edges']
        self.assertEqual(edge['ReferenceId'], 3)
        self.assertEqual(edge['SummaryStatistics']['FaultStatistics']['TotalCount'], 1)
        self.assertEqual(edge['ResponseTimeHistogram'], [{'Value': 1.5, 'Count': 2}])

    def test_the_service_graph_leaves_out_another_time(self):
        self.send_shop()
        old = self.collector.ask('/ServiceGraph', {'StartTime': self.now - 3600,
                                                   'EndTime': self.now - 1800})
        self.assertEqual(old['Services'], [])

    def test_the_service_graph_can_be_filtered(self):
        self.send_shop(1)
        self.send_shop(2, fault=True)
        self.assertEqual(self.graph(FilterExpression='service("stock") { fault }')['Services'][1]
                         ['SummaryStatistics']['TotalCount'], 1)
        self.assertEqual(self.graph(FilterExpression='service("nobody")')['Services'], [])

    def test_questions_that_make_no_sense_are_refused(self):
        now = time.time()
        for request, words in (
                ({}, 'StartTime and EndTime'), ({'StartTime': now, 'EndTime': now - 1}, 'after'),
                ({'StartTime': now - 21700, 'EndTime': now}, 'longer than 6 hours'),
                ({'StartTime': now, 'EndTime': now, 'GroupName': 'x'}, 'no such group'),
                ({'StartTime': now, 'EndTime': now, 'FilterExpression': 'a ='}, 'filter')):
            with self.subTest(request):
                status, headers, reply = self.collector.call('/ServiceGraph', request)
                self.assertEqual((status, headers['x-amzn-ErrorType']),
                                 (400, 'InvalidRequestException'))
                self.assertIn(words, reply['Message'])

    def test_a_trace_graph_is_of_the_traces_asked_for(self):
        first, second = self.send_shop(1), self.send_shop(2)
        services = self.collector.ask('/TraceGraph', {'TraceIds': [first]})['Services']
        self.assertEqual(services[1]['SummaryStatistics']['TotalCount'], 1)
        services = self.collector.ask('/TraceGraph', {'TraceIds': [first, second, first]})['Services']
        self.assertEqual(services[1]['SummaryStatistics']['TotalCount'], 2)
        self.assertEqual(self.collector.ask('/TraceGraph', {'TraceIds': [trace_id(3)]}),
                         {'Services': []})

    def test_the_map_is_drawn(self):
        self.send_shop()
        code, out, errors = self.map('--width', '160')
        self.assertEqual((code, errors), (0, ''))
        self.assertIn('Last 1 h  3 services, 3 kinds of calls', out)
        self.assertIn('│ client ├── 1 ok, 2.00 s ─▶│ AWS::EC2::Instance ├── 1 ok, 1.50 s ─▶│', out)
        self.assertRegex(out, r'\nstock → items +1 .* 1.00 s')

    def test_the_map_of_one_trace_is_drawn(self):
        trace = self.send_shop(1)
        self.send_shop(2)
        code, out, _ = self.map(trace)
        self.assertEqual(code, 0)
        self.assertIn(f'Trace {trace}  3 services', out)
        self.assertRegex(out, r'\nshop  AWS::EC2::Instance +1 ')

    def test_the_map_can_be_filtered(self):
        self.send_shop(1)
        self.send_shop(2, fault=True)
        code, out, _ = self.map('--filter', 'service("stock") { fault }', '--since', '15m')
        self.assertEqual(code, 0)
        self.assertIn('Last 15 min', out)
        self.assertRegex(out, r'\nstock +1 .* 100% ')

    def test_a_wrong_filter_is_said(self):
        code, out, errors = self.map('--filter', 'service(')
        self.assertEqual((code, out), (2, ''))
        self.assertIn('Invalid filter expression', errors)

    def test_the_map_can_be_json(self):
        self.send_shop()
        code, out, _ = self.map('--json')
        self.assertEqual(code, 0)
        self.assertEqual(self.names(json.loads(out))[0], ('shop', 'client'))

    def test_nothing_yet_is_said(self):
        code, out, _ = self.map()
        self.assertEqual(code, 0)
        self.assertIn('no traces in the last 1 h', out)
        code, out, errors = self.map(trace_id(9))
        self.assertEqual((code, out), (1, ''))
        self.assertIn('has been received', errors)

    def test_wrong_usage_is_said(self):
        for arguments in (['--since', '7h'], ['x'], [trace_id(), '--since', '5m'],
                          [trace_id(), '--filter', 'ok'], [trace_id(), trace_id()]):
            with self.subTest(arguments):
                code, out, errors = self.map(*arguments)
                self.assertEqual((code, out), (2, ''))
                self.assertIn('--help', errors)

    def test_hostile_names_do_no_harm(self):
        name = 'a\x1b[31m\u202e\x9b\n<b>'
        self.collector.send(segment(trace_id(), 1, name, self.now, origin=name))
        code, out, _ = self.map()
        self.assertEqual(code, 0)
        for character in '\x1b\u202e\x9b':
            self.assertNotIn(character, out)


if __name__ == '__main__':
    sys.exit(unittest.main())
