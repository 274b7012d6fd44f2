#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""tail, export, import and --open, and how list chooses."""
import json
import os
import pathlib
import pty
import re
import signal
import socket
import subprocess
import tempfile
import threading
import time
import unittest

from collector import (LONG, PROGRAM, Case, Collector, run, segment, subsegment, trace_id)

UTF8 = {'LC_ALL': 'C.UTF-8'}


def read(terminal):
    """What has been written to it; nothing once the other end is closed."""
    try:
        return os.read(terminal, 65536)
    except OSError:
        return b''


def filters_of(text):
    """Those in blocks of their own, and those that commands are given."""
    blocks = re.findall(r'^```filter\n(.*?)^```', text, re.M | re.S)
    return [line for block in blocks for line in block.splitlines()] + \
        re.findall(r"--(?:filter|filter-expression|assert) '([^'\n]+)'", text)


def filters_within_lines(text):
    return re.findall(r'`((?:annotation\.|http\.|rootcause\.|service\("|edge\(")[^`…{]*(?:\{[^`…]+\})?)`', text)


class Commands(Case):
    def setUp(self):
        super().setUp()
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.directory = pathlib.Path(directory.name)

    def command(self, name, *arguments):
        return run(name, *arguments, '--port', str(self.collector.port), environment=UTF8)

    def file(self, name, *documents):
        path = self.directory / name
        path.write_text(''.join(json.dumps(document) + '\n' for document in documents))
        return str(path)


class List(Commands):
    def test_json_is_a_summary_on_each_line(self):
        traces = [trace_id(1), trace_id(2)]
        for number, trace in enumerate(traces):
            self.collector.send(segment(trace, number + 1, 'line\nbreak'))
        code, out, errors = self.command('list', '--json')
        self.assertEqual((code, errors), (0, ''))
        found = [json.loads(line) for line in out.splitlines()]
        self.assertEqual(sorted(one['Id'] for one in found), traces)
        self.assertEqual(found[0]['EntryPoint']['Name'], 'line\nbreak')

    def test_json_of_nothing_is_nothing(self):
        self.assertEqual(self.command('list', '--json'), (0, '', ''))

    def test_since_leaves_out_what_ended_before(self):
        old, new = trace_id(1), trace_id(2)
        self.collector.send(segment(old, 1, start=time.time() - 7200),
                            segment(new, 2, start=time.time() - 60))
        code, out, _ = self.command('list', '--since', '1h')
        self.assertEqual(code, 0)
        self.assertIn(new, out)
        self.assertNotIn(old, out)
        self.assertIn('no such traces at', self.command('list', '--since', '5s')[1])


    def test_a_filter_chooses(self):
        good, bad = trace_id(1), trace_id(2)
        self.collector.send(segment(good, 1), segment(bad, 2, fault=True))
        code, out, _ = self.command('list', '--filter', 'fault AND service("s") {fault}')
        self.assertEqual(code, 0)
        self.assertIn(bad, out)
        self.assertNotIn(good, out)

    def test_a_wrong_filter_is_told(self):
        code, out, errors = self.command('list', '--filter', 'fault)')
        self.assertEqual((code, out), (2, ''))
        self.assertEqual(errors, "xraytrace-local: Invalid filter expression: unexpected ')' at 5, "
                                 'expected AND, OR or the end\n')

    def test_all_that_matches_comes_page_by_page(self):
        wanted = []
        for number in range(1, 502):
            self.collector.send(segment(trace_id(number), 1, error=number % 2 == 0))
            wanted += [trace_id(number)] if number % 2 == 0 else []
        code, out, _ = self.command('list', '--filter', 'error', '--limit', '1000')
        self.assertEqual(code, 0)
        self.assertEqual(sorted(line.split()[0] for line in out.splitlines()), wanted)

    def test_the_filters_of_the_pages_are_taken(self):
        for page, least in (('local.md', 10), ('operations.md', 30), ('annotations.md', 10),
                            ('corrections.md', 1)):
            text = (pathlib.Path(__file__).parents[2] / 'docs' / page).read_text()
            filters = filters_of(text)
            if page != 'local.md':  # whose lines have parts of filters
                filters += filters_within_lines(text)
            self.assertGreaterEqual(len(filters), least)
            for one in filters:
                with self.subTest(page=page, filter=one):
                    code, out, errors = self.command('list', '--filter', one)
                    self.assertEqual((code, errors), (0, ''))
                    self.assertIn('no such traces at', out)


