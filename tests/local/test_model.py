#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Replies against the service's own model, where botocore is installed."""
import json
import os
import shutil
import subprocess
import sys
import time
import unittest

from collector import LONG, Case, segment, subsegment, trace_id

try:
    import botocore.session
    from botocore.config import Config
    from botocore.exceptions import ClientError
except ImportError:
    botocore = None


def misfits(value, shape, path=''):
    """Where a value of a JSON reply is not as the shape wants it."""
    kinds = {'string': str, 'boolean': bool, 'integer': int, 'long': int, 'list': list, 'structure': dict,
             'map': dict, 'double': (int, float), 'timestamp': (int, float)}
    kind = kinds[shape.type_name]
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        yield f'{path}: {value!r} is no {shape.type_name}'
    elif shape.type_name == 'structure':
        for name, member in value.items():
            if name in shape.members:
                yield from misfits(member, shape.members[name], f'{path}.{name}')
            else:
                yield f'{path}: {name} is unknown'
    elif shape.type_name == 'list':
        for item in value:
            yield from misfits(item, shape.member, f'{path}[]')
    elif shape.type_name == 'map':
        for name, item in value.items():
            yield from misfits(item, shape.value, f'{path}[{name}]')
    elif shape.type_name == 'string':
        longest = shape.metadata.get('max')
        if longest and len(value) > longest:
            yield f'{path}: longer than {longest}'


