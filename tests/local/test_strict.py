#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""--strict, --relaxed, and what --db keeps beside traces."""
import json
import tempfile
import unittest
from pathlib import Path

from collector import Case, Collector, segment, trace_id


class Strict(Case):
    ARGUMENTS = ('--port', '0', '--strict')

    def put(self, document):
        reply = self.collector.ask('/TraceSegments', {'TraceSegmentDocuments': [json.dumps(document)]})
        return [item['Message'] for item in reply['UnprocessedTraceSegments']]

    def test_a_good_document_is_kept(self):
        self.assertEqual(self.put(segment(trace_id(), 1)), [])

    def test_a_name_that_x_ray_would_reject_is_refused_with_the_reason(self):
        messages = self.put(segment(trace_id(), 1, 'a;b'))
        self.assertEqual(len(messages), 1)
        self.assertIn('name', messages[0])

    def test_an_end_that_is_missing_is_refused(self):
        document = segment(trace_id(), 1)
        del document['end_time']
        self.assertEqual(len(self.put(document)), 1)

    def test_datagrams_are_refused_too(self):
        trace = trace_id()
        self.collector.send(segment(trace, 1, 'a;b'))
        reply = self.collector.ask('/Traces', {'TraceIds': [trace]})
        self.assertEqual(reply['UnprocessedTraceIds'], [trace])


class Tolerant(Case):
    def test_without_it_the_same_is_kept(self):
        trace = trace_id()
        self.collector.send(segment(trace, 1, 'a;b'))
        self.assertEqual(len(self.collector.ask('/Traces', {'TraceIds': [trace]})['Traces']), 1)

    def test_five_ids_are_the_most(self):
        status, _, reply = self.collector.call('/Traces', {'TraceIds': [trace_id(i) for i in range(1, 7)]})
        self.assertEqual((status, reply['Message']), (400, 'Exceeding maximum query size: 5'))


class Relaxed(Case):
    ARGUMENTS = ('--port', '0', '--relaxed')

    def test_a_hundred_ids_are_taken(self):
        ids = [trace_id(i) for i in range(1, 101)]
        self.assertEqual(self.collector.ask('/Traces', {'TraceIds': ids})['UnprocessedTraceIds'], ids)

    def test_a_map_may_be_of_more_than_six_hours(self):
        self.assertEqual(self.collector.ask('/ServiceGraph', {'StartTime': 0, 'EndTime': 86400})['Services'], [])


class Kept(unittest.TestCase):
    RULE = {'RuleName': 'mine', 'ResourceARN': '*', 'Priority': 7, 'FixedRate': 0.25,
            'ReservoirSize': 3, 'ServiceName': '*', 'ServiceType': '*', 'Host': '*',
            'HTTPMethod': '*', 'URLPath': '/a', 'Version': 1}

    def setUp(self):
        self.directory = tempfile.TemporaryDirectory()
        self.addCleanup(self.directory.cleanup)
        self.file = str(Path(self.directory.name) / 'traces.db')

    def collector(self):
        collector = Collector('--port', '0', '--db', self.file)
        self.addCleanup(collector.stop)
        return collector

    def rules(self, collector):
        records = collector.ask('/GetSamplingRules', {})['SamplingRuleRecords']
        return {record['SamplingRule']['RuleName']: record['SamplingRule'] for record in records}

    def test_a_rule_is_there_again_after_a_restart(self):
        first = self.collector()
        first.ask('/CreateSamplingRule', {'SamplingRule': self.RULE})
        first.ask('/UpdateSamplingRule', {'SamplingRuleUpdate': {'RuleName': 'Default', 'FixedRate': 0.5}})
        first.stop()
        rules = self.rules(self.collector())
        self.assertEqual(rules['mine']['URLPath'], '/a')
        self.assertEqual(rules['Default']['FixedRate'], 0.5)

    def test_a_deleted_rule_stays_away(self):
        first = self.collector()
        first.ask('/CreateSamplingRule', {'SamplingRule': self.RULE})
        first.ask('/DeleteSamplingRule', {'RuleName': 'mine'})
        first.stop()
        self.assertEqual(set(self.rules(self.collector())), {'Default'})

    def test_a_group_is_there_again(self):
        first = self.collector()
        first.ask('/CreateGroup', {'GroupName': 'slow', 'FilterExpression': 'duration > 2'})
        first.stop()
        groups = self.collector().ask('/Groups', {})['Groups']
        self.assertEqual([group['GroupName'] for group in groups], ['Default', 'slow'])


if __name__ == '__main__':
    unittest.main()
