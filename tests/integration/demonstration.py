#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The demo as its users run it: what it says, how it ends, and what it leaves."""
import os
import re
import signal
import socket
import subprocess
import sys
import unittest

import support
from support import pipeline


class Demonstration(unittest.TestCase):
    """One after the other: each of them uses the demo's own directory."""

    def run_demo(self, *options):
        done = subprocess.run(
            [sys.executable, str(support.LOCAL / 'demo.py'), '--build-dir', support.BUILD,
             '--venv', support.VENV, *options],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            timeout=400, check=False)
        return done.returncode, done.stdout.decode()

    def test_it_delivers_with_the_whole_trace(self):
        status, output = self.run_demo('--once', '--port-xray', '0')
        self.assertEqual(status, 0, output)
        for text in ('MediaDownloader/prod', 'yt-dlp', 'the same SHA-256', '"fileId"'):
            self.assertIn(text, output)

    def test_without_xray_it_delivers_and_says_what_is_missing(self):
        status, output = self.run_demo('--once', '--no-xray', '--port-xray', '9')
        self.assertEqual(status, 3, output)
        self.assertIn('the same SHA-256', output)
        self.assertIn('xraytrace-local was not started', output)

    def test_a_taken_port_is_named_and_another_one_used(self):
        with socket.create_server(('127.0.0.1', 0)) as taken:
            port = taken.getsockname()[1]
            status, output = self.run_demo('--once', '--port-xray', str(port))
        self.assertEqual(status, 0, output)
        self.assertRegex(output, f'port {port} .*taken by .*{os.getpid()}')

    def test_it_leaves_no_process_when_it_is_ended(self):
        demo = subprocess.Popen(
            [sys.executable, str(support.LOCAL / 'demo.py'), '--build-dir', support.BUILD,
             '--venv', support.VENV, '--port-xray', '0'],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.addCleanup(demo.stdout.close)
        self.addCleanup(demo.kill)
        line = b''
        while line is not None and b'POST /webhook' not in line:
            line = demo.stdout.readline() or None
        self.assertIsNotNone(line, 'it has posted no webhook')
        below = support.descendants(demo.pid)
        self.assertTrue(any(re.search('moto_server', command) for command in below.values()))
        demo.send_signal(signal.SIGTERM)
        self.assertNotEqual(demo.wait(60), 0)
        self.assertTrue(pipeline.wait_until(lambda: all(map(support.is_gone, below)), 30))


if __name__ == '__main__':
    support.main()