@unittest.skipIf(botocore is None, 'botocore is not installed')
class Model(Case):
    def setUp(self):
        super().setUp()
        self.client = botocore.session.get_session().create_client(
            'xray', region_name='us-east-1', aws_access_key_id='x', aws_secret_access_key='x',
            endpoint_url=f'http://127.0.0.1:{self.collector.port}',
            config=Config(retries={'total_max_attempts': 1}))
        self.addCleanup(self.client.close)
        self.trace = trace_id()
        self.collector.send(
            segment(self.trace, 1, 'shop', origin='AWS::EC2::Instance', user='u',
                    annotations={'s': 'x', 'n': 1.5, 'b': True}, resource_arn='arn:aws:x',
                    http={'request': {'method': 'GET', 'url': 'http://u', 'user_agent': 'a',
                                      'client_ip': '127.0.0.1'}, 'response': {'status': 500}},
                    aws={'account_id': '123456789012',
                         'ec2': {'instance_id': 'i-1', 'availability_zone': 'z'}}, fault=True),
            subsegment(self.trace, 2, 1, 'call', namespace='remote', traced=True))

    def expect_fitting(self, operation, path, request):
        shape = self.client.meta.service_model.operation_model(operation).output_shape
        self.assertEqual(list(misfits(self.collector.ask(path, request), shape)), [])

    def test_summaries_fit(self):
        self.expect_fitting('GetTraceSummaries', '/TraceSummaries',
                            {'StartTime': 0, 'EndTime': time.time() + 60,
                             'TimeRangeType': 'Event'})

    def test_graphs_fit(self):
        now = time.time()
        self.collector.send(segment(trace_id(5), 5, 'other', links=[
            {'trace_id': self.trace, 'id': '%016x' % 1}]))
        self.expect_fitting('GetServiceGraph', '/ServiceGraph',
                            {'StartTime': now - 600, 'EndTime': now + 60})
        self.expect_fitting('GetTraceGraph', '/TraceGraph', {'TraceIds': [self.trace]})

    def test_traces_fit(self):
        self.expect_fitting('BatchGetTraces', '/Traces',
                            {'TraceIds': [self.trace, trace_id(2)]})

    def test_refusals_fit(self):
        self.expect_fitting('PutTraceSegments', '/TraceSegments',
                            {'TraceSegmentDocuments': ['{', '{"id":"0000000000000001"}']})

    def test_the_client_reads_a_trace(self):
        reply = self.client.batch_get_traces(TraceIds=[self.trace])
        self.assertEqual(reply['Traces'][0]['Id'], self.trace)
        self.assertTrue(reply['ResponseMetadata']['RequestId'])

    def test_the_client_turns_pages(self):
        for number in range(1000, 1250):
            self.collector.send(segment(trace_id(number), 1))
        pages = self.client.get_paginator('get_trace_summaries').paginate(
            StartTime=time.time() - 600, EndTime=time.time() + 60)
        self.assertEqual(sum(len(page['TraceSummaries']) for page in pages), 251)

    def test_the_client_understands_errors(self):
        with self.assertRaises(ClientError) as raised:
            self.client.get_trace_summaries(StartTime=1, EndTime=2, FilterExpression='ok)')
        self.assertEqual(raised.exception.response['Error']['Code'], 'InvalidRequestException')
        self.assertIn("unexpected ')' at 2", raised.exception.response['Error']['Message'])

    def test_the_client_puts_segments(self):
        reply = self.client.put_trace_segments(
            TraceSegmentDocuments=[json.dumps(segment(trace_id(5), 1)), '{'])
        self.assertEqual([item['ErrorCode'] for item in reply['UnprocessedTraceSegments']],
                         ['ParseError'])

    RULE = {'RuleName': 'r', 'ResourceARN': '*', 'Priority': 5, 'FixedRate': 0.25,
            'ReservoirSize': 10, 'ServiceName': '*', 'ServiceType': '*', 'Host': '*',
            'HTTPMethod': '*', 'URLPath': '*', 'Version': 1, 'Attributes': {'k': 'v'},
            'SamplingRateBoost': {'MaxRate': 0.5, 'CooldownWindowMinutes': 1}}

    def targets_request(self, **members):
        return {'SamplingStatisticsDocuments': [
            {'RuleName': name, 'ClientID': 'a' * 24, 'Timestamp': time.time(), 'RequestCount': 1,
             'SampledCount': 0, 'BorrowCount': 0} for name in ('r', 'gone')], **members}

    def test_sampling_rules_fit(self):
        self.expect_fitting('CreateSamplingRule', '/CreateSamplingRule',
                            {'SamplingRule': self.RULE})
        self.expect_fitting('GetSamplingRules', '/GetSamplingRules', {})
        self.expect_fitting('UpdateSamplingRule', '/UpdateSamplingRule',
                            {'SamplingRuleUpdate': {'RuleName': 'r', 'Host': 'h'}})
        self.expect_fitting('DeleteSamplingRule', '/DeleteSamplingRule', {'RuleName': 'r'})

    def test_sampling_targets_fit(self):
        self.collector.ask('/CreateSamplingRule', {'SamplingRule': self.RULE})
        boosts = [{'RuleName': name, 'ServiceName': 's', 'Timestamp': time.time(),
                   'AnomalyCount': 1, 'TotalCount': 2, 'SampledAnomalyCount': 0}
                  for name in ('r', 'gone')]
        self.expect_fitting('GetSamplingTargets', '/SamplingTargets',
                            self.targets_request(SamplingBoostStatisticsDocuments=boosts))

    def test_sampling_statistics_fit(self):
        self.collector.ask('/CreateSamplingRule', {'SamplingRule': self.RULE})
        self.collector.ask('/SamplingTargets', self.targets_request())
        self.expect_fitting('GetSamplingStatisticSummaries', '/SamplingStatisticSummaries', {})

    def test_the_client_makes_rules_and_asks_for_targets(self):
        rule = {name: value for name, value in self.RULE.items() if name != 'SamplingRateBoost'}
        self.client.create_sampling_rule(SamplingRule=rule)
        pages = self.client.get_paginator('get_sampling_rules').paginate()
        self.assertEqual([record['SamplingRule']['RuleName'] for page in pages
                          for record in page['SamplingRuleRecords']], ['r', 'Default'])
        reply = self.client.get_sampling_targets(**self.targets_request())
        self.assertEqual(reply['SamplingTargetDocuments'][0]['ReservoirQuota'], 10)
        self.assertEqual(reply['UnprocessedStatistics'][0]['RuleName'], 'gone')
        self.assertGreater(reply['LastRuleModification'].timestamp(), time.time() - 3600)
        summaries = self.client.get_sampling_statistic_summaries()['SamplingStatisticSummaries']
        self.assertEqual([(one['RuleName'], one['RequestCount']) for one in summaries], [('r', 1)])
        self.client.delete_sampling_rule(RuleName='r')

    def test_the_client_understands_that_there_are_too_many_rules(self):
        with self.assertRaises(self.client.exceptions.RuleLimitExceededException):
            for number in range(30):
                self.client.create_sampling_rule(SamplingRule={
                    **{name: value for name, value in self.RULE.items()
                       if name != 'SamplingRateBoost'}, 'RuleName': f'r{number}'})


@unittest.skipIf(shutil.which('aws') is None, 'there is no aws command')
class CommandLine(Case):
    def aws(self, *words):
        result = subprocess.run(
            ['aws', 'xray', *words, '--output', 'json', '--endpoint-url',
             f'http://127.0.0.1:{self.collector.port}'], stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=LONG, text=True,
            env={**os.environ, 'AWS_ACCESS_KEY_ID': 'x', 'AWS_SECRET_ACCESS_KEY': 'x',
                 'AWS_DEFAULT_REGION': 'us-east-1', 'AWS_EC2_METADATA_DISABLED': 'true'})
        self.assertEqual(result.returncode, 0, result.stderr)
        return json.loads(result.stdout)

    def test_it_lists_and_makes_rules(self):
        rule = {name: value for name, value in Model.RULE.items() if name != 'SamplingRateBoost'}
        self.aws('create-sampling-rule', '--sampling-rule', json.dumps(rule))
        reply = self.aws('get-sampling-rules')
        self.assertEqual([record['SamplingRule']['RuleName']
                          for record in reply['SamplingRuleRecords']], ['r', 'Default'])


if __name__ == '__main__':
    sys.exit(unittest.main())
