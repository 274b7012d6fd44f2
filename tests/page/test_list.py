#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The list of traces: how it follows what comes, and how it is filtered."""
import time

from harness import PHONE, PageCase, call, expect, main, segment, trace_id


class Live(PageCase):
    def test_a_trace_appears_by_itself(self):
        page = self.open()
        trace = self.send('shop', **call('POST', 'https://shop.example/orders?a=b', 201, 1234))
        row = self.row(trace)
        expect(row.locator('.cell-entry')).to_have_text('shop')
        expect(row.locator('.method')).to_have_text('POST')
        expect(row.locator('.url')).to_have_text('/orders?a=b')
        expect(row.locator('.cell-status')).to_have_text('201')
        expect(row.locator('.bar-text')).to_have_text('1.23 s')
        expect(page.get_by_test_id('counts')).to_contain_text('1 trace')

    def test_marks_say_what_became_of_it(self):
        self.open()
        for status, marks in ((200, ''), (500, 'fault'), (404, 'error'), (429, 'throttle')):
            trace = self.send(**call('GET', 'http://h/', status))
            expect(self.row(trace).locator('.cell-marks')).to_have_text(marks)
        trace = self.send(annotations={'xray_sampled': False})
        expect(self.row(trace).locator('.cell-marks')).to_have_text('captured')

    def test_a_trace_in_progress_becomes_complete_in_its_row(self):
        self.open()
        now = time.time() - 30
        trace = trace_id(99, int(now))
        begun = segment(trace, 1, 'slow', now)
        del begun['end_time']
        self.collector.send({**begun, 'in_progress': True})
        expect(self.row(trace).locator('.cell-marks')).to_have_text('partial')
        # Beyond the first page: it must be found by what it is and not by its place.
        self.put_many([segment(trace_id(1000 + n), n + 1) for n in range(150)])
        expect(self.page.get_by_test_id('counts')).to_contain_text('151 traces')
        self.collector.send({**begun, 'end_time': now + 7})
        self.page.get_by_test_id('rows').press('End')
        expect(self.row(trace).locator('.bar-text')).to_have_text('7.00 s')
        expect(self.row(trace).locator('.cell-marks')).to_have_text('')

    def test_more_than_a_page_at_once_is_shown_whole(self):
        self.send()
        self.open()
        self.put_many([segment(trace_id(1000 + n), n + 1) for n in range(350)])
        expect(self.page.get_by_test_id('counts')).to_contain_text('351 traces')

    def test_new_rows_move_neither_the_cursor_nor_what_is_read(self):
        now = time.time() - 60
        self.put_many([segment(trace_id(n, int(now)), n + 1, start=now - n) for n in range(300)])
        self.open()
        expect(self.page.get_by_test_id('counts')).to_contain_text('300 traces')
        rows = self.page.get_by_test_id('rows')
        rows.focus()
        for _ in range(60):
            self.page.keyboard.press('j')
        active = rows.get_attribute('aria-activedescendant')
        self.assertTrue(active)
        place = f'document.getElementById("{active}").getBoundingClientRect().top'
        before = self.page.evaluate(place)
        for _ in range(5):
            self.send()
        expect(self.page.locator('.list-fresh')).to_have_text('↑ 5 new')
        self.assertEqual(self.page.evaluate(place), before)
        self.assertEqual(rows.get_attribute('aria-activedescendant'), active)
        self.page.locator('.list-fresh').click()
        expect(self.page.locator('.list-fresh')).to_be_hidden()
        self.assertEqual(rows.evaluate('element => element.scrollTop'), 0)

    def test_a_list_that_holds_still_shows_what_came_when_it_goes_on(self):
        self.send()
        self.open()
        expect(self.rows).to_have_count(1)
        pause = self.page.get_by_test_id('pause')
        pause.click()
        for _ in range(3):
            self.send()
        expect(pause).to_have_text('Go on (3 new)')
        expect(self.rows).to_have_count(1)
        pause.click()
        expect(self.rows).to_have_count(4)
        expect(pause).to_have_text('Pause')

    def test_what_is_forgotten_leaves_the_list(self):
        self.send()
        self.open()
        expect(self.rows).to_have_count(1)
        self.collector.ask('/api/clear', {})
        expect(self.rows).to_have_count(0)
        expect(self.page.get_by_test_id('empty')).to_be_visible()


