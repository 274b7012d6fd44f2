#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What the scenarios of the demo rest on, and what they say."""
import copy
import json
import os
import pty
import shutil
import subprocess
import sys
import unittest

import support
from support import expectations, pipeline

# Debian's, whatever else comes first in PATH.
AWS = shutil.which('aws', path='/usr/bin') or shutil.which('aws')


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

    def command(self, *options):
        return [sys.executable, str(support.LOCAL / 'demo.py'), '--build-dir', support.BUILD,
                '--venv', support.VENV, '--port-xray', '0', *options]

    def run_demo(self, *options):
        return subprocess.run(self.command('--once', *options), stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=400,
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

    @unittest.skipIf(AWS is None, 'there is no aws command')
    def test_the_queries_that_are_printed_can_be_pasted_while_it_stays_up(self):
        terminal, other_end = pty.openpty()
        demo = subprocess.Popen(self.command('--scenario', 'forbidden'), stdin=subprocess.DEVNULL,
                                stdout=other_end, stderr=subprocess.DEVNULL)
        os.close(other_end)
        self.addCleanup(os.close, terminal)
        self.addCleanup(demo.wait)
        self.addCleanup(demo.terminate)
        text = b''
        while b'stays up' not in text:
            text += os.read(terminal, 65536)
        printed = text.decode().replace('\r', '')
        queries = printed.partition(' s  Query\n')[2].rpartition(' s  Answer\n')[0]
        allow, *commands = queries.rpartition('\n')[0].split('\n\n')
        self.assertEqual(len(commands), 6)
        for command in commands:
            with self.subTest(command):
                done = subprocess.run(
                    ['sh', '-euc', allow + '\n' + command], stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding='utf-8', timeout=60,
                    check=False, env={'PATH': os.path.dirname(AWS) + ':/usr/bin:/bin',
                                      'HOME': support.directory('Home'), 'AWS_PAGER': ''})
                self.assertEqual((done.returncode, done.stderr), (0, ''))
                self.assertRegex(done.stdout, 'FileCoordinator|1-[0-9a-f]{8}-[0-9a-f]{24}')

    def test_the_help_has_an_example_of_each_scenario_or_its_question(self):
        text = self.run_demo('--help').stdout
        for name in ('slow', 'forbidden', 'coldstart', 'disabled-endpoint'):
            self.assertRegex(text, rf'\n  {name} +\S.*\?')
        self.assertIn('\n  ./demo --scenario ', text)

    def test_json_without_a_scenario_is_refused_with_the_remedy(self):
        done = self.run_demo('--json')
        self.assertEqual(done.returncode, 2)
        self.assertIn('--scenario', done.stderr)

    def test_a_scenario_that_is_not_traced_is_refused(self):
        done = self.run_demo('--scenario', 'slow', '--tracing', 'passive')
        self.assertEqual(done.returncode, 2)
        self.assertIn('traced in full', done.stderr)

    # The four options of tracing.

    def test_passive_tracing_has_a_map_without_functions(self):
        done = self.run_demo('--tracing', 'passive')
        self.assertEqual(done.returncode, 0, done.stdout)
        self.assertIn('tracing = passive, enable_xray_tracing = true', done.stdout)
        self.assertIn('AWS::ApiGateway::Stage', done.stdout)
        self.assertNotIn('AWS::Lambda', done.stdout)

    def test_tracing_on_demand_that_nobody_demands_has_no_trace(self):
        done = self.run_demo('--tracing=on_demand', '--enable-xray-tracing=false')
        self.assertEqual(done.returncode, 0, done.stdout)
        self.assertIn('All traces: there should be none.', done.stdout)


class Expectations(unittest.TestCase):
    """What is wrong with a trace depends on who was to record."""

    STAGE = {'id': 'a' * 16, 'name': 'MediaDownloader/prod', 'origin': 'AWS::ApiGateway::Stage'}
    LAMBDA = {'id': 'b' * 16, 'parent_id': 'a' * 16, 'name': 'WebhookFeedly',
              'origin': 'AWS::Lambda'}
    FUNCTION = {'id': 'c' * 16, 'parent_id': 'b' * 16, 'name': 'WebhookFeedly',
                'origin': 'AWS::Lambda::Function',
                'subsegments': [{'id': 'd' * 16, 'name': 'DynamoDB', 'namespace': 'aws',
                                 'aws': {'operation': 'UpdateItem'}}]}

    def problems(self, *documents, **tracing):
        trace = pipeline.Trace([{'Document': copy.deepcopy(document)} for document in documents])
        return expectations.missing_in_webhook_trace(trace, expectations.Tracing(**tracing))

    def test_a_stage_alone_is_all_of_a_passive_trace(self):
        self.assertEqual(self.problems(self.STAGE, option='passive'), [])

    def test_a_segment_of_a_function_that_passes_on_is_one_too_many(self):
        self.assertEqual(self.problems(self.STAGE, self.LAMBDA, option='passive'),
                         ['no WebhookFeedly (AWS::Lambda), which is there'])

    def test_a_stage_that_was_not_to_record_is_one_too_many(self):
        self.assertEqual(self.problems(self.STAGE, option='on_demand', enabled=False),
                         ['no API Gateway (MediaDownloader/prod), which is there'])

    def test_a_call_of_a_function_that_is_switched_off_is_one_too_many(self):
        problems = self.problems(self.STAGE, self.LAMBDA, self.FUNCTION, enabled=False)
        self.assertIn('no subsegment of WebhookFeedly, which is there', problems)

    def test_a_selected_function_that_is_missing_is_named(self):
        self.assertEqual(self.problems(self.STAGE, option='selective',
                                       traced_functions=['WebhookFeedly']),
                         ['WebhookFeedly (AWS::Lambda)'])


if __name__ == '__main__':
    support.main()
