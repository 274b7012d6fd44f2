#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Replies against the service's own model, where botocore is installed."""
import json
import sys
import time
import unittest

# First: it may start again with another Python.
from model import botocore, misfits, service_model

from collector import Case, segment, subsegment, trace_id

if botocore:
    from botocore.config import Config
    from botocore.exceptions import ClientError


def id_of(number):
    return '%016x' % number


def documents_of(first, now):
    """Traces of many shapes, ids from `first` on: (trace ids, documents)."""
    ids = [trace_id(first + n) for n in range(9)]
    exceptions = {'working_directory': '/', 'exceptions': [
        {'id': 'e' * 16, 'type': 'KeyError', 'message': 'no \u00e4pfel', 'remote': True,
         'stack': [{'path': 'a.py', 'line': 3, 'label': 'f'}]},
        {'id': 'd' * 16, 'type': 'IOError', 'message': 'x' * 3000, 'cause': 'e' * 16}]}
    http = {'request': {'method': 'GET', 'url': 'https://shop/a?b=c', 'user_agent': 'a/1',
                        'client_ip': '127.0.0.1', 'x_forwarded_for': True},
            'response': {'status': 500, 'content_length': 12}}
    aws = {'account_id': '123456789012', 'ec2': {'instance_id': 'i-1', 'availability_zone': 'z'},
           'ecs': {'container': 'c', 'availability_zone': 'y'}}
    query = {'sanitized_query': 'SELECT 1', 'url': 'postgres://db', 'database_type': 'PostgreSQL'}
    calls = [
        {'id': id_of(20), 'name': 'DynamoDB', 'namespace': 'aws', 'start_time': now - 5,
         'end_time': now - 4, 'throttle': True, 'error': True, 'cause': exceptions,
         'aws': {'table_name': 'orders', 'operation': 'Query'},
         'http': {'response': {'status': 400}}},
        {'id': id_of(21), 'name': 'db@host', 'namespace': 'remote', 'sql': query,
         'start_time': now - 4, 'end_time': now - 3},
        {'id': id_of(22), 'name': 'SQS', 'namespace': 'aws', 'start_time': now - 3,
         'end_time': now - 2.5, 'aws': {'queue_url': 'https://sqs/1/jobs'}},
        {'id': id_of(23), 'name': 'store', 'namespace': 'remote', 'start_time': now - 2,
         'end_time': now - 1, 'traced': True, 'fault': True},
        {'id': id_of(24), 'name': 'resize', 'start_time': now - 1, 'in_progress': True}]
    return ids, [
        # A fault with its cause in another service; calls of each kind; values of each type.
        segment(ids[0], 1, 'shop', now - 6, 6, origin='AWS::EC2::Instance', user='u', fault=True,
                resource_arn='arn:aws:x', http=http, aws=aws, subsegments=calls, cause=exceptions,
                annotations={'text': 'x', 'number': 1.5, 'truth': True, 'zero': 0, 'none': ''}),
        segment(ids[0], 2, 'store', now - 2, 1, parent_id=id_of(23), fault=True, user='v',
                annotations={'text': 'y', 'number': 2, 'truth': False}, cause=exceptions),
        subsegment(ids[0], 3, 2, 'late', start=now - 1.5, duration=3),
        # A slow one, an error, a throttle.
        segment(ids[1], 1, 'shop', now - 60, 59, origin='AWS::ECS::Container', error=True,
                http={'response': {'status': 404}}),
        segment(ids[2], 1, 'shop', now - 2, 1, error=True, throttle=True,
                http={'response': {'status': 429}}, cause={'message': 'too fast'}),
        # In progress; without its parent; links to another trace; a name of all scripts.
        {'trace_id': ids[3], 'id': id_of(1), 'name': 'begun', 'start_time': now - 1,
         'in_progress': True},
        subsegment(ids[4], 5, 4, 'orphan', namespace='remote'),
        segment(ids[5], 1, 'queue', now - 1, 1, links=[{'trace_id': ids[0], 'id': id_of(1)}]),
        segment(ids[6], 1, '\u5e97 \U0001f6d2', now - 1, 1, origin='AWS::Lambda'),
        segment(ids[6], 2, '\u5e97 \U0001f6d2', now - 1, 1, origin='AWS::Lambda::Function',
                parent_id=id_of(1)),
        # Members of other types than they should have.
        segment(ids[7], 1, 'odd', now - 1, 1, user=5, http='x', aws=[], cause=7, fault='yes',
                annotations={'list': [1], 'object': {}, 'large': 1e300},
                http_status=5, resource_arn=1, links={}, sql=3),
        # Its parts overlap, and one is its own parent.
        segment(ids[8], 1, 'loop', now - 1, 1, parent_id=id_of(1)),
        subsegment(ids[8], 2, 2, 'self'),
    ]


