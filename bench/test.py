#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The benchmarks count right; how fast anything is, is not tested here.

test.py --programs FOLDER
"""
import argparse
import json
import pathlib
import runpy
import socket
import subprocess
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE / 'peers'))
sys.dont_write_bytecode = True
import table  # noqa: E402

HEADER = b'{"format":"json","version":1}\n'
programs = None


def run(*words):
    return subprocess.run(words, text=True, timeout=300, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)


class Record(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.result = run(programs / 'bench-record', '--quick', '--only', 'W2,W4,W6,W7')
        cls.lines = [json.loads(line) for line in cls.result.stdout.splitlines()]

    def test_the_machine_comes_first(self):
        self.assertEqual(self.result.returncode, 0, self.result.stderr)
        self.assertEqual(set(self.lines[0]) & {'machine', 'compiler', 'library'},
                         {'machine', 'compiler', 'library'})

    def test_only_what_was_asked_for_is_measured(self):
        self.assertEqual({line['workload'] for line in self.lines[1:]}, {'W2', 'W4', 'W6', 'W7'})

    def test_the_median_lies_between_least_and_most(self):
        for line in self.lines[1:]:
            for name in ('ns', 'ratio'):
                self.assertLessEqual(0, line[f'{name}_min'])
                self.assertLessEqual(line[f'{name}_min'], line[name])
                self.assertLessEqual(line[name], line[f'{name}_max'])

    def test_a_goal_is_met_by_what_the_line_says(self):
        for line in self.lines[1:]:
            if line['goal'] is None:
                self.assertIsNone(line['met'])
                continue
            reached = (line['ratio'] >= line['goal'] if line['goal_is'] == 'least'
                       else line['ratio'] <= line['goal'])
            allowed = line['workload'] == 'W7' or line.get('allocations', 0) == 0
            if abs(line['ratio'] - line['goal']) > 0.001:  # printed with three digits
                self.assertEqual(line['met'], reached and allowed, line)

    def test_each_segment_arrives_or_is_counted_as_lost(self):
        for line in self.lines[1:]:
            if line['workload'] == 'W2' or line['workload'] == 'W7':
                self.assertEqual(line['documents'] + line['dropped'] + line['failed'],
                                 line['operations'], line)

    def test_an_unknown_workload_is_named(self):
        result = run(programs / 'bench-record', '--only', 'W2,W9')
        self.assertEqual(result.returncode, 2)
        self.assertIn('"W9"', result.stderr)

    def test_help_has_examples_and_the_exit_statuses(self):
        for words in ([programs / 'bench-record'], [HERE / 'compare'], [HERE / 'peers' / 'run'],
                      [HERE / 'local-ingest']):
            with self.subTest(words[0].name):
                result = run(*words, '--help')
                self.assertEqual(result.returncode, 0, result.stderr)
                self.assertRegex(result.stdout, r'(?si)Usage: .*Exit status: .*Examples:')


class Sink(unittest.TestCase):
    def setUp(self):
        self.process = subprocess.Popen([programs / 'bench-sink'], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)
        self.addCleanup(self.end)
        host, port = json.loads(self.process.stdout.readline())['address'].split(':')
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.addCleanup(self.socket.close)
        self.socket.connect((host, int(port)))

    def end(self):
        self.process.stdin.close()
        self.process.wait(timeout=30)
        self.process.stdout.close()

    def take(self):
        self.process.stdin.write('\n')
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def test_what_arrived_is_counted_once(self):
        for _ in range(3):
            self.socket.send(HEADER + b'{"id":"a"}')
        counts = self.take()
        self.assertEqual((counts['documents'], counts['bytes'], counts['dropped']),
                         (3, 3 * (len(HEADER) + 10), 0))
        self.assertEqual(self.take()['documents'], 0)

    def test_the_first_document_is_kept_as_it_came(self):
        self.socket.send(HEADER + b'{"id":"first"}')
        self.socket.send(HEADER + b'{"id":"second"}')
        self.assertEqual(self.take()['first'], {'id': 'first'})
        self.assertIsNone(self.take()['first'])

    def test_what_no_daemon_takes_is_malformed(self):
        for datagram in (b'{"id":"no header"}', HEADER + b'{"id":"cut', b'{"format":"json"}'):
            self.socket.send(datagram)
        counts = self.take()
        self.assertEqual((counts['documents'], counts['malformed']), (3, 3))


class LocalIngest(unittest.TestCase):
    def test_each_document_is_found_by_queries(self):
        if not (programs.parent / 'tools/local/xraytrace-local').exists():
            self.skipTest('xraytrace-local is not built')
        result = run(HERE / 'local-ingest', '--programs', programs.parent, '--quick',
                     '--only', 'L1,L4')
        self.assertEqual(result.returncode, 0, result.stderr)
        lines = {line['workload']: line for line in map(json.loads, result.stdout.splitlines())}
        self.assertEqual(lines['L1']['found'], lines['L1']['documents'])
        self.assertGreater(lines['L1']['documents'], 500)
        self.assertGreater(lines['L4']['seconds'], 0)

    def test_an_unknown_workload_is_named(self):
        result = run(HERE / 'local-ingest', '--programs', programs.parent, '--only', 'L9')
        self.assertEqual(result.returncode, 2)
        self.assertIn('L9', result.stderr)


class PipelineLatency(unittest.TestCase):
    def run_it(self, *words):
        return run(HERE / 'pipeline-latency', '--programs', programs.parent, *words)

    def test_each_way_to_be_traced_has_a_line_with_its_interval(self):
        if not (programs.parent / 'examples/media-pipeline/bootstrap').exists():
            self.skipTest('the media pipeline is not built')
        result = self.run_it('--rounds', '10', '--warm-up', '1', '--delay-ms', '1', '--json')
        self.assertEqual(result.returncode, 0, result.stderr)
        lines = {line['workload']: line for line in map(json.loads, result.stdout.splitlines())}
        self.assertEqual(set(lines), {f'pipeline-{name}' for name in
                                      ('full', 'unsampled', 'passive', 'off')})
        for line in lines.values():
            self.assertGreater(line['median_ms'], 4)  # four calls, a millisecond each
            self.assertEqual(sorted(line['difference_us']), line['difference_us'])
        self.assertEqual(lines['pipeline-off']['difference_us'], [0, 0, 0])
        self.assertEqual(lines['pipeline-off']['p99_ratio'], 1)

    def test_the_interval_of_a_median_holds_it(self):
        latency = runpy.run_path(str(HERE / 'pipeline-latency'))
        self.assertEqual(latency['median_interval'](range(1001)), (468, 500, 532))
        self.assertEqual(latency['median_interval']([3, 1, 2]), (1, 2, 3))

    def test_the_page_has_a_row_for_each_way(self):
        latency = runpy.run_path(str(HERE / 'pipeline-latency'))
        options = argparse.Namespace(rounds=3, delay_ms=5)
        results = [latency['figures'](options, name, times, [1.0, 2.0, 4.0]) for name, times in
                   (('full', [1.01, 2.03, 4.02]), ('off', [1.0, 2.0, 4.0]))]
        text = latency['render'](results, 0.5)
        self.assertIn('| 2030.000 ms | 4020.000 ms | ×1.005 | +1.00 % (+0.50 to +1.50) |', text)
        self.assertIn('3 rounds, 4 calls of 5 ms each', text)

    def test_the_page_has_the_markers(self):
        latency = runpy.run_path(str(HERE / 'pipeline-latency'))
        text = (HERE.parent / 'docs/benchmarks.md').read_text(encoding='utf-8')
        self.assertEqual((text.count(latency['BEGIN']), text.count(latency['END'])), (1, 1))

    def test_what_cannot_be_measured_is_an_error(self):
        result = run(HERE / 'pipeline-latency', '--programs', '/nowhere', '--rounds', '10')
        self.assertEqual(result.returncode, 1)
        self.assertIn('/nowhere', result.stderr)

    def test_too_few_rounds_are_refused(self):
        self.assertEqual(self.run_it('--rounds', '9').returncode, 2)


class Compare(unittest.TestCase):
    LINE = {'workload': 'W2', 'variant': 'sent', 'ratio': 2.0, 'ratio_min': 1.9, 'ratio_max': 2.1,
            'met': False, 'allocations': 0, 'bytes': 500, 'dropped': 0}

    def compare(self, before, after):
        with tempfile.TemporaryDirectory() as folder:
            paths = []
            for name, lines in (('before', before), ('after', after)):
                path = pathlib.Path(folder) / name
                path.write_text(''.join(json.dumps(line, separators=(',', ':')) + '\n'
                                        for line in lines))
                paths.append(path)
            return run(HERE / 'compare', *paths)

    def test_a_change_beyond_the_spread_stands_alone(self):
        after = {**self.LINE, 'ratio': 1.0, 'ratio_min': 0.9, 'ratio_max': 1.1, 'met': True}
        self.assertRegex(self.compare([self.LINE], [after]).stdout,
                         r'W2 +sent +2\.000 +1\.000 +-50\.0 %  goal met')

    def test_a_change_within_the_spread_is_in_brackets(self):
        after = {**self.LINE, 'ratio': 2.1, 'ratio_max': 2.2}
        self.assertIn('(+5.0 %)', self.compare([self.LINE], [after]).stdout)

    def test_new_allocations_are_said(self):
        after = {**self.LINE, 'allocations': 7}
        self.assertIn('allocations 0 → 7', self.compare([self.LINE], [after]).stdout)

    def test_a_file_without_results_is_refused(self):
        result = self.compare([], [self.LINE])
        self.assertEqual(result.returncode, 2)
        self.assertIn('before has no line', result.stderr)


class Peers(unittest.TestCase):
    COUNTS = {'documents': 1, 'dropped': 0, 'malformed': 0, 'first': table.CONTENT['W2']}

    def test_the_same_content_is_the_same_workload(self):
        self.assertIsNone(table.wrong('W2', self.COUNTS))

    def test_a_value_that_is_not_recorded_is_found(self):
        first = {'name': 'checkout-api', 'subsegments': [
            {'name': 'work', 'annotations': {'customer': 'c-12345'},
             'metadata': {'default': {'note': 'hello metadata'}}}]}
        self.assertEqual(table.wrong('W2', {**self.COUNTS, 'first': first}),
                         "the document.subsegments[0].annotations.tier is None and not 'gold'")

    def test_an_unsampled_segment_that_is_sent_is_found(self):
        self.assertIn('documents were sent', table.wrong('W1', self.COUNTS))

    def test_the_table_says_what_is_not_installed_and_why(self):
        results = [{'peer': 'libxraytrace', 'workload': 'W1', 'ns': 20.0},
                   {'peer': 'go', 'workload': 'W1', 'ns': 2500.0, 'runtime': 'go1.26'}]
        text = table.render(
            [('libxraytrace', 'libxraytrace 1', None), ('go', 'Go', None),
             ('node', 'Node', 'node is not in PATH')], results,
            {'cpu': 'a', 'cores': 2, 'kernel': 'b', 'compiler': 'c'}, '2026-01-01')
        self.assertIn('| 20.0 | 2,500 (×125) | not installed |', text)
        self.assertIn('Node is not installed: node is not in PATH.', text)

    def test_a_page_keeps_what_is_around_the_table(self):
        with tempfile.TemporaryDirectory() as folder:
            page = pathlib.Path(folder) / 'page.md'
            page.write_text(f'before\n{table.BEGIN}\nold\n{table.END}\nafter\n')
            table.replace_in(page, 'new')
            self.assertEqual(page.read_text(),
                             f'before\n{table.BEGIN}\nnew\n{table.END}\nafter\n')
            page.write_text('no markers')
            self.assertRaises(ValueError, table.replace_in, page, 'new')

    def test_the_readme_has_the_markers(self):
        text = (HERE.parent / 'README.md').read_text(encoding='utf-8')
        self.assertEqual((text.count(table.BEGIN), text.count(table.END)), (1, 1))


if __name__ == '__main__':
    parser = argparse.ArgumentParser()
    parser.add_argument('--programs', type=pathlib.Path, required=True)
    arguments, rest = parser.parse_known_args()
    programs = arguments.programs.resolve()
    unittest.main(argv=[sys.argv[0], *rest])
