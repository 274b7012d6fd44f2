# SPDX-License-Identifier: Apache-2.0
"""The four questions for which the pipeline is traced, each with its fault."""

import json
import os
import signal

import pipeline
from display import bar, duration, table
from expectations import FUNCTION, STAGE
from scenario import Answer, Scenario, share_lines
from xray_queries import exceptions, http_status, median, seconds


class Slow(Scenario):
    """A download takes long: in yt-dlp, or on the way to S3?"""

    name = 'slow'
    title = 'which stage of a download is slow? (--slow web, --slow s3)'

    FAULTS = {
        'web': ('--media-rate', '1500'),
        's3': ('--delay', 'S3.UploadPart=3000'),
    }

    def engine_options(self):
        return self.FAULTS[self.options.slow] if self.has_fault else ()

    def provoke(self):
        self.register()
        self.file_id = self.post_webhook()
        self.wait_for_push(self.file_id)
        self.display.step('The phone is notified')
        self.question = (f'A user says that the video {self.file_id} took long to arrive. Which '
                         'stage is slow?')

    def is_complete(self):
        return self.is_settled('StartFileUpload')

    def ask(self):
        limit = self.options.slow_seconds
        expression = (f'annotation.video_id = "{self.file_id}" AND '
                      f'service("StartFileUpload") {{responsetime > {limit:g}}}')
        self.queries.show_summaries(expression)
        summaries = self.queries.summaries(expression)
        if not summaries:
            return Answer(False, f'No run of StartFileUpload for this video took more than '
                          f'{limit:g} s: nothing is slow.')
        self.queries.show_trace(summaries[0])
        return self._answer(self.queries.traces(summaries[:1])[0])

    def _answer(self, trace):
        function = trace.find('StartFileUpload', FUNCTION)[0]
        total = seconds(function)
        below = [node for node in trace.nodes.values()
                 if trace.is_below(node, function) and not node.get('inferred')]

        def spent(name):
            return sum(seconds(node) for node in below if node['name'] == name)

        parts = sorted((node for node in below
                        if node.get('aws', {}).get('operation') == 'UploadPart'),
                       key=lambda node: int(node['aws']['part_number']))
        stages = [(name, spent(name)) for name in
                  ('Initialization', 'yt-dlp metadata', 'yt-dlp download', 'S3', 'DynamoDB', 'SNS')]
        slowest, most = max(stages, key=lambda stage: stage[1])
        stages.append(('the rest', max(0.0, total - sum(one for _, one in stages))))
        lines = share_lines(stages, total, duration)
        lines += ['', 'The upload to S3, part by part:']
        lines += table([(f"part {node['aws']['part_number']}", duration(seconds(node)))
                        for node in parts])
        return Answer(True, f'{slowest} is slow: {duration(most)} of {duration(total)}, '
                      f'{most / total:.0%} of the time that StartFileUpload took.', lines,
                      stage=slowest, seconds=most, total_seconds=total, share=most / total,
                      stages=dict(stages), part_seconds=[seconds(node) for node in parts])


class Forbidden(Scenario):
    """FileCoordinator's role may not invoke StartFileUpload any more."""

    name = 'forbidden'
    title = 'does StartFileUpload fail, or is it not called?'
    question = ('Webhooks are answered with 202, and no video arrives. Does StartFileUpload fail, '
                'or is it not even called?')

    def engine_options(self):
        return ('--retry-ms', '100,200')

    def provoke(self):
        if self.has_fault:
            self._take_permission()
        self.register()
        self.post_webhook()

    def _take_permission(self):
        """Puts a policy without lambda:InvokeFunction in the place of the role's, in IAM."""
        policy = {'Version': '2012-10-17', 'Statement': [
            {'Effect': 'Allow', 'Action': ['dynamodb:Scan'], 'Resource': '*'}]}
        self.engine.query('iam', {
            'Action': 'PutRolePolicy', 'Version': '2010-05-08', 'RoleName': 'FileCoordinator',
            'PolicyName': 'inline', 'PolicyDocument': json.dumps(policy)})
        self.display.step("FileCoordinator's role loses lambda:InvokeFunction")

    def is_complete(self):
        # What was started goes on for long, and is not asked about.
        ends = [node for node in self.webhook_trace().find('FileCoordinator', 'AWS::Lambda')
                if 'end_time' in node]
        return bool(ends)

    def ask(self):
        expression = 'edge("FileCoordinator", "StartFileUpload") {error}'
        self.queries.show_summaries(expression)
        self.queries.show_graph(expression)
        summaries = self.queries.summaries(expression)
        if not summaries:
            return Answer(False, 'No call from FileCoordinator to StartFileUpload was refused.')
        self.queries.show_trace(summaries[0])
        return self._answer(self.queries.traces(summaries[:1])[0], self.queries.service_graph())

    def _answer(self, trace, graph):
        refused = [node for node in trace.find('Lambda', operation='Invoke')
                   if http_status(node) == 403]
        edges = graph.edges('FileCoordinator', 'StartFileUpload')
        statistics = [edge['SummaryStatistics'] for edge in edges]
        calls = sum(one['TotalCount'] for one in statistics)
        errors = sum(one['ErrorStatistics']['TotalCount'] for one in statistics)
        ran = bool(trace.find('StartFileUpload', FUNCTION))
        if not refused or not calls:
            return Answer(False, 'Calls of StartFileUpload failed, but none with 403.')
        kind, message = exceptions(refused[0])[0]
        lines = table([('edge', 'calls', 'errors', 'rate'),
                       ('FileCoordinator → StartFileUpload', str(calls), str(errors),
                        f'{errors / calls:.0%}')])
        return Answer(not ran, f'It is not called: {errors} of {calls} invokes of StartFileUpload '
                      f'were refused with 403 {kind}. The service says: "{message}". A permission '
                      'is missing; StartFileUpload itself sent no segment.', lines, status=403,
                      type=kind, message=message, calls=calls, errors=errors,
                      error_rate=errors / calls, callee_ran=ran)


