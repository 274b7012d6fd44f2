#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The HTTP server itself: compressed bodies, tags, the page's files, streams."""
import gzip
import http.client
import json
import socket
import sys
import tempfile
import threading
import time
import unittest
from pathlib import Path

import collector
from collector import LONG, Case, Collector, segment

PAGE = Path(__file__).resolve().parents[2] / 'tools' / 'local' / 'page'
FILES = sorted(path for path in PAGE.iterdir()
               if path.suffix in ('.html', '.js', '.css', '.svg', '.png'))
VISIT = {'Accept': 'text/html,application/xhtml+xml,*/*;q=0.8'}
NOW = int(time.time())


def trace_id(number=1):
    """The same one all along, while the clock goes on."""
    return collector.trace_id(number, NOW)


class Events:
    """A listener to /api/events."""

    def __init__(self, collector):
        self.connection = http.client.HTTPConnection(collector.address, collector.port,
                                                     timeout=LONG)
        self.connection.request('GET', '/api/events')
        self.response = self.connection.getresponse()

    def next(self):
        """(name, data) of the next event; comments are passed over."""
        name = None
        while line := self.response.readline():
            if line.startswith(b'event: '):
                name = line[7:].decode().strip()
            elif line.startswith(b'data: '):
                return name, json.loads(line[6:])
        return None

    def close(self):
        self.response.close()
        self.connection.close()


class CompressedBodies(Case):
    def post(self, body, encoding='gzip'):
        status, headers, reply = self.collector.request(
            'POST', '/Traces', body, {'Content-Encoding': encoding})
        return status, headers, json.loads(reply)

    def test_a_gzip_is_read(self):
        trace = trace_id()
        self.collector.put(segment(trace, 1))
        for encoding in ('gzip', 'GZIP'):
            status, _, reply = self.post(gzip.compress(json.dumps({'TraceIds': [trace]}).encode()),
                                         encoding)
            self.assertEqual((status, len(reply['Traces'])), (200, 1))

    def test_what_is_no_whole_gzip_is_told_so(self):
        whole = gzip.compress(b'{"TraceIds":[]}')
        for body in (b'{"TraceIds":[]}', whole[:-1], whole[:12], whole + b'x', b'\x1f\x8b'):
            status, headers, reply = self.post(body)
            self.assertEqual((status, headers['x-amzn-ErrorType']),
                             (400, 'SerializationException'), body)
            self.assertIn('gzip', reply['Message'])

    def test_five_mebibytes_are_the_limit_after_decompression(self):
        most = 5 * 1024 * 1024
        body = b'{"TraceIds":[]}'
        self.assertEqual(self.post(gzip.compress(body.ljust(most)))[0], 200)
        self.assertEqual(self.post(gzip.compress(body.ljust(most + 1)))[0], 413)
        self.assertEqual(self.post(gzip.compress(b' ' * (1 << 28)))[0], 413)

    def test_an_empty_body_may_be_called_gzip(self):
        self.assertEqual(self.collector.request('POST', '/GetSamplingRules', b'',
                                                {'Content-Encoding': 'gzip'})[0], 200)


