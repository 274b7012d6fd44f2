#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The calls that the functions make at the desk, as their traces tell, are what their roles in the
cloud allow: on each table, and no more than is used. moto knows actions, but not on what."""
import json
import pathlib
import re
import sys
import unittest
import urllib.parse

import support as terraform

sys.modules['plans'] = sys.modules.pop('support')  # the integration tests have one of that name
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / 'integration'))

import support  # noqa: E402
from support import pipeline  # noqa: E402

# Operations that IAM knows under another name.
ACTION_OF = {
    'CreateMultipartUpload': 'PutObject', 'UploadPart': 'PutObject',
    'CompleteMultipartUpload': 'PutObject', 'HeadObject': 'GetObject', 'Invoke': 'InvokeFunction',
    'ListMultipartUploads': 'ListBucketMultipartUploads',
}


def calls_of(document, function, found):
    """Adds (function, action, table or function) of the calls below a document."""
    aws = document.get('aws', {})
    if document.get('namespace') == 'aws' and aws.get('operation'):
        service = document['name'].lower()
        action = f'{service}:{ACTION_OF.get(aws["operation"], aws["operation"])}'
        for name in aws.get('table_names') or [aws.get('table_name', aws.get('function_name'))]:
            found.add((function, action, name))
    for child in document.get('subsegments', []):
        calls_of(child, function, found)


class TestCalls(support.EngineTest):
    @classmethod
    def setUpClass(cls):
        work = support.directory(cls.__name__)
        cls.collector = pipeline.Collector(support.BUILD, work, 0)
        cls.addClassCleanup(cls.collector.stop)
        cls.listener = support.Listener(cls.collector.port)
        cls.addClassCleanup(cls.listener.stop)
        cls.engine = support.start_engine(cls.__name__, xray=f'127.0.0.1:{cls.listener.port}')
        cls.addClassCleanup(cls.engine.stop)
        cls.planned = terraform.Terraform()
        cls.addClassCleanup(cls.planned.close)
        cls.plan = cls.planned.plan(apns=terraform.APNS)

    def sns(self, **form):
        at = self.engine.at
        body = urllib.parse.urlencode({'Version': '2010-03-31', **form}).encode()
        headers = pipeline.sign('POST', at['moto'] + '/',
                                {'Content-Type': 'application/x-www-form-urlencoded'}, body, at,
                                'sns', at['region'])
        self.assert_answer(pipeline.request('POST', at['moto'] + '/', headers, body), 200)

    def disable_endpoint(self):
        arn = json.loads(self.engine.register_device(
            support.DEVICE_ID, support.DEVICE_TOKEN).body)['body']['endpointArn']
        self.sns(Action='SetEndpointAttributes', EndpointArn=arn,
                 **{'Attributes.entry.1.key': 'Enabled', 'Attributes.entry.1.value': 'false'})

    def go_every_way(self):
        """Downloads, pushes from both places to an endpoint that lives and to one that does not,
        lists, and has a phone change hands."""
        first, second = self.video_url('first'), self.video_url('second')
        self.register_device()
        self.assert_answer(self.engine.post_webhook(first), 202, 'Initiated')
        self.wait_for_push(first)
        self.assert_answer(self.engine.post_webhook(first), 200, 'Dispatched')
        self.disable_endpoint()
        self.assert_answer(self.engine.post_webhook(first), 200, 'Dispatched')
        self.disable_endpoint()
        self.assert_answer(self.engine.post_webhook(second), 202, 'Initiated')
        self.wait_for_status(second, 'Downloaded')
        self.invoke('FileCoordinator', b'{"source":"aws.events"}')
        self.assert_answer(self.engine.call('GET', '/files', token=self.engine.at['apiToken']), 200)

    def heard(self):
        """(function, action, table or function) of all that was recorded."""
        documents = [json.loads(datagram.partition(b'\n')[2]) for datagram
                     in list(self.listener.heard)]
        by_id = {document['id']: document for document in documents}

        def function_of(document):
            while document and document['name'] not in terraform.FUNCTIONS:
                document = by_id.get(document.get('parent_id'))
            return document and document['name']

        found = set()
        for document in documents:
            calls_of(document, function_of(document), found)
        return {call for call in found if call[0]}

    def granted(self):
        """The same as the policies have it, with the desk's names."""
        found = set()
        for function in terraform.FUNCTIONS:
            for statement in self.plan.statements(function):
                for resource in statement['Resource']:
                    name = re.sub(r'-staging$|^media-staging-', '', re.split('[:/]', resource)[-1])
                    found |= {(function, action, name) for action in statement['Action']}
        return found

    def test_each_role_allows_the_calls_that_are_made_and_on_tables_no_other(self):
        self.go_every_way()
        granted = self.granted()

        def on_tables(calls):
            return {call for call in calls if call[1].startswith('dynamodb:')}

        def others(calls):
            return {call[:2] for call in calls if not call[1].startswith('dynamodb:')}

        pipeline.wait_until(lambda: on_tables(self.heard()) == on_tables(granted), 30)
        self.assertEqual(on_tables(self.heard()), on_tables(granted))
        self.assertLessEqual(others(self.heard()), others(granted))
        self.assertGreater(len(others(self.heard())), 6)


if __name__ == '__main__':
    terraform.require_schema_provider()
    support.main()
