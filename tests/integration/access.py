#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Who gets in, and what is answered to those who ask for the wrong thing."""
import hashlib
import secrets
import time

import support


class Access(support.EngineTest):
    def add_token(self, enabled=True, expires_in_s=3600):
        token = secrets.token_hex(32)
        self.engine.dynamodb('PutItem', {
            'TableName': 'ApiTokens',
            'Item': {
                'tokenHash': {'S': hashlib.sha256(token.encode()).hexdigest()},
                'userId': {'S': 'another-user'},
                'enabled': {'BOOL': enabled},
                'expiresAt': {'N': str(int((time.time() + expires_in_s) * 1000))},
            },
        })
        return token

    def post(self, body, path='/webhook'):
        return self.engine.call('POST', path, body, token=self.engine.at['apiToken'])

    # Tokens.

    def test_a_token_in_the_authorization_header_opens(self):
        self.assert_answer(self.engine.call('GET', '/files', token=self.add_token()), 200)

    def test_a_token_in_the_query_opens(self):
        self.assert_answer(self.engine.call('GET', '/files', api_key=self.add_token()), 200)

    def test_the_header_may_be_written_in_lower_case(self):
        headers = {'authorization': 'Bearer ' + self.add_token()}
        self.assert_answer(self.engine.call('GET', '/files', headers=headers), 200)

    def test_a_missing_token_is_401(self):
        self.assert_answer(self.engine.call('GET', '/files'), 401, 'Unauthorized')

    def test_an_unknown_token_is_401(self):
        reply = self.engine.call('GET', '/files', token=secrets.token_hex(32))
        self.assert_answer(reply, 401, 'Unauthorized')

    def test_an_unknown_token_in_the_query_is_401(self):
        reply = self.engine.call('GET', '/files', api_key=secrets.token_hex(32))
        self.assert_answer(reply, 401, 'Unauthorized')

    def test_an_expired_token_is_401(self):
        token = self.add_token(expires_in_s=-1)
        self.assert_answer(self.engine.call('GET', '/files', token=token), 401, 'Unauthorized')

    def test_a_disabled_token_is_403(self):
        token = self.add_token(enabled=False)
        self.assert_answer(self.engine.call('GET', '/files', token=token), 403, 'not authorized')

    def test_users_see_their_own_files_only(self):
        self.engine.dynamodb('PutItem', {
            'TableName': 'UserFiles',
            'Item': {'userId': {'S': self.engine.at['userId']}, 'fileIds': {'SS': ['u-1']}},
        })
        reply = self.engine.call('GET', '/files', token=self.add_token())
        self.assertEqual(reply.json()['body'], {'contents': [], 'keyCount': 0})

    # The gateway's own errors.

    def test_an_error_of_the_gateway_has_the_envelope(self):
        reply = self.engine.call('GET', '/files')
        error = reply.json()
        self.assertEqual(error['error'], {'code': 'custom-4XX-generic', 'message': 'Unauthorized'})
        self.assertEqual(error['requestId'], reply.headers['x-amzn-RequestId'])

    def test_an_unknown_path_is_404(self):
        reply = self.engine.call('GET', '/nothing', token=self.engine.at['apiToken'])
        self.assert_answer(reply, 404, 'No route for GET /prod/nothing')

    def test_another_method_is_405(self):
        self.assert_answer(self.engine.call('GET', '/webhook'), 405, 'No route')

    def test_the_answer_tells_the_trace(self):
        header = 'Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=0'
        reply = self.engine.call('GET', '/files', token=self.engine.at['apiToken'],
                                 headers={'X-Amzn-Trace-Id': header})
        self.assert_answer(reply, 200)
        self.assertIn('Root=1-5759e988-bd862e3fe1be46a994272793',
                      reply.headers['X-Amzn-Trace-Id'])

    # Webhooks that are none.

    def test_a_webhook_without_a_body_is_400(self):
        self.assert_answer(self.post(b''), 400, 'Request body must be valid JSON string')

    def test_a_webhook_that_is_no_json_is_400(self):
        self.assert_answer(self.post(b'{"articleURL":'), 400, 'Request body must be valid JSON')

    def test_a_webhook_that_is_no_object_is_400(self):
        self.assert_answer(self.post([1]), 400, 'value must be of type object')

    def test_a_webhook_without_a_url_is_400(self):
        self.assert_answer(self.post({'articleTitle': 'x'}), 400, 'articleURL is required')

    def test_a_webhook_with_a_number_as_url_is_400(self):
        self.assert_answer(self.post({'articleURL': 7}), 400, 'articleURL must be a string')

    def test_a_webhook_with_an_empty_url_is_400(self):
        self.assert_answer(self.post({'articleURL': ''}), 400, 'not allowed to be empty')

    def test_a_host_that_is_not_on_the_list_is_400(self):
        reply = self.post({'articleURL': 'http://127.0.0.2:9/video.mp4'})
        self.assert_answer(reply, 400, 'articleURL')

    def test_a_refused_webhook_leaves_no_file(self):
        self.post({'articleURL': 'http://127.0.0.2:9/video.mp4'})
        self.assertEqual(self.engine.dynamodb('Scan', {'TableName': 'Files'})['Count'], 0)

    def test_a_device_without_a_token_is_400(self):
        reply = self.post({'deviceId': '6B1F3C1E-9A60-4F5C-8A39-0F3B7F7A9D11'}, '/registerDevice')
        self.assert_answer(reply, 400, 'token is required')


if __name__ == '__main__':
    support.main()
