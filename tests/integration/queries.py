#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The commands of docs/operations.md, as they stand there, against the pipeline's own traces."""
import json
import os
import re
import shutil
import subprocess
import tempfile
import unittest

import support
from support import pipeline

AWS = shutil.which('aws', path='/usr/bin') or shutil.which('aws')
# Who calls whom in the picture of the pipeline, from the webhook to the push.
TOPOLOGY = {
    ('MediaDownloader/prod', 'AuthorizerAPIToken'), ('MediaDownloader/prod', 'WebhookFeedly'),
    ('AuthorizerAPIToken', 'ApiTokens'), ('WebhookFeedly', 'Files'),
    ('WebhookFeedly', 'FileCoordinator'), ('FileCoordinator', 'StartFileUpload'),
    ('StartFileUpload', 'Files'), ('StartFileUpload', 'media-downloader-files'),
    ('StartFileUpload', 'SNS'),
}  # yapf: disable


def commands(word='get-service-graph'):
    """The block that has a word, one command each."""
    page = (support.SOURCE / 'docs' / 'operations.md').read_text()
    [block] = [text for text in re.findall(r'^```sh\n(.*?)^```', page, re.M | re.S)
               if word in text]
    return block.replace('\\\n', ' ').splitlines()


class Asking(support.EngineTest):
    """An engine and a collector, and AWS's command to ask them."""

    @classmethod
    def setUpClass(cls):
        work = support.directory(cls.__name__)
        cls.collector = pipeline.Collector(support.BUILD, work, 0)
        cls.addClassCleanup(cls.collector.stop)
        cls.engine = support.start_engine(cls.__name__, xray=f'127.0.0.1:{cls.collector.port}')
        cls.addClassCleanup(cls.engine.stop)

    def run_shell(self, text, **keys):
        """Nothing of the user's: no settings, no credentials, no proxy."""
        with tempfile.TemporaryDirectory() as home:
            done = subprocess.run(
                ['sh', '-c', text], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                stderr=subprocess.PIPE, text=True, timeout=180, check=False,
                env={'PATH': os.path.dirname(AWS) + ':' + os.environ['PATH'], 'HOME': home,
                     'AWS_ACCESS_KEY_ID': 'x', 'AWS_SECRET_ACCESS_KEY': 'x',
                     'AWS_DEFAULT_REGION': 'us-west-2', 'AWS_EC2_METADATA_DISABLED': 'true',
                     'AWS_PAGER': '', 'LANG': 'C.UTF-8', 'PYTHONDONTWRITEBYTECODE': '1', **keys})
        self.assertEqual((done.returncode, done.stderr), (0, ''))
        return done.stdout

    def ask(self, command):
        """What a command finds; the port is another than on the page."""
        set_time, *_ = commands()
        return json.loads(self.run_shell(f'{set_time}\n{command} --output json'.replace(
            '127.0.0.1:2000', f'127.0.0.1:{self.collector.port}')))

    def wait_for_end(self, root):
        self.assertTrue(pipeline.wait_until(
            lambda: self.collector.trace(root).nodes and
            not self.collector.trace(root).unfinished(), 60))


@unittest.skipIf(AWS is None, 'there is no aws command')
class Queries(Asking):
    def test_they_find_the_trace_and_the_topology(self):
        url = self.video_url()
        self.register_device()
        reply = self.engine.post_webhook(url)
        root = reply.headers['X-Amzn-Trace-Id'].split('Root=')[1].split(';')[0]
        self.wait_for_push(url)
        self.wait_for_end(root)
        _, summaries, graph = commands()

        found = self.ask(summaries)['TraceSummaries']
        self.assertEqual([summary['Id'] for summary in found], [root])
        services = {service['ReferenceId']: service for service in self.ask(graph)['Services']}
        edges = {(service['Name'], services[edge['ReferenceId']]['Name'])
                 for service in services.values() for edge in service['Edges']}
        self.assertEqual(TOPOLOGY - edges, set())


@unittest.skipIf(AWS is None, 'there is no aws command')
class ByHand(Asking):
    def test_an_invoke_by_hand_begins_the_trace_of_what_was_left(self):
        url = self.video_url()
        self.register_device()
        self.assert_answer(self.engine.call('POST', '/webhook', {
            'articleURL': url, 'backgroundMode': True}, token=self.engine.at['apiToken']), 202)
        [invoke] = commands('aws lambda invoke')
        output = self.run_shell(f"{invoke} --endpoint-url {self.engine.at['control']}",
                                AWS_ACCESS_KEY_ID=self.engine.at['accessKeyId'],
                                AWS_SECRET_ACCESS_KEY=self.engine.at['secretAccessKey'])
        self.assertIn('"started":1', output)
        self.wait_for_push(url)
        _, summaries, _ = commands()

        def roots():
            return [summary['Id'] for summary in self.ask(summaries)['TraceSummaries']]

        [root] = roots()
        self.wait_for_end(root)
        trace = self.collector.trace(root)
        self.assertEqual([node['origin'] for node in trace.roots()], ['AWS::Lambda'])
        self.assertEqual(trace.roots()[0]['name'], 'FileCoordinator')
        self.assertTrue(trace.find('SNS', operation='Publish'))


del Asking  # has no tests of its own


if __name__ == '__main__':
    support.main()
