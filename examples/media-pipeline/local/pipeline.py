# SPDX-License-Identifier: Apache-2.0
"""The local pipeline from outside: what the demo and the integration tests share.

Starts and stops xraytrace-local and media-local, speaks to the front door as
the phone and as Feedly do, and looks into the emulated AWS with signed calls.
Python's standard library only.
"""

import datetime
import hashlib
import hmac
import http.client
import json
import os
import signal
import subprocess
import time
import urllib.parse

PORT_TAKEN = 4  # xraytrace-local's exit status


class Failure(Exception):
    """Something did not work; the text is for people."""


# ---- HTTP ---------------------------------------------------------------------------------


class Reply:
    def __init__(self, status, headers, body):
        self.status = status
        self.headers = headers
        self.body = body

    def json(self):
        return json.loads(self.body)


def request(method, url, headers=None, body=None, timeout=60):
    parts = urllib.parse.urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=timeout)
    try:
        path = (parts.path or '/') + ('?' + parts.query if parts.query else '')
        connection.request(method, path, body=body, headers=headers or {})
        response = connection.getresponse()
        return Reply(response.status, response.headers, response.read())
    except (OSError, http.client.HTTPException) as error:
        raise Failure(f'{method} {url}: {error or type(error).__name__}') from error
    finally:
        connection.close()


def sign(method, url, headers, body, keys, service, region):
    """The headers of a request with Signature Version 4."""
    parts = urllib.parse.urlsplit(url)
    when = datetime.datetime.now(datetime.timezone.utc).strftime('%Y%m%dT%H%M%SZ')
    digest = hashlib.sha256(body).hexdigest()
    signed = {name.lower(): value for name, value in headers.items()}
    signed.update({'host': parts.netloc, 'x-amz-date': when, 'x-amz-content-sha256': digest})
    names = ';'.join(sorted(signed))
    pairs = urllib.parse.parse_qsl(parts.query, keep_blank_values=True)
    query = '&'.join(
        sorted(urllib.parse.quote(n, safe='-_.~') + '=' + urllib.parse.quote(v, safe='-_.~')
               for n, v in pairs))
    canonical = '\n'.join([
        method, parts.path or '/', query,
        *(f'{name}:{signed[name].strip()}' for name in sorted(signed)), '', names, digest
    ])
    scope = f'{when[:8]}/{region}/{service}/aws4_request'
    text = '\n'.join(['AWS4-HMAC-SHA256', when, scope,
                      hashlib.sha256(canonical.encode()).hexdigest()])
    key = ('AWS4' + keys['secretAccessKey']).encode()
    for step in (when[:8], region, service, 'aws4_request'):
        key = hmac.new(key, step.encode(), hashlib.sha256).digest()
    signature = hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
    signed['authorization'] = (f"AWS4-HMAC-SHA256 Credential={keys['accessKeyId']}/{scope}, "
                               f'SignedHeaders={names}, Signature={signature}')
    return signed


# ---- Processes ------------------------------------------------------------------------------


class Child:
    """A process in a session of its own, whose output goes to a file."""

    def __init__(self, command, log_path, environment=None):
        self.log_path = log_path
        self.name = os.path.basename(command[0])
        with open(log_path, 'ab') as log:
            try:
                self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log,
                                                stderr=log, start_new_session=True,
                                                env=environment)
            except OSError as error:
                raise Failure(f'cannot start {command[0]}: {error.strerror}') from error

    def output(self):
        with open(self.log_path, encoding='utf-8', errors='replace') as log:
            return log.read()

    def runs(self):
        return self.process.poll() is None

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self, timeout=30):
        if self.runs():
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(timeout)
            except subprocess.TimeoutExpired:
                self.kill()


def program(build, path):
    full = os.path.join(build, path)
    if not os.access(full, os.X_OK):
        raise Failure(f'there is no program {full}: build it (ninja -C {build})')
    return full


def wait_until(condition, timeout, step=0.05):
    """What the condition gives as soon as that is true, or its last value."""
    until = time.monotonic() + timeout
    while True:
        value = condition()
        if value or time.monotonic() > until:
            return value
        time.sleep(step)


# ---- xraytrace-local --------------------------------------------------------------------------


