#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""screenshots.py DIRECTORY: writes list.png, waterfall.png and map.png, of made-up traffic, as the
documentation shows them (docs/images). Environment: see harness.py."""
import pathlib
import random
import sys
import time

import harness
from harness import Collector, expect, segment, trace_id
from playwright.sync_api import sync_playwright

SIZE = {'width': 1280, 'height': 720}
MINUTES = 10
BYTES = 200 * 1000
REQUESTS = [('GET', '/products', 30), ('GET', '/products/41', 22), ('POST', '/orders', 14),
            ('GET', '/cart', 12), ('POST', '/orders/7/pay', 9), ('GET', '/search?q=lamp', 8)]


class Traffic:
    """A shop: a gateway, three services, a table, a queue, a database, and their failures."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.entities = 0

    def id(self):
        self.entities += 1
        return '%016x' % self.entities

    def call(self, name, start, seconds, namespace='remote', **members):
        return {'id': self.id(), 'name': name, 'start_time': start, 'end_time': start + seconds,
                'namespace': namespace, **members}

    def served(self, trace, name, origin, start, seconds, parent, calls, method, url, status):
        self.entities += 1
        marks = {'fault': True} if status >= 500 else {'error': True} if status >= 400 else {}
        if status == 429:
            marks['throttle'] = True
        return segment(trace, self.entities, name, start, seconds, origin=origin, subsegments=calls,
                       http={'request': {'method': method, 'url': url}, 'response': {'status': status}},
                       **marks, **({'parent_id': parent} if parent else {}))

    def trace(self, number, start):
        """Documents of one request through the shop."""
        chance = self.random.random
        method, path, _ = self.random.choices(REQUESTS, [weight for *_, weight in REQUESTS])[0]
        trace = trace_id(number, int(start))
        pace = self.random.lognormvariate(0, 0.7)
        failed = path.endswith('/pay') and chance() < 0.16
        throttled = path == '/orders' and chance() < 0.08
        missing = path.startswith('/products/') and chance() < 0.1
        status = 502 if failed else 429 if throttled else 404 if missing else 200
        table = self.call('DynamoDB', start + 0.012 * pace, 0.011 * pace, 'aws', aws={
            'operation': 'GetItem', 'table_name': 'products'},
            **({'error': True, 'throttle': True} if throttled else {}))
        database = self.call('orders@db', start + 0.026 * pace, 0.018 * pace, sql={
            'sanitized_query': 'SELECT * FROM orders WHERE id = ?', 'database_type': 'PostgreSQL'})
        calls, documents = [table], []
        end = 0.05 * pace
        if path.startswith('/orders'):
            calls.append(database)
        if path.endswith('/pay'):
            wait = 0.9 if failed else 0.12 * pace
            pay = self.call('payments', start + 0.05 * pace, wait,
                            http={'request': {'method': 'POST', 'url': 'http://payments/charge'},
                                  'response': {'status': status}},
                            **({'fault': True, 'cause': {'working_directory': '/srv', 'exceptions': [
                                {'id': self.id(), 'type': 'TimeoutError',
                                 'message': 'the bank did not answer in 800 ms'}]}} if failed else {}))
            bank = self.call('bank.example', start + 0.06 * pace, wait - 0.02 * pace,
                             **({'fault': True} if failed else {}))
            queue = self.call('SQS', start + 0.052 * pace + wait, 0.008 * pace, 'aws', aws={
                'operation': 'SendMessage', 'queue_url': 'https://sqs.example/1/receipts'})
            documents.append(self.served(trace, 'payments', 'AWS::ECS::Container', start + 0.055 * pace,
                                         wait - 0.01 * pace, pay['id'], [bank], 'POST',
                                         'http://payments/charge', status if failed else 200))
            calls += [pay, queue]
            end += wait + 0.02 * pace
        inner = self.call('shop', start + 0.004 * pace, end)
        documents.append(self.served(trace, 'shop', 'AWS::ECS::Container', start + 0.006 * pace,
                                     end - 0.004 * pace, inner['id'], calls, method,
                                     f'http://shop{path}', status))
        gateway = self.served(trace, 'gateway', 'AWS::ApiGateway::Stage', start, end + 0.01 * pace,
                              None, [inner], method, f'https://shop.example{path}', status)
        gateway['annotations'] = {'customer': f'c{self.random.randrange(40)}'}
        return trace, [gateway, *documents], failed


def send(collector):
    """The id of a trace that failed."""
    traffic, now, shown = Traffic(7), time.time() - 2, None
    documents = []
    for number in range(700):
        trace, made, failed = traffic.trace(number + 1, now - MINUTES * 60 * (1 - number / 700))
        documents += made
        if failed:
            shown = trace
    for first in range(0, len(documents), 50):
        refused = collector.put(*documents[first:first + 50])
        assert not refused, refused
    return shown


def take(page, directory, name):
    page.mouse.move(0, 0)
    page.wait_for_timeout(600)
    path = directory / f'{name}.png'
    page.screenshot(path=path)
    size = path.stat().st_size
    if size > BYTES:
        sys.exit(f'{path} has {size} bytes, and at most {BYTES} are wanted')
    print(f'{path}: {size} bytes')


def main():
    if len(sys.argv) != 2 or sys.argv[1].startswith('-'):
        sys.exit('usage: screenshots.py DIRECTORY')
    directory = pathlib.Path(sys.argv[1])
    directory.mkdir(parents=True, exist_ok=True)
    collector = Collector('--port', '0')
    try:
        failed = send(collector)
        with sync_playwright() as playwright:
            browser = harness.launch(playwright)
            page = browser.new_page(viewport=SIZE, color_scheme='light', reduced_motion='reduce')
            base = f'http://127.0.0.1:{collector.port}'
            page.goto(f'{base}/#/traces')
            expect(page.get_by_test_id('counts')).to_contain_text('700 traces')
            page.locator('[data-testid=row]').nth(5).wait_for()
            take(page, directory, 'list')
            page.goto(f'{base}/#/traces/{failed}')
            page.get_by_test_id('waterfall').wait_for()
            take(page, directory, 'waterfall')
            page.goto(f'{base}/#/map?since=1h')
            page.locator('main svg').first.wait_for()
            take(page, directory, 'map')
            browser.close()
    finally:
        collector.stop()


if __name__ == '__main__':
    main()
