#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""AWS's daemon works in front of xraytrace-local: what it is sent arrives, its proxy answers
samplers, and its telemetry shows. The program is XRAYTRACE_XRAY_DAEMON, or is built with Go.
"""
import json
import os
import pathlib
import re
import subprocess
import tempfile
import time
import unittest

import official
import sampling_peers
from sampling_peers import Between, LONG, Program, wait_until
from runtimes import BUILD, Missing, PEERS, command, need

from collector import Collector

MODULE = 'github.com/aws/aws-xray-daemon'
VERSION = 'v0.0.0-20260715163521-258270e341f3'  # 3.6.6
SETTINGS = '''Version: 2
TotalBufferSizeMB: 16
Region: us-east-1
Endpoint: http://127.0.0.1:{port}
LocalMode: true
Socket:
  UDPAddress: 127.0.0.1:0
  TCPAddress: 127.0.0.1:0
'''
# It has neither an account nor a machine at AWS to ask about, nor settings of the user's.
ENVIRONMENT = {'AWS_ACCESS_KEY_ID': 'none', 'AWS_SECRET_ACCESS_KEY': 'none',
               'AWS_EC2_METADATA_DISABLED': 'true', 'AWS_CONFIG_FILE': os.devnull,
               'AWS_SHARED_CREDENTIALS_FILE': os.devnull, 'AWS_HOSTNAME': 'here'}


def program():
    given = os.environ.get('XRAYTRACE_XRAY_DAEMON')
    if given:
        return need(given, 'none; XRAYTRACE_XRAY_DAEMON names it')
    folder = PEERS / 'daemon' / VERSION
    if not (folder / 'tracing').exists():
        go = need('go', 'golang-go')
        folder.mkdir(parents=True, exist_ok=True)
        path = PEERS / 'go' / 'path'
        command(go, 'install', '-modcacherw', f'{MODULE}/cmd/tracing@{VERSION}', folder=folder,
                GOBIN=str(folder), GOPATH=str(path), GOMODCACHE=str(path / 'mod'),
                GOCACHE=str(BUILD / 'cache' / 'go'), GOTOOLCHAIN='local')
    return folder / 'tracing'


def local_port(pid, protocol, state):
    """Of the process's socket in that state, or None."""
    inodes = set()
    for file in pathlib.Path('/proc', str(pid), 'fd').iterdir():
        try:
            inodes.update(re.findall(r'^socket:\[(\d+)\]$', os.readlink(file)))
        except FileNotFoundError:
            pass
    for line in pathlib.Path('/proc/net', protocol).read_text().splitlines()[1:]:
        words = line.split()
        if words[3] == state and words[9] in inodes:
            return int(words[1].partition(':')[2], 16)
    return None


class Daemon:
    """The program as a process, on ports of the kernel's choice."""

    def __init__(self, port):
        self.log = tempfile.TemporaryFile('w+')
        environment = {name: value for name, value in os.environ.items()
                       if not name.startswith('AWS_') and not name.lower().endswith('_proxy')}
        with tempfile.NamedTemporaryFile('w', suffix='.yaml') as file:
            file.write(SETTINGS.format(port=port))
            file.flush()
            self.process = subprocess.Popen(
                [program(), '--config', file.name, '--local-mode', '--log-level', 'debug'],
                stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log,
                env={**environment, **ENVIRONMENT})
            try:
                wait_until(self._listens, 'listened')
            except BaseException:
                self.stop()
                raise

    def _listens(self):
        if self.process.poll() is not None:
            self.log.seek(0)
            raise AssertionError(f'the daemon ended: {self.log.read()}')
        self.udp = local_port(self.process.pid, 'udp', '07')
        self.tcp = local_port(self.process.pid, 'tcp', '0A')
        return self.udp and self.tcp

    @property
    def address(self):
        return f'tcp:127.0.0.1:{self.tcp} udp:127.0.0.1:{self.udp}'

    def stop(self):
        """It sends what it has, and its telemetry, at its end."""
        if self.process.poll() is None:
            self.process.terminate()
        try:
            return self.process.wait(LONG)
        finally:
            self.process.kill()
            self.process.wait()
            self.log.close()


