#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What media-local does wrong on purpose: environments killed at a call, answers held back."""
import json
import time
import unittest

import support
from support import pipeline

DELAY_MS = 700


class Kills(support.EngineTest):
    options = ('--retry-ms', '50,50',
               '--kill', 'ListFiles:DynamoDB.GetItem:before:2',
               '--kill', 'RegisterDevice:DynamoDB.PutItem:before',
               '--kill', 'RegisterDevice:DynamoDB.PutItem:after:2',
               '--kill', 'FileCoordinator:Lambda.Invoke:after',
               '--kill', 'StartFileUpload:DynamoDB.GetItem:before:2',
               '--kill', 'StartFileUpload:DynamoDB.GetItem:after:3')

    def list_files(self):
        return self.engine.call('GET', '/files', token=self.engine.at['apiToken']).status

    def device(self, device_id):
        return self.engine.dynamodb('GetItem', {'TableName': 'Devices',
                                                'Key': {'deviceId': {'S': device_id}}}).get('Item')

    def arm(self, **body):
        return pipeline.request('POST', self.engine.at['control'] + '/faults',
                                body=json.dumps(body).encode())

    def kills(self):
        return pipeline.request('GET', self.engine.at['control'] + '/faults').json()['kills']

    def test_the_nth_call_kills_and_the_caller_gets_502(self):
        self.assertEqual([self.list_files() for _ in range(3)], [200, 502, 200])

    def test_before_is_before_the_service_hears_of_it_and_after_is_after(self):
        self.assert_answer(self.engine.register_device('before', support.DEVICE_TOKEN), 502)
        self.assertIsNone(self.device('before'))
        self.assert_answer(self.engine.register_device('after', support.DEVICE_TOKEN), 502)
        self.assertTrue(self.device('after'))
        self.assert_answer(self.engine.register_device('before', support.DEVICE_TOKEN), 200)
        self.assertTrue(self.device('before'))

    def test_an_event_is_tried_again_until_it_succeeds(self):
        """The coordinator once, and what it starts twice: each of its two starts."""
        self.assert_answer(self.invoke('FileCoordinator', b'{"fileIds":["dQw4w9WgXcQ"]}', 'Event'),
                           202)

        def ended():
            output = self.engine.child.output()
            return [line for line in output.splitlines()
                    if 'StartFileUpload' in line and ' is killed ' in line]

        killed = pipeline.wait_until(lambda: len(ended()) == 2 and ended(), 60)
        self.assertIn('before DynamoDB.GetItem', killed[0])
        self.assertIn('after DynamoDB.GetItem', killed[1])
        self.assertNotIn('gave up', self.engine.child.output())

    def test_a_killed_authorizer_is_an_error_of_the_gateway(self):
        self.assertEqual(
            self.arm(kill='AuthorizerAPIToken:DynamoDB.GetItem:after', match='killed-one').status,
            204)
        self.assertEqual(self.engine.call('POST', '/registerDevice', {}, token='killed-one').status,
                         500)

    def test_a_kill_may_wait_for_a_text_in_the_payload(self):
        self.arm(kill='AuthorizerAPIToken:DynamoDB.GetItem:before', match='wanted-token')
        self.assert_answer(self.engine.call('POST', '/registerDevice', {},
                                            token=self.engine.at['apiToken']), 400)
        kill = [one for one in self.kills() if one['match'] == 'wanted-token'][0]
        self.assertEqual((kill['seen'], kill['done']), (0, False))

    def test_a_kill_that_cannot_be_is_refused_with_what_can(self):
        reply = self.arm(kill='ListFiles:DynamoDB.Nothing:before')
        self.assert_answer(reply, 400, 'DynamoDB.UpdateItem')
        self.assert_answer(self.arm(match='x'), 400, '"kill" is missing')


class Delays(support.EngineTest):
    options = ('--delay', 'DynamoDB.PutItem=1', '--delay', f'DynamoDB.PutItem={DELAY_MS}')

    def test_an_answer_is_held_back_as_long(self):
        def registering():
            began = time.monotonic()
            self.register_device()
            return 1000 * (time.monotonic() - began)

        registering()  # what starts is not what is measured
        self.assertGreaterEqual(registering(), DELAY_MS)


class Values(unittest.TestCase):
    def test_what_cannot_be_is_refused_with_what_can(self):
        for options, words in {
                ('--kill', 'ListFiles'): 'FUNCTION:SERVICE.OPERATION:before',
                ('--kill', 'Nobody:S3.UploadPart:before'): 'AuthorizerAPIToken',
                ('--kill', 'ListFiles:S3.Nothing:before'): 'S3.CompleteMultipartUpload',
                ('--kill', 'ListFiles:S3.UploadPart:during'): 'neither before nor after',
                ('--kill', 'ListFiles:S3.UploadPart:after:0'): 'from 1 to',
                ('--delay', 'S3.UploadPart'): 'SERVICE.OPERATION=MS',
                ('--delay', 'SQS.SendMessage=5'): 'SNS.Publish',
                ('--delay', 'S3.UploadPart=-1'): 'from 0 to',
        }.items():
            with self.subTest(options), self.assertRaises(pipeline.Failure) as caught:
                support.start_engine('Values', *options).stop()
            self.assertIn(words, str(caught.exception))


if __name__ == '__main__':
    support.main()