class Paging(Commands):
    def test_a_page_counts_what_was_looked_at(self):
        for number in range(1, 301):
            self.collector.send(segment(trace_id(number), 1, start=1000000000 + number,
                                        error=number % 2 == 0))
        request = {'StartTime': 0, 'EndTime': 2000000000, 'TimeRangeType': 'Event',
                   'FilterExpression': 'error'}
        first = self.collector.ask('/TraceSummaries', request)
        self.assertEqual((len(first['TraceSummaries']), first['TracesProcessedCount']), (100, 199))
        second = self.collector.ask('/TraceSummaries',
                                    {**request, 'NextToken': first['NextToken']})
        self.assertEqual((len(second['TraceSummaries']), second['TracesProcessedCount']), (50, 101))
        self.assertNotIn('NextToken', second)

    def test_a_last_page_that_is_full_has_no_next_one(self):
        for number in range(1, 201):
            self.collector.send(segment(trace_id(number), 1, error=number % 2 == 0))
        page = self.collector.ask('/TraceSummaries', {
            'StartTime': 0, 'EndTime': 9000000000, 'TimeRangeType': 'Event',
            'FilterExpression': 'error'})
        self.assertEqual(len(page['TraceSummaries']), 100)
        self.assertNotIn('NextToken', page)

    def test_a_token_belongs_to_its_filter(self):
        for number in range(1, 102):
            self.collector.send(segment(trace_id(number), 1))
        request = {'StartTime': 0, 'EndTime': 9000000000, 'TimeRangeType': 'Event',
                   'FilterExpression': 'ok'}
        token = self.collector.ask('/TraceSummaries', request)['NextToken']
        status, _, reply = self.collector.call('/TraceSummaries', {
            **request, 'FilterExpression': '!fault', 'NextToken': token})
        self.assertEqual(status, 400)
        self.assertIn('other arguments', reply['Message'])


class Export(Commands):
    def test_documents_come_back_as_lines(self):
        trace = trace_id(1)
        parent, child = segment(trace, 1), segment(trace, 2, parent_id='%016x' % 1)
        self.collector.send(parent, child)
        code, out, errors = self.command('export', trace)
        self.assertEqual((code, errors), (0, ''))
        self.assertEqual([json.loads(line) for line in out.splitlines()], [parent, child])

    def test_a_document_with_line_breaks_is_one_line(self):
        document = segment(trace_id(1), 1)
        self.collector.put(json.dumps(document, indent=2))
        out = self.command('export')[1]
        self.assertEqual(json.loads(out), document)
        self.assertEqual(out.count('\n'), 1)

    def test_all_traces_come_if_none_is_named(self):
        for number in range(1, 13):
            self.collector.send(segment(trace_id(number), number))
        file = self.directory / 'all.jsonl'
        code, out, errors = self.command('export', '-o', str(file))
        self.assertEqual((code, out, errors), (0, '', ''))
        self.assertEqual(len(file.read_text().splitlines()), 12)

    def test_a_filter_chooses(self):
        good, bad = segment(trace_id(1), 1), segment(trace_id(2), 2, fault=True)
        self.collector.send(good, bad)
        self.assertEqual(json.loads(self.command('export', '--filter', 'fault')[1]), bad)

    def test_spans_of_opentelemetry_are_written(self):
        trace = trace_id(1)
        self.collector.send(segment(trace, 1), segment(trace_id(2), 2, fault=True))
        for choice, count in (((), 2), ((trace,), 1), (('--filter', 'fault', '--since', '1h'), 1)):
            code, out, errors = self.command('export', '--format', 'otlp', *choice)
            self.assertEqual((code, errors), (0, ''))
            spans = [span for resource in json.loads(out)['resourceSpans']
                     for scope in resource['scopeSpans'] for span in scope['spans']]
            self.assertEqual(len(spans), count, choice)

    def test_a_trace_is_written_as_a_page(self):
        trace = trace_id(1)
        self.collector.send(segment(trace, 1))
        file = self.directory / 'page.html'
        code, _, errors = self.command('export', trace, '--format', 'html', '-o', str(file))
        self.assertEqual((code, errors), (0, ''))
        self.assertIn(trace, file.read_text())

    def test_an_unknown_trace_is_told(self):
        code, out, errors = self.command('export', trace_id(7))
        self.assertEqual((code, out), (1, ''))
        self.assertIn(f'nothing of trace {trace_id(7)} has been received', errors)

    def test_nothing_to_export_is_told(self):
        code, _, errors = self.command('export')
        self.assertEqual(code, 1)
        self.assertIn('no such traces at', errors)

    def test_a_file_that_cannot_be_written_is_told(self):
        self.collector.send(segment(trace_id(1), 1))
        code, _, errors = self.command('export', '-o', str(self.directory / 'no' / 'such'))
        self.assertEqual(code, 1)
        self.assertIn('cannot write', errors)
        with open('/dev/full', 'w') as full:
            result = subprocess.run([PROGRAM, 'export', '--port', str(self.collector.port)],
                                    stdout=full, stderr=subprocess.PIPE, text=True, timeout=LONG)
        self.assertEqual(result.returncode, 1)
        self.assertIn('No space left on device', result.stderr)

    def test_only_ids_are_taken_for_ids(self):
        for wrong in ('../x', '1-2-3', '?'):
            code, _, errors = self.command('export', wrong)
            self.assertEqual(code, 2)
            self.assertIn('is not a trace id', errors)

    def test_ids_and_searches_do_not_go_together(self):
        code, _, errors = self.command('export', trace_id(1), '--since', '1h')
        self.assertEqual(code, 2)
        self.assertIn('not both', errors)

    def test_a_page_is_of_one_trace(self):
        self.assertIn('name its id', self.command('export', '--format', 'html')[2])
        self.assertIn('jsonl, otlp or html', self.command('export', '--format', 'x')[2])


