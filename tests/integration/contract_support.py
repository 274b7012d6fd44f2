# SPDX-License-Identifier: Apache-2.0
"""What the tests of the contracts share: an engine whose AWS says now and then what a test wants."""
import json
import os
import signal
import sys
import time
import urllib.parse

import between
import support
from support import pipeline

UUID = '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'
VIDEO_ID = 'dQw4w9WgXcQ'
LOGIN = 'Invalid Authentication token; login'


def refused(message, family='4XX'):
    return {'error': {'code': f'custom-{family}-generic', 'message': message}}


def json_error(kind, message):
    """As DynamoDB says it."""
    return 400, 'application/x-amz-json-1.0', json.dumps(
        {'__type': 'com.amazon.coral.service#' + kind, 'message': message}).encode()


def xml_error(status, code, message):
    """As SNS says it."""
    return status, 'text/xml', (f'<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code>'
                                f'<Message>{message}</Message></Error></ErrorResponse>').encode()


class Services(between.Between):
    """DynamoDB, SNS and Lambda as the functions reach them."""

    def __init__(self):
        super().__init__()
        self.rules = []
        self.moto = self.control = None

    def handle_error(self, request, client_address):
        if not isinstance(sys.exc_info()[1], ConnectionError):  # of a function that was killed
            super().handle_error(request, client_address)

    def target_for(self, request):
        return self.moto if 'X-Amz-Target' in request.headers else self.control

    def answer_instead(self, request, body):
        target = request.headers.get('X-Amz-Target')
        form = urllib.parse.parse_qs(body.decode(errors='replace')) if not target else {}
        operation = (target.partition('.')[2] if target else
                     form.get('Action', ['Invoke'])[0])
        for rule in list(self.rules):
            own = rule(operation, body)
            if own:
                return own
        return None


class ContractTest(support.EngineTest):
    """Base of a class that is run twice: with tracing and without."""

    traced = True

    @classmethod
    def setUpClass(cls):
        cls.services = Services()
        cls.addClassCleanup(cls.services.stop)
        cls.collector = pipeline.Collector(support.BUILD, support.directory(cls.__name__), 0)
        cls.addClassCleanup(cls.collector.stop)
        address = f'http://127.0.0.1:{cls.services.server_address[1]}'
        places = [part for service in ('DYNAMODB', 'SNS', 'LAMBDA')
                  for part in ('--env', f'AWS_ENDPOINT_URL_{service}={address}')]
        switch = () if cls.traced else ('--enable-xray-tracing', 'false')
        cls.engine = support.start_engine(cls.__name__, *places, *switch, *cls.options,
                                          xray=f'127.0.0.1:{cls.collector.port}')
        cls.addClassCleanup(cls.engine.stop)
        cls.services.moto = urllib.parse.urlsplit(cls.engine.at['moto']).netloc
        cls.services.control = urllib.parse.urlsplit(cls.engine.at['control']).netloc

    def instead(self, rule):
        """From now to the end of the test, rule(operation, body) may answer for AWS."""
        self.services.rules.append(rule)
        self.addCleanup(self.services.rules.remove, rule)

    def fail_on(self, operation, answer, part=b''):
        self.instead(lambda its, body: answer if its == operation and part in body else None)

    def assert_exactly(self, reply, status, content):
        """Status and body, but for the id of the request, which every answer has."""
        got = reply.json()
        self.assertRegex(got.pop('requestId', ''), UUID)
        self.assertEqual((reply.status, got), (status, content))

    def post(self, path, body):
        return self.engine.call('POST', path, body, token=self.engine.at['apiToken'])

    def call_directly(self, function, event):
        """A function's answer to an event that API Gateway would not send."""
        reply = self.invoke(function, json.dumps(event).encode())
        self.assertNotIn('X-Amz-Function-Error', reply.headers, reply.body)
        answer = reply.json()
        return pipeline.Reply(answer['statusCode'], {}, answer['body'].encode())

    def assert_fails(self, reply, error_type, message):
        """An error of the function, as Lambda hands it on."""
        self.assert_answer(reply, 200)
        self.assertEqual(reply.headers['X-Amz-Function-Error'], 'Unhandled')
        error = reply.json()
        self.assertEqual((error['errorType'], error['errorMessage']), (error_type, message))

    def count(self, table):
        return self.engine.dynamodb('Scan', {'TableName': table, 'Select': 'COUNT'})['Count']

    def put(self, table, key, /, **values):
        """An item of plain texts, numbers and sets, until the end of the test."""
        def attribute(value):
            if isinstance(value, set):
                return {'SS': sorted(value)}
            return {'S': value} if isinstance(value, str) else {'N': str(value)}

        self.engine.dynamodb('PutItem', {'TableName': table, 'Item': {
            name: attribute(value) for name, value in values.items()}})
        self.addCleanup(self.engine.dynamodb, 'DeleteItem', {
            'TableName': table, 'Key': {key: attribute(values[key])}})

    def put_file(self, file_id, status='PendingMetadata', **more):
        """An item of the table Files, as old as the test."""
        now = int(time.time() * 1000)
        self.put('Files', 'fileId', fileId=file_id, status=status, **{
            'sourceUrl': self.video_url(file_id), 'correlationId': 'c-1', 'availableAt': now,
            'updatedAt': now, 'retryCount': 0, **more})

    def end_environments(self, function):
        """The next call finds none."""
        for environment in self.engine.environments():
            if environment['function'] == function:
                os.kill(environment['pid'], signal.SIGKILL)
        self.assertTrue(pipeline.wait_until(
            lambda: not any(environment['function'] == function
                            for environment in self.engine.environments()), 20))

    def subsegments(self, root, name):
        """Those of a trace that have a name, as soon as there is one."""
        return pipeline.wait_until(lambda: self.collector.trace(root).find(name), 20)
