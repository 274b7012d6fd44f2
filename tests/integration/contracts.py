#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What clients are answered, row by row: validation, registration, lists, the front door's errors."""
import hashlib
import json
import os
import secrets
import signal
import time

import support
from contract_support import (LOGIN, VIDEO_ID, ContractTest, json_error, refused, xml_error)

OBJECT = {'value': ['value must be of type object']}
URL = {'articleURL': ['is not a valid YouTube URL']}
LONG = 'x' * (64 << 10)

# Body of POST /webhook; the message of the 400.
WEBHOOKS = [
    (b'', 'Request body must be valid JSON string'),
    (b'{"articleURL":', 'Request body must be valid JSON'),
    (b'{} {}', 'Request body must be valid JSON'),
    (b'{"articleURL":"\xff"}', 'Request body must be valid JSON'),
    (b'5', OBJECT),
    (b'null', OBJECT),
    (b'"text"', OBJECT),
    ([1], OBJECT),
    ({}, {'articleURL': ['articleURL is required']}),
    ({'articleTitle': 'x'}, {'articleURL': ['articleURL is required']}),
    *(({'articleURL': value}, {'articleURL': ['articleURL must be a string']})
      for value in (7, None, True, [], {})),
    ({'articleURL': ''}, {'articleURL': ['articleURL is not allowed to be empty']}),
    ({'articleURL': LONG + 'x'},
     {'articleURL': [f'articleURL length must be less than or equal to {len(LONG)} characters '
                     'long']}),
    ({'backgroundMode': 'maybe'},
     {'articleURL': ['articleURL is required'],
      'backgroundMode': ['backgroundMode must be a boolean']}),
    *(({'articleURL': address}, URL) for address in (
        LONG, 'http://127.0.0.2:9/video.mp4', 'http://169.254.169.254/latest/meta-data',
        'file:///etc/passwd', 'ftp://youtube.com/watch?v=' + VIDEO_ID, '--exec=x', '-', ' ',
        'https://www.youtube.com/playlist?list=PL1', 'https://www.youtube.com/watch?v=short',
        'https://www.youtube.com/watch?v=' + VIDEO_ID + 'x', 'https://youtu.be/',
        'https://youtube.com.example.org/watch?v=' + VIDEO_ID,
        'https://example.org/?https://youtu.be/' + VIDEO_ID,
        'https://user@youtu.be/' + VIDEO_ID, 'https://youtu.be:444/' + VIDEO_ID,
        'https://youtu.be/' + VIDEO_ID + '\n')),
]

# Addresses of one and the same video.
ADDRESSES = [
    'https://www.youtube.com/watch?v=' + VIDEO_ID,
    'www.youtube.com/watch?app=desktop&v=' + VIDEO_ID,
    'https://m.youtube.com/shorts/' + VIDEO_ID,
    'http://youtube.com/live/' + VIDEO_ID + '?t=1',
    'https://www.youtube-nocookie.com/embed/' + VIDEO_ID,
    'https://music.youtube.com/watch?v=' + VIDEO_ID + '&list=PL1',
    'https://youtu.be/' + VIDEO_ID + '#t=5',
]

DEVICE = {'token': 'ab' * 32, 'deviceId': 'a-device'}

# Body of POST /registerDevice; the message of the 400.
DEVICES = [
    (b'', 'Request body must be valid JSON string'),
    (b'{', 'Request body must be valid JSON'),
    (b'[]', OBJECT),
    ({}, {'token': ['token is required'], 'deviceId': ['deviceId is required']}),
    ({**DEVICE, 'token': ''}, {'token': ['token is not allowed to be empty']}),
    ({**DEVICE, 'token': 5}, {'token': ['token must be a string']}),
    ({**DEVICE, 'deviceId': None}, {'deviceId': ['deviceId must be a string']}),
    ({**DEVICE, 'deviceId': 'x' * 129},
     {'deviceId': ['deviceId length must be less than or equal to 128 characters long']}),
    ({**DEVICE, 'name': [], 'systemName': 1, 'systemVersion': {}},
     {'name': ['name must be a string'], 'systemName': ['systemName must be a string'],
      'systemVersion': ['systemVersion must be a string']}),
]

