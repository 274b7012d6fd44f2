#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What the scenarios of the demo rest on, and what they say."""
import json
import subprocess
import sys
import unittest

import support


class Permissions(support.EngineTest):
    """Who may invoke what is what IAM says at that moment."""

    options = ('--retry-ms', '0,0')

    def allow(self, actions):
        """Replaces the policy of FileCoordinator's role, as an administrator does."""
        policy = {'Version': '2012-10-17',
                  'Statement': [{'Effect': 'Allow', 'Action': actions, 'Resource': '*'}]}
        self.engine.query('iam', {
            'Action': 'PutRolePolicy', 'Version': '2010-05-08', 'RoleName': 'FileCoordinator',
            'PolicyName': 'inline', 'PolicyDocument': json.dumps(policy)})

    def coordinate(self):
        """What FileCoordinator answers when it has something to start."""
        reply = self.invoke('FileCoordinator', b'{"fileIds":["u-0123456789abcdef"]}')
        self.assertEqual(reply.status, 200, reply.body)
        return reply.body.decode()

    def test_a_role_without_the_action_is_refused_by_name(self):
        self.allow(['dynamodb:Scan'])
        self.addCleanup(self.allow, ['dynamodb:Scan', 'lambda:InvokeFunction'])
        self.assertIn('assumed-role/FileCoordinator/FileCoordinator is not authorized to perform: '
                      'lambda:InvokeFunction on resource: '
                      'arn:aws:lambda:us-west-2:123456789012:function:StartFileUpload',
                      self.coordinate())

    def test_a_role_with_the_action_is_let_through(self):
        self.allow(['lambda:Invoke*'])
        self.assertIn('"started":1', self.coordinate())

    def test_a_key_that_nobody_holds_is_refused(self):
        at, self.engine.at = self.engine.at, {**self.engine.at, 'accessKeyId': 'AKIANOBODY'}
        try:
            reply = self.invoke('ListFiles', b'{}')
        finally:
            self.engine.at = at
        self.assert_answer(reply, 403, 'security token')



class Scenarios(unittest.TestCase):
    """One after the other: each of them uses the demo's own directory."""

    def run_demo(self, *options):
        return subprocess.run(
            [sys.executable, str(support.LOCAL / 'demo.py'), '--build-dir', support.BUILD,
             '--venv', support.VENV, '--port-xray', '0', '--once', *options],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=400,
            check=False, encoding='utf-8')

    def answer(self, name, *options, status=0):
        """What a scenario says, as JSON; its facts."""
        done = self.run_demo('--scenario', name, '--json', *options)
        self.assertEqual(done.returncode, status, done.stderr + done.stdout)
        reply = json.loads(done.stdout)
        self.assertEqual((reply['scenario'], reply['found']), (name, status == 0), reply)
        return reply

    def no_answer(self, name, *options):
        return self.answer(name, '--no-fault', *options, status=3)['answer']

    def test_a_slow_web_server_is_found(self):
        facts = self.answer('slow')['facts']
        self.assertEqual(facts['stage'], 'yt-dlp download')
        # 16 MiB at 1500 KiB a second.
        self.assertGreater(facts['seconds'], 10.9)
        self.assertAlmostEqual(facts['share'], facts['seconds'] / facts['total_seconds'])
        self.assertEqual(len(facts['part_seconds']), 4)

    def test_a_slow_bucket_is_found_and_not_taken_for_the_web(self):
        facts = self.answer('slow', '--slow', 's3')['facts']
        self.assertEqual(facts['stage'], 'S3')
        self.assertGreaterEqual(min(facts['part_seconds']), 3)

    def test_nothing_is_slow_where_nothing_is(self):
        self.assertIn('nothing is slow', self.no_answer('slow', '--slow-seconds', '300'))

    def test_a_refused_invoke_is_found_on_its_edge(self):
        facts = self.answer('forbidden')['facts']
        self.assertEqual((facts['status'], facts['type'], facts['error_rate']),
                         (403, 'AccessDeniedException', 1))
        self.assertIn('not authorized to perform: lambda:InvokeFunction', facts['message'])
        self.assertFalse(facts['callee_ran'])

    def test_no_refusal_is_found_where_there_is_none(self):
        self.assertIn('No call', self.no_answer('forbidden'))

    def test_cold_starts_are_told_from_warm_ones(self):
        facts = self.answer('coldstart')['facts']
        self.assertEqual((facts['cold']['count'], facts['warm']['count']), (12, 60))
        for kind in ('cold', 'warm'):
            counts = [count for _, count in facts[kind]['histogram']]
            self.assertEqual(sum(counts), facts[kind]['count'])
        self.assertGreater(facts['cold']['median_seconds'], facts['warm']['median_seconds'])
        self.assertTrue(0 < facts['initialization_share'] < 1, facts)

    def test_no_cold_start_is_found_where_all_are_warm(self):
        self.assertIn('nothing to compare', self.no_answer('coldstart'))

    def test_a_disabled_endpoint_is_found_with_what_became_of_it(self):
        facts = self.answer('disabled-endpoint')['facts']
        self.assertEqual((facts['status'], facts['type'], facts['removed']),
                         (400, 'EndpointDisabled', True))
        self.assertEqual(len(facts['sent']), 1)
        self.assertNotIn(facts['endpoint'], facts['sent'])

    def test_no_endpoint_is_blamed_where_all_are_enabled(self):
        self.assertIn('No call of SNS', self.no_answer('disabled-endpoint'))

    def test_question_query_and_answer_are_printed_to_be_pasted(self):
        done = self.run_demo('--scenario', 'forbidden')
        self.assertEqual(done.returncode, 0, done.stderr + done.stdout)
        for text in (' s  Question\n', ' s  Query\n', ' s  Answer\n',
                     '$ aws xray get-trace-summaries', '$ aws xray get-service-graph',
                     '$ aws xray batch-get-traces --region us-west-2 --endpoint-url',
                     """--filter-expression 'edge("FileCoordinator", "StartFileUpload") {error}'"""):
            self.assertIn(text, done.stdout)

    def test_json_without_a_scenario_is_refused_with_the_remedy(self):
        done = self.run_demo('--json')
        self.assertEqual(done.returncode, 2)
        self.assertIn('--scenario', done.stderr)


if __name__ == '__main__':
    support.main()
