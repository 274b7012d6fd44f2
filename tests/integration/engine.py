#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""media-local itself: Lambda's states and limits, ports, and its end."""
import json
import os
import pathlib
import signal
import socket
import threading
import unittest

import support
from support import pipeline

EVENT = json.dumps({'requestContext': {'authorizer': {'principalId': 'nobody'}}}).encode()
BIG_EVENT = json.dumps({'fileIds': ['x' * (1 << 20)]}).encode()
BIG_REQUEST = json.dumps({'fileIds': ['x' * (6 << 20)]}).encode()


class Lambda(support.EngineTest):
    options = ('--media-rate', '1000', '--retry-ms', '100,200')

    def list_files(self):
        self.assert_answer(self.engine.call('GET', '/files', token=self.engine.at['apiToken']), 200)

    # The Invoke API.

    def test_a_dry_run_is_204(self):
        self.assert_answer(self.invoke('FileCoordinator', b'{}', 'DryRun'), 204)

    def test_an_event_is_202(self):
        reply = self.invoke('FileCoordinator', b'{"fileIds":[]}', 'Event')
        self.assert_answer(reply, 202)
        self.assertEqual(reply.body, b'')
        self.assertTrue(reply.headers['x-amzn-RequestId'])

    def test_a_function_may_be_named_by_its_arn(self):
        arn = 'arn:aws:lambda:us-west-2:123456789012:function:FileCoordinator'
        self.assert_answer(self.invoke(arn, b'{}', 'DryRun'), 204)

    def test_an_unknown_function_is_404(self):
        reply = self.invoke('Nobody', b'{}')
        self.assert_answer(reply, 404, 'Function not found')
        self.assertEqual(reply.headers['x-amzn-ErrorType'], 'ResourceNotFoundException')

    def test_an_unsigned_call_is_403(self):
        self.assert_answer(self.invoke('ListFiles', b'{}', signed=False), 403,
                           'Missing Authentication Token')

    def test_an_unknown_invocation_type_is_400(self):
        self.assert_answer(self.invoke('ListFiles', b'{}', 'Later'), 400, 'Event')

    def test_a_payload_that_is_no_json_is_400(self):
        self.assert_answer(self.invoke('ListFiles', b'{'), 400, 'Could not parse')

    def test_an_event_over_1_mib_is_413(self):
        self.assert_answer(self.invoke('FileCoordinator', BIG_EVENT, 'Event'), 413, 'too large')

    def test_a_request_over_6_mib_is_413(self):
        self.assert_answer(self.invoke('FileCoordinator', BIG_REQUEST), 413, 'too large')

    def test_an_error_of_the_function_is_200_with_its_mark(self):
        reply = self.invoke('StartFileUpload', b'{}')
        self.assert_answer(reply, 200, 'errorType')
        self.assertEqual(reply.headers['X-Amz-Function-Error'], 'Unhandled')

    def test_a_failing_event_is_tried_three_times(self):
        self.invoke('StartFileUpload', b'{"fileId":"?"}', 'Event')

        def attempts():
            output = self.engine.child.output()
            return 'gave up on event' in output and output

        output = pipeline.wait_until(attempts, 60)
        self.assertIn('after 3 attempts', output)

    # Environments.

    def test_an_environment_is_frozen_until_it_is_used_again(self):
        self.list_files()
        first = self.wait_for_environment('ListFiles', 'idle')
        self.assertTrue(pipeline.wait_until(lambda: support.is_stopped(first['pid']), 30))
        self.list_files()
        self.assertEqual(self.wait_for_environment('ListFiles', 'idle')['pid'], first['pid'])

    def test_a_killed_environment_is_replaced(self):
        self.list_files()
        first = self.wait_for_environment('ListFiles', 'idle')
        os.kill(first['pid'], signal.SIGKILL)
        self.assertTrue(pipeline.wait_until(lambda: support.is_gone(first['pid']), 30))
        pipeline.wait_until(lambda: all(one['pid'] != first['pid'] or one['state'] == 'dead'
                                        for one in self.engine.environments()), 30)
        self.list_files()
        self.assertNotEqual(self.wait_for_environment('ListFiles', 'idle')['pid'], first['pid'])

    def test_what_a_killed_environment_started_ends_with_it(self):
        url = self.video_url('environment')
        self.assert_answer(self.engine.post_webhook(url), 202)
        self.wait_for_status(url, 'Downloading')
        environment = self.wait_for_environment('StartFileUpload', 'busy')
        below = pipeline.wait_until(lambda: support.descendants(environment['pid']), 30)
        self.assertTrue(below, 'the function has started nothing')
        os.kill(environment['pid'], signal.SIGKILL)
        for pid in [environment['pid'], *below]:
            self.assertTrue(pipeline.wait_until(lambda pid=pid: support.is_gone(pid), 30))

    def test_functions_get_no_more_than_their_environment(self):
        self.list_files()
        pid = self.wait_for_environment('ListFiles', 'idle')['pid']
        names = {entry.partition(b'=')[0].decode() for entry in
                 pathlib.Path('/proc', str(pid), 'environ').read_bytes().split(b'\0') if entry}
        self.assertLessEqual({'_HANDLER', 'AWS_LAMBDA_RUNTIME_API', 'AWS_SESSION_TOKEN',
                              'LAMBDA_TASK_ROOT', 'TMPDIR'}, names)
        self.assertEqual(names & {'XRAYTRACE_VENV', 'USER', 'PWD', 'SSH_AUTH_SOCK'}, set())

    # The services behind it.

    def test_a_wrong_secret_is_refused(self):
        at = {**self.engine.at, 'secretAccessKey': 'wrong'}
        url = f'{at["moto"]}/{at["bucket"]}/?list-type=2'
        headers = pipeline.sign('GET', url, {}, b'', at, 's3', at['region'])
        self.assert_answer(pipeline.request('GET', url, headers), 403, 'SignatureDoesNotMatch')