class Many(PageCase):
    def test_ten_thousand_rows_scroll_with_few_elements(self):
        now = time.time() - 20
        self.put_many([segment(trace_id(n, int(now)), n + 1, start=now - n / 1000)
                       for n in range(10000)])
        page = self.open('#/traces?since=all')
        rows = page.get_by_test_id('rows')
        counts = page.get_by_test_id('counts')
        expect(counts).to_contain_text('loaded')
        rows.focus()
        most = 0
        while 'loaded' in counts.inner_text() or 'loading' in counts.inner_text():
            page.keyboard.press('End')
            most = max(most, page.locator('.grid-body .grid-row').count())
        expect(counts).to_contain_text('10\u202f000 traces')
        page.keyboard.press('End')
        last = self.row(trace_id(9999, int(now)))
        expect(last).to_be_visible()
        self.assertEqual(last.get_attribute('aria-rowindex'), '10001')
        most = max(most, page.locator('.grid-body .grid-row').count())
        self.assertLess(most, 100)
        self.assertLess(page.evaluate('document.querySelectorAll("*").length'), 3000)


class Filter(PageCase):
    def setUp(self):
        super().setUp()
        self.good = self.send('shop', **call('GET', 'http://h/orders', 200, 20),
                              annotations={'customer': 'c7'})
        self.bad = self.send('billing', **call('POST', 'http://h/pay', 500, 900),
                             annotations={'customer': 'c8'})

    def expect_rows(self, *traces):
        expect(self.rows).to_have_count(len(traces))
        for trace in traces:
            expect(self.row(trace)).to_be_visible()

    def test_enter_filters_and_the_address_says_so(self):
        self.open()
        self.expect_rows(self.good, self.bad)
        self.apply('fault')
        self.expect_rows(self.bad)
        self.assertEqual(self.hash(), '#/traces?filter=fault')
        self.page.go_back()
        self.expect_rows(self.good, self.bad)
        expect(self.filter()).to_have_value('')

    def test_an_address_with_a_filter_shows_it(self):
        self.open('#/traces?filter=annotation.customer+%3D+%22c7%22&since=all')
        self.expect_rows(self.good)
        expect(self.filter()).to_have_value('annotation.customer = "c7"')
        expect(self.page.get_by_test_id('since')).to_have_value('all')

    def test_what_comes_later_is_filtered_too(self):
        self.open('#/traces?filter=fault')
        self.expect_rows(self.bad)
        late = self.send(**call('GET', 'http://h/', 503))
        self.send(**call('GET', 'http://h/', 200))
        self.expect_rows(late, self.bad)

    def test_an_error_is_shown_below_its_place(self):
        self.open()
        text = 'service("ä") { fault }}'
        self.filter().fill(text)
        says = self.page.get_by_test_id('filter-says')
        expect(says).to_contain_text('}')
        expect(self.filter()).to_have_attribute('aria-invalid', 'true')
        caret = self.page.locator('.filter-caret')
        expect(caret).to_be_visible()
        wide = self.page.evaluate(
            '''text => { const input = document.querySelector('.filter-input');
            const style = getComputedStyle(input);
            const canvas = document.createElement('canvas').getContext('2d');
            canvas.font = style.fontSize + ' ' + style.fontFamily;
            return input.getBoundingClientRect().left + parseFloat(style.paddingLeft)
                   + canvas.measureText(text).width; }''', text[:-1])
        self.assertLess(abs(caret.bounding_box()['x'] - wide), 8)
        self.filter().press('Enter')
        self.assertNotIn('filter', self.hash())

    def test_an_error_goes_when_it_is_mended(self):
        self.open()
        self.filter().fill('fault }')
        expect(self.page.locator('.filter-error')).to_be_visible()
        self.filter().fill('fault')
        expect(self.page.locator('.filter-error')).to_have_count(0)
        expect(self.filter()).to_have_attribute('aria-invalid', 'false')

    def test_what_the_cloud_would_not_take_is_said(self):
        self.open()
        self.filter().fill('fault || error')
        expect(self.page.get_by_test_id('filter-says')).to_contain_text('not portable')

    def test_completion_goes_from_a_keyword_to_a_value(self):
        page = self.open()
        self.filter().click()
        options = page.locator('[role=option]')
        page.keyboard.type('annot')
        expect(options.first).to_contain_text('annotation.')
        page.keyboard.press('Tab')
        expect(self.filter()).to_have_value('annotation.')
        expect(options.filter(has_text='annotation.customer')).to_be_visible()
        page.keyboard.type('cust')
        expect(options).to_have_count(1)
        page.keyboard.press('Tab')
        page.keyboard.type(' = ')
        expect(options.filter(has_text='"c8"')).to_be_visible()
        page.keyboard.type('"c8')
        expect(options).to_have_count(1)
        page.keyboard.press('ArrowDown')
        page.keyboard.press('Enter')
        expect(self.filter()).to_have_value('annotation.customer = "c8"')
        page.keyboard.press('Enter')
        self.expect_rows(self.bad)

    def test_completion_knows_the_services(self):
        page = self.open()
        self.filter().click()
        page.keyboard.type('serv')
        page.keyboard.press('Tab')
        expect(self.filter()).to_have_value('service("")')
        page.keyboard.type('bil')
        expect(page.locator('[role=option]')).to_have_count(1)
        page.keyboard.press('Tab')
        expect(self.filter()).to_have_value('service("billing")')
        page.keyboard.press('Enter')
        self.expect_rows(self.bad)

    def test_who_types_before_the_words_are_here_gets_them_when_they_come(self):
        page = self.open()
        waiting = []
        page.route('**/api/words', lambda route: waiting.append(route))
        self.filter().click()
        page.keyboard.type('service(')
        while not waiting:
            page.wait_for_timeout(10)
        waiting.pop().continue_()
        expect(page.locator('[role=option]').filter(has_text='billing')).to_be_visible()

    def test_earlier_filters_are_at_hand(self):
        page = self.open()
        self.apply('fault')
        self.expect_rows(self.bad)
        self.apply('ok')
        self.expect_rows(self.good)
        self.page.goto(f'{self.base}/#/traces')
        self.expect_rows(self.good, self.bad)
        self.filter().blur()
        page.keyboard.press('/')
        page.keyboard.press('ArrowDown')
        options = page.locator('[role=option] .option-label')
        expect(options).to_have_text(['ok', 'fault'])
        options.nth(1).click()
        self.expect_rows(self.bad)

    def test_examples_of_the_help_run(self):
        page = self.open()
        page.get_by_label('The filter language').click()
        dialog = page.locator('dialog')
        expect(dialog).to_contain_text('responsetime')
        dialog.locator('.example', has_text='service("api")').first.wait_for()
        dialog.locator('.example').first.click()
        expect(dialog).to_have_count(0)
        self.expect_rows(self.bad)
        expect(self.filter()).to_have_value('fault')

    def test_every_example_of_the_help_is_a_filter(self):
        page = self.open()
        page.get_by_label('The filter language').click()
        examples = page.locator('.example').all_inner_texts()
        self.assertGreater(len(examples), 10)
        for expression in examples:
            answer = page.evaluate(
                '''async text => (await fetch('/api/filter?expression='
                + encodeURIComponent(text))).json()''', expression)
            self.assertTrue(answer['ok'], (expression, answer))

    def test_chips_put_a_term_in_and_take_it_out(self):
        page = self.open()
        self.apply('annotation.customer = "c8"')
        self.expect_rows(self.bad)
        faults = page.get_by_test_id('chip-faults')
        faults.click()
        expect(faults).to_have_attribute('aria-pressed', 'true')
        expect(self.filter()).to_have_value('annotation.customer = "c8" AND fault')
        self.expect_rows(self.bad)
        page.get_by_test_id('chip-throttled').click()
        expect(page.get_by_test_id('message')).to_contain_text('No trace matches')
        page.get_by_test_id('chip-throttled').click()
        faults.click()
        expect(self.filter()).to_have_value('annotation.customer = "c8"')
        self.expect_rows(self.bad)

    def test_a_chip_leaves_an_or_as_it_was_meant(self):
        page = self.open()
        self.apply('fault OR ok')
        self.expect_rows(self.good, self.bad)
        page.get_by_test_id('chip-faults').click()
        expect(self.filter()).to_have_value('(fault OR ok) AND fault')
        self.expect_rows(self.bad)

    def test_every_chip_is_a_filter(self):
        page = self.open()
        for name in ('faults', 'errors', 'throttled', 'slow', 'partial', 'captured'):
            chip = page.get_by_test_id(f'chip-{name}')
            chip.click()
            expect(chip).to_have_attribute('aria-pressed', 'true')
            expect(page.locator('.filter-error')).to_have_count(0)
            chip.click()
            expect(chip).to_have_attribute('aria-pressed', 'false')

    def test_health_checks_can_be_hidden_and_stay_so(self):
        page = self.open()
        check = self.send(**call('GET', 'http://h/healthz', 200))
        self.expect_rows(self.good, self.bad, check)
        page.get_by_test_id('chip-health').click()
        self.expect_rows(self.good, self.bad)
        page.reload()
        self.expect_rows(self.good, self.bad)
        self.assertEqual(self.hash(), '#/traces')
        page.get_by_label('What is a health check?').click()
        page.locator('.endings').fill('/orders')
        page.get_by_role('button', name='Hide these').click()
        self.expect_rows(self.bad, check)

    def test_a_filter_that_finds_nothing_can_be_cleared(self):
        page = self.open('#/traces?filter=http.status+%3D+418')
        expect(page.get_by_test_id('message')).to_contain_text('No trace matches')
        page.get_by_role('button', name='Clear the filter').last.click()
        self.expect_rows(self.good, self.bad)

    def test_a_time_range_without_traces_can_be_widened(self):
        old = self.send(trace=trace_id(77, int(time.time()) - 7200), start=time.time() - 7200)
        page = self.open('#/traces?since=5m&filter=duration+%3C+0')
        page.get_by_role('button', name='Clear the filter').last.click()
        self.expect_rows(self.good, self.bad)
        page.get_by_test_id('since').select_option('all')
        self.expect_rows(self.good, self.bad, old)


