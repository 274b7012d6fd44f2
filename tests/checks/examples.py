#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
Runs the small examples against a daemon that is a socket: examples.py DIRECTORY CHECK-DOCUMENTS
"""
import http.client
import json
import os
import pathlib
import socket
import subprocess
import sys
import unittest

from common import files, name

PROGRAMS = pathlib.Path(sys.argv.pop(1)) if len(sys.argv) > 1 else None
CHECK = sys.argv.pop(1) if len(sys.argv) > 1 else None
LINES = 60


class Examples(unittest.TestCase):
    def setUp(self):
        self.daemon = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.addCleanup(self.daemon.close)
        self.daemon.bind(('127.0.0.1', 0))
        self.daemon.settimeout(60)
        self.environment = {key: value for key, value in os.environ.items()
                            if not key.startswith(('AWS_', '_X_AMZN', 'XRAY', 'LAMBDA_'))}
        self.environment['AWS_XRAY_DAEMON_ADDRESS'] = '127.0.0.1:%d' % self.daemon.getsockname()[1]
        self.environment['XRAYTRACE_SAMPLING_RATE'] = '1'

    def run_example(self, program):
        return subprocess.run([PROGRAMS / program], env=self.environment, text=True, timeout=120,
                              check=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def check(self, *texts):
        """Each keeps the rules of documents."""
        done = subprocess.run([CHECK, '--padded'], input=b'\n'.join(texts) + b'\n', timeout=120,
                              stdout=subprocess.PIPE, check=False)
        self.assertEqual(done.returncode, 0, done.stdout.decode(errors='replace'))

    def document(self):
        """The next one, read as the daemon does: a line that says what follows, and one document."""
        line, _, text = self.daemon.recv(65536).partition(b'\n')
        self.assertEqual(json.loads(line), {'format': 'json', 'version': 1})
        return text

    def documents(self, count):
        """That many documents, by name."""
        texts = [self.document() for _ in range(count)]
        self.check(*texts)
        return {document['name']: document for document in map(json.loads, texts)}

    def test_hello_sends_a_segment_with_a_subsegment(self):
        self.run_example('hello')
        [work] = self.documents(1)['hello']['subsegments']
        self.assertEqual((work['name'], work['annotations']), ('work', {'answer': 42}))

    def test_threads_send_their_work_under_the_request(self):
        self.run_example('threads')
        documents = self.documents(4)
        request = documents['threads']
        for job in ('audio', 'video', 'thumbnail'):
            with self.subTest(job):
                self.assertEqual(documents[job]['trace_id'], request['trace_id'])
                self.assertEqual(documents[job]['parent_id'], request['id'])
                [step] = documents[job]['subsegments']
                self.assertEqual(step['name'], 'first pass')

    def test_the_emitter_prints_each_document(self):
        result = self.run_example('emitter')
        self.check(*result.stdout.encode().splitlines())
        documents = [json.loads(line) for line in result.stdout.splitlines()]
        self.assertEqual([document['name'] for document in documents], ['emitter'] * 3)
        steps = [document['subsegments'][0] for document in documents]
        self.assertEqual([step['annotations']['turn'] for step in steps], [0, 1, 2])
        self.assertEqual([step.get('fault', False) for step in steps], [False, False, True])
        self.assertEqual(result.stderr, '3 documents\n')

    def test_the_server_continues_the_callers_trace(self):
        server = subprocess.Popen([PROGRAMS / 'server', '0'], env=self.environment, text=True,
                                  stdout=subprocess.PIPE)
        self.addCleanup(server.stdout.close)
        self.addCleanup(server.wait)
        self.addCleanup(server.kill)
        port = int(server.stdout.readline().rstrip('/\n').rpartition(':')[2])
        connection = http.client.HTTPConnection('127.0.0.1', port, timeout=60)
        self.addCleanup(connection.close)
        root = '1-5759e988-bd862e3fe1be46a994272793'
        connection.request('GET', '/nowhere', headers={
            'x-amzn-trace-id': f'Root={root};Parent=53995c3f42cd8ad8;Sampled=?'})
        answer = connection.getresponse()
        self.assertEqual((answer.status, answer.read()), (404, b'hello\n'))
        self.assertEqual(answer.headers['X-Amzn-Trace-Id'], f'Root={root};Sampled=1')
        segment = self.documents(1)['server']
        self.assertEqual((segment['trace_id'], segment['parent_id']), (root, '53995c3f42cd8ad8'))
        self.assertEqual(segment['http']['response']['status'], 404)
        self.assertIs(segment['error'], True)

    def test_each_is_short_enough_to_be_read(self):
        examples = [path for path in files('*.c', under=['examples']) if path.parent.name == 'examples']
        self.assertGreaterEqual(len(examples), 4)
        long = [name(path) for path in examples if path.read_text().count('\n') > LINES]
        self.assertEqual(long, [])


if __name__ == '__main__':
    unittest.main()