# What SNS answers to CreatePlatformEndpoint; status and message of ours.
SNS_ANSWERS = [
    (xml_error(400, 'InvalidParameter', 'Invalid parameter: Token Reason: iOS device tokens must '
               'be no more than 400 hexadecimal characters'),
     400, {'token': ['token is not a valid device token']}),
    (xml_error(403, 'AuthorizationError', 'not authorized to perform: SNS:CreatePlatformEndpoint'),
     500, 'SNS CreatePlatformEndpoint: not authorized to perform: SNS:CreatePlatformEndpoint'),
    ((200, 'text/xml', b'<CreatePlatformEndpointResponse/>'), 500, 'AWS request failed'),
]


def event_of(user_id=None, **members):
    authorizer = {} if user_id is None else {'principalId': user_id}
    return {'requestContext': {'authorizer': authorizer}, **members}


class Answers(ContractTest):
    # WebhookFeedly.

    def test_a_webhook_that_is_none_is_400_with_the_reason(self):
        before = self.count('Files'), self.count('UserFiles')
        for body, message in WEBHOOKS:
            with self.subTest(str(body)[:80]):
                self.assert_exactly(self.post('/webhook', body), 400, refused(message))
        self.assertEqual((self.count('Files'), self.count('UserFiles')), before)

    def test_each_address_of_a_video_is_the_same_file(self):
        for address in ADDRESSES:
            with self.subTest(address):
                reply = self.post('/webhook', {'articleURL': address, 'backgroundMode': True,
                                               'unknown': {'field': []}})
                self.assert_exactly(reply, 202, {'body': {'status': 'Accepted'}})
        self.assertEqual(self.count('Files'), 1)
        self.assertEqual(self.engine.file(VIDEO_ID)['status'], 'PendingMetadata')
        self.engine.dynamodb('DeleteItem', {'TableName': 'Files',
                                            'Key': {'fileId': {'S': VIDEO_ID}}})

    def test_a_body_in_base64_is_understood(self):
        event = event_of('u-1', isBase64Encoded=True, body='eyJhcnRpY2xlVVJMIjoieCJ9')
        self.assert_exactly(self.call_directly('WebhookFeedly', event), 400, refused(URL))

    def test_events_that_the_front_door_does_not_send_are_400(self):
        for function in ('WebhookFeedly', 'RegisterDevice'):
            for members, message in (
                    ({}, 'Missing request payload'),
                    ({'body': None}, 'Request body must be valid JSON string'),
                    ({'body': {}}, 'Request body must be valid JSON string'),
                    ({'body': '*', 'isBase64Encoded': True}, 'Request body must be valid JSON')):
                with self.subTest(function=function, **members):
                    self.assert_exactly(self.call_directly(function, event_of('u-1', **members)),
                                        400, refused(message))

    def test_whom_the_authorizer_does_not_name_is_401_and_nothing_is_written(self):
        before = self.count('Devices'), self.count('Files')
        body = json.dumps({**DEVICE, 'articleURL': ADDRESSES[0], 'backgroundMode': True})
        for function in ('WebhookFeedly', 'RegisterDevice', 'ListFiles'):
            for user_id in (None, '', 'unknown'):
                with self.subTest(function=function, user_id=user_id):
                    self.assert_exactly(
                        self.call_directly(function, event_of(user_id, body=body)), 401,
                        refused(LOGIN))
        self.assertEqual((self.count('Devices'), self.count('Files')), before)

    def test_what_dynamodb_refuses_is_500_with_its_words(self):
        self.fail_on('UpdateItem', json_error('AccessDeniedException', 'not you'), b'"UserFiles"')
        self.assert_exactly(self.post('/webhook', {'articleURL': ADDRESSES[0]}), 500,
                            refused('DynamoDB UpdateItem: not you', '5XX'))

    # RegisterDevice.

    def test_a_device_that_is_none_is_400_with_the_reason(self):
        before = self.count('Devices'), self.count('UserDevices')
        for body, message in DEVICES:
            with self.subTest(str(body)[:80]):
                self.assert_exactly(self.post('/registerDevice', body), 400, refused(message))
        self.assertEqual((self.count('Devices'), self.count('UserDevices')), before)

    def test_what_sns_answers_decides(self):
        before = self.count('Devices')
        for answer, status, message in SNS_ANSWERS:
            with self.subTest(status=status, message=message):
                def rule(operation, _body, answer=answer):
                    return answer if operation == 'CreatePlatformEndpoint' else None

                self.services.rules.append(rule)
                try:
                    reply = self.post('/registerDevice', DEVICE)
                finally:
                    self.services.rules.remove(rule)
                self.assert_exactly(reply, status, refused(message, f'{status // 100}XX'))
        self.assertEqual(self.count('Devices'), before)

    def test_of_a_device_only_the_known_fields_are_stored(self):
        reply = self.post('/registerDevice', {**DEVICE, 'name': 'A phone', 'userId': 'somebody',
                                              'endpointArn': 'arn:x', 'admin': True})
        self.assertEqual(reply.status, 200, reply.body)
        arn = reply.json()['body']['endpointArn']
        self.assert_exactly(reply, 200, {'body': {'endpointArn': arn}})
        item = self.engine.dynamodb('GetItem', {
            'TableName': 'Devices', 'Key': {'deviceId': {'S': DEVICE['deviceId']}}})['Item']
        self.assertGreater(int(item.pop('registeredAt')['N']), time.time() * 1000 - 600000)
        self.assertEqual(item, {'deviceId': {'S': DEVICE['deviceId']},
                                'token': {'S': DEVICE['token']}, 'name': {'S': 'A phone'},
                                'endpointArn': {'S': arn},
                                'userId': {'S': self.engine.at['userId']}})

    # ListFiles.

    def list_of(self, token):
        return self.engine.call('GET', '/files', token=token)

    def test_a_user_without_files_has_an_empty_list(self):
        self.assert_exactly(self.list_of(self.add_token('nobody-yet')), 200,
                            {'body': {'contents': [], 'keyCount': 0}})

    def test_a_list_has_what_is_downloaded_the_newest_first(self):
        self.put_file('u-0000000000000001', 'Downloaded', availableAt=1763626530001, size=1)
        self.put_file('u-0000000000000002', 'Failed', availableAt=1763626530002)
        self.put_file('u-0000000000000003', 'Downloaded', availableAt=1763626530, size=3)
        ids = {f'u-{number:016}' for number in range(1, 251)}  # more than two questions take
        self.put('UserFiles', 'userId', userId='lister', fileIds=ids)
        asked = []

        def rule(operation, body):
            """The first question gets to nothing, which AWS may do at any time."""
            if operation != 'BatchGetItem':
                return None
            asked.append(len(json.loads(body)['RequestItems']['Files']['Keys']))
            return (200, 'application/x-amz-json-1.0', json.dumps({
                'Responses': {}, 'UnprocessedKeys': json.loads(body)['RequestItems']
            }).encode()) if len(asked) == 1 else None

        self.instead(rule)
        reply = self.list_of(self.add_token('lister'))
        self.assertEqual(reply.status, 200, reply.body)
        listed = reply.json()['body']
        self.assertEqual(listed['keyCount'], 2)
        # Seconds, of an older writer, are ms too.
        self.assertEqual([(file['fileId'], file['size'], file['availableAt'])
                          for file in listed['contents']],
                         [('u-0000000000000001', 1, 1763626530001),
                          ('u-0000000000000003', 3, 1763626530000)])
        self.assertEqual(asked, [100, 100, 100, 50])

    def test_a_list_that_cannot_be_read_is_500(self):
        self.fail_on('GetItem', json_error('AccessDeniedException', 'not you'), b'"UserFiles"')
        self.assert_exactly(self.list_of(self.engine.at['apiToken']), 500,
                            refused('DynamoDB GetItem: not you', '5XX'))

    # The front door and the authorizer.

    def add_token(self, user_id='another-user', expires_in_s=3600, **members):
        token = secrets.token_hex(32)
        self.engine.dynamodb('PutItem', {'TableName': 'ApiTokens', 'Item': {
            'tokenHash': {'S': hashlib.sha256(token.encode()).hexdigest()},
            'userId': {'S': user_id}, 'enabled': {'BOOL': True},
            'expiresAt': {'N': str(int((time.time() + expires_in_s) * 1000))}, **members}})
        return token

    def assert_refused_at_the_door(self, reply, status, message):
        self.assert_exactly(reply, status, refused(message, f'{status // 100}XX'))
        self.assertEqual(reply.json()['requestId'], reply.headers['x-amzn-RequestId'])

    def test_whom_the_authorizer_does_not_let_in(self):
        disabled = {'BOOL': False}
        denied = 'User is not authorized to access this resource with an explicit deny'
        basic = {'Authorization': 'Basic ' + self.engine.at['apiToken']}
        for how, status, message in (
                ({}, 401, 'Unauthorized'),
                ({'token': secrets.token_hex(32)}, 401, 'Unauthorized'),
                ({'api_key': secrets.token_hex(32)}, 401, 'Unauthorized'),
                ({'token': 'x' * 600}, 401, 'Unauthorized'),
                ({'headers': basic}, 401, 'Unauthorized'),
                ({'token': self.add_token(expires_in_s=-1)}, 401, 'Unauthorized'),
                ({'token': self.add_token(userId={'S': ''})}, 401, 'Unauthorized'),
                ({'token': self.add_token(enabled=disabled)}, 403, denied),
                ({'api_key': self.add_token(enabled=disabled)}, 403, denied)):
            with self.subTest(how=list(how), status=status):
                self.assert_refused_at_the_door(self.engine.call('GET', '/files', **how), status,
                                                message)

    def test_whom_the_authorizer_lets_in(self):
        token = self.add_token()
        for how in ({'token': token}, {'api_key': token},
                    {'headers': {'authorization': 'Bearer ' + token}},
                    {'headers': {'AUTHORIZATION': 'bearer ' + token}}):
            with self.subTest(how=how):
                self.assert_answer(self.engine.call('GET', '/files', **how), 200)

    def test_a_token_that_cannot_be_looked_up_is_500_and_not_401(self):
        self.fail_on('GetItem', json_error('AccessDeniedException', 'not you'), b'"ApiTokens"')
        self.assert_refused_at_the_door(self.list_of(self.engine.at['apiToken']), 500,
                                        'Internal server error')

    def test_a_function_that_dies_is_502(self):
        def rule(operation, body):
            if operation == 'GetItem' and b'"UserFiles"' in body:
                for environment in self.engine.environments():
                    if (environment['function'], environment['state']) == ('ListFiles', 'busy'):
                        os.kill(environment['pid'], signal.SIGKILL)

        self.instead(rule)
        self.assert_refused_at_the_door(self.list_of(self.engine.at['apiToken']), 502,
                                        'Internal server error')

    def test_what_is_too_large_is_413(self):
        for size in (7 << 20, 11 << 20):  # for Lambda, and for API Gateway itself
            with self.subTest(size=size):
                self.assert_refused_at_the_door(self.post('/webhook', b'{"x":"' + b'x' * size),
                                                413, 'Request Too Long')

    def test_what_is_not_there_is_404_or_405(self):
        token = self.engine.at['apiToken']
        for method, path, status in (('GET', '/nothing', 404), ('GET', '/webhook', 405),
                                     ('DELETE', '/files', 405), ('POST', '/files/x', 404)):
            with self.subTest(method=method, path=path):
                self.assert_refused_at_the_door(
                    self.engine.call(method, path, token=token), status,
                    f'No route for {method} /prod{path}')

    def test_the_answer_tells_the_trace(self):
        root = 'Root=1-5759e988-bd862e3fe1be46a994272793'
        reply = self.engine.call('GET', '/files', token=self.engine.at['apiToken'], headers={
            'X-Amzn-Trace-Id': root + ';Parent=53995c3f42cd8ad8;Sampled=0'})
        self.assert_answer(reply, 200)
        self.assertIn(root, reply.headers['X-Amzn-Trace-Id'])

    def test_users_see_their_own_files_only(self):
        self.put_file('u-0000000000000009', 'Downloaded')
        self.put('UserFiles', 'userId', userId='owner', fileIds={'u-0000000000000009'})
        mine, others = (self.list_of(self.add_token(user)).json()['body']['keyCount']
                        for user in ('owner', 'other'))
        self.assertEqual((mine, others), (1, 0))


class AnswersUntraced(Answers):
    """Tracing changes no answer."""

    traced = False



if __name__ == '__main__':
    support.main()
