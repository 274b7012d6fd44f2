#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What the pipeline's cost calculator says, against numbers worked out by hand."""
import contextlib
import importlib.machinery
import importlib.util
import io
import json
import math
import re
import subprocess
import sys
import types
import unittest
from unittest import mock

from common import SOURCE

COSTS = SOURCE / 'examples' / 'media-pipeline' / 'costs'
NOTHING = ['--downloads', '0', '--lists', '0', '--invocations', '0']
UNREAD = ['--groups', '0', '--searches', '0', '--retrieved', '0']


def load():
    loader = importlib.machinery.SourceFileLoader('costs', str(COSTS))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader('costs', loader))
    sys.dont_write_bytecode = True  # there is no .py for the cache to be beside
    loader.exec_module(module)
    return module


command = load()


def run(*words):
    """As the shell would, in this process: there are many."""
    out, errors = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(errors), \
            mock.patch.object(sys, 'argv', ['costs', *words]):
        try:
            status = command.main()
        except SystemExit as stopped:
            status = stopped.code
    return types.SimpleNamespace(returncode=status, stdout=out.getvalue(), stderr=errors.getvalue())


def ask(*words):
    done = run('--json', *words)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def option(name, *words):
    return ask(*words)['options'][name]


class Traces(unittest.TestCase):
    """How many there are."""

    def test_a_request_is_one_trace_however_many_functions_it_meets(self):
        # 100 webhooks + 200 lists at the gateway, 50 invocations: 350, and no thousands.
        full = option('full')
        self.assertEqual(full['requests'], {'api_gateway': 300, 'functions': 50})
        self.assertEqual(round(full['recorded']), 350)

    def test_selective_records_as_many_traces_as_full(self):
        options = ask('--schedule-minutes', '10')['options']
        self.assertEqual(options['selective']['recorded'], options['full']['recorded'])

    def test_passive_records_what_begins_at_the_gateway(self):
        passive = option('passive', '--schedule-minutes', '10')
        self.assertEqual(passive['requests'], {'api_gateway': 300, 'functions': 0})

    def test_on_demand_records_nothing_while_it_is_off(self):
        off = option('on_demand, off')
        self.assertEqual((off['recorded'], off['dollars_without_free_tier']), (0, 0))

    def test_the_schedule_begins_a_trace_at_each_run(self):
        # 730 hours × 60 / 4
        self.assertEqual(option('full', *NOTHING, '--schedule-minutes', '4')['recorded'], 10950)

    def test_so_does_each_check(self):
        # 730 / 24 days × 24, and none of them through the gateway
        requests = option('full', *NOTHING, '--checks-per-day', '24')['requests']
        self.assertEqual(requests, {'api_gateway': 0, 'functions': 730})

    def test_few_requests_are_nearly_all_sampled_and_not_five_percent(self):
        self.assertGreater(option('on_demand', '--downloads', '1000')['recorded'], 0.999 * 1250)

    def test_the_reservoir_has_the_first_of_each_second(self):
        # One a second on average: a second has none with the chance 1/e, so 1 − 1/e are first.
        found = option('full', *NOTHING, '--lists', '2628000', '--rate', '0')['recorded']
        self.assertAlmostEqual(found / 2628000, 1 - 1 / math.e)

    def test_the_rate_is_of_the_others(self):
        found = option('full', *NOTHING, '--lists', '2628000', '--rate', '0.05')['recorded']
        self.assertAlmostEqual(found / 2628000, 1 - 1 / math.e + 0.05 / math.e)

    def test_a_larger_reservoir_has_more(self):
        # p(1) + 2 p(2) + 3 (1 − p(0) − p(1) − p(2)) = 3 − 5.5/e; for 2 of them, 2 − 3/e
        for reservoir, first in (('2', 2 - 3 / math.e), ('3', 3 - 5.5 / math.e)):
            found = option('full', *NOTHING, '--lists', '2628000', '--rate', '0',
                           '--reservoir', reservoir)['recorded']
            self.assertAlmostEqual(found / 2628000, first)

    def test_in_fewer_hours_more_meet_in_a_second(self):
        found = option('full', *NOTHING, '--lists', '1314000', '--rate', '0',
                       '--hours', '12')['recorded']
        self.assertAlmostEqual(found / 1314000, 1 - 1 / math.e)

    def test_the_rate_of_lambda_can_not_be_set(self):
        found = option('full', *NOTHING, '--invocations', '2628000', '--rate', '1')['recorded']
        self.assertAlmostEqual(found / 2628000, 1 - 1 / math.e + 0.05 / math.e)

    def test_very_many_requests_are_counted_too(self):
        # 1,000 a second: the first of each, and 5 % of 999.
        found = option('full', *NOTHING, '--lists', '2628000000')['recorded']
        self.assertAlmostEqual(found / 2628000, 1 + 0.05 * 999)


