# SPDX-License-Identifier: Apache-2.0
"""Runs the media pipeline once, as its users see it, and shows the trace.

Starts xraytrace-local and media-local, registers a device as the phone does,
posts a webhook as Feedly does, waits for the push, lists the files, downloads
the object back and compares it with what was on the web. Exit status 0: it was
delivered and every expected piece of the trace arrived; 3: delivered, with
pieces of the trace missing; 1: not delivered.
"""

import argparse
import hashlib
import json
import os
import secrets
import signal
import sys
import time
import uuid

sys.dont_write_bytecode = True  # the source tree stays as it is
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import pipeline  # noqa: E402
from pipeline import Failure  # noqa: E402

DELIVERED, NOT_DELIVERED, TRACE_INCOMPLETE = 0, 1, 3
PUSH_TIMEOUT = 240
TRACE_TIMEOUT = 15


class Display:
    """Steps with the time since the start; in a terminal the last line moves."""

    def __init__(self):
        self.began = time.monotonic()
        self.moves = sys.stdout.isatty()
        self.shown = ''
        self.said = ('', 0.0)

    def step(self, text):
        self._clear()
        print(f'{time.monotonic() - self.began:6.1f} s  {text}', flush=True)

    def note(self, text):
        self._clear()
        for line in text.splitlines():
            print(f'          {line}', flush=True)

    def waiting(self, text):
        """What goes on: all the time in a terminal, else when it is new and every ten seconds."""
        now = time.monotonic()
        if self.moves:
            wheel = '|/-\\'[int(now * 8) % 4]
            self._clear()
            self.shown = f'{now - self.began:6.1f} s  {wheel} {text}'
            print(self.shown, end='', flush=True)
        elif text != self.said[0] or now - self.said[1] >= 10:
            self.said = (text, now)
            print(f'{now - self.began:6.1f} s  … {text}', flush=True)

    def _clear(self):
        if self.shown:
            print('\r' + ' ' * len(self.shown) + '\r', end='', flush=True)
            self.shown = ''


# ---- What the trace must have -----------------------------------------------------------------


class Expectations:
    """Looks for the pieces of the webhook's trace, and remembers what is missing."""

    def __init__(self, trace):
        self.trace = trace
        self.missing = []

    def one(self, what, nodes, above=None):
        """The first of the nodes that is below another one, or a note that there is none."""
        for node in nodes:
            if above is None or self.trace.is_below(node, above):
                return node
        self.missing.append(what)
        return None

    def function(self, name, above):
        """Lambda's two segments of a function; the second one, or None."""
        if not above:
            self.missing.append(f'{name}, since what calls it is missing')
            return None
        service = self.one(f'{name} (AWS::Lambda)', self.trace.find(name, 'AWS::Lambda'), above)
        return service and self.one(f'{name} (AWS::Lambda::Function)',
                                    self.trace.find(name, 'AWS::Lambda::Function'), service)

    def call(self, what, service, operation, above, **aws):
        """An AWS call below a function."""
        nodes = [
            node for node in self.trace.find(service, operation=operation)
            if all(node['aws'].get(key) == value for key, value in aws.items())
        ]
        return above and self.one(what, nodes, above)


def missing_in_webhook_trace(trace):
    look = Expectations(trace)
    stage = look.one('API Gateway (MediaDownloader/prod)',
                     trace.find('MediaDownloader/prod', 'AWS::ApiGateway::Stage'))
    look.function('AuthorizerAPIToken', stage)
    webhook = look.function('WebhookFeedly', stage)
    look.call('DynamoDB UpdateItem in WebhookFeedly', 'DynamoDB', 'UpdateItem', webhook)
    coordinator = look.function('FileCoordinator', look.call(
        'the invoke of FileCoordinator', 'Lambda', 'Invoke', webhook,
        function_name='FileCoordinator'))
    upload = look.function('StartFileUpload', look.call(
        'the invoke of StartFileUpload', 'Lambda', 'Invoke', coordinator,
        function_name='StartFileUpload'))
    if upload:
        look.one('yt-dlp metadata', trace.find('yt-dlp metadata'), upload)
        look.one('yt-dlp download', trace.find('yt-dlp download'), upload)
        look.call('DynamoDB UpdateItem in StartFileUpload', 'DynamoDB', 'UpdateItem', upload)
        look.call('S3 CreateMultipartUpload', 'S3', 'CreateMultipartUpload', upload)
        parts = [node for node in trace.find('S3', operation='UploadPart')
                 if trace.is_below(node, upload)]
        if len(parts) < 3:
            look.missing.append(f'S3 UploadPart: {len(parts)} of 3 parts or more')
        look.call('S3 CompleteMultipartUpload', 'S3', 'CompleteMultipartUpload', upload)
        look.call('SNS Publish', 'SNS', 'Publish', upload)
    return look.missing + structure_problems(trace)


