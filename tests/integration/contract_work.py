#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What the functions that no client calls do when something fails, and what becomes of endpoints."""
import json
import time

import support
from contract_support import VIDEO_ID, ContractTest, json_error
from support import pipeline

OTHER_ID = 'aaaaaaaaaaa'
DENIED = 'User: arn:aws:sts::123456789012:assumed-role/x is not authorized to perform: ' \
    'lambda:InvokeFunction'
FORBIDDEN = 403, 'application/json', json.dumps({'Message': DENIED}).encode()
FAR_AWAY = 9000000000000


class Work(ContractTest):
    options = ('--retry-ms', '50,50')

    def coordinate(self, event, root=None):
        headers = {'X-Amzn-Trace-Id': f'Root={root};Sampled=1'} if root else {}
        return self.invoke('FileCoordinator', json.dumps(event).encode(), headers=headers)

    def take_starts(self, answer=lambda file_id: None):
        """The files that are to be started; they are not, but answer() or 202 is."""
        started = []

        def rule(operation, body):
            if operation != 'Invoke':
                return None
            file_id = json.loads(body)['fileId']
            started.append(file_id)
            return answer(file_id) or (202, 'application/json', b'')

        self.instead(rule)
        return started

    # FileCoordinator.

    def test_an_event_that_is_none_fails_the_coordinator(self):
        for file_ids in ('x', {}, 5):
            with self.subTest(file_ids):
                self.assert_fails(self.coordinate({'fileIds': file_ids}), 'BadEvent',
                                  'fileIds should be a list')

    def test_what_is_no_file_id_is_passed_over(self):
        started = self.take_starts()
        reply = self.coordinate({'fileIds': ['../x', 5, None, VIDEO_ID, '']})
        self.assertEqual((started, reply.json()), ([VIDEO_ID], {'started': 1, 'failed': 0}))

    def test_one_that_may_not_be_started_fails_alone(self):
        root = '1-5759e988-bd862e3fe1be46a994272801'
        started = self.take_starts(lambda file_id: FORBIDDEN if file_id == VIDEO_ID else None)
        reply = self.coordinate({'fileIds': [VIDEO_ID, OTHER_ID]}, root)
        self.assertNotIn('X-Amz-Function-Error', reply.headers)
        self.assertEqual(reply.json(), {'started': 1, 'failed': 1})
        self.assertEqual(started, [VIDEO_ID, OTHER_ID])
        if not self.traced:
            return
        calls = pipeline.wait_until(
            lambda: len(its := self.collector.trace(root).find('Lambda')) == 2 and its, 20)
        failed, fine = sorted(calls, key=lambda call: call['start_time'])
        self.assertEqual((failed['http']['response']['status'], failed['error']), (403, True))
        self.assertNotIn('fault', failed)
        self.assertEqual(failed['cause']['exceptions'][0]['message'], DENIED)
        self.assertEqual(fine['http']['response']['status'], 202)
        self.assertNotIn('error', fine)

    def test_when_none_can_be_started_lambda_should_try_again(self):
        self.take_starts(lambda file_id: FORBIDDEN)
        reply = self.coordinate({'fileIds': [VIDEO_ID, OTHER_ID]})
        self.assert_fails(reply, 'UnknownError', f'Lambda Invoke: {DENIED}')

    def test_a_table_that_cannot_be_read_fails_the_run(self):
        self.fail_on('Scan', json_error('AccessDeniedException', 'not you'))
        self.assert_fails(self.coordinate({}), 'AccessDeniedException',
                          'DynamoDB Scan: not you')

    def test_the_schedule_reads_every_page(self):
        pages = []
        self.instead(lambda operation, body: pages.append(operation == 'Scan' and body))
        started = self.take_starts()
        ids = [f'u-{number:016}' for number in range(4)]
        for file_id in ids:  # a page has a MiB, of what is read and not of what is wanted
            self.put_file(file_id, lastError='x' * 390000)
        self.assertEqual(self.coordinate({'source': 'aws.events'}).json(),
                         {'started': 4, 'failed': 0})
        self.assertEqual(sorted(started), ids)
        self.assertGreaterEqual(sum(map(bool, pages)), 2)

    def test_the_schedule_starts_what_is_due_and_nothing_else(self):
        past, future = 1, FAR_AWAY
        due = {
            'u-1000000000000001': {'status': 'Scheduled', 'retryAfter': past},
            'u-1000000000000002': {'status': 'Downloading', 'leaseUntil': past},
            'u-1000000000000003': {'status': 'PendingDownload', 'leaseUntil': past},
            'u-1000000000000004': {'status': 'PendingMetadata'},
            # Stored, but not everybody was told.
            'u-1000000000000005': {'status': 'Downloaded', 'leaseUntil': past},
        }
        not_due = {
            'u-2000000000000001': {'status': 'Scheduled', 'retryAfter': future},
            'u-2000000000000002': {'status': 'Downloading', 'leaseUntil': future},
            'u-2000000000000003': {'status': 'Downloaded'},
            'u-2000000000000004': {'status': 'Failed'},
            'u-2000000000000005': {'status': 'Somebody else\'s'},
        }
        started = self.take_starts()
        for file_id, values in {**due, **not_due}.items():
            self.put_file(file_id, **values)
        self.coordinate({})
        self.assertEqual(sorted(started), sorted(due))

    def test_the_schedule_leaves_ten_under_way_the_longest_waiting_first(self):
        started = self.take_starts()
        for number in range(8):
            self.put_file(f'u-300000000000000{number}', 'Downloading', leaseUntil=FAR_AWAY)
        for number, since in enumerate((5, 3, 4)):
            self.put_file(f'u-400000000000000{number}', availableAt=since)
        self.assertEqual(self.coordinate({}).json(), {'started': 2, 'failed': 0})
        self.assertEqual(started, ['u-4000000000000001', 'u-4000000000000002'])

    # StartFileUpload.

    def start(self, event):
        return self.invoke('StartFileUpload', json.dumps(event).encode())

    def test_an_event_that_is_none_fails_the_upload(self):
        for event in ({}, {'fileId': 5}, {'fileId': ''}, {'fileId': '../../x'},
                      {'fileId': 'u-0123456789ABCDEF'}, {'fileId': VIDEO_ID + 'x'}):
            with self.subTest(event):
                self.assert_fails(self.start(event), 'BadEvent', 'fileId is missing or is none')

    def test_a_file_that_is_not_due_is_left_alone(self):
        for number, (status, values) in enumerate((
                ('Downloaded', {}), ('Failed', {}), ('unknown', {'status': 'Another'}),
                ('Scheduled', {'retryAfter': FAR_AWAY}),
                ('Downloading', {'leaseUntil': FAR_AWAY}),
                ('PendingMetadata', {'leaseUntil': FAR_AWAY}))):
            file_id = f'u-500000000000000{number}'
            with self.subTest(status):
                self.put_file(file_id, **{'status': status, **values})
                before = self.engine.file(file_id)
                reply = self.start({'fileId': file_id})
                self.assertEqual(reply.json(), {'fileId': file_id, 'status': status,
                                                'outcome': 'nothing to do'})
                self.assertEqual(self.engine.file(file_id), before)

    def test_a_file_that_nobody_asked_for_is_not_made(self):
        reply = self.start({'fileId': OTHER_ID})
        self.assertEqual(reply.json(), {'fileId': OTHER_ID, 'status': 'absent',
                                        'outcome': 'nothing to do'})
        self.assertIsNone(self.engine.file(OTHER_ID))

    def test_a_table_that_cannot_be_read_fails_the_upload(self):
        self.fail_on('GetItem', json_error('AccessDeniedException', 'not you'))
        self.assert_fails(self.start({'fileId': OTHER_ID}), 'AccessDeniedException',
                          'DynamoDB GetItem: not you')

    def test_an_address_that_is_no_longer_allowed_is_given_up(self):
        file_id = 'u-6000000000000000'
        self.put_file(file_id, sourceUrl='http://127.0.0.2:9/video.mp4')
        reply = self.start({'fileId': file_id})
        self.assertEqual(reply.json(), {'fileId': file_id, 'status': 'Failed',
                                        'outcome': 'problem', 'errorCategory': 'unsupported'})
        self.assertIn('MEDIA_HOSTS', self.engine.file(file_id)['lastError'])

    # Endpoints.

    def is_enabled(self, arn):
        text = self.engine.query('sns', {'Action': 'GetEndpointAttributes', 'EndpointArn': arn,
                                         'Version': '2010-03-31'}).body.decode()
        return 'true' in text.partition('<key>Enabled</key>')[2].partition('</value>')[0]

    def root_of(self, reply):
        return reply.headers['X-Amzn-Trace-Id'].partition('Root=')[2].partition(';')[0]

    def register(self, device_id, token, calls=2):
        """Asks SNS this often, and is never refused: not for what is disabled either."""
        reply = self.engine.register_device(device_id, token * 32)
        self.assert_answer(reply, 200)
        if self.traced:
            root = self.root_of(reply)
            its = pipeline.wait_until(
                lambda: len(found := self.collector.trace(root).find('SNS')) == calls and found,
                20)
            self.assertTrue(its, self.collector.trace(root).find('SNS'))
            self.assertEqual([call for call in its if call.get('error')], [])
        return reply.json()['body']['endpointArn']

    def ask_for(self, url):
        """Asks for what is there already: the targets that are notified, and the trace."""
        before = len(self.engine.notifications())
        reply = self.engine.post_webhook(url)
        self.assert_answer(reply, 200, 'Dispatched')
        return sorted(notification['targetArn'] for notification in
                      self.engine.notifications()[before:]), self.root_of(reply)

    def test_a_disabled_endpoint_is_passed_over_until_it_is_registered_again(self):
        url = self.video_url('endpoints')
        self.put_file(pipeline.file_id_of(url), 'Downloaded', url='http://x/', key='x.mp4', size=1,
                      publishDate='2025-11-20')
        dead, alive = self.register('dead', 'd1'), self.register('alive', 'a1')
        self.engine.query('sns', {
            'Action': 'SetEndpointAttributes', 'Version': '2010-03-31', 'EndpointArn': dead,
            'Attributes.entry.1.key': 'Enabled', 'Attributes.entry.1.value': 'false'})

        told, root = self.ask_for(url)
        self.assertEqual(told, [alive])
        if self.traced:
            errors = [call for call in self.subsegments(root, 'SNS') if call.get('error')]
            self.assertEqual([call['cause']['exceptions'][0]['type'] for call in errors],
                             ['EndpointDisabled'])

        # It is not tried again, and not forgotten either.
        device = self.engine.dynamodb('GetItem', {
            'TableName': 'Devices', 'Key': {'deviceId': {'S': 'dead'}}})['Item']
        self.assertNotIn('endpointArn', device)
        told, root = self.ask_for(url)
        self.assertEqual(told, [alive])
        if self.traced:
            self.assertEqual([call for call in self.subsegments(root, 'SNS')
                              if call.get('error')], [])

        self.assertEqual(self.register('dead', 'd1', calls=3), dead)
        self.assertTrue(self.is_enabled(dead))
        self.assertEqual(self.ask_for(url)[0], sorted([alive, dead]))


class WorkUntraced(Work):
    """Tracing changes nothing."""

    traced = False



if __name__ == '__main__':
    support.main()
