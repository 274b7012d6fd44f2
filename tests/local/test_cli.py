#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The command line tool of the cloud, told only the address: it reads and writes here as there."""
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import unittest

from collector import LONG, Case, segment, subsegment, trace_id

# Debian's, whatever else comes first in PATH.
AWS = shutil.which('aws', path='/usr/bin') or shutil.which('aws')

RULE = {'RuleName': 'r', 'ResourceARN': '*', 'Priority': 5, 'FixedRate': 0.25, 'ReservoirSize': 10,
        'ServiceName': '*', 'ServiceType': '*', 'Host': '*', 'HTTPMethod': '*', 'URLPath': '*',
        'Version': 1}


@unittest.skipIf(AWS is None, 'there is no aws command')
class CommandLine(Case):
    """Each start of the tool takes more than a second: few tests, each with several commands."""

    def setUp(self):
        super().setUp()
        home = tempfile.TemporaryDirectory()
        self.addCleanup(home.cleanup)
        self.home = home.name
        # Nothing of the user's: no settings, no credentials, no region, no proxy.
        self.environment = {
            'PATH': os.environ['PATH'], 'HOME': self.home, 'LANG': 'C.UTF-8',
            'AWS_ACCESS_KEY_ID': 'x', 'AWS_SECRET_ACCESS_KEY': 'x',
            'AWS_DEFAULT_REGION': 'us-east-1', 'AWS_EC2_METADATA_DISABLED': 'true',
            'AWS_PAGER': '', 'PYTHONDONTWRITEBYTECODE': '1'}
        self.now = int(time.time())
        self.window = ('--start-time', str(self.now - 600), '--end-time', str(self.now + 60))

    def run_aws(self, *words, output='json'):
        return subprocess.run(
            [AWS, 'xray', *words, '--output', output, '--endpoint-url',
             f'http://127.0.0.1:{self.collector.port}'], stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=LONG, text=True,
            encoding='utf-8', env=self.environment)

    def aws(self, *words):
        result = self.run_aws(*words)
        self.assertEqual(result.returncode, 0, result.stderr)
        return json.loads(result.stdout) if result.stdout else None

    def file(self, name, text):
        path = os.path.join(self.home, name)
        with open(path, 'w', encoding='utf-8') as file:
            file.write(text)
        return 'file://' + path

    def test_it_writes_traces_and_reads_them(self):
        trace = trace_id()
        document = segment(trace, 1, 'api', self.now - 5, origin='AWS::EC2::Instance', fault=True,
                           annotations={'customer': 'c7'})
        call = subsegment(trace, 2, 1, 'DynamoDB', start=self.now - 5, namespace='aws',
                          aws={'table_name': 'orders'})
        # As a list: the text of a single document would be read as a structure.
        texts = json.dumps([json.dumps(document), json.dumps(call)])
        reply = self.aws('put-trace-segments', '--trace-segment-documents',
                         self.file('documents.json', texts))
        self.assertEqual(reply, {'UnprocessedTraceSegments': []})

        reply = self.aws('get-trace-summaries', *self.window, '--filter-expression',
                         'service("api"){fault} AND annotation.customer = "c7"')
        self.assertEqual([one['Id'] for one in reply['TraceSummaries']], [trace])
        # Pages are turned by the tool itself.
        result = self.run_aws('get-trace-summaries', *self.window, '--query',
                              'TraceSummaries[].Id', output='text')
        self.assertEqual(result.stdout.split(), [trace])
        reply = self.aws('batch-get-traces', '--trace-ids', *result.stdout.split())
        self.assertEqual([json.loads(one['Document'])['name']
                          for one in reply['Traces'][0]['Segments']], ['api', 'DynamoDB'])

        names = [('api', 'client'), ('api', 'AWS::EC2::Instance'),
                 ('orders', 'AWS::DynamoDB::Table')]
        for words in (('get-service-graph', *self.window),
                      ('get-trace-graph', '--trace-ids', trace)):
            services = self.aws(*words)['Services']
            self.assertEqual([(one['Name'], one['Type']) for one in services], names)
        reply = self.aws('get-time-series-service-statistics', *self.window, '--period', '60',
                         '--entity-selector-expression',
                         'service(id(name:"api",type:"AWS::EC2::Instance"))')
        self.assertEqual([one['ServiceSummaryStatistics']['FaultStatistics']['TotalCount']
                          for one in reply['TimeSeriesServiceStatistics']], [1])

    def test_it_makes_rules_and_asks_for_targets(self):
        self.aws('create-sampling-rule', '--cli-input-json',
                 self.file('rule.json', json.dumps({'SamplingRule': RULE})))
        reply = self.aws('get-sampling-rules')
        self.assertEqual([record['SamplingRule']['RuleName']
                          for record in reply['SamplingRuleRecords']], ['r', 'Default'])
        reply = self.aws('get-sampling-targets', '--sampling-statistics-documents',
                         'RuleName=r,ClientID=0123456789abcdef01234567,'
                         f'Timestamp={self.now},RequestCount=10,SampledCount=1,BorrowCount=0')
        self.assertEqual(reply['SamplingTargetDocuments'][0]['ReservoirQuota'], 10)
        reply = self.aws('get-sampling-statistic-summaries')
        self.assertEqual([(one['RuleName'], one['RequestCount'])
                          for one in reply['SamplingStatisticSummaries']], [('r', 10)])

    def test_it_makes_groups(self):
        reply = self.aws('create-group', '--group-name', 'slow', '--filter-expression',
                         'responsetime > 2')
        self.assertEqual(reply['Group']['FilterExpression'], 'responsetime > 2')
        self.assertEqual([group['GroupName'] for group in self.aws('get-groups')['Groups']],
                         ['Default', 'slow'])

    def test_it_says_what_is_wrong_with_a_filter(self):
        result = self.run_aws('get-trace-summaries', '--start-time', str(self.now), '--end-time',
                              str(self.now), '--filter-expression', 'service("x"')
        self.assertEqual(result.returncode, 254)
        self.assertIn('(InvalidRequestException) when calling the GetTraceSummaries',
                      result.stderr)
        self.assertIn('Invalid filter expression', result.stderr)
        self.assertIn('at 11', result.stderr)


if __name__ == '__main__':
    sys.exit(unittest.main())