def missing_in_call_trace(trace, function):
    """Of a call that only goes through the gateway to one function."""
    look = Expectations(trace)
    stage = look.one('API Gateway (MediaDownloader/prod)',
                     trace.find('MediaDownloader/prod', 'AWS::ApiGateway::Stage'))
    look.function('AuthorizerAPIToken', stage)
    called = look.function(function, stage)
    if called:
        look.one(f'DynamoDB in {function}', trace.find('DynamoDB'), called)
    return [f'{function}: {piece}' for piece in look.missing + structure_problems(trace)]


def structure_problems(trace):
    problems = [f"the parent {node['parent']} of {node['name']}" for node in trace.orphans()]
    problems += [f"the end of {node['name']}" for node in trace.unfinished()]
    if len(trace.roots()) > 1:
        problems.append('one root: there are ' + ', '.join(node['name'] for node in trace.roots()))
    return problems


# ---- The demo ---------------------------------------------------------------------------------


class Demo:
    def __init__(self, options):
        self.options = options
        self.display = Display()
        self.directory = os.path.join(os.path.abspath(options.build_dir), 'demo')
        self.collector = None
        self.engine = None
        self.traces = {}

    def run(self):
        os.makedirs(self.directory, exist_ok=True)
        self.start_collector()
        self.start_engine()
        self.register()
        notification = self.download()
        self.list_files(notification)
        self.compare(notification)
        missing = self.look_at_traces()
        self.display.step('The notification, as the phone got it:')
        self.display.note(json.dumps(notification['payload'], indent=2))
        if missing:
            self.display.step('Delivered, but the trace is incomplete. Missing:')
            self.display.note('\n'.join('- ' + piece for piece in missing))
        else:
            self.display.step('Delivered, and every expected piece of the trace arrived.')
        self.say_where()
        return TRACE_INCOMPLETE if missing else DELIVERED

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

    def start_engine(self):
        port = self.collector.port if self.collector else self.options.port_xray

        def progress(output):
            lines = [line for line in output.splitlines() if line.endswith('…')]
            self.display.waiting(lines[-1][14:-2] if lines else 'media-local starts')

        self.engine = pipeline.Engine(self.options.build_dir, self.options.venv, self.directory,
                                      f'127.0.0.1:{port}', self.options.engine,
                                      progress=progress)
        at = self.engine.at
        for line in self.engine.child.output().splitlines():
            if line.startswith('media-local: '):
                self.display.note(line)
        self.display.step(f"media-local runs: front door {at['frontDoor']}, moto {at['moto']}")

    def remember_trace(self, name, reply):
        header = reply.headers.get('X-Amzn-Trace-Id', '')
        fields = dict(field.split('=', 1) for field in header.split(';') if '=' in field)
        self.traces[name] = fields.get('Root', '')

    def register(self):
        reply = self.engine.register_device(str(uuid.uuid4()).upper(), secrets.token_hex(32))
        if reply.status != 200:
            raise Failure(f'RegisterDevice answered {reply.status}: {reply.body.decode()}')
        self.remember_trace('RegisterDevice', reply)
        self.display.step('The phone is registered: POST /registerDevice → 200')

    def download(self):
        """Posts the webhook, and gives the notification that comes of it."""
        url = self.engine.at['video']
        file_id = pipeline.file_id_of(url)
        reply = self.engine.post_webhook(url)
        if reply.status != 202:
            raise Failure(f'WebhookFeedly answered {reply.status}: {reply.body.decode()}')
        self.remember_trace('WebhookFeedly', reply)
        self.display.step(f'Feedly posts {url}: POST /webhook → 202')

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
        size = int(notification['payload']['file']['size'])
        self.display.step(f'The phone is notified of {size} bytes')
        return notification

    def check_engine(self):
        if not self.engine.child.runs():
            raise Failure('media-local ended:\n' + self.engine.child.output()[-2000:])

    def list_files(self, notification):
        reply = self.engine.call('GET', '/files', token=self.engine.at['apiToken'])
        if reply.status != 200:
            raise Failure(f'ListFiles answered {reply.status}: {reply.body.decode()}')
        self.remember_trace('ListFiles', reply)
        wanted = notification['payload']['file']
        files = reply.json()['body']['contents']
        if [file['url'] for file in files if file['fileId'] == wanted['fileId']] != [wanted['url']]:
            raise Failure(f"ListFiles does not have {wanted['url']}: {files}")
        self.display.step(f'The phone lists its files: GET /files → {len(files)}')

    def compare(self, notification):
        url = notification['payload']['file']['url']
        stored = pipeline.request('GET', url)
        original = pipeline.request('GET', self.engine.at['video'])
        if stored.status != 200 or original.status != 200:
            raise Failure(f'GET {url} answered {stored.status}, the original {original.status}')
        digests = [hashlib.sha256(reply.body).hexdigest() for reply in (stored, original)]
        if digests[0] != digests[1]:
            raise Failure(f'{url} has SHA-256 {digests[0]}, the original {digests[1]}')
        self.display.step(f'The phone downloads it: {len(stored.body)} bytes, the same SHA-256')
        self.display.note(digests[0])

    def look_at_traces(self):
        """Waits for what is still on its way; what is missing after that."""
        if not self.collector:
            return ['everything: xraytrace-local was not started']
        missing = []

        def complete():
            if not self.collector.child.runs():
                return False
            missing[:] = missing_in_webhook_trace(
                self.collector.trace(self.traces['WebhookFeedly']))
            for name in ('RegisterDevice', 'ListFiles'):
                missing.extend(missing_in_call_trace(self.collector.trace(self.traces[name]), name))
            if len(set(self.traces.values())) != len(self.traces):
                missing.append('a trace of its own for each request')
            return not missing

        pipeline.wait_until(complete, TRACE_TIMEOUT if self.collector.child.runs() else 0, 0.2)
        if not self.collector.child.runs():
            return ['everything: xraytrace-local does not run any more']
        self.show_trace()
        return missing

    def show_trace(self):
        """Which service called which, and then each step of it."""
        color = 'always' if sys.stdout.isatty() and 'NO_COLOR' not in os.environ else 'never'
        width = os.get_terminal_size().columns if sys.stdout.isatty() else 120
        options = ('--color', color, '--width', str(min(max(width, 60), 1000)))
        for command, title in (('map', 'The services that the webhook called:'),
                               ('show', 'The trace of the webhook:')):
            text = self.collector.print(command, self.traces['WebhookFeedly'], *options)
            self.display.step(title)
            print('\n' + (text or 'X-Ray does not have it.\n'), flush=True)

    def say_where(self):
        if self.collector and self.collector.child.runs():
            port = f' --port {self.collector.port}' if self.collector.port != 2000 else ''
            self.display.step(f'The local X-Ray: http://127.0.0.1:{self.collector.port}')
            for command in ('list', 'map', 'show ' + self.traces['WebhookFeedly']):
                self.display.note(f'{self.collector.program} {command}{port}')
        self.display.note(f"Logs: {self.engine.at['logs']}")

    def stay(self):
        """In a terminal: until Ctrl-C, or until something ends."""
        at = self.engine.at
        self.display.step('All of it stays up until Ctrl-C. Try:')
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