class Histogram(PageCase):
    def setUp(self):
        super().setUp()
        self.times = [0.01 * 1.08 ** n for n in range(60)]
        now = time.time() - 30
        for number, seconds in enumerate(self.times):
            self.send(start=now - number / 100, duration=seconds)
        self.open()
        expect(self.page.get_by_test_id('counts')).to_contain_text('60 traces')
        self.area = self.page.get_by_test_id('histogram')
        self.page.locator('.bin').first.wait_for()

    def chosen(self):
        """The range of the filter, and how many traces are in it."""
        self.wait_for_hash('responsetime >= .* AND responsetime <= ')
        terms = self.filter().input_value().split(' AND ')
        low, high = (float(term.split(' ')[2]) for term in terms[-2:])
        return low, high, sum(low <= value <= high for value in self.times)

    def drag(self, begin, end):
        box = self.area.bounding_box()
        y = box['y'] + box['height'] / 2
        self.page.mouse.move(box['x'] + box['width'] * begin, y)
        self.page.mouse.down()
        self.page.mouse.move(box['x'] + box['width'] * end, y, steps=8)
        self.page.mouse.up()

    def test_dragging_filters_by_response_time(self):
        self.drag(0.5, 0.8)
        low, high, count = self.chosen()
        self.assertTrue(0.02 < low < high < 1.0, (low, high))
        self.assertTrue(5 < count < 55, count)
        expect(self.page.get_by_test_id('counts')).to_contain_text(f'{count} traces')

    def test_a_second_range_takes_the_place_of_the_first(self):
        self.apply('ok')
        self.drag(0.2, 0.9)
        self.chosen()
        first = self.filter().input_value()
        expect(self.page.get_by_test_id('counts')).not_to_contain_text('60 traces')
        self.drag(0.3, 0.6)
        self.page.wait_for_function('old => document.querySelector(".filter-input").value !== old',
                                    arg=first)
        self.chosen()
        self.assertEqual(self.filter().input_value().count('responsetime'), 2)
        self.assertTrue(self.filter().input_value().startswith('ok AND '))

    def test_the_keys_choose_a_range_too(self):
        self.area.focus()
        self.page.keyboard.press('End')
        for _ in range(3):
            self.page.keyboard.press('Shift+ArrowLeft')
        self.page.keyboard.press('Enter')
        low, high, count = self.chosen()
        self.assertGreater(high, max(self.times))
        self.assertTrue(0 < count < 30, count)
        expect(self.page.get_by_test_id('counts')).to_contain_text(f'{count} trace')

    def test_escape_lets_go(self):
        self.area.focus()
        self.page.keyboard.press('ArrowRight')
        expect(self.page.locator('.histogram.choosing')).to_have_count(1)
        self.page.keyboard.press('Escape')
        expect(self.page.locator('.histogram.choosing')).to_have_count(0)
        self.assertEqual(self.hash(), '#/traces')