class Collector:
    """xraytrace-local on a port; 0 takes any."""

    def __init__(self, build, directory, port, options=()):
        self.program = program(build, 'tools/local/xraytrace-local')
        self.options = options
        self.notice = ''
        self.child = self._start(directory, port)
        if self.child.process.poll() == PORT_TAKEN and port:
            self.notice = self.child.output().strip()
            self.child = self._start(directory, 0)
        if not self.child.runs() or not self.port:
            raise Failure('xraytrace-local does not run: ' + self.child.output().strip())

    def _start(self, directory, port):
        log_path = os.path.join(directory, 'xraytrace-local.log')
        if os.path.exists(log_path):
            os.unlink(log_path)
        child = Child([self.program, '--port', str(port), *self.options], log_path)
        self.port = 0

        def announced():
            for line in child.output().splitlines():
                if 'listens on 127.0.0.1:' in line:
                    self.port = int(line.split('127.0.0.1:')[1].split()[0])
            return self.port or not child.runs()

        wait_until(announced, 10)
        return child

    def print(self, command, trace_id, *options):
        """What xraytrace-local show or map prints, or None when there is no such trace."""
        done = subprocess.run([self.program, command, trace_id, '--port', str(self.port),
                               *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              timeout=30, check=False)
        return done.stdout.decode() if done.returncode == 0 else None

    def trace(self, trace_id):
        text = self.print('show', trace_id, '--json')
        return Trace(json.loads(text)['Segments'] if text else [])

    def stop(self):
        self.child.stop()


class Trace:
    """The segments and subsegments of a trace, each with its parent's id."""

    def __init__(self, segments):
        self.nodes = {}
        for segment in segments:
            self._add(segment['Document'], segment['Document'].get('parent_id'))

    def _add(self, document, parent):
        self.nodes[document['id']] = document
        document['parent'] = parent
        for child in document.get('subsegments', []):
            self._add(child, document['id'])

    def find(self, name, origin=None, operation=None):
        return [
            node for node in self.nodes.values()
            if node['name'] == name and node.get('origin') == origin and
            (operation is None or node.get('aws', {}).get('operation') == operation)
        ]

    def is_below(self, node, above):
        """Whether above is among a node's ancestors."""
        seen = set()
        while node and node['id'] not in seen:
            seen.add(node['id'])
            node = self.nodes.get(node['parent'])
            if node is above:
                return True
        return False

    def orphans(self):
        """Those whose parent did not arrive."""
        return [node for node in self.nodes.values()
                if node['parent'] and node['parent'] not in self.nodes]

    def roots(self):
        return [node for node in self.nodes.values() if not node['parent']]

    def unfinished(self):
        return [node for node in self.nodes.values() if node.get('in_progress')]


# ---- media-local ------------------------------------------------------------------------------


class Engine:
    """media-local, and what can be asked of it."""

    def __init__(self, build, venv, directory, xray, options=(), environment=None, progress=None):
        os.makedirs(directory, exist_ok=True)
        ready_file = os.path.join(directory, 'ready.json')
        log_path = os.path.join(directory, 'media-local.log')
        for path in (ready_file, log_path):
            if os.path.exists(path):
                os.unlink(path)
        self.child = Child([
            program(build, 'examples/media-pipeline/local/media-local'),
            '--bootstrap', program(build, 'examples/media-pipeline/bootstrap'),
            '--moto', os.path.join(venv, 'bin', 'moto_server'),
            '--yt-dlp', os.path.join(venv, 'bin', 'yt-dlp'),
            '--work-dir', os.path.join(directory, 'work'),
            '--ready-file', ready_file, '--xray', xray, *options
        ], log_path, environment)

        def ready():
            if progress:
                progress(self.child.output())
            return os.path.exists(ready_file) or not self.child.runs()

        try:
            wait_until(ready, 420, 0.1)
            if not os.path.exists(ready_file):
                raise Failure('media-local did not start:\n' + self.child.output().strip())
            with open(ready_file, encoding='utf-8') as file:
                self.at = json.load(file)
        except BaseException:
            self.child.stop()
            raise

    def stop(self):
        self.child.stop()

    # What clients do.

    def call(self, method, path, body=None, token=None, api_key=None, headers=None):
        headers = dict(headers or {})
        url = self.at['frontDoor'] + path
        if token:
            headers['Authorization'] = 'Bearer ' + token
        if api_key:
            url += '?ApiKey=' + urllib.parse.quote(api_key)
        if body is not None and not isinstance(body, bytes):
            headers['Content-Type'] = 'application/json'
            body = json.dumps(body).encode()
        return request(method, url, headers, body)

    def post_webhook(self, url, api_key=None, headers=None):
        """As Feedly posts it, which can't set headers."""
        return self.call('POST', '/webhook', {
            'articleURL': url,
            'articleTitle': 'A test picture with a beep',
            'createdAt': time.strftime('%B %d, %Y at %I:%M%p'),
            'sourceTitle': 'Test pictures',
        }, api_key=api_key or self.at['apiToken'], headers=headers)

    def register_device(self, device_id, device_token):
        return self.call('POST', '/registerDevice', {
            'deviceId': device_id,
            'token': device_token,
            'name': 'A phone',
            'systemName': 'iOS',
            'systemVersion': '18.1',
        }, token=self.at['apiToken'])

    def notifications(self):
        reply = request('GET', self.at['control'] + '/phone/notifications')
        return reply.json()['notifications']

    def environments(self):
        return request('GET', self.at['control'] + '/lambda/environments').json()['environments']

    # What an administrator does.

    def dynamodb(self, operation, body):
        data = json.dumps(body).encode()
        headers = sign('POST', self.at['moto'] + '/', {
            'Content-Type': 'application/x-amz-json-1.0',
            'X-Amz-Target': 'DynamoDB_20120810.' + operation,
        }, data, self.at, 'dynamodb', self.at['region'])
        reply = request('POST', self.at['moto'] + '/', headers, data)
        if reply.status != 200:
            raise Failure(f'DynamoDB {operation}: {reply.status} {reply.body.decode()[:300]}')
        return reply.json()

    def query(self, service, parameters):
        """A call of the query protocol, which IAM and SNS speak."""
        data = urllib.parse.urlencode(parameters).encode()
        headers = sign('POST', self.at['moto'] + '/', {
            'Content-Type': 'application/x-www-form-urlencoded',
        }, data, self.at, service, self.at['region'])
        reply = request('POST', self.at['moto'] + '/', headers, data)
        if reply.status != 200:
            raise Failure(f"{service} {parameters['Action']}: {reply.status} "
                          f'{reply.body.decode()[:300]}')
        return reply

    def s3_get(self, path_and_query):
        url = f"{self.at['moto']}/{self.at['bucket']}{path_and_query}"
        return request('GET', url, sign('GET', url, {}, b'', self.at, 's3', self.at['region']))

    def file(self, file_id):
        """The Files item as plain values, or None."""
        item = self.dynamodb('GetItem', {
            'TableName': 'Files',
            'Key': {'fileId': {'S': file_id}},
            'ConsistentRead': True,
        }).get('Item')
        return item and {name: next(iter(value.values())) for name, value in item.items()}


def file_id_of(url):
    """The id of a file that is not YouTube's."""
    return 'u-' + hashlib.sha256(url.encode()).hexdigest()[:16]
