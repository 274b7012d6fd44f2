#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Any function is killed before or after any of its calls of AWS, and all of it heals.

Which calls there are is read from the trace of a normal run. By default a
sample of the kills is tried; with XRAYTRACE_CHAOS=full each of them.
"""
import collections
import concurrent.futures
import hashlib
import json
import os
import time
import xml.etree.ElementTree

import support
from support import expectations, pipeline

HEAL_TIMEOUT = 900
AT_ONCE = 2  # downloads that are begun to be killed, and as many again that heal
FULL = os.environ.get('XRAYTRACE_CHAOS') == 'full'

Call = collections.namedtuple('Call', 'function name number')
Kill = collections.namedtuple('Kill', 'scenario call moment')


def say(text):
    print(f'{time.strftime("%H:%M:%S")} {text}', flush=True)


def calls_of(trace):
    """The calls of AWS of each function, in order, the Nth of a kind counted."""
    found, counted = [], collections.Counter()
    for node in sorted(trace.nodes.values(), key=lambda node: node['start_time']):
        operation = node.get('aws', {}).get('operation')
        if node.get('namespace') != 'aws' or not operation:
            continue
        above = trace.nodes.get(node['parent'])
        while above and above.get('origin') != 'AWS::Lambda::Function':
            above = trace.nodes.get(above['parent'])
        if above:
            kind = (above['name'], f"{node['name']}.{operation}")
            counted[kind] += 1
            found.append(Call(*kind, counted[kind]))
    return found


class Chaos(support.EngineTest):
    @classmethod
    def setUpClass(cls):
        cls.collector = pipeline.Collector(support.BUILD, support.directory(cls.__name__), 0)
        cls.addClassCleanup(cls.collector.stop)
        cls.addClassCleanup(lambda: cls.engine.stop())
        cls.start()

    @classmethod
    def start(cls, *options):
        cls.engine = support.start_engine(cls.__name__, *options,
                                          xray=f'127.0.0.1:{cls.collector.port}')
        cls.engine.register_device(support.DEVICE_ID, support.DEVICE_TOKEN)

    def start_to_kill(self):
        """Another one, in which all is quick: with leases as long as a download needs here."""
        began = time.monotonic()
        url = self.video_url('measured')
        self.assert_answer(self.engine.post_webhook(url), 202)
        self.wait_for_status(url, 'Downloaded')
        timeout = min(max(40, round(8 * (time.monotonic() - began))), 300)
        say(f'StartFileUpload may take {timeout} s')
        self.engine.stop()
        self.start('--schedule-seconds', '3', '--retry-ms', '200,400',
                   '--timeout', f'StartFileUpload={timeout}',
                   '--concurrency', f'StartFileUpload={2 * AT_ONCE}',
                   '--env', 'MAX_DOWNLOADS=1000')  # who was killed counts until the lease ends

    # What a client does, and what must have come of it. Each gives its reply.

    def download(self, name):
        return self.engine.post_webhook(self.video_url(name))

    def dispatch(self, name):
        """For a file that is there."""
        file_id = pipeline.file_id_of(self.video_url(name))
        plain = {'fileId': file_id, 'status': 'Downloaded', 'key': file_id + '.mp4', 'url': 'x',
                 'publishDate': '2026-01-01', 'contentType': 'video/mp4'}
        self.put('Files', {**{key: {'S': value} for key, value in plain.items()},
                           'size': {'N': '1'}})
        return self.download(name)

    def schedule(self, name):
        """What EventBridge says, when something was left."""
        file_id = pipeline.file_id_of(self.video_url(name))
        plain = {'fileId': file_id, 'status': 'PendingMetadata', 'correlationId': name,
                 'sourceUrl': self.video_url(name)}
        self.put('Files', {**{key: {'S': value} for key, value in plain.items()},
                           'retryCount': {'N': '0'}})
        self.engine.dynamodb('UpdateItem', {
            'TableName': 'UserFiles', 'Key': {'userId': {'S': self.engine.at['userId']}},
            'UpdateExpression': 'ADD fileIds :file',
            'ExpressionAttributeValues': {':file': {'SS': [file_id]}}})
        return self.invoke('FileCoordinator', json.dumps({'source': 'aws.events',
                                                          'id': name}).encode(), 'Event',
                           headers={'X-Amzn-Trace-Id': f'Root={self.root(name)};Sampled=1'})

    def register(self, name):
        return self.engine.register_device(name, hashlib.sha256(name.encode()).hexdigest())

    def list_files(self, name):
        return self.engine.call('GET', '/files?' + name, token=self.engine.at['apiToken'])

    def put(self, table, item):
        self.engine.dynamodb('PutItem', {'TableName': table, 'Item': item})

    def root(self, name):
        return '1-5759e988-' + hashlib.sha256(name.encode()).hexdigest()[:24]

    # The normal runs.

    def normal_calls(self, scenario):
        """The calls of a run that nobody kills."""
        name = f'normal-{scenario}'
        root = self.root(name)
        reply = getattr(self, scenario)(name)
        self.assertIn(reply.status, (200, 202), reply.body)
        if 'X-Amzn-Trace-Id' in reply.headers:
            root = reply.headers['X-Amzn-Trace-Id'].split('Root=')[1].split(';')[0]

        def whole():
            trace = self.collector.trace(root)
            if scenario == 'download':
                return not expectations.missing_in_webhook_trace(trace) and calls_of(trace)
            last = 'Lambda' if scenario == 'schedule' else 'DynamoDB'
            return trace.find(last) and not expectations.structure_problems(trace) and \
                calls_of(trace)

        calls = pipeline.wait_until(whole, support.DOWNLOAD_TIMEOUT, 0.2)
        self.assertTrue(calls, f'no trace of {scenario}')
        # Each call once: the rest of these traces is the same as in another one.
        wanted = {'download': ('WebhookFeedly', 'FileCoordinator', 'StartFileUpload'),
                  'dispatch': ('WebhookFeedly',), 'schedule': ('FileCoordinator',),
                  'register': ('RegisterDevice',),
                  'list_files': ('AuthorizerAPIToken', 'ListFiles')}[scenario]
        return [call for call in calls if call.function in wanted]

    def kills(self):
        found = []
        for scenario in ('download', 'dispatch', 'schedule', 'register', 'list_files'):
            calls = self.normal_calls(scenario)
            say(f'{scenario}: ' + ', '.join(f'{call.function} {call.name} {call.number}'
                                            for call in calls))
            found += [Kill(scenario, call, moment) for call in calls
                      for moment in ('before', 'after')]
        return found

    # The kills.

    def match(self, kill, name):
        """What the payload of the function has only for this kill."""
        if kill.call.function == 'StartFileUpload' or \
                (kill.call.function == 'FileCoordinator' and kill.scenario == 'download'):
            return pipeline.file_id_of(self.video_url(name))
        return name

    def is_killed(self, match):
        kills = pipeline.request('GET', self.engine.at['control'] + '/faults').json()['kills']
        return next(kill for kill in kills if kill['match'] == match)['done']

    def strike(self, kill, name):
        """Arms the kill, does as a client does until it is done, and repeats what had no answer."""
        match = self.match(kill, name)
        text = f'{kill.call.function}:{kill.call.name}:{kill.moment}:{kill.call.number}'
        reply = pipeline.request('POST', self.engine.at['control'] + '/faults',
                                 body=json.dumps({'kill': text, 'match': match}).encode())
        self.assertEqual(reply.status, 204, reply.body)
        reply = getattr(self, kill.scenario)(name)
        pipeline.wait_until(lambda: self.is_killed(match) or self.has_failed(name), HEAL_TIMEOUT,
                            0.2)
        self.assertTrue(self.is_killed(match),
                        f'{text} was never reached: {self.file(self.video_url(name))}')
        if reply.status >= 500 and not self.is_noted(kill, name):
            reply = getattr(self, kill.scenario)(name)
        elif reply.status >= 500:
            return name
        self.assertIn(reply.status, (200, 202), f'{text}: {reply.body}')
        return name

    def is_noted(self, kill, name):
        """Whether it must go on by itself: the file is in the table."""
        return kill.scenario in ('download', 'schedule') and self.file(self.video_url(name))

    def sample(self, kills):
        """Those at which something is in the middle."""
        wanted = {('StartFileUpload', 'S3.CreateMultipartUpload', 'after'),
                  ('StartFileUpload', 'S3.CompleteMultipartUpload', 'before'),
                  ('StartFileUpload', 'SNS.Publish', 'before'),
                  ('WebhookFeedly', 'Lambda.Invoke', 'before'),
                  ('FileCoordinator', 'Lambda.Invoke', 'before'),
                  ('RegisterDevice', 'DynamoDB.PutItem', 'after')}
        found = [kill for kill in kills
                 if (kill.call.function, kill.call.name, kill.moment) in wanted]
        self.assertGreaterEqual(len(found), len(wanted), found)
        return found

    def test_everything_heals(self):
        kills = self.kills()
        if not FULL:
            kills = self.sample(kills)
        self.start_to_kill()
        names = [f'kill-{number:03}' for number in range(len(kills))]
        say(f'{len(kills)} kills')
        with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
            struck = pool.map(self.strike, kills, names)
            for number, name in enumerate(struck):
                kill = kills[number]
                say(f'{number + 1} of {len(kills)}: {kill.call.function} is killed {kill.moment} '
                    f'{kill.call.name} {kill.call.number}')
        downloads = {name: kill for name, kill in zip(names, kills)
                     if kill.scenario in ('download', 'schedule')}
        self.wait_for_healing(downloads)
        for name, kill in downloads.items():
            with self.subTest(kill):
                self.check_file(name)
        for name, kill in zip(names, kills):
            with self.subTest(kill):
                if kill.scenario == 'dispatch':
                    self.assertTrue(self.pushes(self.video_url(name)), 'nobody was told')
                elif kill.scenario == 'register':
                    self.check_device(name)
        self.check_nothing_is_left(downloads)

    # What must be so at the end.

    def wait_for_healing(self, downloads):
        last = [None]

        def healed():
            done = [name for name in downloads if self.is_settled(name) or self.has_failed(name)]
            if len(done) != last[0]:
                last[0] = len(done)
                say(f'{len(done)} of {len(downloads)} files are there')
            return len(done) == len(downloads)

        pipeline.wait_until(healed, HEAL_TIMEOUT, 1)

    def is_settled(self, name):
        item = self.file(self.video_url(name)) or {}
        return item.get('status') == 'Downloaded' and 'leaseUntil' not in item

    def has_failed(self, name):
        return (self.file(self.video_url(name)) or {}).get('status') == 'Failed'

    def check_file(self, name):
        url = self.video_url(name)
        item = self.file(url)
        self.assertEqual(item['status'], 'Downloaded', item)
        self.assertNotIn('leaseUntil', item, 'a lease that does not end')
        self.assertTrue(self.pushes(url), 'nobody was told')
        stored = self.engine.s3_get('/' + item['key'])
        self.assertEqual(len(stored.body), int(item['size']))
        self.assertEqual(hashlib.sha256(stored.body).digest(), self.original())

    def original(self):
        if not hasattr(Chaos, 'digest'):
            Chaos.digest = hashlib.sha256(
                pipeline.request('GET', self.engine.at['video']).body).digest()
        return Chaos.digest

    def check_device(self, name):
        item = self.engine.dynamodb('GetItem', {'TableName': 'Devices',
                                                'Key': {'deviceId': {'S': name}}})['Item']
        self.assertTrue(item['endpointArn']['S'])
        owner = self.engine.dynamodb('GetItem', {
            'TableName': 'UserDevices', 'Key': {'userId': {'S': self.engine.at['userId']}}})['Item']
        self.assertIn(name, owner['deviceIds']['SS'])

    def keys(self, path_and_query):
        reply = self.engine.s3_get(path_and_query)
        self.assert_answer(reply, 200)
        return [element.text for element in xml.etree.ElementTree.fromstring(reply.body).iter()
                if element.tag.rpartition('}')[2] == 'Key']

    def check_nothing_is_left(self, downloads):
        self.assertEqual(self.keys('/?uploads='), [], 'open uploads')
        self.assertEqual(sorted(self.keys('/?list-type=2')),
                         sorted(pipeline.file_id_of(self.video_url(name)) + '.mp4'
                                for name in downloads))
        items = self.engine.dynamodb('Scan', {'TableName': 'Files'})['Items']
        self.assertEqual([item for item in items if item['status']['S'] != 'Downloaded' or
                          'leaseUntil' in item], [])
        self.assertNotIn('gave up', self.engine.child.output())


if __name__ == '__main__':
    support.main()
