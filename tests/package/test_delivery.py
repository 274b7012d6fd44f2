#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The packages do their work where nothing else is: from the webhook to the push.

Beside XRAYTRACE_PACKAGE it wants XRAYTRACE_BUILD with media-local, and XRAYTRACE_VENV with moto.
"""
import hashlib
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

import root
import web

sys.path.insert(0, str(root.SOURCE / 'tests' / 'integration'))
import support  # noqa: E402
from support import pipeline  # noqa: E402

PART = 5 << 20
MEMORY_LIMIT_KIB = 64 << 10

# yt-dlp runs QuickJS on the solver that comes with it, as for a challenge of YouTube's.
SOLVE = '''
import sys
sys.path.insert(0, '/opt/lib/yt-dlp/packages')
import yt_dlp
from yt_dlp.extractor.youtube import YoutubeIE
from yt_dlp.extractor.youtube.jsc._builtin.quickjs import QuickJSJCP
from yt_dlp.extractor.youtube.pot._director import YoutubeIEContentProviderLogger
ydl = yt_dlp.YoutubeDL({'js_runtimes': {'quickjs': {'path': '/opt/bin/qjs'}}, 'quiet': True})
ie = YoutubeIE(ydl)
provider = QuickJSJCP(ie, YoutubeIEContentProviderLogger(ie, 'test'), {})
assert provider.is_available()
source = provider._lib_script
assert source.source.value == 'python package', source
print(provider._run_js_runtime(source.code + """;
    const tree = lib.meriyah.parse("var  solved = n => n ** 2; 6;");
    console.log(eval(lib.astring.generate(tree) + "solved(7)"));
"""), end='')
'''


class Delivery(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        root.need_root()
        cls.root = root.Root()
        cls.addClassCleanup(cls.root.remove)
        media = tempfile.TemporaryDirectory()
        cls.addClassCleanup(media.cleanup)
        web.make_media(pathlib.Path(media.name))
        cls.site = web.Site(media.name)
        cls.addClassCleanup(cls.site.stop)
        cls.engine = support.start_engine(
            'package', '--bootstrap', str(cls.root.starter()), '--media-hosts', cls.site.host)
        cls.addClassCleanup(cls.engine.stop)
        reply = cls.engine.register_device(support.DEVICE_ID, support.DEVICE_TOKEN)
        assert reply.status == 200, reply.body

    def inside(self, *command):
        """What a program in the root directory prints."""
        done = subprocess.run(command, env=root.VARIABLES, preexec_fn=self.root.enter, timeout=120,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout + done.stderr

    def deliver(self, name):
        """Posts a webhook; the notification that comes of it, and the object in the bucket."""
        url = self.site.url(name)
        self.assertEqual(self.engine.post_webhook(url).status, 202)
        file_id = pipeline.file_id_of(url)

        def arrived():
            file = self.engine.file(file_id) or {}
            self.assertNotEqual(file.get('status'), 'Failed', file)
            return [push['payload']['file'] for push in self.engine.notifications()
                    if push.get('payload', {}).get('file', {}).get('fileId') == file_id]

        pushes = pipeline.wait_until(arrived, support.DOWNLOAD_TIMEOUT, 0.1)
        self.assertTrue(pushes, self.engine.file(file_id))
        return pushes[0], self.engine.s3_get(f'/{file_id}.mp4')

    def test_picture_and_sound_become_one_file(self):
        file, stored = self.deliver('both.mpd')
        self.assertIn('picture.mp4', self.site.asked)
        self.assertIn('sound.m4a', self.site.asked)
        path = self.root.path / 'tmp/stored.mp4'
        path.write_bytes(stored.body)
        self.addCleanup(path.unlink)
        found = json.loads(self.inside('/opt/bin/ffprobe', '-v', 'error', '-of', 'json',
                                       '-show_streams', '/tmp/stored.mp4'))
        self.assertEqual(sorted((stream['codec_type'], stream['codec_name'])
                                for stream in found['streams']), [('audio', 'aac'), ('video', 'h264')])
        self.assertEqual(int(file['size']), len(stored.body))

    def test_a_large_file_does_not_go_through_memory(self):
        _, stored = self.deliver('large.mp4')
        original = (self.site.folder / 'large.mp4').read_bytes()
        parts = [hashlib.md5(original[at:at + PART]).digest()
                 for at in range(0, len(original), PART)]
        wanted = f'"{hashlib.md5(b"".join(parts)).hexdigest()}-{len(parts)}"'
        self.assertEqual(stored.headers['ETag'], wanted)
        self.assertEqual(hashlib.md5(stored.body).digest(), hashlib.md5(original).digest())
        peaks = [self.peak(environment['pid']) for environment in self.engine.environments()
                 if environment['function'] == 'StartFileUpload']
        print(f'StartFileUpload, {web.LARGE} bytes: bootstrap had at most {max(peaks)} KiB',
              flush=True)
        self.assertLess(max(peaks), MEMORY_LIMIT_KIB)

    def peak(self, pid):
        """The most memory that bootstrap itself ever had, in KiB."""
        self.assertEqual(os.readlink(f'/proc/{pid}/exe'), f'{self.root.path}/var/task/bootstrap')
        status = pathlib.Path(f'/proc/{pid}/status').read_text()
        return int(status.split('VmHWM:')[1].split()[0])

    def test_yt_dlp_finds_its_parts_and_no_others(self):
        said = self.inside('/opt/bin/yt-dlp', '--verbose', '--ignore-config', '--no-js-runtimes',
                           '--js-runtimes', 'quickjs:/opt/bin/qjs', '--ffmpeg-location', '/opt/bin',
                           '--simulate', '--', self.site.url('large.mp4'))
        self.assertRegex(said, r'JS runtimes: quickjs-20\d\d')
        self.assertRegex(said, r'exe versions: ffmpeg \d\S*.*, ffprobe \d')
        self.assertRegex(said, r'Optional libraries: .*yt_dlp_ejs')

    def test_yt_dlp_runs_javascript(self):
        self.assertEqual(self.inside('/opt/lib/yt-dlp/bin/python3', '-IS', '-c', SOLVE), '49\n')


if __name__ == '__main__':
    if not shutil.which('ffmpeg'):
        sys.exit('test_delivery.py: there is no ffmpeg, which makes the videos')
    unittest.main(verbosity=2)
