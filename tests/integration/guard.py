#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Where yt-dlp may not be led: a server that is allowed sends it to one that is not."""
import http.server
import pathlib
import subprocess
import tempfile
import threading

import support
from support import pipeline


class Server(http.server.ThreadingHTTPServer):
    """Answers what it is told to, and keeps what it was asked."""

    daemon_threads = True

    def __init__(self, address='127.0.0.1'):
        super().__init__((address, 0), Handler)
        self.asked = []
        self.redirects = {}  # path: where to
        self.texts = {}      # path: (type, text or bytes)
        self.video = b''
        self.thread = threading.Thread(target=self.serve_forever)
        self.thread.start()

    @property
    def place(self):
        return f'127.0.0.1:{self.server_port}'

    def handle_error(self, request, client_address):
        """yt-dlp looks at the beginning of a video, and hangs up."""

    def stop(self):
        self.shutdown()
        self.thread.join()
        self.server_close()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'

    def do_GET(self):
        server = self.server
        server.asked.append((self.path, dict(self.headers)))
        if self.path in server.redirects:
            self.reply(302, 'text/plain', b'', {'Location': server.redirects[self.path]})
        elif self.path in server.texts:
            kind, text = server.texts[self.path]
            self.reply(200, kind, text if isinstance(text, bytes) else text.encode())
        else:
            self.reply(200, 'video/mp4', server.video)

    do_HEAD = do_GET

    def reply(self, status, kind, body, headers=None):
        self.send_response(status)
        for name, value in {**(headers or {}), 'Content-Type': kind,
                            'Content-Length': str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command == 'GET':
            self.wfile.write(body)

    def log_message(self, *_):
        pass


class Guard(support.EngineTest):
    @classmethod
    def setUpClass(cls):
        cls.allowed, cls.forbidden = Server(), Server()
        for server in (cls.allowed, cls.forbidden):
            cls.addClassCleanup(server.stop)
        cls.options = ('--media-hosts', cls.allowed.place)
        super().setUpClass()
        cls.allowed.video = pipeline.request('GET', cls.engine.at['video']).body

    def setUp(self):
        self.forbidden.asked.clear()
        self.allowed.asked.clear()

    def post(self, path):
        url = f'http://{self.allowed.place}{path}'
        self.assert_answer(self.engine.post_webhook(url), 202)
        return self.wait_for_status(url, 'Downloaded', 'Failed', 'Scheduled')

    def assert_refused(self, item, host, reason):
        self.assertEqual((item['status'], item['errorCategory']), ('Failed', 'not_allowed'), item)
        self.assertIn(f'host {host} resolves to', item['lastError'])
        self.assertIn(reason, item['lastError'])
        self.assertIn('MEDIA_HOSTS', item['lastError'])
        self.assertEqual(self.forbidden.asked, [])

    def test_a_redirect_to_an_allowed_host_is_followed(self):
        self.allowed.redirects['/first'] = f'http://{self.allowed.place}/second.mp4'
        item = self.post('/first')
        self.assertEqual(item['status'], 'Downloaded', item)
        for _, headers in self.allowed.asked:
            self.assertFalse([name for name in headers if name.lower().startswith('proxy-')])

    def test_two_streams_in_segments_become_one_file(self):
        with tempfile.TemporaryDirectory() as made:
            subprocess.run(['ffmpeg', '-loglevel', 'error',
                            '-f', 'lavfi', '-t', '4', '-i', 'testsrc',
                            '-f', 'lavfi', '-t', '4', '-i', 'sine',
                            '-c:v', 'libx264', '-c:a', 'aac', '-f', 'dash', f'{made}/list.mpd'],
                           check=True, timeout=60)
            for path in pathlib.Path(made).iterdir():
                kind = 'application/dash+xml' if path.suffix == '.mpd' else 'video/mp4'
                self.allowed.texts[f'/{path.name}'] = (kind, path.read_bytes())
        item = self.post('/list.mpd')
        self.assertEqual(item['status'], 'Downloaded', item)
        streams = subprocess.run(['ffprobe', '-loglevel', 'error', '-show_entries',
                                  'stream=codec_type', '-of', 'csv=p=0', item['url']], check=True,
                                 stdout=subprocess.PIPE, timeout=60).stdout
        self.assertEqual(sorted(streams.split()), [b'audio', b'video'])

    def test_a_redirect_to_a_private_host_is_refused(self):
        self.allowed.redirects['/private'] = f'http://{self.forbidden.place}/video.mp4'
        self.assert_refused(self.post('/private'), '127.0.0.1', 'a loopback address')

    def test_a_redirect_to_a_name_of_this_machine_is_refused(self):
        self.allowed.redirects['/name'] = f'http://localhost:{self.forbidden.server_port}/v.mp4'
        self.assert_refused(self.post('/name'), 'localhost', 'a loopback address')

    def test_a_redirect_to_a_tunnel_into_the_machine_is_refused(self):
        self.allowed.redirects['/tls'] = f'https://[::ffff:127.0.0.1]:{self.forbidden.server_port}/'
        self.assert_refused(self.post('/tls'), '[::ffff:127.0.0.1]', 'a loopback address')

    def test_a_host_behind_the_name_of_a_user_is_refused(self):
        place = f'{self.allowed.place}@{self.forbidden.place}'
        self.allowed.redirects['/user'] = f'http://{place}/video.mp4'
        self.assert_refused(self.post('/user'), '127.0.0.1', 'a loopback address')

    def test_a_playlist_into_the_private_network_is_refused(self):
        self.allowed.texts['/list.m3u8'] = ('application/vnd.apple.mpegurl', '\n'.join([
            '#EXTM3U', '#EXT-X-TARGETDURATION:10', '#EXTINF:10,',
            f'http://{self.forbidden.place}/1.ts', '#EXT-X-ENDLIST', '']))
        self.assert_refused(self.post('/list.m3u8'), '127.0.0.1', 'a loopback address')

    def test_a_playlist_that_ffmpeg_fetches_is_refused_too(self):
        self.allowed.texts['/ffmpeg.m3u8'] = ('application/vnd.apple.mpegurl', '\n'.join([
            '#EXTM3U', '#EXT-X-TARGETDURATION:10', '#EXT-X-KEY:METHOD=SAMPLE-AES,'
            f'URI="http://{self.forbidden.place}/key"', '#EXTINF:10,',
            f'http://{self.forbidden.place}/1.ts', '#EXT-X-ENDLIST', '']))
        self.assert_refused(self.post('/ffmpeg.m3u8'), '127.0.0.1', 'a loopback address')


if __name__ == '__main__':
    support.main()