class Queue(support.EngineTest):
    """One environment for each function, and answers that keep it for a while."""

    options = ('--concurrency', '5', '--concurrency', 'ListFiles=1', '--concurrency',
               'StartFileUpload=1', '--event-age-seconds', '3', '--delay', 'DynamoDB.GetItem=1000')

    def ended(self, function):
        """The lines that tell of the end of invocations."""
        return [line for line in self.engine.child.output().splitlines()
                if line[14:].startswith(function + ' ')]

    def start_download(self):
        self.assert_answer(self.invoke('StartFileUpload', b'{"fileId":"dQw4w9WgXcQ"}', 'Event'), 202)

    def test_a_dry_run_runs_nothing(self):
        self.assert_answer(self.invoke('WebhookFeedly', b'{}', 'DryRun'), 204)
        self.assert_answer(self.invoke('Nobody', b'{}', 'DryRun'), 404)
        self.assertEqual([one for one in self.engine.environments()
                          if one['function'] == 'WebhookFeedly'], [])

    def test_a_call_above_the_limit_is_429(self):
        replies = []
        threads = [threading.Thread(target=lambda: replies.append(self.invoke('ListFiles', EVENT)))
                   for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(sorted(reply.status for reply in replies), [200, 429])
        refused = max(replies, key=lambda reply: reply.status)
        self.assertEqual(refused.headers['x-amzn-ErrorType'], 'TooManyRequestsException')

    def test_events_above_the_limit_wait_until_they_are_too_old(self):
        before = len(self.ended('StartFileUpload'))
        for _ in range(6):
            self.start_download()
        self.assertTrue(pipeline.wait_until(
            lambda: 'waited too long' in self.engine.child.output(), 30))
        pipeline.wait_until(lambda: len(self.ended('StartFileUpload')) - before >= 2, 30)
        ended = len(self.ended('StartFileUpload')) - before
        dropped = self.engine.child.output().count('waited too long')
        self.assertGreaterEqual(ended, 2, 'they wait for each other')
        self.assertEqual(len({one['pid'] for one in self.engine.environments()
                              if one['function'] == 'StartFileUpload'}), 1)
        self.assertGreaterEqual(dropped, 1)


class TimeOut(support.EngineTest):
    options = ('--media-rate', '100', '--timeout', 'StartFileUpload=6', '--retry-ms', '0,0')

    def test_a_function_that_takes_too_long_is_stopped_with_its_children(self):
        url = self.video_url()
        self.assert_answer(self.engine.post_webhook(url), 202)
        environment = self.wait_for_environment('StartFileUpload', 'busy')
        # Either it gives up in time by itself, or Lambda kills it.
        item = self.wait_for_status(url, 'Failed', 'Scheduled')
        self.assertTrue(item['lastError'])
        self.assertTrue(pipeline.wait_until(
            lambda: not [command for pid in [environment['pid']]
                         for command in support.descendants(pid).values()], 30))


class Life(unittest.TestCase):
    """Engines of their own, with no functions called."""

    def test_a_taken_port_is_named_with_its_holder(self):
        with socket.create_server(('127.0.0.1', 0)) as front, \
                socket.create_server(('127.0.0.1', 0)) as moto:
            ports = [str(server.getsockname()[1]) for server in (front, moto)]
            engine = support.start_engine('TakenPort', '--port', ports[0], '--moto-port', ports[1])
            self.addCleanup(engine.stop)
            output = engine.child.output()
        for port, purpose in zip(ports, ('the front door', 'moto')):
            self.assertRegex(output, f'port {port}, wanted for {purpose}, is taken by .*'
                             f'process {os.getpid()}')
        self.assertNotIn(':' + ports[0] + '/', engine.at['frontDoor'])

    def test_nothing_is_left_when_it_ends(self):
        engine = support.start_engine('End')
        self.addCleanup(engine.stop)
        engine.call('GET', '/files', token=engine.at['apiToken'])
        below = support.descendants(engine.at['pid'])
        self.assertGreaterEqual(len(below), 3, below)
        engine.stop()
        self.assertEqual(engine.child.process.returncode, 0)
        self.assertEqual([command for pid, command in below.items() if not support.is_gone(pid)],
                         [])
        self.assertFalse(os.path.exists(engine.at['environments']))

    def test_nothing_is_left_when_it_is_interrupted_while_it_starts(self):
        work = support.directory('Interrupted')
        child = pipeline.Child([
            pipeline.program(support.BUILD, 'examples/media-pipeline/local/media-local'),
            '--moto', os.path.join(support.VENV, 'bin', 'moto_server'),
            '--yt-dlp', os.path.join(support.VENV, 'bin', 'yt-dlp'),
            '--work-dir', work
        ], os.path.join(work, 'media-local.log'))
        self.addCleanup(child.stop)
        below = pipeline.wait_until(lambda: support.descendants(child.process.pid), 30)
        self.assertTrue(below, 'it has started nothing')
        child.stop()
        self.assertTrue(pipeline.wait_until(lambda: all(map(support.is_gone, below)), 30))

    def test_a_missing_program_is_named_with_the_remedy(self):
        with self.assertRaisesRegex(pipeline.Failure, 'no program .*--moto'):
            support.start_engine('NoMoto', '--moto', '/nowhere/moto_server').stop()


if __name__ == '__main__':
    support.main()