class Behind(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.collector = Collector('--port', '0')
        cls.addClassCleanup(cls.collector.stop)
        cls.between = Between(cls.collector.port)
        cls.addClassCleanup(cls.between.stop)
        cls.daemon = Daemon(cls.between.server_port)
        cls.addClassCleanup(cls.daemon.stop)

    @classmethod
    def passed(cls, path):
        return [(request, reply) for its, request, reply, *_ in cls.between.calls if its == path]

    @classmethod
    def sent(cls):
        """The documents that came from the daemon. On a busy machine some come twice: it sends a
        batch again that has no reply after two seconds."""
        documents = [json.loads(document) for request, _ in cls.passed('/TraceSegments')
                     for document in request['TraceSegmentDocuments']]
        return list({document['id']: document for document in documents}.values())

    def test_the_service_refuses_no_call(self):
        self.assertEqual(self.between.refused, [])

    def test_the_service_takes_each_document(self):
        replies = [reply['UnprocessedTraceSegments'] for _, reply in self.passed('/TraceSegments')]
        self.assertTrue(replies)
        self.assertEqual([reply for reply in replies if reply], [])

    def test_samplers_are_answered_through_the_proxy(self):
        self.assertTrue(self.passed('/GetSamplingRules'))
        self.assertTrue(self.passed('/SamplingTargets'))

    def test_the_status_shows_the_telemetry(self):
        shown = json.loads(self.collector.request('GET', '/api/status')[2])['telemetry']
        self.assertEqual({record['hostname'] for record in shown}, {'here'})
        for count in ('received', 'sent'):
            self.assertEqual(sum(record[count] for record in shown), len(self.sent()), count)
        for count in ('spillover', 'rejected'):
            self.assertEqual(sum(record[count] for record in shown), 0, count)


class Node(official.Seen, Behind):
    """The X-Ray SDK for Node.js sends to the daemon."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.conversation = official.Conversation(cls.collector, official.node_command(),
                                                 cls.daemon.address, cls.addClassCleanup)
        cls.daemon.stop()

    def test_each_document_is_found(self):
        self.assertEqual({document['trace_id'] for document in self.sent()},
                         set(self.found('service("front")')))


class Ours(Behind):
    """So does libxraytrace, with its central sampler."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.client = Program([os.environ['XRAYTRACE_SAMPLING_CLIENT']], cls.daemon.address)
        cls.addClassCleanup(cls.client.stop)
        wait_until(lambda: cls.reported() > 0, 'reported')
        cls.client.process.stdin.write('\n')
        cls.client.process.stdin.flush()
        cls.decided, cls.sampled = map(int, cls.client.line().split())
        wait_until(lambda: cls.reported() >= cls.decided, 'reported all')
        wait_until(lambda: len(cls.ruled()) >= cls.sampled, 'sent all')
        cls.client.stop()
        cls.daemon.stop()
        cls.end = time.time() + 60

    @classmethod
    def reported(cls):
        reply = cls.collector.ask('/SamplingStatisticSummaries')
        return sum(one['RequestCount'] for one in reply['SamplingStatisticSummaries']
                   if one['RuleName'] == 'Default')

    @classmethod
    def ruled(cls):
        """Without the rules it samples one a second, by none."""
        return [document for document in cls.sent()
                if document['aws']['xray'].get('sampling_rule_name') == 'Default']

    def found(self, expression):
        """The ids of traces; a reply has a page of them."""
        ids, more = set(), {}
        while True:
            reply = self.collector.ask('/TraceSummaries', {
                'StartTime': 0, 'EndTime': self.end, 'TimeRangeType': 'Event',
                'FilterExpression': expression, **more})
            ids |= {summary['Id'] for summary in reply['TraceSummaries']}
            if not reply.get('NextToken'):
                return ids
            more = {'NextToken': reply['NextToken']}

    def test_its_statistics_are_what_it_decided(self):
        self.assertEqual(self.reported(), self.decided)

    def test_what_is_sampled_by_the_rule_arrives(self):
        self.assertEqual(len(self.ruled()), self.sampled)
        self.assertEqual(self.decided, self.sampled)

    def test_each_document_is_found(self):
        self.assertEqual({document['trace_id'] for document in self.sent()},
                         self.found('service("ours")'))


def load_tests(loader, _, __):
    """Not Behind by itself."""
    return unittest.TestSuite(loader.loadTestsFromTestCase(case) for case in (Node, Ours))


if __name__ == '__main__':
    official.main(sampling_peers.node_sdk, program)
