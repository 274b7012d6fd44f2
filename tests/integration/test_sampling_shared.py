#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A program with libxraytrace and one with the X-Ray SDK for Node.js share a rule's reservoir.

Its quotas have always run out for that SDK (test_sampling_node.py): it takes one trace a second
of what it is given, and so may seem to take less than its part.
"""
import json
import os
import sys
import tempfile
import unittest

import sampling_peers
from sampling_peers import Between, NodeServer, Program, wait_until

from collector import Collector
from test_sampling_node import RULES

RESERVOIR = 5  # of the rule in RULES


class Client(Program):
    """Ours."""

    def __init__(self, daemon):
        super().__init__([os.environ['XRAYTRACE_SAMPLING_CLIENT']], daemon)

    def pause(self):
        """(begun, sampled)"""
        self.process.stdin.write('\n')
        self.process.stdin.flush()
        begun, sampled = self.line().split()
        return int(begun), int(sampled)


class Shared(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        """They report every ten seconds: one conversation is enough for all tests."""
        with tempfile.NamedTemporaryFile('w', suffix='.json') as file:
            json.dump(RULES, file)
            file.flush()
            cls.collector = Collector('--port', '0', '--sampling-rules', file.name)
        cls.addClassCleanup(cls.collector.stop)
        # One for each: so it is known who says what.
        cls.ours_between, cls.node_between = Between(cls.collector.port), Between(cls.collector.port)
        for between in (cls.ours_between, cls.node_between):
            cls.addClassCleanup(between.stop)
        cls.node = NodeServer('/orders/1', cls.daemon(cls.node_between))
        cls.addClassCleanup(cls.node.stop)
        cls.ours = Client(cls.daemon(cls.ours_between))
        cls.addClassCleanup(cls.ours.stop)
        wait_until(lambda: cls.ours_between.reports('orders'), 'reported once')
        cls.collector.ask('/UpdateSamplingRule', {'SamplingRuleUpdate': {'RuleName': 'Default',
                                                                         'ReservoirSize': 1}})
        wait_until(lambda: len(cls.informed(cls.ours_between)) >= 2 and
                   len(cls.informed(cls.node_between)) >= 2, 'reported twice beside the other')
        cls.decided, cls.sampled = cls.ours.pause()
        cls.node.pause()
        wait_until(lambda: cls.requests(cls.ours_between) >= cls.decided and
                   cls.requests(cls.node_between) >= len(cls.node.decided('orders')),
                   'reported all')

    @staticmethod
    def daemon(between):
        return f'tcp:127.0.0.1:{between.server_port} udp:127.0.0.1:{between.service_port}'

    @classmethod
    def informed(cls, between):
        """The reports that came when the service knew the other client, too."""
        other = cls.node_between if between is cls.ours_between else cls.ours_between
        begin = min((report.answered for report in other.reports('orders')), default=float('inf'))
        return [report for report in between.reports('orders') if report.asked > begin]

    @staticmethod
    def requests(between):
        return sum(report.statistics['RequestCount'] for report in between.reports('orders'))

    def test_they_are_two_clients(self):
        clients = [{report.statistics['ClientID'] for report in between.reports('orders')}
                   for between in (self.ours_between, self.node_between)]
        self.assertEqual([len(ids) for ids in clients], [1, 1])
        self.assertNotEqual(*clients)

    def test_their_quotas_are_the_reservoir(self):
        quotas = {}
        for between in (self.ours_between, self.node_between):
            for report in self.informed(between):
                quotas.setdefault(report.statistics['ClientID'], set()).add(
                    report.target['ReservoirQuota'])
        # What is left over of 5 / 2 is the first one's.
        self.assertEqual([quotas[client] for client in sorted(quotas)], [{3}, {2}])

    def test_neither_starves(self):
        for between in (self.ours_between, self.node_between):
            for report in between.reports('orders')[:-1]:
                self.assertGreater(report.taken, 0, report)

    def test_ours_takes_its_part_and_no_more(self):
        first, *rest = self.informed(self.ours_between)
        for report in rest:
            seconds = report.statistics['Timestamp'] - first.statistics['Timestamp']
            self.assertEqual(report.statistics['BorrowCount'], 0)
            # Of each second that is touched; of the first one, by the quota from before.
            self.assertLessEqual(report.statistics['SampledCount'],
                                 first.target['ReservoirQuota'] * (seconds + 1) + RESERVOIR)
            first = report

    def test_our_statistics_are_what_was_decided(self):
        self.assertEqual(self.requests(self.ours_between), self.decided)
        self.assertEqual(sum(report.taken for report in self.ours_between.reports('orders')),
                         self.sampled)

    def test_ours_asks_for_the_rules_again_when_one_was_changed(self):
        asked = [call[0] for call in self.ours_between.calls].count('/GetSamplingRules')
        self.assertEqual(asked, 2)

    def test_the_service_refuses_neither(self):
        self.assertEqual(self.ours_between.refused + self.node_between.refused, [])


if __name__ == '__main__':
    try:
        sampling_peers.node_sdk()
    except sampling_peers.runtimes.Missing as missing:
        print(f'skipped: {missing}')
        sys.exit(sampling_peers.SKIPPED)
    unittest.main()