class Keys(PageCase):
    def setUp(self):
        super().setUp()
        now = time.time() - 60
        self.traces = [self.send(start=now - n) for n in range(5)]  # the newest first
        self.open()
        expect(self.rows).to_have_count(5)

    def active(self):
        return self.page.get_by_test_id('rows').get_attribute('aria-activedescendant')

    def test_j_and_k_walk_and_enter_opens(self):
        press = self.page.keyboard.press
        press('j')
        self.assertEqual(self.active(), f'row-{self.traces[0]}')
        press('j')
        press('j')
        press('k')
        self.assertEqual(self.active(), f'row-{self.traces[1]}')
        press('Enter')
        self.wait_for_hash(f'#/traces/{self.traces[1]}')

    def test_two_selected_traces_are_compared_the_older_first(self):
        press = self.page.keyboard.press
        press('j')
        press('x')
        press('c')
        expect(self.page.locator('.toast')).to_contain_text('Select two')
        press('j')
        press('j')
        press('x')
        expect(self.page.get_by_test_id('chosen')).to_contain_text('2 selected')
        press('c')
        self.wait_for_hash(f'#/compare.a={self.traces[2]}&b={self.traces[0]}')

    def test_escape_selects_none(self):
        self.rows.nth(0).locator('input').click()
        expect(self.page.get_by_test_id('chosen')).to_contain_text('1 selected')
        self.page.keyboard.press('Escape')
        expect(self.page.get_by_test_id('chosen')).to_be_hidden()

    def test_a_click_opens_the_trace(self):
        self.row(self.traces[3]).locator('.url, .cell-time').first.click()
        self.wait_for_hash(f'#/traces/{self.traces[3]}')

    def test_the_slash_leads_to_the_filter_and_letters_stay_there(self):
        self.page.keyboard.press('/')
        expect(self.filter()).to_be_focused()
        self.page.keyboard.type('jx?')
        expect(self.filter()).to_have_value('jx?')
        self.assertIsNone(self.active())

    def test_help_names_the_keys_of_the_view(self):
        self.page.keyboard.press('?')
        dialog = self.page.locator('dialog')
        expect(dialog).to_contain_text('next trace')
        expect(dialog).to_contain_text('service map')
        self.page.keyboard.press('Escape')
        expect(dialog).to_have_count(0)

    def test_g_and_a_letter_go_to_the_views(self):
        for key, place in (('s', '#/status'), ('r', '#/sampling'), ('m', '#/map'), ('t', '#/traces')):
            self.page.keyboard.press('g')
            self.page.keyboard.press(key)
            self.wait_for_hash(f'^{place}')

    def test_coming_back_keeps_the_filter(self):
        self.apply('ok')
        expect(self.rows).to_have_count(5)
        self.page.keyboard.press('Escape')
        self.page.keyboard.press('g')
        self.page.keyboard.press('s')
        self.wait_for_hash('^#/status')
        self.page.keyboard.press('g')
        self.page.keyboard.press('t')
        self.wait_for_hash('filter=ok')


class Phone(PageCase):
    viewport = PHONE

    def test_nothing_is_wider_than_the_screen(self):
        long = 'a' * 300
        self.send(long, **call('GET', f'http://h/{long}', 500), annotations={'customer': long})
        for place in ('#/traces', '#/sampling', '#/status'):
            self.open(place)
            self.page.wait_for_timeout(300)
            self.assert_no_sideways_scroll()

    def test_the_empty_page_is_not_wider_either(self):
        self.open()
        expect(self.page.get_by_test_id('empty')).to_be_visible()
        self.assert_no_sideways_scroll()

    def test_a_tap_opens_a_trace(self):
        trace = self.send(**call('GET', 'http://h/orders', 500))
        self.open()
        self.row(trace).click()
        self.wait_for_hash(f'#/traces/{trace}')


if __name__ == '__main__':
    main()
