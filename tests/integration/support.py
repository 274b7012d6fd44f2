# SPDX-License-Identifier: Apache-2.0
"""What the integration tests share: where things are, and engines that are stopped again.

XRAYTRACE_BUILD is the build directory, XRAYTRACE_VENV a virtual environment
with moto and yt-dlp. Without the latter the tests are skipped.
"""
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import threading
import unittest

sys.dont_write_bytecode = True
SOURCE = pathlib.Path(__file__).resolve().parents[2]
LOCAL = SOURCE / 'examples' / 'media-pipeline' / 'local'
sys.path.insert(0, str(LOCAL))

import expectations  # noqa: E402, F401
import pipeline  # noqa: E402

SKIPPED = 77
BUILD = os.environ.get('XRAYTRACE_BUILD', '')
VENV = os.environ.get('XRAYTRACE_VENV', '')
VIDEO = 'test-picture.mp4'
DOWNLOAD_TIMEOUT = 180
DEVICE_ID = '6B1F3C1E-9A60-4F5C-8A39-0F3B7F7A9D11'
DEVICE_TOKEN = 'ab' * 32


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # Meson's time is up: clean up
    for name in ('moto_server', 'yt-dlp'):
        if not os.access(os.path.join(VENV, 'bin', name), os.X_OK):
            print(f'skipped: there is no {name} in XRAYTRACE_VENV={VENV or "(not set)"}')
            sys.exit(SKIPPED)
    if not shutil.which('ffmpeg'):
        print('skipped: there is no ffmpeg, which makes the test video')
        sys.exit(SKIPPED)
    unittest.main(verbosity=2)


def directory(name):
    path = os.path.join(BUILD, 'tests', 'integration', name)
    os.makedirs(path, exist_ok=True)
    return path


def share_video(work):
    """One engine makes the video, the others take that."""
    shared = os.path.join(directory('.'), VIDEO)
    media = os.path.join(work, 'work', 'media')
    own = os.path.join(media, VIDEO)
    os.makedirs(media, exist_ok=True)
    for source, target in ((own, shared), (shared, own)):
        if os.path.exists(source) and not os.path.exists(target):
            try:
                os.link(source, target)
            except FileExistsError:
                pass


def start_engine(name, *options, xray='127.0.0.1:9', environment=None):
    """A new engine; by default nobody listens where its traces go."""
    work = directory(name)
    share_video(work)
    engine = pipeline.Engine(BUILD, VENV, work, xray, ('--schedule-seconds', '0', *options),
                             environment and {**os.environ, **environment})
    share_video(work)
    return engine


class Listener:
    """Between the programs and the collector: hears each datagram, and passes it on."""

    def __init__(self, collector_port):
        self.heard = []
        self.collector = ('127.0.0.1', collector_port)
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(('127.0.0.1', 0))
        self.port = self.socket.getsockname()[1]
        self.thread = threading.Thread(target=self._pass_on)
        self.thread.start()

    def _pass_on(self):
        while datagram := self.socket.recv(65536):
            self.heard.append(datagram)
            self.socket.sendto(datagram, self.collector)

    def stop(self):
        self.socket.sendto(b'', ('127.0.0.1', self.port))
        self.thread.join()
        self.socket.close()

    def check(self, test):
        """All that was heard is what the daemon takes, and each document keeps the rules."""
        texts = []
        for datagram in list(self.heard):
            line, _, text = datagram.partition(b'\n')
            test.assertEqual(json.loads(line), {'format': 'json', 'version': 1})
            texts.append(text)
        check = os.path.join(BUILD, 'tests', 'documents', 'check-documents')
        done = subprocess.run([check, '--padded'], input=b'\n'.join(texts) + b'\n', timeout=60,
                              stdout=subprocess.PIPE, check=False)
        test.assertEqual(done.returncode, 0, done.stdout.decode())


class EngineTest(unittest.TestCase):
    """One engine for all tests of the class."""

    options = ()
    environment = None

    @classmethod
    def setUpClass(cls):
        cls.engine = start_engine(cls.__name__, *cls.options, environment=cls.environment)
        cls.addClassCleanup(cls.engine.stop)

    def assert_answer(self, reply, status, text=''):
        self.assertEqual(reply.status, status, reply.body)
        self.assertIn(text, reply.body.decode())

    def register_device(self):
        """The same one each time: a file makes one push."""
        self.assert_answer(self.engine.register_device(DEVICE_ID, DEVICE_TOKEN), 200)

    def video_url(self, name=''):
        """The test video under a URL of its own, so that tests don't meet in one file."""
        return self.engine.at['video'] + (f'?{name}' if name else '')

    def file(self, url):
        return self.engine.file(pipeline.file_id_of(url))

    def wait_for_status(self, url, *statuses):
        def reached():
            item = self.file(url)
            return item if item and item.get('status') in statuses else None

        item = pipeline.wait_until(reached, DOWNLOAD_TIMEOUT, 0.1)
        self.assertTrue(item, f'still not {statuses}: {self.file(url)}')
        return item

    def pushes(self, url):
        """The notifications of one file."""
        file_id = pipeline.file_id_of(url)
        return [notification for notification in self.engine.notifications()
                if notification.get('payload', {}).get('file', {}).get('fileId') == file_id]

    def wait_for_push(self, url, count=1):
        pipeline.wait_until(lambda: len(self.pushes(url)) >= count, DOWNLOAD_TIMEOUT, 0.1)
        pushes = self.pushes(url)
        self.assertEqual(len(pushes), count, self.file(url))
        return pushes

    def wait_for_environment(self, function, state):
        """The description of an environment of a function that is in a state."""
        def found():
            return next((environment for environment in self.engine.environments()
                         if environment['function'] == function and
                         environment['state'] == state), None)

        environment = pipeline.wait_until(found, 60)
        self.assertTrue(environment, f'no {state} environment of {function}')
        return environment

    def invoke(self, function, payload, kind='RequestResponse', signed=True, headers=None):
        """Calls a function as the functions call each other."""
        url = f'{self.engine.at["control"]}/2015-03-31/functions/{function}/invocations'
        sent = {'X-Amz-Invocation-Type': kind}
        if signed:
            sent = pipeline.sign('POST', url, sent, payload, self.engine.at, 'lambda',
                                 self.engine.at['region'])
        return pipeline.request('POST', url, {**sent, **(headers or {})}, payload)


# ---- Processes ---------------------------------------------------------------------------


def parents():
    """The parent of every process."""
    found = {}
    for pid in filter(str.isdigit, os.listdir('/proc')):
        try:
            text = pathlib.Path('/proc', pid, 'stat').read_text(errors='replace')
        except OSError:
            continue
        found[int(pid)] = int(text.rpartition(')')[2].split()[1])
    return found


def descendants(pid):
    """All processes below one, with their command lines."""
    table = parents()
    found = {}

    def add(parent):
        for child in [child for child, its in table.items() if its == parent]:
            try:
                command = pathlib.Path('/proc', str(child), 'cmdline').read_bytes()
            except OSError:
                command = b''
            found[child] = command.replace(b'\0', b' ').decode(errors='replace')
            add(child)

    add(pid)
    return found


def is_stopped(pid):
    """Whether a process is stopped by a signal."""
    text = pathlib.Path('/proc', str(pid), 'stat').read_text(errors='replace')
    return text.rpartition(')')[2].split()[0] == 'T'


def is_gone(pid):
    try:
        text = pathlib.Path('/proc', str(pid), 'stat').read_text(errors='replace')
    except OSError:
        return True
    return text.rpartition(')')[2].split()[0] == 'Z'