class ColdStart(Scenario):
    """Some requests meet a new environment."""

    name = 'coldstart'
    title = 'what do cold starts cost?'
    question = 'GET /files is slow now and then. Is it cold starts, and what do they cost?'

    COLD, WARM_AFTER_EACH = 12, 5

    def provoke(self):
        # Not of the kind in question: the authorizer's own first start, and this function's.
        self._list_files()
        self.queries.began = self._now()
        self.requests = 0
        for _ in range(self.COLD):
            if self.has_fault:
                self._end_environment()
            for _ in range(1 + self.WARM_AFTER_EACH):
                self._list_files()
                self.requests += 1
        self.display.step(f'The phone has listed its files: {self.requests} times GET /files')

    def _list_files(self):
        reply = self.engine.call('GET', '/files', token=self.engine.at['apiToken'])
        if reply.status != 200:
            raise pipeline.Failure(f'ListFiles answered {reply.status}: {reply.body.decode()}')
        self.remember_trace('ListFiles', reply)

    def _now(self):
        """Between the requests so far and the next ones, on the clock of the traces."""
        def last():
            nodes = self.collector.trace(self.traces['ListFiles']).find(*STAGE)
            return [node['end_time'] for node in nodes if 'end_time' in node]

        ends = pipeline.wait_until(last, 15)
        if not ends:
            raise pipeline.Failure('X-Ray has no trace of GET /files')
        return ends[0] + 1e-3

    def _end_environment(self):
        """As Lambda does with those that were not used for a while."""
        def of_function():
            return [one for one in self.engine.environments()
                    if one['function'] == 'ListFiles' and one['state'] != 'dead']

        for environment in of_function():
            os.kill(environment['pid'], signal.SIGKILL)
        if not pipeline.wait_until(lambda: not of_function(), 20):
            raise pipeline.Failure('an environment of ListFiles does not end')

    def is_complete(self):
        return len(self.queries.summaries('service("ListFiles")')) == self.requests and \
            not self.queries.summaries('partial')

    def ask(self):
        both = {}
        for kind, truth in (('cold', 'true'), ('warm', 'false')):
            expression = f'service("ListFiles") AND annotation.coldstart = {truth}'
            if kind == 'cold':
                self.queries.show_summaries(expression)
                self.queries.show_trace_graph(expression)
            both[kind] = self.queries.summaries(expression)
        cold_ids = {summary['Id'] for summary in both['cold']}
        both['warm'] = [one for one in both['warm'] if one['Id'] not in cold_ids]
        if not both['cold'] or not both['warm']:
            return Answer(False, f"{len(both['cold'])} requests met a cold start and "
                          f"{len(both['warm'])} did not: there is nothing to compare.")
        return self._answer(both)

    def _answer(self, both):
        times, initializations, histograms = {}, [], {}
        for kind, summaries in both.items():
            traces = self.queries.traces(summaries)
            times[kind] = [seconds(trace.find('ListFiles', FUNCTION)[0]) for trace in traces]
            histograms[kind] = self._histogram(summaries)
            if kind == 'cold':
                initializations = [seconds(node) for trace in traces
                                   for node in trace.find('Initialization')]
        cold, warm = median(times['cold']), median(times['warm'])
        start = median(initializations)
        text = (f'Cold starts cost {duration(cold - warm)}: ListFiles takes {duration(cold)} in a '
                f'new environment and {duration(warm)} in a warm one (medians). Initialization is '
                f'{start / cold:.0%} of a cold run, {duration(start)}.')
        facts = {kind: {'count': len(times[kind]), 'median_seconds': median(times[kind]),
                        'histogram': histograms[kind]} for kind in times}
        return Answer(cold > warm and bool(initializations), text,
                      histogram_lines(histograms), **facts, initialization_seconds=start,
                      initialization_share=start / cold)

    def _histogram(self, summaries):
        """ResponseTimeHistogram of the service's node, over all of the traces."""
        nodes = self.queries.trace_graph(summaries).services('ListFiles', FUNCTION)
        return [(one['Value'], one['Count']) for node in nodes
                for one in node['ResponseTimeHistogram']]


