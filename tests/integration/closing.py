#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Whatever happens, each subsegment that was begun ends once, and nothing is sent that nobody asked for."""
import collections
import json
import os
import signal
import time

import support
from between import Between
from support import expectations, pipeline


class Closing(support.EngineTest):
    """An engine whose traces are heard as they are sent, and an S3 that fails when told to."""

    options = ()

    @classmethod
    def setUpClass(cls):
        work = support.directory(cls.__name__)
        cls.s3 = Between()
        cls.addClassCleanup(cls.s3.stop)
        cls.collector = pipeline.Collector(support.BUILD, work, 0)
        cls.addClassCleanup(cls.collector.stop)
        cls.listener = support.Listener(cls.collector.port)
        cls.addClassCleanup(cls.listener.stop)
        cls.engine = support.start_engine(
            cls.__name__, *cls.options,
            '--env', f'AWS_ENDPOINT_URL_S3=http://127.0.0.1:{cls.s3.server_port}',
            xray=f'127.0.0.1:{cls.listener.port}')
        cls.addClassCleanup(cls.engine.stop)
        cls.s3.target = cls.engine.at['moto'].split('//')[1]

    def setUp(self):
        self.s3.fault = None

    def documents(self, root):
        """All that was sent for a trace, in the order in which it came."""
        found = [json.loads(datagram.partition(b'\n')[2]) for datagram in list(self.listener.heard)]
        return [document for document in found if document['trace_id'] == root]

    def check(self, root):
        """Every id ends exactly once, and was in progress once at most."""
        final, begun = collections.Counter(), collections.Counter()

        def count(document):
            (begun if document.get('in_progress') else final)[document['id']] += 1
            for child in document.get('subsegments', []):
                count(child)

        for document in self.documents(root):
            count(document)
        self.assertGreater(len(final), 3)
        self.assertEqual({key: n for key, n in final.items() if n != 1}, {}, 'ended more than once')
        self.assertEqual({key: n for key, n in begun.items() if n != 1}, {})
        self.assertEqual(set(begun) - set(final), set(), 'never ended')
        self.assertEqual(expectations.structure_problems(self.collector.trace(root)), [])
        self.listener.check(self)

    def run_of(self, url):
        """Posts it, waits for StartFileUpload's end; the trace's id."""
        reply = self.engine.post_webhook(url)
        self.assert_answer(reply, 202)
        root = reply.headers['X-Amzn-Trace-Id'].split('Root=')[1].split(';')[0]

        def ended():
            return [node for node in self.collector.trace(root).find(
                'StartFileUpload', 'AWS::Lambda') if not node.get('in_progress')]

        self.assertTrue(pipeline.wait_until(ended, support.DOWNLOAD_TIMEOUT, 0.1))
        return root

    def call_of(self, root, operation):
        [call] = self.collector.trace(root).find('S3', operation=operation)
        return call


