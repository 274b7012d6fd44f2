# SPDX-License-Identifier: Apache-2.0
"""A real xraytrace-local and a real browser for the tests of the page.

XRAYTRACE_LOCAL is the program, XRAYTRACE_PAGE_VENV a virtual environment with
Playwright; the browser is Debian's chromium, or the one XRAYTRACE_CHROMIUM names.
Without one of them the tests are skipped.
"""
import json
import os
import pathlib
import re
import shutil
import signal
import sys
import time
import unittest

sys.dont_write_bytecode = True
SOURCE = pathlib.Path(__file__).resolve().parents[2]
SKIPPED = 77
VENV = os.environ.get('XRAYTRACE_PAGE_VENV', '')
CHROMIUM = os.environ.get('XRAYTRACE_CHROMIUM') or shutil.which('chromium') or ''


def skip(reason):
    print(f'skipped: {reason}')
    sys.exit(SKIPPED)


try:
    from playwright.sync_api import expect, sync_playwright
except ImportError:
    own = os.path.join(VENV, 'bin', 'python')
    if not os.access(own, os.X_OK) or os.environ.get('XRAYTRACE_PAGE_AGAIN'):
        skip(f'there is no Playwright in XRAYTRACE_PAGE_VENV={VENV or "(not set)"}')
    os.environ['XRAYTRACE_PAGE_AGAIN'] = '1'
    os.execv(own, [own, *sys.argv])

sys.path.insert(0, str(SOURCE / 'tests' / 'local'))
from collector import LONG, Collector, segment, subsegment, trace_id  # noqa: E402, F401

WAIT_MS = LONG * 1000  # only a hang reaches it
DESK = {'width': 1280, 'height': 720}
PHONE = {'width': 390, 'height': 844}
expect.set_options(timeout=WAIT_MS)

driver = None
browser = None


def main():
    """In place of unittest.main(): one browser for all the tests of the file."""
    global driver, browser
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # Meson's time is up: clean up
    if not CHROMIUM:
        skip('there is no chromium')
    with sync_playwright() as driver:
        browser = launch(driver)
        try:
            program = unittest.main(verbosity=2, exit=False)
        finally:
            browser.close()
    sys.exit(not program.result.wasSuccessful())


def launch(playwright):
    # Chromium's own sandbox does not work for root.
    options = ['--no-sandbox'] if os.geteuid() == 0 else []
    return playwright.chromium.launch(executable_path=CHROMIUM, args=options)


def call(method, url, status, milliseconds=40, start=None, **members):
    """What a segment of a served request has beside its name and ids."""
    marks = {'fault': True} if status >= 500 else {'error': True} if status >= 400 else {}
    if status == 429:
        marks['throttle'] = True
    return {'start': time.time() - 5 if start is None else start, 'duration': milliseconds / 1000,
            'http': {'request': {'method': method, 'url': url}, 'response': {'status': status}},
            **marks, **members}


class PageCase(unittest.TestCase):
    """A test with a program and a page of its own. The page must stay free of errors, of what
    the Content-Security-Policy refuses, of dialogs, and of requests to anywhere else."""
    viewport = DESK
    color_scheme = 'light'
    arguments = ('--port', '0')

    def setUp(self):
        self.collector = Collector(*self.arguments)
        self.addCleanup(self.end_collector)
        self.base = f'http://127.0.0.1:{self.collector.port}'
        self.context = browser.new_context(viewport=self.viewport, color_scheme=self.color_scheme,
                                           reduced_motion='reduce')
        self.addCleanup(self.context.close)
        self.context.set_default_timeout(WAIT_MS)
        self.context.grant_permissions(['clipboard-read', 'clipboard-write'])
        self.wrong = []
        self.page = self.context.new_page()
        self.watch(self.page)
        self.sent = 0

    def tearDown(self):
        self.assertEqual(self.wrong, [])

    def end_collector(self):
        self.assertEqual(self.collector.stop(), 0, self.collector.errors)

    def watch(self, page):
        page.on('pageerror', lambda error: self.wrong.append(f'error: {error}'))
        page.on('dialog', lambda dialog: (self.wrong.append(f'dialog: {dialog.message}'),
                                          dialog.dismiss()))
        page.on('console', lambda message: self.wrong.append(f'console: {message.text}')
                if message.type == 'error' and not self.expected(message.text) else None)
        page.on('request', lambda request: self.wrong.append(f'request: {request.url}')
                if not re.match(re.escape(self.base) + r'(/|$)|data:|blob:', request.url) else None)

    def expected(self, text):
        """A test whose page must get an answer that is an error says so here."""
        return False

    def open(self, place='#/traces'):
        self.page.goto(f'{self.base}/{place}')
        expect(self.page.locator('#live')).to_have_attribute('data-state', 'live')
        return self.page

    def send(self, name='shop', trace=None, start=None, duration=0.04, **members):
        """A trace of one segment; its id."""
        self.sent += 1
        trace = trace or trace_id(self.sent)
        self.collector.send(segment(trace, self.sent, name, start, duration, **members))
        return trace

    def put_many(self, documents):
        for first in range(0, len(documents), 50):
            self.assertEqual(self.collector.put(*documents[first:first + 50]), [])

    def row(self, trace):
        return self.page.locator(f'[data-testid=row][data-id="{trace}"]')

    @property
    def rows(self):
        return self.page.locator('[data-testid=row]:visible')

    def filter(self):
        return self.page.get_by_test_id('filter')

    def apply(self, expression):
        self.filter().fill(expression)
        self.filter().press('Enter')

    def hash(self):
        return self.page.evaluate('decodeURIComponent(location.hash.replaceAll("+", " "))')

    def wait_for_hash(self, pattern):
        self.page.wait_for_function(
            'text => new RegExp(text).test(decodeURIComponent(location.hash.replaceAll("+", " ")))',
            arg=pattern)

    def assert_no_sideways_scroll(self):
        wide, screen = self.page.evaluate('[document.documentElement.scrollWidth, innerWidth]')
        self.assertLessEqual(wide, screen)
        main = self.page.evaluate(
            '(() => { const main = document.querySelector("main");'
            ' return [main.scrollWidth, main.clientWidth]; })()')
        self.assertLessEqual(main[0], main[1])


__all__ = ['DESK', 'LONG', 'PHONE', 'PageCase', 'WAIT_MS', 'call', 'expect', 'json', 'main',
           'segment', 'subsegment', 'trace_id']