class Import(Commands):
    def setUp(self):
        super().setUp()
        self.trace = trace_id(1)
        self.documents = [segment(self.trace, 1), subsegment(self.trace, 2, 1)]

    def imported(self, path, kept=2):
        code, out, errors = self.command('import', str(path))
        self.assertEqual((code, out, errors), (0, f'{kept} documents kept\n', ''))
        self.assertEqual(len(self.collector.summaries()), 1)

    def test_lines_are_kept(self):
        self.imported(self.file('a.jsonl', *self.documents))

    def test_what_export_wrote_comes_back(self):
        file = self.directory / 'out.jsonl'
        self.collector.send(segment(self.trace, 1))
        self.command('export', '-o', str(file))
        other = Collector()
        self.addCleanup(other.stop)
        run('import', str(file), '--port', str(other.port))
        self.assertEqual(other.trace(self.trace), self.collector.trace(self.trace))

    def test_more_than_a_call_takes_is_kept(self):
        file = self.file('many.jsonl', *(segment(self.trace, n) for n in range(1, 302)))
        self.imported(file, 301)

    def test_large_documents_are_kept(self):
        file = self.file('large.jsonl', *(segment(self.trace, n, metadata={'d': {'k': '"' * 400000}})
                                          for n in range(1, 8)))
        self.imported(file, 7)

    def test_json_may_be_broken_into_lines(self):
        path = self.directory / 'pretty.json'
        path.write_text('\n\n'.join(json.dumps(d, indent=4) for d in self.documents))
        self.imported(path)

    def test_a_list_is_taken(self):
        path = self.directory / 'list.json'
        path.write_text(json.dumps(self.documents))
        self.imported(path)

    def test_what_the_command_line_of_aws_prints_is_taken(self):
        path = self.directory / 'aws.json'
        segments = [{'Id': d['id'], 'Document': json.dumps(d)} for d in self.documents]
        path.write_text(json.dumps({'Traces': [{'Id': self.trace, 'Segments': segments}]}, indent=4))
        self.imported(path)

    def test_what_show_prints_as_json_is_taken(self):
        self.collector.send(*self.documents)
        shown = self.command('show', self.trace, '--json')[1]
        path = self.directory / 'shown.json'
        path.write_text(shown)
        self.imported(path, 1)

    def test_spans_of_opentelemetry_are_taken(self):
        span = {'traceId': '6553f100' + 'a' * 24, 'spanId': '00000000000000aa', 'name': 'GET /',
                'kind': 2, 'startTimeUnixNano': '1700000000000000000',
                'endTimeUnixNano': '1700000001000000000'}
        path = self.directory / 'otlp.json'
        path.write_text(json.dumps({'resourceSpans': [{'scopeSpans': [{'spans': [span]}]}]}))
        code, out, errors = self.command('import', str(path))
        self.assertEqual((code, out, errors),
                         (0, '0 documents kept, and 1 request of OTLP\n', ''))
        self.assertEqual([one['Id'] for one in self.collector.summaries()],
                         ['1-6553f100-' + 'a' * 24])

    def test_standard_input_is_taken(self):
        result = subprocess.run([PROGRAM, 'import', '-', '--json', '--port',
                                 str(self.collector.port)],
                                input=json.dumps(self.documents[0]), stdout=subprocess.PIPE,
                                text=True, timeout=LONG)
        self.assertEqual(result.returncode, 0)
        self.assertEqual(json.loads(result.stdout), {'kept': 1, 'refused': 0, 'otlp': 0})

    def test_what_is_wrong_is_told_with_its_line_and_the_rest_is_kept(self):
        path = self.directory / 'bad.jsonl'
        path.write_text('\n'.join([json.dumps(self.documents[0]), '{"id": }', 'hello', '[1]',
                                   json.dumps({'id': 'x'}), json.dumps(self.documents[1])]))
        code, out, errors = self.command('import', str(path))
        self.assertEqual((code, out), (1, '2 documents kept; 4 refused\n'))
        lines = errors.splitlines()
        self.assertEqual(lines[0], f'xraytrace-local: {path}: line 2: not JSON')
        self.assertEqual(lines[1], f'xraytrace-local: {path}: line 3: no JSON object')
        self.assertEqual(lines[2], f'xraytrace-local: {path}: line 4: no document: it is neither '
                                   'an object nor a list')
        self.assertRegex(lines[3], f'^xraytrace-local: {path}: .*id')
        self.assertEqual(len(lines), 4)

    def test_ten_complaints_are_enough(self):
        path = self.directory / 'bad.jsonl'
        path.write_text('x\n' * 500)
        code, out, errors = self.command('import', str(path))
        self.assertEqual((code, out), (1, '0 documents kept; 500 refused\n'))
        self.assertEqual(len(errors.splitlines()), 10)

    def test_lists_in_lists_end(self):
        path = self.directory / 'deep.json'
        path.write_text('[' * 900 + ']' * 900)
        code, _, errors = self.command('import', str(path))
        self.assertEqual(code, 1)
        self.assertIn('line 1: lists in lists', errors)

    def test_a_file_that_is_not_there_is_told(self):
        code, _, errors = self.command('import', str(self.directory / 'none'))
        self.assertEqual(code, 1)
        self.assertIn('none: No such file or directory\n', errors)
        self.assertEqual(self.command('import', str(self.directory))[0], 1)

    def test_a_terminal_sees_the_progress(self):
        file = self.file('many.jsonl', *(segment(self.trace, n) for n in range(1, 500)))
        ours, its = pty.openpty()
        with subprocess.Popen([PROGRAM, 'import', file, '--port', str(self.collector.port)],
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=its) as process:
            os.close(its)
            self.assertEqual(process.stdout.read(), b'499 documents kept\n')
        shown = b''
        while part := read(ours):
            shown += part
        os.close(ours)
        shown = shown.decode()
        self.assertRegex(shown, r'\r\d+ %  \d+ documents')
        self.assertTrue(shown.endswith('\r\033[K'), repr(shown))


