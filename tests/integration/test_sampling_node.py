#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The X-Ray SDK for Node.js is sampled by the rules of xraytrace-local.

It takes the end of a quota, which is in seconds, for milliseconds: so its quotas
have always run out, and it borrows one trace a second instead.
"""
import json
import re
import sys
import tempfile
import unittest

import sampling_peers
from sampling_peers import Between, NodeServer, wait_until

from collector import Collector

RULE = {'ResourceARN': '*', 'ServiceName': '*', 'ServiceType': '*', 'Host': '*', 'HTTPMethod': '*',
        'URLPath': '*', 'Version': 1, 'FixedRate': 0}
RULES = {'SamplingRuleRecords': [
    {'SamplingRule': {**RULE, 'RuleName': 'orders', 'Priority': 1, 'URLPath': '/orders*',
                      'ReservoirSize': 5}},
    {'SamplingRule': {**RULE, 'RuleName': 'Default', 'Priority': 10000, 'ReservoirSize': 0}}]}


class Node(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        """It reports every ten seconds: one conversation is enough for all tests."""
        with tempfile.NamedTemporaryFile('w', suffix='.json') as file:
            json.dump(RULES, file)
            file.flush()
            cls.collector = Collector('--port', '0', '--sampling-rules', file.name)
        cls.addClassCleanup(cls.collector.stop)
        cls.between = Between(cls.collector.port)
        cls.addClassCleanup(cls.between.stop)
        cls.node = NodeServer('/orders/1', f'tcp:127.0.0.1:{cls.between.server_port} '
                                           f'udp:127.0.0.1:{cls.collector.port}')
        cls.addClassCleanup(cls.node.stop)
        wait_until(lambda: cls.node.decided('orders'), 'decided by the rule')
        wait_until(lambda: len(cls.between.reports('orders')) >= 2, 'reported twice')
        cls.node.pause()
        cls.decided = cls.node.decided('orders')
        wait_until(lambda: cls.reported('RequestCount') >= len(cls.decided), 'reported all')

    @classmethod
    def reported(cls, name):
        return sum(report.statistics[name] for report in cls.between.reports('orders'))

    def test_the_service_refuses_nothing(self):
        self.assertEqual(self.between.refused, [])
        self.assertEqual([call for call in self.between.calls
                          if call[2].get('UnprocessedStatistics')], [])

    def test_its_statistics_are_what_it_decided(self):
        self.assertEqual(self.reported('RequestCount'), len(self.decided))
        self.assertEqual(self.reported('SampledCount') + self.reported('BorrowCount'),
                         sum(decision['sampled'] for decision in self.decided))
        self.assertGreater(self.reported('BorrowCount'), 0)

    def test_it_is_one_client_and_gets_the_whole_reservoir(self):
        reports = self.between.reports('orders')
        client, = {report.statistics['ClientID'] for report in reports}
        self.assertTrue(re.fullmatch('[0-9a-f]{24}', client), client)
        self.assertEqual({report.target['ReservoirQuota'] for report in reports}, {5})

    def test_what_is_sampled_arrives(self):
        sampled = sum(decision['sampled'] for decision in self.node.decisions)
        wait_until(lambda: f'documents  {sampled}\n' in self.collector.status(),
                   f'kept {sampled} documents')
        summaries = self.collector.summaries()
        self.assertTrue(summaries)
        rules = [document.get('aws', {}).get('xray', {}).get('rule_name')
                 for document in self.collector.trace(summaries[0]['Id'])]
        self.assertEqual(rules, ['orders'])

    def test_the_service_adds_the_statistics_up(self):
        summaries = self.collector.ask('/SamplingStatisticSummaries')['SamplingStatisticSummaries']
        self.assertEqual(sum(one['RequestCount'] for one in summaries if one['RuleName'] == 'orders'),
                         len(self.decided))


if __name__ == '__main__':
    try:
        sampling_peers.node_sdk()
    except sampling_peers.runtimes.Missing as missing:
        print(f'skipped: {missing}')
        sys.exit(sampling_peers.SKIPPED)
    unittest.main()
