# SPDX-License-Identifier: Apache-2.0
"""A running xraytrace-local for the tests, and ways to talk to it."""
import http.client
import json
import os
import re
import socket
import subprocess
import threading
import time
import unittest

PROGRAM = os.environ['XRAYTRACE_LOCAL']
HEADER = b'{"format":"json","version":1}\n'
LONG = 60  # seconds: a time-out that only a hang reaches


def trace_id(number=1, epoch=None):
    return '1-%08x-%024x' % (int(time.time()) if epoch is None else epoch, number)


def segment(trace, number, name='s', start=None, duration=1.0, **members):
    start = time.time() - 5 if start is None else start
    return {'trace_id': trace, 'id': '%016x' % number, 'name': name, 'start_time': start,
            'end_time': start + duration, **members}


def subsegment(trace, number, parent, name='sub', **members):
    return segment(trace, number, name, type='subsegment', parent_id='%016x' % parent, **members)


def run(*arguments, environment=None):
    """Runs the program to its end: (exit code, stdout, stderr)."""
    result = subprocess.run([PROGRAM, *arguments], stdin=subprocess.DEVNULL, timeout=LONG,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                            encoding='utf-8', env={**os.environ, **(environment or {})})
    return result.returncode, result.stdout, result.stderr


class Collector:
    """The program as a process, on a port of the kernel's choice."""

    def __init__(self, *arguments):
        self.process = subprocess.Popen([PROGRAM, *(arguments or ('--port', '0'))],
                                        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, text=True, encoding='utf-8')
        self.errors = []
        self.reader = threading.Thread(target=lambda: self.errors.extend(self.process.stderr))
        self.reader.start()
        self.lines = [self.process.stdout.readline() for _ in range(3)]
        found = re.search(r'listens on (\S+):(\d+) ', self.lines[0])
        if not found:
            self.stop()
            raise AssertionError(f'it did not start: {self.lines} {self.errors}')
        self.address = found[1].strip('[]')
        self.port = int(found[2])
        family = socket.AF_INET6 if ':' in self.address else socket.AF_INET
        self.udp = socket.socket(family, socket.SOCK_DGRAM)
        self.udp.connect((self.address, self.port))

    def stop(self, signal=None):
        """Ends the process, by SIGTERM unless told otherwise, and returns its exit code."""
        if self.process.poll() is None:
            self.process.terminate() if signal is None else self.process.send_signal(signal)
        try:
            code = self.process.wait(LONG)
        finally:
            self.process.kill()
            self.reader.join()
            self.process.stdout.close()
            self.process.stderr.close()
            if hasattr(self, 'udp'):
                self.udp.close()
        return code

    def datagram(self, data):
        self.udp.send(data)

    def send(self, *documents):
        for document in documents:
            self.datagram(HEADER + json.dumps(document).encode())

    def request(self, method, path, body=None, headers=None):
        """(status, headers, body as bytes)"""
        connection = http.client.HTTPConnection(self.address, self.port, timeout=LONG)
        try:
            connection.request(method, path, body, headers or {})
            response = connection.getresponse()
            return response.status, response.headers, response.read()
        finally:
            connection.close()

    def call(self, path, request=None):
        """(status, headers, reply as an object)"""
        body = b'' if request is None else json.dumps(request).encode()
        status, headers, reply = self.request('POST', path, body,
                                              {'Content-Type': 'application/json'})
        return status, headers, json.loads(reply)

    def ask(self, path, request=None):
        """The reply of a call that must succeed."""
        status, _, reply = self.call(path, request)
        if status != 200:
            raise AssertionError(f'{path}: {status} {reply}')
        return reply

    def put(self, *documents):
        """UnprocessedTraceSegments of a PutTraceSegments."""
        texts = [text if isinstance(text, str) else json.dumps(text) for text in documents]
        return self.ask('/TraceSegments',
                        {'TraceSegmentDocuments': texts})['UnprocessedTraceSegments']

    def trace(self, trace):
        """The documents of the trace, in the order of the reply."""
        reply = self.ask('/Traces', {'TraceIds': [trace]})
        return [json.loads(entry['Document']) for found in reply['Traces']
                for entry in found['Segments']]

    def summaries(self, **members):
        request = {'StartTime': 0, 'EndTime': time.time() + 86400, 'TimeRangeType': 'Event'}
        return self.ask('/TraceSummaries', {**request, **members})['TraceSummaries']

    def status(self):
        return self.request('GET', '/')[2].decode()

    def show(self, *arguments, **environment):
        return run('show', *arguments, '--port', str(self.port), environment=environment)


class Case(unittest.TestCase):
    """A test with a collector of its own, which must end well."""
    ARGUMENTS = ('--port', '0')

    def setUp(self):
        self.collector = Collector(*self.ARGUMENTS)
        self.addCleanup(self.end)

    def end(self):
        self.assertEqual(self.collector.stop(), 0, self.collector.errors)
