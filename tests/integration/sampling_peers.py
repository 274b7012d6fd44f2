# SPDX-License-Identifier: Apache-2.0
"""Central sampling with several clients: who they are, and what passes between them and the service."""
import http.client
import http.server
import json
import os
import pathlib
import subprocess
import sys
import threading
import time
import typing

sys.dont_write_bytecode = True
HERE = pathlib.Path(__file__).resolve().parent
SOURCE = HERE.parents[1]
sys.path[:0] = [str(SOURCE / 'tests' / 'local'), str(SOURCE / 'bench' / 'peers')]

import runtimes  # noqa: E402

LONG = 120  # seconds: a time-out that only a hang reaches
SKIPPED = 77


def node_sdk():
    """(node, the environment in which the SDK is found), or runtimes.Missing."""
    runtimes.PEERS.mkdir(parents=True, exist_ok=True)
    runtime, _ = runtimes.node()
    return runtime, {'NODE_PATH': str(runtimes.PEERS / 'node' / 'node_modules')}


def wait_until(condition, what):
    end = time.monotonic() + LONG
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(f'{LONG} seconds and not {what}')
        time.sleep(0.05)


class Report(typing.NamedTuple):
    statistics: dict
    target: dict
    asked: float  # when
    answered: float

    @property
    def taken(self):
        return self.statistics['SampledCount'] + self.statistics['BorrowCount']


class Between(http.server.ThreadingHTTPServer):
    """Passes calls on to the service, and remembers them with their replies."""
    daemon_threads = True

    def __init__(self, port):
        super().__init__(('127.0.0.1', 0), Passing)
        self.service_port = port
        self.calls = []  # (path, request, reply, asked, answered)
        self.refused = []
        self.thread = threading.Thread(target=self.serve_forever)
        self.thread.start()

    def stop(self):
        self.shutdown()
        self.thread.join()
        self.server_close()

    def reports(self, rule):
        """What was said of the rule, in its order."""
        found = []
        for path, request, reply, asked, answered in list(self.calls):
            if path == '/SamplingTargets':
                targets = {target['RuleName']: target
                           for target in reply['SamplingTargetDocuments']}
                found += [Report(document, targets[rule], asked, answered)
                          for document in request['SamplingStatisticsDocuments']
                          if document['RuleName'] == rule]
        return found


class Passing(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get('Content-Length', 0)))
        asked = time.monotonic()
        connection = http.client.HTTPConnection('127.0.0.1', self.server.service_port, timeout=LONG)
        connection.request('POST', self.path, body, {'Content-Type': 'application/json'})
        response = connection.getresponse()
        reply = response.read()
        connection.close()
        if response.status == 200:
            self.server.calls.append((self.path, json.loads(body or b'{}'), json.loads(reply),
                                      asked, time.monotonic()))
        else:
            self.server.refused.append((self.path, body, response.status))
        self.send_response(response.status)
        self.send_header('Content-Type', 'application/json')
        self.send_header('Content-Length', str(len(reply)))
        self.end_headers()
        self.wfile.write(reply)

    def log_message(self, *_):
        pass


class Program:
    """A process that ends with its standard input."""

    def __init__(self, command, daemon, **environment):
        self.process = subprocess.Popen(
            [str(word) for word in command], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            text=True, env={**os.environ, 'AWS_XRAY_DAEMON_ADDRESS': daemon, **environment})

    def line(self):
        line = self.process.stdout.readline()
        if not line:
            raise AssertionError(f'it ended with {self.process.wait(LONG)}')
        return line.strip()

    def stop(self):
        try:
            self.process.stdin.close()
            return self.process.wait(LONG)
        finally:
            self.process.kill()
            self.process.wait()
            self.process.stdout.close()


class NodeServer(Program):
    """Asked for the same path again and again by a thread, until it is told to pause."""

    def __init__(self, path, daemon):
        runtime, environment = node_sdk()
        super().__init__([runtime, HERE / 'sampling_server.js'], daemon, **environment)
        self.port = int(self.line())
        self.path = path
        self.decisions = []
        self.paused = threading.Event()
        self.thread = threading.Thread(target=self._ask)
        self.thread.start()

    def _ask(self):
        connection = http.client.HTTPConnection('127.0.0.1', self.port, timeout=LONG)
        while not self.paused.wait(0.03):
            connection.request('GET', self.path)
            self.decisions.append(json.loads(connection.getresponse().read()))
        connection.close()

    def pause(self):
        self.paused.set()
        self.thread.join()

    def decided(self, rule):
        """What it decided by the rule. It names the rule only if it sampled; its first decision
        by a rule always does, since it may borrow a trace then."""
        decisions = list(self.decisions)
        first = next((at for at, decision in enumerate(decisions) if decision['rule'] == rule),
                     len(decisions))
        return decisions[first:]

    def stop(self):
        self.pause()
        return super().stop()