class Files(Case):
    def test_a_browser_gets_the_page_and_others_the_counts(self):
        _, headers, body = self.collector.request('GET', '/', headers=VISIT)
        self.assertEqual(headers['Content-Type'], 'text/html; charset=utf-8')
        self.assertEqual(body, (PAGE / 'index.html').read_bytes())
        _, headers, _ = self.collector.request('GET', '/', headers={'Accept': '*/*'})
        self.assertEqual(headers['Content-Type'], 'text/plain; charset=utf-8')

    def test_every_file_of_the_page_is_in_the_program(self):
        for path in FILES:
            for encoding in ('identity', 'gzip'):
                status, headers, body = self.collector.request(
                    'GET', '/page/' + path.name, headers={'Accept-Encoding': encoding})
                self.assertEqual(status, 200, f'{path.name} is not in page/meson.build')
                self.assertEqual(headers['Content-Encoding'] or 'identity', encoding)
                body = gzip.decompress(body) if encoding == 'gzip' else body
                self.assertEqual(body, path.read_bytes(), path.name)

    def test_gzip_is_for_who_takes_it(self):
        for accepted, encoding in (('gzip', 'gzip'), ('br, gzip;q=0.5', 'gzip'), ('*', 'gzip'),
                                   ('GZip', 'gzip'), ('', None), ('br', None), ('gzip;q=0', None),
                                   ('gzip; q=0.000', None), ('xgzip', None)):
            _, headers, _ = self.collector.request('GET', '/page/app.js',
                                                   headers={'Accept-Encoding': accepted})
            self.assertEqual(headers['Content-Encoding'], encoding, accepted)

    def test_a_file_that_is_known_is_not_sent_again(self):
        _, headers, _ = self.collector.request('GET', '/page/app.js')
        tag = headers['ETag']
        self.assertEqual(headers['Cache-Control'], 'no-cache')
        for known in (tag, 'W/' + tag, '"x", ' + tag, '*'):
            status, headers, body = self.collector.request('GET', '/page/app.js',
                                                           headers={'If-None-Match': known})
            self.assertEqual((status, body, headers['ETag']), (304, b'', tag), known)
        for other in ('"x"', tag[:-2] + '"', tag[1:-1]):
            status, _, _ = self.collector.request('GET', '/page/app.js',
                                                  headers={'If-None-Match': other})
            self.assertEqual(status, 200, other)

    def test_the_page_may_run_its_own_files_only(self):
        for path, visit in (('/', VISIT), ('/page/app.js', {})):
            _, headers, _ = self.collector.request('GET', path, headers=visit)
            policy = dict(rule.strip().split(' ', 1)
                          for rule in headers['Content-Security-Policy'].split(';'))
            self.assertEqual(policy, {
                'default-src': "'none'", 'script-src': "'self'", 'style-src': "'self'",
                'img-src': "'self' data:", 'connect-src': "'self'", 'base-uri': "'none'",
                'form-action': "'none'", 'frame-ancestors': "'none'"})
            self.assertEqual(headers['X-Content-Type-Options'], 'nosniff')
            self.assertEqual(headers['Referrer-Policy'], 'no-referrer')

    def test_other_names_are_not_there(self):
        for name in ('', 'nothing.js', '../meson.build', '..%2fmeson.build', 'assets.c', 'x' * 9000,
                     'app.js/'):
            self.assertEqual(self.collector.request('GET', '/page/' + name)[0], 404, name)

    def test_the_page_is_only_read(self):
        status, headers, _ = self.collector.request('POST', '/page/app.js', b'x')
        self.assertEqual((status, headers['Allow']), (405, 'GET, HEAD'))
        status, headers, body = self.collector.request('HEAD', '/page/app.js')
        self.assertEqual((status, body), (200, b''))
        self.assertGreater(int(headers['Content-Length']), 100)


