#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The tracing variables: each changes what it says and nothing else, as X-Ray sees it."""
import json
import pathlib
import unittest

import support
from support import pipeline

FUNCTIONS = ('AuthorizerAPIToken', 'WebhookFeedly', 'FileCoordinator', 'StartFileUpload',
             'RegisterDevice', 'ListFiles')
DEFAULT = ('WebhookFeedly', 'FileCoordinator', 'StartFileUpload')
ROOT = '1-5759e988-bd862e3fe1be46a994272799'


def root_of(reply):
    return reply.headers['X-Amzn-Trace-Id'].split('Root=')[1].split(';')[0]


class Row(support.EngineTest):
    """One row of the table: each function is called, and what arrives of that is compared."""

    stage = True
    active = FUNCTIONS  # have Lambda's segments
    recording = FUNCTIONS  # and describe themselves below these
    enabled = 'true'

    @classmethod
    def setUpClass(cls):
        work = support.directory(cls.__name__)
        cls.collector = pipeline.Collector(support.BUILD, work, 0)
        cls.addClassCleanup(cls.collector.stop)
        cls.listener = support.Listener(cls.collector.port)
        cls.addClassCleanup(cls.listener.stop)
        cls.engine = support.start_engine(cls.__name__, *cls.options,
                                          xray=f'127.0.0.1:{cls.listener.port}')
        cls.addClassCleanup(cls.engine.stop)

    def test_what_arrives_is_what_the_table_says(self):
        traces = self.call_everything()
        self.assertEqual(self.switch(), self.enabled)
        wanted = {('MediaDownloader/prod', 'AWS::ApiGateway::Stage')} if self.stage else set()
        for name in self.active:
            wanted |= {(name, 'AWS::Lambda'), (name, 'AWS::Lambda::Function')}
        wanted |= {(name, None) for name in self.recording}

        def seen():
            return {(node['name'], node.get('origin'))
                    for trace in map(self.collector.trace, traces) for node in trace.nodes.values()
                    if node['name'] in (*FUNCTIONS, 'MediaDownloader/prod')}

        pipeline.wait_until(lambda: seen() >= wanted, 20)
        self.assertEqual(seen(), wanted)
        if wanted:
            self.listener.check(self)
        else:
            self.assertEqual(self.listener.heard, [])
        self.assertEqual(self.complaints(), [])

    def complaints(self):
        """What the functions' logs hold of warnings and errors, of X-Ray or of anything else."""
        logs = [path for name in FUNCTIONS
                for path in pathlib.Path(self.engine.at['logs']).glob(f'{name}-*.log')]
        self.assertGreaterEqual(len(logs), len(FUNCTIONS))
        lines = [json.loads(line) for path in logs for line in path.read_text().splitlines()]
        return [line for line in lines if line.get('level') in ('WARN', 'ERROR')]

    def call_everything(self):
        """For a file that is there. What the functions answer is the same in every row."""
        url = self.video_url()
        self.put_file(url)
        registered = self.engine.register_device(support.DEVICE_ID, support.DEVICE_TOKEN)
        self.assert_answer(registered, 200)
        posted = self.engine.post_webhook(url)
        self.assert_answer(posted, 200, 'Dispatched')
        self.check_header(self.wait_for_push(url)[0]['traceHeader'], root_of(posted))
        listed = self.engine.call('GET', '/files', token=self.engine.at['apiToken'])
        self.assert_answer(listed, 200, pipeline.file_id_of(url))
        body = json.dumps({'fileIds': [pipeline.file_id_of(url)]}).encode()
        coordinated = self.invoke('FileCoordinator', body,
                                  headers={'X-Amzn-Trace-Id': f'Root={ROOT};Sampled=1'})
        self.assert_answer(coordinated, 200, '"started":1')
        self.wait_for_environment('StartFileUpload', 'idle')
        return [root_of(reply) for reply in (registered, posted, listed)] + [ROOT]

    def put_file(self, url):
        file_id = pipeline.file_id_of(url)
        plain = {'fileId': file_id, 'status': 'Downloaded', 'key': file_id + '.mp4', 'url': url,
                 'publishDate': '2026-01-01', 'contentType': 'video/mp4'}
        item = {name: {'S': value} for name, value in plain.items()}
        self.engine.dynamodb('PutItem', {'TableName': 'Files',
                                         'Item': {**item, 'size': {'N': '1'}}})

    def check_header(self, header, root):
        """The trace goes on to the last call, whoever records."""
        self.assertTrue(header.startswith(f'Root={root};'), header)

    def switch(self):
        """ENABLE_XRAY of a function that was called."""
        pid = self.wait_for_environment('ListFiles', 'idle')['pid']
        entries = pathlib.Path('/proc', str(pid), 'environ').read_text().split('\0')
        return dict(entry.split('=', 1) for entry in entries if entry)['ENABLE_XRAY']


class Full(Row):
    pass


class FullSwitchedOff(Row):
    options = ('--tracing', 'full', '--enable-xray-tracing', 'false')
    recording = ()
    enabled = 'false'


class Selective(Row):
    options = ('--tracing', 'selective')
    active = recording = DEFAULT


class SelectiveWithAnotherList(Row):
    options = ('--tracing', 'selective', '--traced-functions', 'ListFiles,AuthorizerAPIToken')
    active = recording = ('ListFiles', 'AuthorizerAPIToken')

    def check_header(self, header, root):
        """WebhookFeedly knows neither a parent nor a decision."""
        self.assertEqual(header, f'Root={root}')


class SelectiveSwitchedOff(Row):
    options = ('--tracing', 'selective', '--enable-xray-tracing', 'false')
    active = DEFAULT
    recording = ()
    enabled = 'false'


class Passive(Row):
    options = ('--tracing', 'passive')
    active = recording = ()

    def check_header(self, header, root):
        self.assertEqual(header, f'Root={root}')


class PassiveSwitchedOff(Passive):
    options = ('--tracing', 'passive', '--enable-xray-tracing', 'false')
    enabled = 'false'


class OnDemand(Row):
    options = ('--tracing', 'on_demand')


class OnDemandSwitchedOff(Row):
    options = ('--tracing', 'on_demand', '--enable-xray-tracing', 'false')
    stage = False
    active = recording = ()
    enabled = 'false'

    def check_header(self, header, root):
        self.assertEqual(header, f'Root={root}')


del Row  # has no tests of its own


class Values(unittest.TestCase):
    def complaint(self, *options):
        with self.assertRaises(pipeline.Failure) as caught:
            support.start_engine('Values', *options).stop()
        return str(caught.exception)

    def test_an_unknown_mode_is_refused_with_those_there_are(self):
        self.assertIn('full, selective, passive or on_demand', self.complaint('--tracing', 'some'))

    def test_a_switch_is_true_or_false(self):
        self.assertIn('true or false', self.complaint('--enable-xray-tracing', 'maybe'))

    def test_an_unknown_function_is_refused_with_those_there_are(self):
        text = self.complaint('--traced-functions', 'ListFiles,Nobody')
        self.assertIn('"Nobody"', text)
        for name in FUNCTIONS:
            self.assertIn(name, text)


if __name__ == '__main__':
    support.main()
