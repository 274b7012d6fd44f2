# SPDX-License-Identifier: Apache-2.0
"""A web site with a video in two files, picture and sound, and with a large file."""
import http.server
import pathlib
import re
import subprocess
import threading

MANIFEST = '''<?xml version="1.0"?>
<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" mediaPresentationDuration="PT4S"
     minBufferTime="PT1S" profiles="urn:mpeg:dash:profile:isoff-on-demand:2011"><Period>
<AdaptationSet mimeType="video/mp4"><Representation id="picture" codecs="avc1.42c00d" width="320"
  height="240" bandwidth="200000"><BaseURL>picture.mp4</BaseURL></Representation></AdaptationSet>
<AdaptationSet mimeType="audio/mp4"><Representation id="sound" codecs="mp4a.40.2"
  bandwidth="64000"><BaseURL>sound.m4a</BaseURL></Representation></AdaptationSet>
</Period></MPD>
'''
TYPES = {'.mpd': 'application/dash+xml', '.mp4': 'video/mp4', '.m4a': 'audio/mp4'}
LARGE = 200_000_000


def make_media(folder):
    """Makes picture.mp4, sound.m4a, and large.mp4: a video with much behind it."""
    common = ['ffmpeg', '-nostdin', '-v', 'error', '-y', '-f', 'lavfi', '-i']
    subprocess.run([*common, 'testsrc=size=320x240:rate=10:duration=4', '-c:v', 'libx264', '-profile:v',
                    'baseline', '-pix_fmt', 'yuv420p', folder / 'picture.mp4'], check=True)
    subprocess.run([*common, 'sine=frequency=440:duration=4', '-c:a', 'aac', folder / 'sound.m4a'],
                   check=True)
    (folder / 'both.mpd').write_text(MANIFEST)
    block = bytes(range(256)) * 4096
    with open(folder / 'large.mp4', 'wb') as file:
        file.write((folder / 'picture.mp4').read_bytes())
        while (left := LARGE - file.tell()) > 0:
            file.write(block[:left])


class Site:
    """Serves a folder on a port of its own, with ranges, and notes what was asked for."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.asked = []
        site = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = 'HTTP/1.1'

            def log_message(self, *_):
                pass

            def do_HEAD(self):
                self.do_GET()

            def do_GET(self):
                path = site.folder / pathlib.Path(self.path.split('?')[0]).name
                if not path.is_file():
                    self.send_error(404)
                    return
                site.asked.append(path.name)
                size = path.stat().st_size
                wanted = re.fullmatch(r'bytes=(\d+)-(\d*)', self.headers.get('Range', ''))
                first = int(wanted[1]) if wanted else 0
                last = min(int(wanted[2]) if wanted and wanted[2] else size, size - 1)
                self.send_response(206 if wanted else 200)
                self.send_header('Content-Type', TYPES[path.suffix])
                self.send_header('Content-Length', str(last + 1 - first))
                self.send_header('Accept-Ranges', 'bytes')
                if wanted:
                    self.send_header('Content-Range', f'bytes {first}-{last}/{size}')
                self.end_headers()
                if self.command == 'GET':
                    self.send_file(path, first, last + 1 - first)

            def send_file(self, path, first, count):
                try:
                    with open(path, 'rb') as file:
                        self.connection.sendfile(file, first, count)
                except OSError:
                    self.close_connection = True  # whoever asked has seen enough

        self.server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Handler)
        self.server.daemon_threads = True
        self.host = f'127.0.0.1:{self.server.server_port}'
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def url(self, name):
        return f'http://{self.host}/{name}'

    def stop(self):
        self.server.shutdown()
        self.server.server_close()