class Dollars(unittest.TestCase):
    def price(self, *words):
        return option('full', *NOTHING, *UNREAD, '--rate', '1', *words)['dollars']

    def test_the_example_of_the_pricing_page(self):
        # 2,000 an hour in 31 days, 10 % of them: 148,800, of which 48,800 are charged.
        full = option('full', *NOTHING, *UNREAD, '--lists', '1488000', '--reservoir', '0',
                      '--rate', '0.1')
        self.assertAlmostEqual(full['recorded'], 148800)
        self.assertAlmostEqual(full['dollars'], 0.244)

    def test_insights_have_no_free_traces(self):
        # The same example: 0.244 + 148,800 × $1 / 1,000,000
        full = option('full', *NOTHING, *UNREAD, '--lists', '1488000', '--reservoir', '0',
                      '--rate', '0.1', '--insights')
        self.assertAlmostEqual(full['dollars'], 0.244 + 0.1488)

    def test_a_hundred_thousand_are_free(self):
        self.assertEqual(self.price('--lists', '100000'), 0)
        self.assertAlmostEqual(self.price('--lists', '100001'), 0.000005)

    def test_three_million_cost(self):
        self.assertAlmostEqual(self.price('--lists', '3000000'), 14.50)  # 2.9 million × $5

    def test_a_group_counts_as_retrieved_and_a_million_of_these_are_free(self):
        # 1.9 million recorded × $5 and, with the group, 1 million retrieved × $0.50
        self.assertAlmostEqual(self.price('--lists', '2000000'), 9.50)
        self.assertAlmostEqual(self.price('--lists', '2000000', '--groups', '1'), 10.00)
        self.assertAlmostEqual(self.price('--lists', '2000000', '--groups', '2'), 11.00)

    def test_a_search_scans_what_was_recorded_in_its_hours(self):
        # 73 hours are a tenth of the month: 730 × 200,000 = 146 million, of which one is free.
        self.assertAlmostEqual(self.price('--lists', '2000000', '--searches', '730',
                                          '--search-hours', '73'), 9.50 + 72.50)

    def test_without_the_free_tier_the_proposals_month_is_a_fifth_of_a_cent(self):
        # 300 × $5/M; 30 + 300 retrieved, 20 × 24/730 × 300 = 197.26 scanned × $0.50/M
        full = option('full', '--invocations', '0', '--rate', '1')
        self.assertAlmostEqual(full['dollars_without_free_tier'], 0.0015 + 527.26 * 0.5e-6, 8)
        self.assertEqual(full['dollars'], 0)

    def test_what_is_around_it(self):
        # 2 × $0.10 + 1 × $3 + 5 × $0.30 + 1 × $0.50
        self.assertAlmostEqual(
            ask('--alarms', '12', '--dashboards', '4', '--metrics', '15', '--logs', '6')['around']['dollars'],
            5.20)


class Shown(unittest.TestCase):
    def test_it_is_a_command(self):
        done = subprocess.run([COSTS, '--option', 'full'], text=True, timeout=60, check=False,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.assertEqual((done.returncode, done.stderr), (0, ''))
        self.assertEqual(done.stdout, run('--option', 'full').stdout)

    def test_the_proposals_figure_is_beside_the_true_one(self):
        lines = run().stdout.splitlines()
        self.assertIn('full, 1,500 invocations            7,500    350      $0.00  $0.00', lines)
        self.assertIn('on_demand, 1,000 downloads           250  1,000    $0.0020  $0.00', lines)

    def test_the_comparison_keeps_the_proposals_volumes(self):
        found = ask('--downloads', '5000', '--groups', '3', '--rate', '0')['expected']
        self.assertEqual([round(one['true_traces']) for one in found],
                         [350, 350, 300, 350, 1000, 1000, 1000, 1000])

    def test_one_option_is_one_column(self):
        lines = run('--option', 'passive').stdout.splitlines()
        self.assertEqual(lines[2].split(), ['passive'])
        self.assertNotIn('selective', ' '.join(lines))

    def test_every_price_has_its_source_and_a_date(self):
        out = run('--prices').stdout
        self.assertRegex(out.splitlines()[0], r' on \d{4}-\d{2}-\d{2}:$')
        self.assertEqual([line for line in out.splitlines()[3:]
                          if '(https://aws.amazon.com/' not in line], [])

    def test_the_examples_of_help_work(self):
        examples = re.findall(r'^  costs((?: --?[\w-]+(?: [\w-]+)?)*)', run('--help').stdout, re.M)
        self.assertGreater(len(examples), 4)
        for example in examples:
            with self.subTest(example=example):
                done = run(*example.split())
                self.assertIn(done.returncode, (0, None))
                self.assertEqual(done.stderr, '')

    def test_what_the_page_shows_is_what_it_prints(self):
        page = (SOURCE / 'docs' / 'operations.md').read_text()
        shown = re.findall(r'^```\n\$ examples/media-pipeline/costs([^\n]*)\n(.*?)^```', page,
                           re.M | re.S)
        self.assertGreater(len(shown), 1)
        for words, text in shown:
            with self.subTest(words=words):
                self.assertEqual(text, run(*words.split()).stdout)


class Refused(unittest.TestCase):
    def test_wrong_numbers_are_named_with_what_is_right(self):
        for name, wrong in (
                ('--downloads', 'x'), ('--downloads', '-1'), ('--downloads', '1.5'), ('--lists', ''),
                ('--lists', '²'), ('--invocations', '1000000000001'), ('--rate', '1.1'),
                ('--rate', 'nan'), ('--reservoir', '1.5'), ('--hours', '0'), ('--hours', 'inf'),
                ('--schedule-minutes', '-4'), ('--search-hours', '731'), ('--option', 'active')):
            with self.subTest(name=name, wrong=wrong):
                done = run(f'{name}={wrong}')
                self.assertEqual((done.returncode, done.stdout), (2, ''))
                last = done.stderr.splitlines()[-1]
                self.assertRegex(last, rf"^costs: error: argument {name}: .*'{re.escape(wrong)}'")
                self.assertRegex(last, 'from .* to |choose from')

    def test_the_largest_numbers_are_taken(self):
        self.assertEqual(run('--downloads', '1000000000000', '--reservoir', '10000').returncode, 0)


if __name__ == '__main__':
    unittest.main()
