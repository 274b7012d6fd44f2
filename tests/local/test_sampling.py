#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Central sampling over HTTP, and the options that say which rules there are."""
import json
import os
import tempfile
import time
import unittest

from collector import Case, Collector, run

RULE = {'RuleName': 'r', 'ResourceARN': '*', 'Priority': 5, 'FixedRate': 0.25, 'ReservoirSize': 10,
        'ServiceName': '*', 'ServiceType': '*', 'Host': '*', 'HTTPMethod': '*', 'URLPath': '*',
        'Version': 1}


def statistics(client, rule='r', requests=1):
    return {'RuleName': rule, 'ClientID': client * 24, 'Timestamp': int(time.time()),
            'RequestCount': requests, 'SampledCount': 0, 'BorrowCount': 0}


def rules_of(collector):
    return [record['SamplingRule']
            for record in collector.ask('/GetSamplingRules')['SamplingRuleRecords']]


class Rules(Case):
    def test_everything_is_sampled_at_first(self):
        before = time.time()
        record, = self.collector.ask('/GetSamplingRules')['SamplingRuleRecords']
        self.assertEqual((record['SamplingRule']['RuleName'], record['SamplingRule']['FixedRate']),
                         ('Default', 1))
        self.assertLessEqual(record['ModifiedAt'], before + 1)
        self.assertGreater(record['ModifiedAt'], before - 3600)

    def test_a_rule_lives_from_its_creation_to_its_deletion(self):
        self.collector.ask('/CreateSamplingRule', {'SamplingRule': RULE})
        self.collector.ask('/UpdateSamplingRule',
                           {'SamplingRuleUpdate': {'RuleName': 'r', 'FixedRate': 0.5}})
        self.assertEqual([(rule['RuleName'], rule['FixedRate'])
                          for rule in rules_of(self.collector)], [('r', 0.5), ('Default', 1)])
        gone = self.collector.ask('/DeleteSamplingRule', {'RuleName': 'r'})
        self.assertEqual(gone['SamplingRuleRecord']['SamplingRule']['RuleName'], 'r')
        self.assertEqual(len(rules_of(self.collector)), 1)

    def test_errors_have_the_form_of_the_service(self):
        status, headers, reply = self.collector.call('/DeleteSamplingRule', {'RuleName': 'x'})
        self.assertEqual((status, headers['x-amzn-ErrorType']), (400, 'InvalidRequestException'))
        self.assertEqual(reply, {'Message': 'there is no sampling rule x'})

    def test_the_limit_has_an_error_of_its_own(self):
        for number in range(25):
            self.collector.ask('/CreateSamplingRule',
                               {'SamplingRule': {**RULE, 'RuleName': f'r{number}'}})
        status, headers, _ = self.collector.call('/CreateSamplingRule', {'SamplingRule': RULE})
        self.assertEqual((status, headers['x-amzn-ErrorType']), (400, 'RuleLimitExceededException'))

    def test_operations_want_a_post(self):
        status, headers, _ = self.collector.request('GET', '/GetSamplingRules')
        self.assertEqual((status, headers['Allow']), (405, 'POST'))

    def test_clients_share_a_reservoir(self):
        self.collector.ask('/CreateSamplingRule', {'SamplingRule': RULE})
        created = rules_of(self.collector)[0]
        self.assertEqual(created['ReservoirSize'], 10)
        for path in ('/SamplingTargets', '/GetSamplingTargets'):
            reply = self.collector.ask(path, {'SamplingStatisticsDocuments': [
                statistics('a'), statistics('b'), statistics('c')]})
            self.assertEqual([target['ReservoirQuota']
                              for target in reply['SamplingTargetDocuments']], [4, 3, 3])
        target = reply['SamplingTargetDocuments'][0]
        self.assertAlmostEqual(target['ReservoirQuotaTTL'], time.time() + 300, delta=100)
        self.assertGreater(reply['LastRuleModification'], 1700000000)
        window, = self.collector.ask('/SamplingStatisticSummaries')['SamplingStatisticSummaries'][:1]
        self.assertEqual(window['RuleName'], 'r')


class Options(unittest.TestCase):
    def file(self, content):
        with tempfile.NamedTemporaryFile('w', suffix='.json', delete=False) as file:
            file.write(content if isinstance(content, str) else json.dumps(content))
        self.addCleanup(os.unlink, file.name)
        return file.name

    def rules(self, *options):
        collector = Collector('--port', '0', *options)
        try:
            return rules_of(collector)
        finally:
            self.assertEqual(collector.stop(), 0, collector.errors)

    def test_default_is_as_in_the_cloud_if_asked_for(self):
        rule, = self.rules('--sampling', 'cloud')
        self.assertEqual((rule['FixedRate'], rule['ReservoirSize']), (0.05, 1))

    def test_rules_come_from_what_the_service_returned(self):
        path = self.file({'SamplingRuleRecords': [{'SamplingRule': RULE}]})
        self.assertEqual([rule['RuleName'] for rule in self.rules('--sampling-rules', path)],
                         ['r', 'Default'])

    def test_rules_come_from_the_local_rules_of_an_sdk(self):
        path = self.file({'version': 2, 'default': {'fixed_target': 0, 'rate': 0.125}, 'rules': [
            {'description': 'health', 'host': '*', 'http_method': 'GET', 'url_path': '/health',
             'fixed_target': 0, 'rate': 0}]})
        first, last = self.rules('--sampling', 'cloud', '--sampling-rules', path)
        self.assertEqual((first['RuleName'], first['URLPath'], first['Priority']),
                         ('health', '/health', 1))
        self.assertEqual(last['FixedRate'], 0.125)

    def test_a_file_that_is_wrong_is_named_with_the_place(self):
        path = self.file('{"version": 2, "default": {"fixed_target": 1, "rate": 7}}')
        self.assertEqual(run('--port', '0', '--sampling-rules', path), (
            1, '', f'xraytrace-local: cannot take sampling rules from {path}: default.rate must be '
                   'a number from 0 to 1\n'))

    def test_a_file_that_is_not_there_is_named(self):
        code, _, errors = run('--port', '0', '--sampling-rules', '/nowhere/rules.json')
        self.assertEqual(code, 1)
        self.assertIn('/nowhere/rules.json: No such file or directory', errors)

    def test_a_file_without_an_end_is_refused(self):
        code, _, errors = run('--port', '0', '--sampling-rules', '/dev/zero')
        self.assertEqual(code, 1)
        self.assertIn('at most 1048576 bytes', errors)

    def test_only_all_and_cloud_are_ways_to_sample(self):
        code, _, errors = run('--sampling', 'some')
        self.assertEqual(code, 2)
        self.assertIn('--sampling is all or cloud, not some', errors)

    def test_the_commands_that_ask_have_no_rules(self):
        self.assertEqual(run('list', '--sampling', 'all')[0], 2)


if __name__ == '__main__':
    unittest.main()
