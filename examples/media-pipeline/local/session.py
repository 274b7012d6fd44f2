# SPDX-License-Identifier: Apache-2.0
"""One run of the pipeline beside a local X-Ray, for the demo and its scenarios."""

import os
import secrets
import signal
import sys
import time
import uuid

import pipeline
from display import Display
from pipeline import Failure

PUSH_TIMEOUT = 240


class Session:
    """The collector and the engine, and what a user does with them."""

    def __init__(self, options, display=None):
        self.options = options
        self.display = display or Display()
        self.directory = os.path.join(os.path.abspath(options.build_dir), 'demo')
        self.collector = None
        self.engine = None
        self.traces = {}

    def start(self, engine_options=()):
        os.makedirs(self.directory, exist_ok=True)
        self.start_collector()
        self.start_engine(engine_options)

    def start_collector(self):
        if self.options.no_xray:
            self.display.step('Without xraytrace-local: the traces go nowhere')
            return
        self.collector = pipeline.Collector(self.options.build_dir, self.directory,
                                            self.options.port_xray)
        if self.collector.notice:
            self.display.note(self.collector.notice)
            self.display.note(f'so xraytrace-local takes port {self.collector.port}')
        self.display.step(f'xraytrace-local listens on 127.0.0.1:{self.collector.port}')

    def start_engine(self, engine_options):
        port = self.collector.port if self.collector else self.options.port_xray

        def progress(output):
            lines = [line for line in output.splitlines() if line.endswith('…')]
            self.display.waiting(lines[-1][14:-2] if lines else 'media-local starts')

        self.engine = pipeline.Engine(self.options.build_dir, self.options.venv, self.directory,
                                      f'127.0.0.1:{port}', (*engine_options, *self.options.engine),
                                      progress=progress)
        at = self.engine.at
        for line in self.engine.child.output().splitlines():
            if line.startswith('media-local: '):
                self.display.note(line)
        self.display.step(f"media-local runs: front door {at['frontDoor']}, moto {at['moto']}")

    def check_engine(self):
        if not self.engine.child.runs():
            raise Failure('media-local ended:\n' + self.engine.child.output()[-2000:])

    # What users do.

    def remember_trace(self, name, reply):
        header = reply.headers.get('X-Amzn-Trace-Id', '')
        fields = dict(field.split('=', 1) for field in header.split(';') if '=' in field)
        self.traces[name] = fields.get('Root', '')

    def register(self):
        """A phone of the user; gives its endpoint."""
        reply = self.engine.register_device(str(uuid.uuid4()).upper(), secrets.token_hex(32))
        if reply.status != 200:
            raise Failure(f'RegisterDevice answered {reply.status}: {reply.body.decode()}')
        self.remember_trace('RegisterDevice', reply)
        return reply.json()['body']['endpointArn']

    def post_webhook(self):
        """Posts the test video as Feedly does, and gives the file's id."""
        url = self.engine.at['video']
        reply = self.engine.post_webhook(url)
        if reply.status != 202:
            raise Failure(f'WebhookFeedly answered {reply.status}: {reply.body.decode()}')
        self.remember_trace('WebhookFeedly', reply)
        self.display.step(f'Feedly posts {url}: POST /webhook → 202')
        return pipeline.file_id_of(url)

    def wait_for_push(self, file_id):
        """The notification about the file."""
        def arrived():
            self.check_engine()
            for notification in self.engine.notifications():
                if notification.get('payload', {}).get('file', {}).get('fileId') == file_id:
                    return notification
            item = self.engine.file(file_id) or {}
            if item.get('status') == 'Failed':
                raise Failure('the download failed: ' + item.get('lastError', 'no reason given'))
            self.display.waiting(f"waiting for the push; the file is {item.get('status')}")
            return None

        notification = pipeline.wait_until(arrived, PUSH_TIMEOUT, 0.2)
        if not notification:
            raise Failure(f'no push within {PUSH_TIMEOUT} seconds')
        return notification

    # The end.

    def say_where(self):
        if self.collector and self.collector.child.runs():
            port = f' --port {self.collector.port}' if self.collector.port != 2000 else ''
            self.display.step(f'The local X-Ray: http://127.0.0.1:{self.collector.port}')
            words = ['list', 'map']
            if self.traces.get('WebhookFeedly'):
                words.append('show ' + self.traces['WebhookFeedly'])
            for command in words:
                self.display.note(f'{self.collector.program} {command}{port}')
        self.display.note(f"Logs: {self.engine.at['logs']}")

    def stay(self):
        """In a terminal: until Ctrl-C, or until something ends."""
        at = self.engine.at
        self.display.step('All of it stays up until Ctrl-C. Try:')
        if self.collector:
            self.display.note(f'http://127.0.0.1:{self.collector.port}/ in a browser: the traces')
        self.display.note(f"curl -H 'Authorization: Bearer {at['apiToken']}' {at['frontDoor']}/files")
        self.display.note(f"curl {at['control']}/phone/notifications")
        while self.engine.child.runs():
            time.sleep(0.2)
        self.check_engine()

    def stop(self):
        # A second Ctrl-C must not leave half of it behind.
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        if self.engine:
            self.engine.stop()
        if self.collector:
            self.collector.stop()


def print_map(session, command, title, *words):
    """What xraytrace-local prints of a trace or of all, as wide as the terminal."""
    color = 'always' if sys.stdout.isatty() and 'NO_COLOR' not in os.environ else 'never'
    width = os.get_terminal_size().columns if sys.stdout.isatty() else 120
    text = session.collector.print(command, *words, '--color', color,
                                   '--width', str(min(max(width, 60), 1000)))
    session.display.step(title)
    session.display.print('\n' + (text or 'X-Ray has none.\n'))