class Tail(Commands):
    def setUp(self):
        super().setUp()
        self.process = None

    def begin(self, *arguments):
        self.process = subprocess.Popen(
            [PROGRAM, 'tail', *arguments, '--port', str(self.collector.port)],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            text=True, env={**os.environ, **UTF8})
        self.addCleanup(self.stop)

    def stop(self):
        self.process.kill()
        self.process.wait(LONG)
        self.process.stdout.close()

    def finish(self):
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(LONG)

    def line(self):
        watchdog = threading.Timer(LONG, self.process.kill)
        watchdog.start()
        line = self.process.stdout.readline()
        watchdog.cancel()
        return line

    def test_new_traces_are_printed_as_they_come(self):
        self.begin()
        # Until the first look around what comes may be taken for old.
        self.send_until_seen()
        second = trace_id(9999)
        self.collector.send(segment(second, 1, 'next', start=time.time() - 1, fault=True))
        line = self.line()
        while second not in line and line:
            line = self.line()
        self.assertRegex(line, f'^{second}  .* 1\\.00 s  next +fault\n$')
        self.assertEqual(self.finish(), 0)

    def send_until_seen(self):
        """Sends a trace every now and then until tail prints one."""
        seen = []
        reader = threading.Thread(target=lambda: seen.append(self.line()))
        reader.start()
        sent = []
        end = time.monotonic() + LONG
        while not seen and time.monotonic() < end:
            sent.append(trace_id(len(sent) + 1))
            self.collector.send(segment(sent[-1], 1, start=time.time() - 1))
            reader.join(0.2)
        reader.join()
        self.assertIn(seen[0].split()[0], sent)
        return sent

    def test_json_is_a_summary_on_each_line(self):
        self.begin('--json')
        seen = []
        reader = threading.Thread(target=lambda: seen.append(self.line()))
        reader.start()
        number = 0
        while not seen and number < LONG * 5:
            number += 1
            self.collector.send(segment(trace_id(number), 1, start=time.time() - 1))
            reader.join(0.2)
        reader.join()
        self.assertEqual(json.loads(seen[0])['EntryPoint']['Name'], 's')
        self.assertEqual(self.finish(), 0)

    def test_a_filter_chooses(self):
        self.begin('--filter', 'fault')
        seen = []
        reader = threading.Thread(target=lambda: seen.append(self.line()))
        reader.start()
        number = 0
        while not seen and number < LONG * 10:
            number += 2
            self.collector.send(segment(trace_id(number), 1, start=time.time() - 1),
                                segment(trace_id(number + 1), 1, start=time.time() - 1, fault=True))
            reader.join(0.2)
        reader.join()
        self.assertIn(' fault\n', seen[0])
        self.assertEqual(self.finish(), 0)

    def test_it_ends_when_the_instance_does(self):
        self.begin()
        self.send_until_seen()
        self.collector.process.terminate()
        self.assertEqual(self.process.wait(LONG), 3)


