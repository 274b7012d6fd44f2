#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A failure opens an issue, once, where it is told to; and what is not configured says so."""
import http.server
import json
import pathlib
import threading
import urllib.parse

import support
from contract_support import ContractTest, refused

TOKEN = 'a-token-of-the-tests'
REPOSITORY = 'owner/name'
BROKEN = {'outcome': 'problem', 'status': 'Failed', 'errorCategory': 'not_installed'}


class GitHub(http.server.ThreadingHTTPServer):
    """Two of its calls: the open issues with a label, and a new one."""

    daemon_threads = True

    def __init__(self):
        super().__init__(('127.0.0.1', 0), Handler)
        self.thread = threading.Thread(target=self.serve_forever)
        self.thread.start()
        self.url = f'http://127.0.0.1:{self.server_address[1]}'
        self.reset()

    def reset(self):
        self.requests = []
        self.issues = []
        self.status = None  # instead of what it would answer
        self.silent = None  # an event until which it says nothing

    def stop(self):
        self.shutdown()
        self.server_close()
        self.thread.join()


class Handler(http.server.BaseHTTPRequestHandler):
    def reply(self, status, body):
        data = json.dumps(body).encode()
        self.send_response_only(self.server.status or status)
        self.send_header('Content-Length', str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def answer(self):
        server = self.server
        parts = urllib.parse.urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get('Content-Length', 0)))
        server.requests.append((self.command, self.path, dict(self.headers), body.decode()))
        if server.silent:
            server.silent.wait(60)
            return
        if (server.status or self.headers['Authorization'] != 'Bearer ' + TOKEN or
                parts.path != f'/repos/{REPOSITORY}/issues'):
            self.reply(401, {'message': 'Bad credentials'})
        elif self.command == 'POST':
            issue = json.loads(body)
            server.issues.append(issue)
            self.reply(201, {**issue, 'labels': [{'name': name} for name in issue['labels']]})
        else:
            wanted = urllib.parse.parse_qs(parts.query)['labels'][0]
            self.reply(200, [issue for issue in server.issues if wanted in issue['labels']])

    do_GET = do_POST = answer

    def log_message(self, *_):
        pass


class IssueTest(ContractTest):
    """An engine whose yt-dlp is not there, and a GitHub."""

    repository = REPOSITORY

    @classmethod
    def setUpClass(cls):
        cls.github = GitHub()
        cls.addClassCleanup(cls.github.stop)
        cls.options = [part for value in (
            'YTDLP_PATH=/nowhere/yt-dlp', 'PLATFORM_APPLICATION_ARN=',
            f'GITHUB_REPOSITORY={cls.repository}', f'GITHUB_TOKEN={TOKEN}',
            f'GITHUB_API_URL={cls.github.url}') for part in ('--env', value)]
        super().setUpClass()

    def setUp(self):
        self.github.reset()
        self.end_environments('StartFileUpload')  # they remember

    def break_down(self, number, root=None):
        """A file whose download fails; what is said of it is always the same."""
        file_id = f'u-{number:016x}'
        self.put_file(file_id)
        headers = {'X-Amzn-Trace-Id': f'Root={root};Sampled=1'} if root else {}
        reply = self.invoke('StartFileUpload', json.dumps({'fileId': file_id}).encode(),
                            headers=headers)
        self.assertEqual(reply.json(), {**BROKEN, 'fileId': file_id})
        self.assertEqual(self.engine.file(file_id)['status'], 'Failed')
        return file_id

    def logged(self, text):
        """How often the functions have said it."""
        logs = pathlib.Path(self.engine.at['logs']).glob('StartFileUpload-*.log')
        return sum(log.read_text().count(text) for log in logs)