@unittest.skipIf(botocore is None, 'botocore is not installed')
class Misfits(unittest.TestCase):
    """What the tests below rest on."""

    def expect(self, shape, value, *wanted):
        found = list(misfits(value, service_model().shape_for(shape)))
        self.assertEqual(len(found), len(wanted), found)
        for text, words in zip(found, wanted):
            self.assertIn(words, text)

    def test_each_kind_is_found(self):
        self.expect('Tag', {'Key': 'k', 'Value': ''})
        self.expect('Tag', {'Key': 'k'}, 'Value is missing')
        self.expect('Tag', {'Key': 'k', 'Value': '', 'X': 1}, 'X is unknown')
        self.expect('Tag', {'Key': '', 'Value': 'v' * 257}, '0 is less', '257 is more')
        self.expect('Tag', [], 'is no structure')
        self.expect('SpanList', [{}] * 101, '101 is more')
        self.expect('RetrievalStatus', 'DONE', 'is none of')
        self.expect('InsightId', 'x', 'does not match')
        self.expect('HistogramEntry', {'Value': True, 'Count': 2 ** 31}, 'is no double', '32 bits')
        self.expect('AttributeMap', {'': 5}, '0 is less', 'is no string')
        self.expect('Priority', 10000)
        self.expect('Priority', 10001, 'is more')


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
        self.now = time.time()
        self.ids, documents = documents_of(100, self.now)
        self.assertEqual(self.collector.put(*documents), [])
        self.collector.send(
            segment(self.trace, 1, 'shop', origin='AWS::EC2::Instance', user='u',
                    annotations={'s': 'x', 'n': 1.5, 'b': True}, resource_arn='arn:aws:x',
                    http={'request': {'method': 'GET', 'url': 'http://u', 'user_agent': 'a',
                                      'client_ip': '127.0.0.1'}, 'response': {'status': 500}},
                    aws={'account_id': '123456789012',
                         'ec2': {'instance_id': 'i-1', 'availability_zone': 'z'}}, fault=True),
            subsegment(self.trace, 2, 1, 'call', namespace='remote', traced=True))

    def expect_fitting(self, operation, request=None):
        """The reply of the operation, which must be as its model says."""
        model = self.client.meta.service_model.operation_model(operation)
        reply = self.collector.ask(model.http['requestUri'], request)
        self.assertEqual(list(misfits(reply, model.output_shape)), [], operation)
        return reply

    def times(self, before=600, **members):
        return {'StartTime': self.now - before, 'EndTime': self.now + 60, **members}

    def test_every_operation_is_known(self):
        model = self.client.meta.service_model
        for name in model.operation_names:
            path = model.operation_model(name).http['requestUri']
            status, headers, _ = self.collector.call(path, {})
            self.assertNotEqual(headers['x-amzn-ErrorType'], 'UnknownOperationException', path)
            self.assertIn(status, (200, 400, 404), path)

    def test_summaries_fit(self):
        for kind in ('TraceId', 'Event', 'Service'):
            reply = self.expect_fitting('GetTraceSummaries', self.times(TimeRangeType=kind))
            self.assertGreater(len(reply['TraceSummaries']), 5)
        found, = [one for one in reply['TraceSummaries'] if one['Id'] == self.ids[0]]
        self.assertTrue(found['FaultRootCauses'])
        self.assertLessEqual({'text', 'number', 'truth'}, set(found['Annotations']))

    def test_summaries_of_a_page_fit(self):
        for number in range(1000, 1120):
            self.collector.send(segment(trace_id(number), 1))
        self.assertIn('NextToken', self.expect_fitting('GetTraceSummaries', self.times()))

    def test_root_causes_of_what_is_slow_fit(self):
        for number in range(300, 330):
            self.collector.send(segment(trace_id(number), 1, 'shop', duration=0.01,
                                        origin='AWS::ECS::Container'))
        reply = self.expect_fitting('GetTraceSummaries', self.times())
        self.assertTrue([one for one in reply['TraceSummaries']
                         if one.get('ResponseTimeRootCauses')])

    def test_service_graphs_fit(self):
        reply = self.expect_fitting('GetServiceGraph', self.times())
        edges = [edge for service in reply['Services'] for edge in service['Edges']]
        self.assertTrue([edge for edge in edges if edge.get('EdgeType') == 'link'])
        self.expect_fitting('CreateGroup', {'GroupName': 'bad', 'FilterExpression': 'fault'})
        self.expect_fitting('GetServiceGraph', self.times(GroupName='bad'))
        self.expect_fitting('GetServiceGraph', {'StartTime': 1000, 'EndTime': 2000})

    def test_trace_graphs_fit(self):
        for trace in self.ids:
            self.expect_fitting('GetTraceGraph', {'TraceIds': [trace]})
        self.expect_fitting('GetTraceGraph', {'TraceIds': self.ids})
        self.expect_fitting('GetTraceGraph', {'TraceIds': [trace_id(5)]})

    def test_statistics_over_time_fit(self):
        for selector in (None, 'service("shop")', 'service(id(name: "orders"))',
                         'edge("shop", "orders")', 'service()'):
            for period in (60, 300):
                request = self.times(Period=period)
                if selector:
                    request['EntitySelectorExpression'] = selector
                reply = self.expect_fitting('GetTimeSeriesServiceStatistics', request)
                self.assertTrue(reply['TimeSeriesServiceStatistics'], selector)

    def test_traces_fit(self):
        for trace in self.ids:
            self.expect_fitting('BatchGetTraces', {'TraceIds': [trace]})
        self.expect_fitting('BatchGetTraces', {'TraceIds': [self.trace, trace_id(2)]})

    def test_retrieved_traces_fit(self):
        token = self.expect_fitting('StartTraceRetrieval', self.times(TraceIds=self.ids))
        for kind in ('XRAY', 'OTEL'):
            request = {**token, 'TraceFormat': kind}
            reply = self.expect_fitting('ListRetrievedTraces', request)
            self.expect_fitting('ListRetrievedTraces',
                                {**request, 'NextToken': reply['NextToken']})
        graph = self.expect_fitting('GetRetrievedTracesGraph', token)
        self.assertTrue(graph['Services'])
        self.expect_fitting('CancelTraceRetrieval', token)

    def test_groups_fit(self):
        insights = {'InsightsEnabled': True, 'NotificationsEnabled': True}
        group = self.expect_fitting('CreateGroup', {
            'GroupName': 'g', 'FilterExpression': 'ok', 'InsightsConfiguration': insights})['Group']
        self.assertEqual(group['InsightsConfiguration'], insights)
        self.expect_fitting('UpdateGroup', {'GroupName': 'g', 'FilterExpression': '!ok'})
        self.expect_fitting('GetGroup', {'GroupARN': group['GroupARN']})
        self.assertEqual(len(self.expect_fitting('GetGroups')['Groups']), 2)
        self.expect_fitting('DeleteGroup', {'GroupName': 'g'})

    def test_tags_fit(self):
        group = self.expect_fitting('CreateGroup', {'GroupName': 'g'})['Group']
        resource = {'ResourceARN': group['GroupARN']}
        self.expect_fitting('TagResource', {**resource, 'Tags': [
            {'Key': 'a', 'Value': ''}, {'Key': '\u00e4' * 128, 'Value': 'v' * 256}]})
        self.assertEqual(len(self.expect_fitting('ListTagsForResource', resource)['Tags']), 2)
        self.expect_fitting('UntagResource', {**resource, 'TagKeys': ['a']})

    def test_what_an_account_has_fits(self):
        self.expect_fitting('GetEncryptionConfig')
        self.expect_fitting('PutEncryptionConfig', {'Type': 'NONE'})
        self.expect_fitting('GetTraceSegmentDestination')
        self.expect_fitting('UpdateTraceSegmentDestination', {'Destination': 'XRay'})
        self.expect_fitting('GetIndexingRules', {})
        self.expect_fitting('UpdateIndexingRule', {'Name': 'Default', 'Rule': {
            'Probabilistic': {'DesiredSamplingPercentage': 100}}})
        self.expect_fitting('GetInsightSummaries', self.times(GroupName='Default'))
        self.expect_fitting('ListResourcePolicies', {})

    def test_telemetry_fits(self):
        self.expect_fitting('PutTelemetryRecords', {'TelemetryRecords': [
            {'Timestamp': self.now, 'SegmentsReceivedCount': 1,
             'BackendConnectionErrors': {'TimeoutCount': 1}}], 'Hostname': 'h'})

    def test_refusals_fit(self):
        self.expect_fitting('PutTraceSegments', {'TraceSegmentDocuments': ['{', '{"id":"0000000000000001"}']})

    def test_the_client_reads_a_trace(self):
        reply = self.client.batch_get_traces(TraceIds=[self.trace])
        self.assertEqual(reply['Traces'][0]['Id'], self.trace)
        self.assertTrue(reply['ResponseMetadata']['RequestId'])

    def test_the_client_turns_pages(self):
        for number in range(1000, 1250):
            self.collector.send(segment(trace_id(number), 1))
        pages = self.client.get_paginator('get_trace_summaries').paginate(
            StartTime=time.time() - 600, EndTime=time.time() + 60)
        self.assertEqual(sum(len(page['TraceSummaries']) for page in pages), 251 + len(self.ids))

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
        self.expect_fitting('CreateSamplingRule', {'SamplingRule': self.RULE})
        self.expect_fitting('GetSamplingRules', {})
        self.expect_fitting('UpdateSamplingRule', {'SamplingRuleUpdate': {'RuleName': 'r', 'Host': 'h'}})
        self.expect_fitting('DeleteSamplingRule', {'RuleName': 'r'})

    def test_sampling_targets_fit(self):
        self.collector.ask('/CreateSamplingRule', {'SamplingRule': self.RULE})
        boosts = [{'RuleName': name, 'ServiceName': 's', 'Timestamp': time.time(),
                   'AnomalyCount': 1, 'TotalCount': 2, 'SampledAnomalyCount': 0}
                  for name in ('r', 'gone')]
        self.expect_fitting('GetSamplingTargets', self.targets_request(SamplingBoostStatisticsDocuments=boosts))

    def test_sampling_statistics_fit(self):
        self.collector.ask('/CreateSamplingRule', {'SamplingRule': self.RULE})
        self.collector.ask('/SamplingTargets', self.targets_request())
        self.expect_fitting('GetSamplingStatisticSummaries', {})

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


if __name__ == '__main__':
    sys.exit(unittest.main())