class Open(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.directory = pathlib.Path(directory.name)

    def start(self, path, *arguments):
        before = os.environ['PATH']
        os.environ['PATH'] = path
        try:
            collector = Collector('--port', '0', '--open', *arguments)
        finally:
            os.environ['PATH'] = before
        self.addCleanup(collector.stop)
        return collector

    def test_the_opener_gets_the_address_alone(self):
        told = self.directory / 'told'
        opener = self.directory / 'xdg-open'
        opener.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" > {told}.part\nmv {told}.part {told}\n')
        opener.chmod(0o755)
        collector = self.start(f'{self.directory}:{os.environ["PATH"]}')
        end = time.monotonic() + LONG
        while not told.exists() and time.monotonic() < end:
            time.sleep(0.02)
        self.assertEqual(told.read_text(), f'http://127.0.0.1:{collector.port}/\n')

    def test_without_an_opener_the_collector_runs_all_the_same(self):
        collector = self.start(str(self.directory))
        self.assertEqual(collector.summaries(), [])
        self.assertEqual(collector.stop(), 0)
        self.assertIn(f'open http://127.0.0.1:{collector.port}/ in one yourself',
                      ''.join(collector.errors))


class NobodyThere(unittest.TestCase):
    def test_every_command_tells_it(self):
        with socket.create_server(('127.0.0.1', 0)) as free:
            port = str(free.getsockname()[1])
        with tempfile.NamedTemporaryFile('w') as file:
            file.write(json.dumps(segment(trace_id(1), 1)))
            file.flush()
            for command in (['tail'], ['export'], ['import', file.name], ['list', '--json']):
                code, _, errors = run(*command, '--port', port)
                self.assertEqual(code, 3, command)
                self.assertIn('no xraytrace-local can be reached', errors)


if __name__ == '__main__':
    unittest.main()