class Issues(IssueTest):
    def test_a_failure_opens_an_issue(self):
        before = self.logged('"IssueOpened":1')
        file_id = self.break_down(1)
        self.assertEqual(len(self.github.issues), 1)
        issue = self.github.issues[0]
        self.assertEqual(issue['title'], 'Downloads fail: not_installed')
        self.assertRegex(issue['labels'][0], '^download-failure-[0-9a-f]{16}$')
        self.assertIn(f'- file: `{file_id}`', issue['body'])
        self.assertIn('- correlation: `c-1`', issue['body'])
        self.assertNotIn(self.engine.at['media'].partition('://')[2], issue['body'])
        self.assertLess(len(issue['body']), 3000)
        self.assertEqual(self.logged('"IssueOpened":1'), before + 1)

    def test_the_same_failure_of_another_file_opens_none(self):
        self.break_down(2)
        self.break_down(3)
        self.assertEqual(len(self.github.requests), 2)  # a look, and an issue

    def test_another_environment_finds_the_issue(self):
        self.break_down(4)
        self.end_environments('StartFileUpload')
        self.break_down(5)
        self.assertEqual([method for method, *_ in self.github.requests], ['GET', 'POST', 'GET'])
        self.assertEqual(len(self.github.issues), 1)

    def test_a_token_that_is_refused_changes_nothing_else(self):
        before = self.logged('"IssueNotOpened":1')
        self.github.status = 401
        root = '1-5759e988-bd862e3fe1be46a994272811'
        self.break_down(6, root)
        self.assertEqual(len(self.github.requests), 1)
        self.assertEqual(self.logged('"IssueNotOpened":1'), before + 1)
        self.assertTrue(self.logged('no issue: looking for the issue: GitHub answered 401'))
        if not self.traced:
            return
        call = self.subsegments(root, '127.0.0.1')[0]
        self.assertEqual((call['namespace'], call['http']['response']['status'], call['error']),
                         ('remote', 401, True))
        # The failure is yt-dlp's, and no other.
        function = [node for node in self.subsegments(root, 'StartFileUpload')
                    if node.get('annotations')][0]
        self.assertEqual([cause['type'] for cause in function['cause']['exceptions']],
                         ['not_installed'])

    def test_silence_is_not_waited_for_long(self):
        self.github.silent = threading.Event()
        self.addCleanup(self.github.silent.set)
        self.break_down(7)
        self.assertTrue(self.logged('Timeout was reached'))

    def test_nothing_of_it_is_in_a_log_or_trace(self):
        root = '1-5759e988-bd862e3fe1be46a994272812'
        self.break_down(8, root)
        self.assertEqual(self.logged(TOKEN), 0)
        for _method, path, headers, body in self.github.requests:
            self.assertNotIn(TOKEN, path + body)
            self.assertNotIn('X-Amzn-Trace-Id', headers)
        if self.traced:
            self.assertTrue(self.subsegments(root, '127.0.0.1'))
            self.assertNotIn(TOKEN, json.dumps(self.collector.trace(root).nodes))

    def test_a_video_that_is_not_for_us_opens_none(self):
        file_id = 'u-00000000000000ff'
        self.put_file(file_id, sourceUrl='http://127.0.0.2:9/video.mp4')
        reply = self.invoke('StartFileUpload', json.dumps({'fileId': file_id}).encode())
        self.assertEqual(reply.json()['errorCategory'], 'unsupported')
        self.assertEqual(self.github.requests, [])

    def test_a_device_without_an_application_is_503(self):
        self.assert_exactly(self.post('/registerDevice', {'token': 'ab', 'deviceId': 'd'}), 503,
                            refused('requires configuration', '5XX'))


class IssuesUntraced(Issues):
    """Tracing changes nothing."""

    traced = False


class Off(IssueTest):
    """As it is without a repository: a token alone is no permission."""

    repository = ''

    def test_no_connection_is_made(self):
        self.break_down(1)
        self.assertEqual(self.github.requests, [])
        self.assertEqual(self.logged('no issue'), 0)



if __name__ == '__main__':
    support.main()