def histogram_lines(histograms):
    """Two histograms side by side, in at most a dozen steps of the same size."""
    most = max(value for histogram in histograms.values() for value, _ in histogram)
    step = next(size for size in (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5)
                if most / size <= 12 or size == 5)
    counts = {kind: {} for kind in histograms}
    for kind, histogram in histograms.items():
        for value, count in histogram:
            number = int(value / step + 1e-6)
            counts[kind][number] = counts[kind].get(number, 0) + count
    numbers = [number for one in counts.values() for number in one]
    highest = max(count for one in counts.values() for count in one.values())
    lines = [f"{'response time':>16}  {'warm':<36}cold"]
    for number in range(min(numbers), max(numbers) + 1):
        sides = [counts[kind].get(number, 0) for kind in ('warm', 'cold')]
        warm, cold = (f'{count:3} {bar(count, highest, 28)}' if count else '' for count in sides)
        label = f'{number * step * 1000:g} – {(number + 1) * step * 1000:g} ms'
        lines.append(f'{label:>16}  {warm:<36}{cold}'.rstrip())
    return lines


class DisabledEndpoint(Scenario):
    """Apple has told SNS that a phone is not there any more."""

    name = 'disabled-endpoint'
    title = 'how far did the notification get that did not arrive?'
    question = ''

    def provoke(self):
        self.dead = self.register()
        self.register()
        if self.has_fault:
            self.engine.query('sns', {
                'Action': 'SetEndpointAttributes', 'Version': '2010-03-31',
                'EndpointArn': self.dead, 'Attributes.entry.1.key': 'Enabled',
                'Attributes.entry.1.value': 'false'})
            self.display.step('The endpoint of one of the two phones is disabled')
        self.file_id = self.post_webhook()
        self.wait_for_push(self.file_id)
        self.display.step('The other phone is notified')
        self.question = (f'A user has two phones. The video {self.file_id} was announced on one '
                         'of them only. How far did the notification for the other one get?')

    def is_complete(self):
        return self.is_settled('StartFileUpload')

    def ask(self):
        expression = (f'annotation.video_id = "{self.file_id}" AND '
                      'edge("StartFileUpload", "SNS") {error}')
        self.queries.show_summaries(expression)
        summaries = self.queries.summaries(expression)
        if not summaries:
            return Answer(False, 'No call of SNS for this video failed: nothing in the traces says '
                          'why a notification should not have arrived.')
        self.queries.show_trace(summaries[0])
        return self._answer(self.queries.traces(summaries[:1])[0])

    def _answer(self, trace):
        publishes = trace.find('SNS', operation='Publish')
        failed = [node for node in publishes if any(
            kind.startswith('EndpointDisabled') for kind, _ in exceptions(node))]
        sent = [node for node in publishes if http_status(node) == 200]
        if not failed:
            return Answer(False, 'SNS refused a call, but no endpoint is disabled.')
        dead = failed[0]['aws']['target_arn']
        removed = [node for node in devices_updates(trace) if http_status(node) == 200 and
                   node['start_time'] >= failed[0]['end_time']]
        kind, message = exceptions(failed[0])[0]
        text = (f'It got as far as SNS, which refused to publish: {http_status(failed[0])} {kind}, '
                f'"{message}". ')
        text += ('Its device lost the dead endpoint, and has to register again. ' if removed
                 else 'Its device still has the dead endpoint. ')
        text += f'{len(sent)} of {len(publishes)} notifications went out.'
        return Answer(bool(sent and removed), text, timeline(trace), endpoint=dead,
                      status=http_status(failed[0]), type=kind, message=message,
                      removed=bool(removed), sent=[node['aws']['target_arn'] for node in sent])


def devices_updates(trace):
    """What was changed about devices."""
    return [node for node in trace.find('DynamoDB', operation='UpdateItem')
            if node['aws'].get('table_name') == 'Devices']


def timeline(trace):
    """The steps from the webhook to the notifications, with their times from the beginning."""
    stages = trace.find(*STAGE)
    steps = [(node, 'POST /webhook') for node in stages]
    for name in ('WebhookFeedly', 'FileCoordinator', 'StartFileUpload'):
        steps += [(node, name) for node in trace.find(name, FUNCTION)]
    steps += [(node, node['name']) for node in trace.find('yt-dlp download')]
    calls = trace.find('S3', operation='CompleteMultipartUpload') + trace.find('SNS')
    steps += [(node, f"{node['name']} {node['aws']['operation']}") for node in calls]
    steps += [(node, 'DynamoDB Devices') for node in devices_updates(trace)]
    steps.sort(key=lambda step: step[0]['start_time'])
    began = steps[0][0]['start_time']
    rows = []
    for node, name in steps:
        aws = node.get('aws', {})
        what = [str(http_status(node) or '')] + [kind for kind, _ in exceptions(node)[:1]]
        arn = aws.get('target_arn') or aws.get('endpoint_arn') or ''
        rows.append(f"{node['start_time'] - began:8.3f} s  {name:<28}"
                    f"{' '.join(what).strip() or 'ok':<22}{arn.rpartition('/')[2]}".rstrip())
    return rows


SCENARIOS = {scenario.name: scenario for scenario in (Slow, Forbidden, ColdStart, DisabledEndpoint)}
