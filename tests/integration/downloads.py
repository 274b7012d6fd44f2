#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Videos that arrive once, and leave nothing behind when they don't arrive."""
import hashlib
import os
import pathlib
import signal
import stat
import threading
import time
import xml.etree.ElementTree

import support
from support import pipeline


class Essentials(support.EngineTest):
    """What is asked of the pipeline with tracing and without."""

    # Slow enough to step in, and quick enough to wait for.
    options = ('--media-rate', '6000')

    def setUp(self):
        self.register_device()

    def uploads_begun(self, url):
        """How often an upload of the file was begun, as moto's access log has it."""
        log = pathlib.Path(self.engine.at['logs'], 'moto.log').read_text()
        return log.count(f'POST /{self.engine.at["bucket"]}/{pipeline.file_id_of(url)}.mp4?uploads')

    def keys(self, path_and_query):
        """The keys which a listing of the bucket has."""
        reply = self.engine.s3_get(path_and_query)
        self.assert_answer(reply, 200)
        return [element.text for element in xml.etree.ElementTree.fromstring(reply.body).iter()
                if element.tag.rpartition('}')[2] == 'Key']

    def yt_dlp(self):
        """The process that downloads now."""
        def found():
            return next((pid for pid, command in
                         support.descendants(self.engine.at['pid']).items()
                         if 'yt-dlp' in command and 'bootstrap' not in command), None)

        pid = pipeline.wait_until(found, 60)
        self.assertTrue(pid, 'there is no yt-dlp')
        return pid

    def wait_for_half(self, pid):
        """Until a process has half of the video in a file, and not yet all of it."""
        whole = os.path.getsize(os.path.join(support.directory('.'), support.VIDEO))

        def size():
            sizes = [0]
            for name in os.listdir(f'/proc/{pid}/fd'):
                try:
                    status = os.stat(f'/proc/{pid}/fd/{name}')
                except OSError:
                    continue
                if stat.S_ISREG(status.st_mode):
                    sizes.append(status.st_size)
            return max(sizes)

        self.assertTrue(pipeline.wait_until(lambda: size() * 2 >= whole, 60, 0.02))
        self.assertLess(size(), whole)

    def test_two_webhooks_at_once_make_one_download(self):
        url = self.video_url('twice')
        replies = []
        threads = [threading.Thread(target=lambda: replies.append(self.engine.post_webhook(url)))
                   for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual([reply.status for reply in replies], [202, 202])
        self.wait_for_status(url, 'Downloaded')
        self.wait_for_push(url)
        self.assertEqual(self.uploads_begun(url), 1)

    def test_what_is_delivered_is_what_was_on_the_web(self):
        url = self.video_url('same')
        self.assert_answer(self.engine.post_webhook(url), 202)
        file = self.wait_for_push(url)[0]['payload']['file']
        stored = pipeline.request('GET', file['url'])
        original = pipeline.request('GET', url)
        self.assertEqual((stored.status, original.status), (200, 200))
        self.assertGreaterEqual(len(stored.body), 12 << 20)
        self.assertEqual(hashlib.sha256(stored.body).hexdigest(),
                         hashlib.sha256(original.body).hexdigest())
        self.assertEqual(file['size'], len(stored.body))

    def test_a_killed_yt_dlp_leaves_a_reason_and_nothing_else(self):
        url = self.video_url('killed')
        self.assert_answer(self.engine.post_webhook(url), 202)
        self.wait_for_status(url, 'Downloading')
        pid = self.yt_dlp()
        self.wait_for_half(pid)
        os.kill(pid, signal.SIGKILL)
        item = self.wait_for_status(url, 'Failed')
        self.assertIn('kill', item['lastError'].lower())
        self.assertEqual(item['errorCategory'], 'killed')
        key = pipeline.file_id_of(url) + '.mp4'
        self.assertNotIn(key, self.keys('/?list-type=2'))
        self.assertNotIn(key, self.keys('/?uploads='))
        self.assertEqual(self.pushes(url), [])


class EssentialsUntraced(Essentials):
    """Tracing changes nothing."""

    options = (*Essentials.options, '--enable-xray-tracing', 'false')


class Downloads(Essentials):
    def test_a_webhook_during_the_download_begins_no_other(self):
        url = self.video_url('again')
        self.assert_answer(self.engine.post_webhook(url), 202)
        self.wait_for_status(url, 'Downloading')
        self.assert_answer(self.engine.post_webhook(url), 202)
        self.wait_for_status(url, 'Downloaded')
        self.assertEqual(self.uploads_begun(url), 1)

    def test_a_webhook_for_a_file_that_is_there_only_dispatches(self):
        url = self.video_url('there')
        self.assert_answer(self.engine.post_webhook(url), 202, 'Initiated')
        self.wait_for_push(url)
        self.assert_answer(self.engine.post_webhook(url), 200, 'Dispatched')
        self.wait_for_push(url, 2)
        self.assertEqual(self.uploads_begun(url), 1)

    def test_a_failed_file_is_downloaded_when_it_is_asked_for_again(self):
        url = self.video_url('second-try')
        self.assert_answer(self.engine.post_webhook(url), 202)
        self.wait_for_status(url, 'Downloading')
        os.kill(self.yt_dlp(), signal.SIGKILL)
        self.wait_for_status(url, 'Failed')
        self.assert_answer(self.engine.post_webhook(url), 202)
        self.wait_for_status(url, 'Downloaded')

    def test_a_video_that_is_not_there_fails_with_the_reason(self):
        url = self.engine.at['media'] + '/no-such-video.mp4'
        self.assert_answer(self.engine.post_webhook(url), 202)
        self.assertIn('404', self.wait_for_status(url, 'Failed')['lastError'])


del Essentials  # the two above have its tests


class Schedule(support.EngineTest):
    options = ('--schedule-seconds', '1')

    def test_what_was_left_is_found_by_the_schedule(self):
        url = self.video_url()
        now = str(int(time.time() * 1000))
        self.engine.dynamodb('PutItem', {
            'TableName': 'Files',
            'Item': {
                'fileId': {'S': pipeline.file_id_of(url)},
                'status': {'S': 'PendingMetadata'},
                'sourceUrl': {'S': url},
                'correlationId': {'S': 'left'},
                'availableAt': {'N': now},
                'updatedAt': {'N': now},
                'retryCount': {'N': '0'},
            },
        })
        self.wait_for_status(url, 'Downloaded')


if __name__ == '__main__':
    support.main()