def read_options():
    parser = argparse.ArgumentParser(
        description='Runs the media pipeline once, as its users see it, and shows the trace.',
        allow_abbrev=False,
        epilog='Every other option goes to media-local: see its --help. Exit status: 0 delivered, '
        'and the trace is complete; 3 delivered, but pieces of the trace are missing; 1 not '
        'delivered.')
    parser.add_argument('--build-dir', required=True, help='where meson built the project')
    parser.add_argument('--venv', required=True, help='virtual environment with moto and yt-dlp')
    parser.add_argument('--once', action='store_true',
                        help='stop when it is done, also in a terminal')
    parser.add_argument('--no-xray', action='store_true', help='do not start xraytrace-local')
    parser.add_argument('--port-xray', type=int, default=2000, metavar='N',
                        help='port of xraytrace-local (default: 2000); another when it is taken')
    # The rest is for media-local, which says what it does not know.
    options, options.engine = parser.parse_known_args()
    return options


def interrupt(*_):
    raise KeyboardInterrupt


def main():
    options = read_options()
    demo = Demo(options)
    signal.signal(signal.SIGTERM, interrupt)
    signal.signal(signal.SIGHUP, interrupt)
    status = NOT_DELIVERED
    try:
        status = demo.run()
        if sys.stdout.isatty() and not options.once:
            demo.stay()
    except Failure as failure:
        demo.display.step(f'Not delivered: {failure}' if status == NOT_DELIVERED else str(failure))
        if demo.engine:
            demo.display.note(f"Logs: {demo.engine.at['logs']}")
        status = NOT_DELIVERED
    except KeyboardInterrupt:
        demo.display.step('stopping …')
    finally:
        demo.stop()
    return status


if __name__ == '__main__':
    sys.exit(main())