class Directory(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.place = Path(temporary.name) / 'page'
        self.place.mkdir()
        self.collector = Collector('--port', '0', '--page-dir', str(self.place))
        self.addCleanup(self.collector.stop)

    def test_files_are_read_anew_each_time(self):
        for text in (b'one', b'another', b''):
            (self.place / 'app.js').write_bytes(text)
            status, headers, body = self.collector.request('GET', '/page/app.js')
            self.assertEqual((status, body), (200, text))
            self.assertEqual(headers['Content-Type'], 'text/javascript; charset=utf-8')

    def test_nothing_beside_the_directory_is_read(self):
        (self.place.parent / 'secret.js').write_text('x')
        (self.place / '.hidden').write_text('x')
        for name in ('../secret.js', '..%2Fsecret.js', '.hidden', '.', '..', '%2Fetc%2Fpasswd', ''):
            self.assertEqual(self.collector.request('GET', '/page/' + name)[0], 404, name)

    def test_a_file_that_is_not_there_is_named_with_the_reason(self):
        status, _, body = self.collector.request('GET', '/page/app.js')
        self.assertEqual(status, 404)
        self.assertIn('app.js', json.loads(body)['Message'])


class Streams(Case):
    def listen(self):
        events = Events(self.collector)
        self.addCleanup(events.close)
        return events

    def test_who_listens_hears_how_many_traces_there_are(self):
        self.collector.put(segment(trace_id(), 1))
        events = self.listen()
        self.assertEqual(events.response.headers['Content-Type'], 'text/event-stream')
        name, data = events.next()
        self.assertEqual((name, data['traces'], data['documents'], data['changed']),
                         ('traces', 1, 1, []))

    def test_traces_are_told_as_they_come_by_udp(self):
        events = self.listen()
        events.next()
        wanted = {trace_id(number) for number in range(20)}
        for trace in wanted:
            self.collector.send(segment(trace, 1))
        told, changes = set(), 0
        while told != wanted:
            _, data = events.next()
            self.assertGreater(data['changes'], changes)
            changes = data['changes']
            told |= set(data['changed'])
        self.assertEqual(data['traces'], 20)

    def test_all_listeners_are_told(self):
        listeners = [self.listen() for _ in range(5)]
        for events in listeners:
            events.next()
        self.collector.put(segment(trace_id(), 1))
        for events in listeners:
            self.assertEqual(events.next()[1]['changed'], [trace_id()])

    def test_forgetting_all_traces_is_told(self):
        self.collector.put(segment(trace_id(), 1))
        events = self.listen()
        events.next()
        self.collector.ask('/api/clear', {})
        self.assertEqual(events.next()[1]['traces'], 0)

    def test_a_silent_stream_keeps_no_one_waiting_and_ends_with_the_program(self):
        events = self.listen()
        events.next()
        self.assertEqual(self.collector.ask('/TelemetryRecords', {}), {})
        thread = threading.Thread(target=self.collector.stop)
        thread.start()
        self.assertIsNone(events.next())
        thread.join()

    def test_streams_that_are_left_make_room_for_others(self):
        many = [self.listen() for _ in range(64)]
        self.assertEqual({events.response.status for events in many}, {200})
        self.assertEqual(self.listen().response.status, 503)
        for events in many:
            events.close()
        # Who has gone is noticed within a second or so.
        while self.listen().response.status != 200:
            pass

    def test_a_listener_that_reads_nothing_does_not_stop_the_others(self):
        with socket.create_connection(('127.0.0.1', self.collector.port)) as deaf:
            deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            deaf.sendall(b'GET /api/events HTTP/1.1\r\nHost: localhost\r\n\r\n')
            events = self.listen()
            events.next()
            for number in range(300):
                self.collector.put(segment(trace_id(number), 1))
            while events.next()[1]['traces'] < 300:
                pass


class Visits(Case):
    """Links of other sites may lead here; their scripts and frames may not."""

    def status(self, **headers):
        names = {'site': 'Sec-Fetch-Site', 'mode': 'Sec-Fetch-Mode', 'dest': 'Sec-Fetch-Dest'}
        return self.collector.request('GET', '/', headers={
            **VISIT, **{names[name]: value for name, value in headers.items()}})[0]

    def test_a_link_of_another_site_leads_here(self):
        self.assertEqual(self.status(site='cross-site', mode='navigate', dest='document'), 200)

    def test_a_frame_or_a_script_of_another_site_does_not(self):
        self.assertEqual(self.status(site='cross-site', mode='navigate', dest='iframe'), 403)
        self.assertEqual(self.status(site='cross-site', mode='no-cors', dest='script'), 403)
        self.assertEqual(self.status(site='cross-site', mode='cors', dest='empty'), 403)


if __name__ == '__main__':
    sys.exit(unittest.main())