class Failures(Closing):
    def fail(self, status, code):
        self.s3.fault = ('UploadPart', status, code, 'as the test has it')
        root = self.run_of(self.video_url(code))
        self.check(root)
        call = self.call_of(root, 'UploadPart')
        self.assertEqual(call['http']['response']['status'], status)
        [exception] = call['cause']['exceptions']
        self.assertEqual((exception['type'], exception['message'], exception['remote']),
                         (code, 'as the test has it', True))
        item = self.file(self.video_url(code))
        self.assertIn(item['status'], ('Failed', 'Scheduled'))
        return call

    def test_a_success(self):
        root = self.run_of(self.video_url('well'))
        self.check(root)
        item = self.file(self.video_url('well'))
        self.assertEqual(item['status'], 'Downloaded')
        [download] = self.collector.trace(root).find('yt-dlp download')
        self.assertEqual(download['annotations']['file_size'], int(item['size']))
        self.assertTrue(download['metadata']['media']['format'])
        self.assertGreater(download['metadata']['media']['bytes_per_second'], 0)

    def test_yt_dlp_is_seen_while_it_runs(self):
        root = self.run_of(self.video_url('seen'))
        begun = [document['name'] for document in self.documents(root)
                 if document.get('in_progress') and document['name'].startswith('yt-dlp ')]
        self.assertEqual(begun, ['yt-dlp metadata', 'yt-dlp download'])

    def test_a_403_of_aws(self):
        call = self.fail(403, 'AccessDenied')
        self.assertEqual((call.get('error'), call.get('fault')), (True, None))

    def test_a_404_of_aws(self):
        call = self.fail(404, 'NoSuchUpload')
        self.assertEqual((call.get('error'), call.get('fault')), (True, None))

    def test_a_429_of_aws(self):
        call = self.fail(429, 'TooManyRequests')
        self.assertEqual((call.get('error'), call.get('throttle')), (True, True))
        self.assertGreater(call['aws']['retries'], 0)

    def test_a_500_of_aws(self):
        call = self.fail(500, 'InternalError')
        self.assertEqual((call.get('error'), call.get('fault')), (None, True))
        self.assertGreater(call['aws']['retries'], 0)

    def test_a_failure_of_yt_dlp(self):
        url = self.engine.at['video'].rpartition('/')[0] + '/is-not-here.mp4'
        root = self.run_of(url)
        self.check(root)
        [described] = self.collector.trace(root).find('yt-dlp metadata')
        self.assertTrue(described.get('error') or described.get('fault'))
        self.assertTrue(described['annotations']['error_category'])

    def test_a_yt_dlp_that_is_killed(self):
        reply = self.engine.post_webhook(self.video_url('killed'))
        root = reply.headers['X-Amzn-Trace-Id'].split('Root=')[1].split(';')[0]

        def yt_dlp():
            return next((pid for pid, command in support.descendants(self.engine.at['pid']).items()
                         if 'yt-dlp' in command and 'bootstrap' not in command), None)

        os.kill(pipeline.wait_until(yt_dlp, 60), signal.SIGKILL)
        pipeline.wait_until(lambda: [node for node in self.collector.trace(root).find(
            'StartFileUpload', 'AWS::Lambda') if not node.get('in_progress')], 60)
        self.check(root)

    def test_one_root_from_the_webhook_to_the_notification(self):
        self.register_device()
        url = self.video_url('root')
        root = self.run_of(url)
        [push] = self.wait_for_push(url)
        self.assertIn(f'Root={root};', push['traceHeader'])
        names = {node['name'] for node in self.collector.trace(root).nodes.values()}
        self.assertLessEqual({'MediaDownloader/prod', 'AuthorizerAPIToken', 'WebhookFeedly',
                              'FileCoordinator', 'StartFileUpload', 'S3', 'SNS'}, names)
        self.assertEqual(len(self.collector.trace(root).roots()), 1)


class Silence(Closing):
    """What must not be sent is waited for by a trace that is sent after it."""

    def fence(self):
        reply = self.engine.call('GET', '/files', token=self.engine.at['apiToken'])
        root = reply.headers['X-Amzn-Trace-Id'].split('Root=')[1].split(';')[0]
        self.assertTrue(pipeline.wait_until(lambda: self.documents(root), 20))

    def test_an_unsampled_webhook_sends_nothing_to_its_end(self):
        root = '1-5759e988-bd862e3fe1be46a994272797'
        url = self.video_url('unsampled')
        reply = self.engine.post_webhook(url, headers={'X-Amzn-Trace-Id': f'Root={root};Sampled=0'})
        self.assert_answer(reply, 202)
        self.wait_for_status(url, 'Downloaded')
        self.fence()
        self.assertEqual(self.documents(root), [])


class Deadline(Closing):
    # yt-dlp takes two seconds to start, and the video longer than the function may.
    options = ('--media-rate', '500', '--timeout', 'StartFileUpload=9')

    def test_the_end_of_the_functions_time(self):
        url = self.video_url('deadline')
        began = time.monotonic()
        root = self.run_of(url)
        self.assertLess(time.monotonic() - began, 60)
        self.check(root)
        item = self.file(url)
        self.assertEqual(item['errorCategory'], 'deadline')
        functions = self.collector.trace(root).find('StartFileUpload', 'AWS::Lambda::Function')
        self.assertEqual([node.get('fault') for node in functions], [None])


class Freeze(support.EngineTest):
    """Minutes of a freeze are connections that the other side has closed meanwhile."""

    @classmethod
    def setUpClass(cls):
        cls.dynamodb = Between()
        cls.addClassCleanup(cls.dynamodb.stop)
        cls.options = ('--env', f'AWS_ENDPOINT_URL_DYNAMODB=http://127.0.0.1:{cls.dynamodb.server_port}')
        super().setUpClass()
        cls.dynamodb.target = cls.engine.at['moto'].split('//')[1]

    def list_files(self):
        reply = self.engine.call('GET', '/files', token=self.engine.at['apiToken'])
        self.assert_answer(reply, 200)

    def test_what_was_closed_during_a_freeze_is_opened_again(self):
        self.list_files()
        environment = self.wait_for_environment('ListFiles', 'idle')
        self.assertTrue(pipeline.wait_until(lambda: support.is_stopped(environment['pid']), 30))
        self.assertGreater(self.dynamodb.drop(), 0)
        self.list_files()
        self.assertEqual(self.wait_for_environment('ListFiles', 'idle')['pid'], environment['pid'])


if __name__ == '__main__':
    support.main()
