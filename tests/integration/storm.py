#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Two hundred webhooks at once for fifty videos, of users with several devices each."""
import collections
import hashlib
import pathlib
import threading
import time
import urllib.parse

import support
from support import expectations, pipeline

VIDEOS = 50
USERS = 4  # each wants each video
DEVICES = 2  # of each user
UPLOADS_AT_ONCE = 3
TIMEOUT = 900


def say(text):
    print(f'{time.strftime("%H:%M:%S")} {text}', flush=True)


class Storm(support.EngineTest):
    @classmethod
    def setUpClass(cls):
        cls.collector = pipeline.Collector(support.BUILD, support.directory(cls.__name__), 0)
        cls.addClassCleanup(cls.collector.stop)
        cls.engine = support.start_engine(
            cls.__name__, '--concurrency', '250', '--concurrency',
            f'StartFileUpload={UPLOADS_AT_ONCE}', xray=f'127.0.0.1:{cls.collector.port}')
        cls.addClassCleanup(cls.engine.stop)
        cls.tokens = [cls.add_user(number) for number in range(USERS)]
        cls.urls = [f"{cls.engine.at['video']}?storm-{number:02}" for number in range(VIDEOS)]
        cls.endpoints = [cls.add_device(token, number, device)
                         for number, token in enumerate(cls.tokens) for device in range(DEVICES)]

    @classmethod
    def add_user(cls, number):
        """A user with a token of their own, as Terraform's administrator adds one."""
        token = hashlib.sha256(f'token {number}'.encode()).hexdigest()
        cls.engine.dynamodb('PutItem', {'TableName': 'ApiTokens', 'Item': {
            'tokenHash': {'S': hashlib.sha256(token.encode()).hexdigest()},
            'userId': {'S': f'user-{number}'},
            'enabled': {'BOOL': True},
            'expiresAt': {'N': str(int(time.time() * 1000) + 3600000)}}})
        return token

    @classmethod
    def add_device(cls, token, user, device):
        name = f'device-{user}-{device}'
        reply = cls.engine.call('POST', '/registerDevice', {
            'deviceId': name, 'token': hashlib.sha256(name.encode()).hexdigest()}, token=token)
        if reply.status != 200:
            raise pipeline.Failure(f'{name}: {reply.status} {reply.body}')
        return reply.json()['body']['endpointArn']

    def post_all(self):
        """All webhooks in the same moment: {(url, user): reply}."""
        replies, start = {}, threading.Barrier(VIDEOS * USERS)

        def post(url, number):
            start.wait()
            replies[url, number] = self.engine.post_webhook(url, self.tokens[number])

        threads = [threading.Thread(target=post, args=(url, number))
                   for url in self.urls for number in range(USERS)]
        began = time.monotonic()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        say(f'{len(replies)} webhooks are answered after {time.monotonic() - began:.1f} s')
        return replies

    def counts(self):
        """How often each device was told of each file."""
        return collections.Counter(
            (notification['payload']['file']['fileId'], notification['targetArn'])
            for notification in self.engine.notifications())

    def wait_for_pushes(self, wanted):
        last = [-1]

        def all_arrived():
            counts = self.counts()
            files = len({file_id for file_id, _ in counts})
            if files != last[0]:
                last[0] = files
                say(f'{files} of {VIDEOS} videos are there')
            return len(counts) >= wanted

        pipeline.wait_until(all_arrived, TIMEOUT, 0.5)

    def uploads_begun(self):
        log = pathlib.Path(self.engine.at['logs'], 'moto.log').read_text(errors='replace')
        begun = collections.Counter()
        for url in self.urls:
            file_id = pipeline.file_id_of(url)
            begun[file_id] = log.count(f'POST /{self.engine.at["bucket"]}/{file_id}.mp4?uploads')
        return begun

    def test_two_hundred_webhooks_make_fifty_downloads_and_one_notification_each(self):
        replies = self.post_all()
        self.assertEqual(collections.Counter(reply.status for reply in replies.values()),
                         {202: VIDEOS * USERS})
        self.wait_for_pushes(VIDEOS * USERS * DEVICES)
        # What comes once too often comes soon: until nobody works any more.
        pipeline.wait_until(lambda: all(one['state'] == 'idle'
                                        for one in self.engine.environments()), TIMEOUT, 0.2)
        file_ids = [pipeline.file_id_of(url) for url in self.urls]
        self.assertEqual(self.counts(), {(file_id, endpoint): 1 for file_id in file_ids
                                         for endpoint in self.endpoints})
        self.assertEqual(self.uploads_begun(), {file_id: 1 for file_id in file_ids})
        self.check_traces(replies)

    def check_traces(self, replies):
        """Each of the two hundred traces is whole, and one of each video has the download."""
        roots = {key: reply.headers['X-Amzn-Trace-Id'].split('Root=')[1].split(';')[0]
                 for key, reply in replies.items()}
        problems = {}

        def whole():
            problems.clear()
            for url in self.urls:
                traces = [self.collector.trace(roots[url, number]) for number in range(USERS)]
                found = [problem for trace in traces
                         for problem in expectations.structure_problems(trace)]
                first = [trace for trace in traces if trace.find('yt-dlp download')]
                found += expectations.missing_in_webhook_trace(first[0]) if len(first) == 1 else \
                    [f'{len(first)} of its traces have a download']
                if found:
                    problems[urllib.parse.urlsplit(url).query] = found
            return not problems

        pipeline.wait_until(whole, 20, 1)
        self.assertEqual(problems, {})
        say(f'{len(roots)} traces are whole')


if __name__ == '__main__':
    support.main()
