#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Two traces beside each other."""
import re

from harness import PHONE, PageCase, expect, main, segment, trace_id
from sample_traces import shop


class CompareCase(PageCase):
    def compare(self, first, second):
        self.open(f'#/compare?a={first}&b={second}')
        expect(self.page.get_by_test_id('compare')).to_be_visible()
        return self.page

    def two_shops(self, slow=2.0):
        self.a, documents = shop(1)
        self.put_many(documents)
        self.b, documents = shop(2, slow)
        root = documents[0]
        root['subsegments'].append({'id': '%016x' % 77, 'name': 'audit', 'start_time': root['start_time'],
                                    'end_time': root['start_time'] + .1})
        self.put_many(documents)
        return self.compare(self.a, self.b)

    def pair(self, name):
        return self.page.get_by_test_id('compare-row').filter(
            has=self.page.locator('.wf-label', has_text=re.compile(f'^{re.escape(name)}$'))).first

    def selected(self):
        return self.page.locator('.compare-row.selected .wf-label').text_content()


class Compare(CompareCase):
    def test_rows_say_what_takes_longer_and_what_is_new(self):
        page = self.two_shops()
        expect(page.get_by_test_id('compare-change')).to_have_text('B +1.00 s')
        expect(self.pair('auth.internal')).to_have_attribute('data-kind', 'slower')
        expect(self.pair('auth.internal').locator('.compare-change')).to_have_text('+400 ms')
        expect(self.pair('audit')).to_have_attribute('data-kind', 'only-b')

    def test_both_are_on_one_scale(self):
        self.two_shops()
        a, b = (self.pair('shop').locator(f'.compare-bar.side-{side}').bounding_box() for side in 'ab')
        self.assertAlmostEqual(b['width'] / a['width'], 2, delta=.02)
        self.assertEqual(a['x'], b['x'])

    def test_a_trace_does_not_differ_from_itself(self):
        trace, documents = shop(1)
        self.put_many(documents)
        page = self.compare(trace, trace)
        expect(page.get_by_test_id('compare-change')).to_have_text('as long')
        expect(page.locator('.compare-row[data-kind=same]')).to_have_count(10)

    def test_keys_walk_fold_and_find_differences(self):
        page = self.two_shops(slow=1.0)
        page.keyboard.press('j')
        self.assertEqual(self.selected(), 'audit')
        page.keyboard.press('j')
        self.assertEqual(self.selected(), 'DynamoDB')
        page.keyboard.press('ArrowLeft')
        expect(page.get_by_test_id('compare-row')).to_have_count(10)
        page.keyboard.press('ArrowLeft')
        self.assertEqual(self.selected(), 'shop')
        page.keyboard.press('n')
        self.assertEqual(self.selected(), 'audit')

    def test_they_are_swapped(self):
        page = self.two_shops()
        page.keyboard.press('s')
        expect(page.get_by_test_id('compare-change')).to_have_text('B −1.00 s')
        expect(self.pair('audit')).to_have_attribute('data-kind', 'only-a')

    def test_enter_opens_the_trace_of_the_row(self):
        page = self.two_shops()
        page.keyboard.press('Enter')
        self.wait_for_hash(f'traces/{self.b}')

    def test_the_second_one_is_chosen_from_a_list_with_its_like_first(self):
        self.put_many([segment(trace_id(90), 1, 'other')])
        a, documents = shop(1)
        self.put_many(documents)
        b, documents = shop(2)
        self.put_many(documents)
        self.put_many([segment(trace_id(91), 1, 'other')])
        self.open(f'#/compare?a={a}')
        choices = self.page.get_by_test_id('compare-choice')
        expect(choices).to_have_count(3)
        expect(choices.first).to_contain_text(b)
        choices.first.click()
        self.wait_for_hash(f'a={a}&b={b}')
        expect(self.page.get_by_test_id('compare')).to_be_visible()

    def test_a_trace_that_is_gone_is_named(self):
        self.expected = lambda text: '404' in text
        trace, documents = shop(1)
        self.put_many(documents)
        self.open(f'#/compare?a={trace}&b={trace_id(99)}')
        expect(self.page.get_by_role('alert')).to_be_visible()

    def test_names_are_text(self):
        hostile = '<img src=x onerror="window.hit=1">'
        traces = [trace_id(95), trace_id(96)]
        for trace in traces:
            self.put_many([segment(trace, 1, hostile)])
        page = self.compare(*traces)
        expect(self.pair(hostile)).to_be_visible()
        self.assertIsNone(page.evaluate('window.hit ?? null'))


class Phone(CompareCase):
    viewport = PHONE

    def test_a_phone_shows_both(self):
        self.two_shops()
        expect(self.pair('auth.internal')).to_be_visible()
        self.assert_no_sideways_scroll()


if __name__ == '__main__':
    main()
