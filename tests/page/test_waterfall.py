#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""One trace: rows, keys, zoom, details, copies, and that it follows what comes."""
import json
import re
import tempfile
import time

from harness import PHONE, PageCase, expect, main, segment, subsegment, trace_id
from sample_traces import batch, entity, shop

HOSTILE = '"><img src=x onerror="window.hit=1"><script>window.hit=1</script>\u202e'


class TraceCase(PageCase):
    def show(self, trace, documents):
        self.put_many(documents)
        self.open(f'#/traces/{trace}')
        expect(self.page.get_by_test_id('waterfall')).to_be_visible()
        return self.page

    def show_shop(self):
        self.trace, documents = shop()
        return self.show(self.trace, documents)

    def names(self):
        return self.page.locator('.wf-row .wf-label').all_text_contents()

    def shown(self):
        """Names of the rows from top to bottom, with their levels."""
        return self.page.evaluate('''() => [...document.querySelectorAll('.wf-row')]
            .sort((a, b) => a.getBoundingClientRect().top - b.getBoundingClientRect().top)
            .map(row => '-'.repeat(row.ariaLevel - 1) + row.querySelector('.wf-label').textContent)''')

    def active(self):
        """The name of the selected row, as a screen reader finds it."""
        return self.page.evaluate('''() => {
            const tree = document.querySelector('[role=tree]');
            const row = document.getElementById(tree.getAttribute('aria-activedescendant'));
            return row?.ariaSelected === 'true' ? row.querySelector('.wf-label').textContent : null;
        }''')

    def press(self, *keys):
        for key in keys:
            self.page.keyboard.press(key)

    def named(self, name):
        return self.page.locator('.wf-row').filter(
            has=self.page.locator('.wf-label', has_text=re.compile(f'^{re.escape(name)}$'))).first

    def bar(self, name):
        return self.named(name).locator('.wf-bar').bounding_box()

    def fact(self, label):
        return self.page.locator(f'.fact[data-label="{label}"]')

    def clipboard(self):
        return self.page.evaluate('navigator.clipboard.readText()')


class Rows(TraceCase):
    def test_services_stand_under_the_calls_to_them(self):
        self.show_shop()
        self.assertEqual(self.shown(), [
            'shop', '-DynamoDB', '--DynamoDB', '-auth.internal', '--auth', '---verify',
            '-orders@db', '--orders@db', '-render', '--template'])

    def test_bars_are_to_scale(self):
        self.show_shop()
        whole, part = self.bar('shop'), self.bar('auth.internal')
        self.assertAlmostEqual(part['width'] / whole['width'], 0.4, delta=0.01)
        self.assertAlmostEqual((part['x'] - whole['x']) / whole['width'], 0.2, delta=0.01)

    def test_what_is_inferred_failed_or_threw_is_marked(self):
        self.show_shop()
        expect(self.page.locator('.wf-row.inferred')).to_have_count(2)
        expect(self.named('auth.internal').locator('.wf-exception')).to_have_count(1)
        expect(self.named('auth.internal').locator('.wf-status')).to_have_text('504')
        self.assertIn('fault', self.named('auth.internal').get_attribute('class'))

    def test_a_parent_that_has_not_come_has_a_row_that_says_so(self):
        trace = trace_id(3)
        self.show(trace, [subsegment(trace, 5, 0xdeadbeef, 'orphan')])
        self.assertEqual(self.shown(), ['parent 00000000deadbeef not received', '-orphan'])

    def test_times_without_a_child_are_named(self):
        trace = trace_id(4)
        start = time.time() - 9
        self.show(trace, [segment(trace, 1, 'slow', start, 1,
                                  subsegments=[entity(2, 'work', start + .6, start + .7)])])
        self.assertEqual(self.page.locator('.wf-gap').all_text_contents(),
                         ['untraced time 600 ms', 'untraced time 300 ms'])
        self.press('u')
        expect(self.page.locator('.wf-gap')).to_have_count(0)

    def test_a_captured_trace_is_marked(self):
        trace = trace_id(5)
        self.show(trace, [segment(trace, 1, annotations={'xray_sampled': False})])
        expect(self.page.locator('.trace-header')).to_contain_text('captured, not sampled')

    def test_a_call_is_compared_with_its_like(self):
        for number in range(100, 130):
            self.put_many(shop(number)[1])
        trace, documents = shop(5, slow=4)
        self.show(trace, documents)
        hint = self.named('DynamoDB').locator('.wf-percentile')
        expect(hint).to_have_text(re.compile(r'^p\d+ of 31$'))

    def test_a_trace_that_is_not_there_is_shown_when_it_comes(self):
        self.expected = lambda text: '404' in text
        trace, documents = shop()
        self.open(f'#/traces/{trace}')
        expect(self.page.get_by_role('alert')).to_contain_text(trace)
        self.put_many(documents)
        expect(self.named('shop')).to_be_visible()


class Live(TraceCase):
    def test_a_trace_in_progress_completes_before_the_eyes(self):
        trace = trace_id(6)
        begun = segment(trace, 1, 'slow', time.time() - 9, 2)
        del begun['end_time']
        self.show(trace, [{**begun, 'in_progress': True}])
        expect(self.named('slow')).to_have_class(re.compile('progress'))
        self.collector.send({**begun, 'end_time': begun['start_time'] + 2})
        expect(self.page.get_by_test_id('duration')).to_have_text('2.00 s')
        expect(self.named('slow')).not_to_have_class(re.compile('progress'))

    def test_what_is_selected_collapsed_and_open_stays(self):
        page = self.show_shop()
        self.press('ArrowDown', 'ArrowLeft', 'ArrowDown', '5')
        self.assertEqual(self.active(), 'auth.internal')
        self.collector.send(subsegment(self.trace, 50, 1, 'late', start=time.time() - 29.99))
        expect(self.named('late')).to_be_visible()
        self.assertEqual(self.active(), 'auth.internal')
        self.assertNotIn('--DynamoDB', self.shown())
        expect(page.get_by_test_id('tab-exceptions')).to_have_attribute('aria-selected', 'true')


class Keys(TraceCase):
    def test_the_tree_is_walked_opened_and_closed(self):
        self.show_shop()
        self.press('j', 'j', 'j')
        self.assertEqual(self.active(), 'auth.internal')
        self.press('ArrowRight')
        self.assertEqual(self.active(), 'auth')
        self.press('ArrowLeft')
        self.assertNotIn('---verify', self.shown())
        self.press('ArrowLeft')
        self.assertEqual(self.active(), 'auth.internal')
        self.press('ArrowLeft')
        self.assertNotIn('--auth', self.shown())
        self.press('ArrowRight')
        self.assertIn('--auth', self.shown())
        self.press('End')
        self.assertEqual(self.active(), 'template')
        self.press('Home', 'k')
        self.assertEqual(self.active(), 'shop')

    def test_all_is_collapsed_and_expanded(self):
        self.show_shop()
        self.press('C')
        self.assertEqual(self.shown(), ['shop', '-DynamoDB', '-auth.internal', '-orders@db', '-render'])
        self.press('E')
        self.assertEqual(len(self.shown()), 10)

    def test_the_next_exception_is_found(self):
        self.show_shop()
        self.press('x')
        self.assertEqual(self.active(), 'auth.internal')

    def test_the_next_fault_is_found_and_around_again(self):
        self.show_shop()
        self.press('n')
        self.assertEqual(self.active(), 'auth.internal')
        self.press('n')
        self.assertEqual(self.active(), 'auth')
        self.press('n')
        self.assertEqual(self.active(), 'shop')

    def test_the_critical_path_dims_what_nobody_waited_for(self):
        trace = trace_id(7)
        start = time.time() - 9
        self.show(trace, [segment(trace, 1, 'root', start, 1, subsegments=[
            entity(2, 'long', start + .1, start + .9), entity(3, 'beside', start + .2, start + .4)])])
        self.press('c')
        expect(self.named('beside')).to_have_class(re.compile('off-path'))
        expect(self.named('long')).not_to_have_class(re.compile('off-path'))
        expect(self.page.get_by_test_id('critical')).to_have_attribute('aria-pressed', 'true')
        self.press('c')
        expect(self.page.locator('.wf-critical')).to_have_count(0)

    def test_escape_goes_back_to_the_list_as_it_was(self):
        self.trace, documents = shop()
        self.put_many(documents)
        self.open('#/traces?filter=fault')
        self.row(self.trace).click()
        self.wait_for_hash(f'traces/{self.trace}')
        expect(self.page.get_by_test_id('waterfall')).to_be_visible()
        self.press('Escape')
        self.wait_for_hash('filter=fault')


class Zoom(TraceCase):
    def test_the_selected_row_fills_the_width_and_z_goes_back(self):
        self.show_shop()
        before = self.bar('auth.internal')['width']
        self.press('j', 'j', 'j', 'z')
        self.assertGreater(self.bar('auth.internal')['width'], before * 2)
        self.press('z')
        self.assertAlmostEqual(self.bar('auth.internal')['width'], before, delta=1)

    def test_a_drag_on_the_mini_map_zooms_and_a_double_click_shows_all(self):
        page = self.show_shop()
        box = page.get_by_test_id('minimap').bounding_box()
        before = self.bar('render')['width']
        middle = box['y'] + box['height'] / 2
        page.mouse.move(box['x'] + box['width'] * .75, middle)
        page.mouse.down()
        page.mouse.move(box['x'] + box['width'] * .9, middle)
        page.mouse.move(box['x'] + box['width'] * .995, middle)
        page.mouse.up()
        self.assertAlmostEqual(self.bar('render')['width'] / before, 1 / .245, delta=.2)
        expect(self.named('DynamoDB').locator('.wf-outside')).to_have_text('◂')
        page.mouse.dblclick(box['x'] + 5, middle)
        self.assertAlmostEqual(self.bar('render')['width'], before, delta=1)

    def test_keys_zoom_and_move(self):
        self.show_shop()
        before = self.bar('verify')
        self.press('+')
        self.assertAlmostEqual(self.bar('verify')['width'] / before['width'], 2, delta=.1)
        at = self.bar('verify')['x']
        self.press('[')
        self.assertGreater(self.bar('verify')['x'], at)
        self.press('0')
        self.assertAlmostEqual(self.bar('verify')['x'], before['x'], delta=1)


class Details(TraceCase):
    def test_digits_open_the_tabs(self):
        page = self.show_shop()
        for digit, name in enumerate(('overview', 'resources', 'annotations', 'metadata', 'exceptions',
                                      'sql', 'raw', 'lint'), 1):
            self.press(str(digit))
            expect(page.get_by_test_id(f'tab-{name}')).to_have_attribute('aria-selected', 'true')

    def test_arrows_walk_the_tabs_and_leave_the_rows(self):
        page = self.show_shop()
        page.get_by_test_id('tab-overview').focus()
        self.press('ArrowRight', 'ArrowRight')
        expect(page.get_by_test_id('tab-annotations')).to_be_focused()
        self.assertEqual(self.active(), 'shop')

    def test_the_overview_says_what_was_asked_and_answered(self):
        self.show_shop()
        for label, value in (('name', 'shop'), ('outcome', 'fault'), ('method', 'GET'), ('status', '500'),
                             ('url', 'https://shop.example/orders/42'), ('user', 'bo')):
            expect(self.fact(label).locator('.fact-value')).to_have_text(value)
        expect(self.fact('duration')).to_contain_text('1.00 s')

    def test_exceptions_have_frames_and_what_caused_them(self):
        page = self.show_shop()
        self.press('j', 'j', 'j', '5')
        found = page.get_by_test_id('exception')
        expect(found).to_have_count(2)
        expect(found.nth(0)).to_contain_text('TimeoutError')
        expect(found.nth(0)).to_contain_text('src/auth.c:42')
        expect(found.nth(1)).to_contain_text('caused by')
        expect(found.nth(1)).to_contain_text('reset by peer')

    def test_a_query_is_shown_whole(self):
        page = self.show_shop()
        self.named('orders@db').click()
        self.press('6')
        expect(page.get_by_test_id('panel-body')).to_contain_text('SELECT total FROM orders WHERE id = ?')
        expect(self.fact('database').locator('.fact-value')).to_have_text('PostgreSQL')

    def test_the_raw_document_is_the_document(self):
        page = self.show_shop()
        self.press('7')
        document = json.loads(page.locator('.text-block pre').text_content())
        self.assertEqual(document['annotations'], {'customer': 'c-42', 'tier': 3, 'beta': True})
        page.locator('.text-block .copy').click()
        self.assertEqual(json.loads(self.clipboard()), document)

    def test_lint_findings_stand_at_the_row_that_they_are_of(self):
        trace = trace_id(8)
        self.show(trace, [segment(trace, 1, annotations={'two words': 1}, unknown_member=1)])
        self.press('8')
        expect(self.page.get_by_test_id('finding').first).to_be_visible()
        expect(self.named('s').locator('.wf-badge')).to_contain_text('lint')


class Filters(TraceCase):
    def test_the_filter_of_every_value_is_taken_by_the_server_and_finds_the_trace(self):
        self.show_shop()
        tried = set()
        for row in range(len(self.shown())):
            for tab in ('1', '2', '3', '5'):
                self.press(tab)
                for title in self.page.get_by_test_id('copy-filter').evaluate_all(
                        'buttons => buttons.map(button => button.title)'):
                    tried.add(title.removeprefix('Copy the filter '))
            self.press('j')
        self.assertGreater(len(tried), 20)
        for expression in tried:
            with self.subTest(expression):
                found = self.collector.summaries(FilterExpression=expression)
                self.assertEqual([summary['Id'] for summary in found], [self.trace])

    def test_a_filter_is_copied(self):
        self.show_shop()
        self.press('3')
        self.fact('customer').get_by_test_id('copy-filter').click()
        expect(self.page.locator('.toast')).to_contain_text('annotation.customer')
        self.assertEqual(self.clipboard(), 'annotation.customer = "c-42"')

    def test_a_value_leads_to_the_traces_that_have_it(self):
        self.put_many([segment(trace_id(70), 1, 'other', annotations={'customer': 'c-43'})])
        self.show_shop()
        self.press('3')
        self.fact('customer').get_by_test_id('fact-link').click()
        self.wait_for_hash('filter=annotation.customer = "c-42"')
        expect(self.row(self.trace)).to_be_visible()
        expect(self.row(trace_id(70))).to_have_count(0)

    def test_the_id_is_copied_in_both_forms(self):
        page = self.show_shop()
        page.get_by_test_id('copy-id').click()
        expect(page.locator('.toast')).to_contain_text('trace id')
        self.assertEqual(self.clipboard(), self.trace)
        page.get_by_test_id('copy-w3c').click()
        expect(page.locator('.toast', has_text='W3C')).to_be_visible()
        self.assertEqual(self.clipboard(), self.trace[2:].replace('-', ''))


class Deeds(TraceCase):
    def test_a_trace_is_pinned(self):
        page = self.show_shop()
        self.press('p')
        expect(page.get_by_test_id('pin')).to_have_attribute('aria-pressed', 'true')
        page.reload()
        expect(page.get_by_test_id('pin')).to_have_attribute('aria-pressed', 'true')

    def test_its_documents_are_exported(self):
        page = self.show_shop()
        with page.expect_download() as download:
            page.get_by_test_id('export-jsonl').click()
        with open(download.value.path(), encoding='utf-8') as file:
            lines = file.read().splitlines()
        self.assertEqual({json.loads(line)['name'] for line in lines}, {'shop', 'auth'})

    def test_it_is_exported_as_a_page_that_needs_no_server(self):
        self.show_shop()
        with self.page.expect_download() as download:
            self.page.get_by_test_id('export-html').click()
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        path = f'{folder.name}/trace.html'  # Only the name says that it is HTML.
        download.value.save_as(path)
        file = self.context.new_page()
        asked = []
        file.on('request', lambda request: asked.append(request.url))
        file.on('pageerror', lambda error: self.wrong.append(str(error)))
        file.goto(f'file://{path}')
        expect(file.locator('.wf-row')).to_have_count(10)
        file.keyboard.press('v')
        expect(file.get_by_test_id('map-node').first).to_be_visible()
        self.assertEqual([url for url in asked if not url.startswith(('file:', 'data:'))], [])

    def test_it_has_a_map_of_its_own(self):
        self.put_many([segment(trace_id(71), 1, 'elsewhere')])
        page = self.show_shop()
        self.press('v')
        expect(page.locator('[data-testid=map-node][data-name=auth]')).to_be_visible()
        expect(page.locator('[data-testid=map-node][data-name=elsewhere]')).to_have_count(0)
        self.press('v')
        expect(self.named('shop')).to_be_visible()


class Many(TraceCase):
    def test_ten_thousand_rows_are_walked_with_few_elements(self):
        page = self.show(*batch())
        expect(page.locator('.trace-header')).to_contain_text('subsegments')
        rows = page.locator('.wf-row')
        self.assertLess(rows.count(), 60)
        self.press('End')
        self.assertEqual(self.active(), 'item 98')
        self.assertLess(rows.count(), 60)
        for share in (.25, .5, .75):
            page.get_by_test_id('waterfall').evaluate(
                '(tree, share) => { tree.scrollTop = tree.scrollHeight * share; }', share)
            page.wait_for_function('''() => {
                const tree = document.querySelector('[data-testid=waterfall]').getBoundingClientRect();
                const at = document.elementFromPoint(tree.left + 60, tree.top + tree.height / 2);
                return at?.closest('.wf-row') !== null;
            }''')
            self.assertLess(rows.count(), 60)

    def test_keys_move_through_all_of_them(self):
        page = self.show(*batch())
        for _ in range(40):
            self.press('PageDown')
        reached = self.active()
        self.assertIsNotNone(reached)
        box, tree = (page.locator('.wf-row.selected').bounding_box(),
                     page.get_by_test_id('waterfall').bounding_box())
        self.assertTrue(tree['y'] <= box['y'] and box['y'] + box['height'] <= tree['y'] + tree['height'] + 1)


class Hostile(TraceCase):
    def test_strings_of_a_document_are_text_in_every_tab(self):
        trace = trace_id(9)
        start = time.time() - 9
        call = entity(2, HOSTILE, start, start + .5, namespace='aws', fault=True,
                      aws={'operation': HOSTILE, 'table_name': HOSTILE, HOSTILE: HOSTILE},
                      sql={'sanitized_query': HOSTILE, HOSTILE: HOSTILE},
                      http={'request': {'method': HOSTILE, 'url': 'javascript:window.hit=1//' + HOSTILE},
                            'response': {'status': 500}},
                      cause={'working_directory': HOSTILE, 'exceptions': [
                          {'id': HOSTILE, 'type': HOSTILE, 'message': HOSTILE,
                           'stack': [{'path': HOSTILE, 'line': 1, 'label': HOSTILE}]}]},
                      annotations={HOSTILE: HOSTILE, 'a': HOSTILE}, metadata={HOSTILE: {HOSTILE: HOSTILE}})
        page = self.show(trace, [segment(trace, 1, HOSTILE, start, 1, user=HOSTILE, origin=HOSTILE,
                                         resource_arn=HOSTILE, service={'version': HOSTILE},
                                         links=[{'trace_id': 'javascript:window.hit=1', 'id': HOSTILE}],
                                         annotations={'b': HOSTILE}, subsegments=[call])])
        for _ in range(3):
            for digit in '12345678':
                self.press(digit)
                expect(page.get_by_test_id('panel-body')).to_be_visible()
            self.press('j')
        self.press('v')
        expect(page.get_by_test_id('map-node').first).to_be_visible()
        self.assertIsNone(page.evaluate('window.hit ?? null'))
        self.assertEqual(page.locator('main img, main script, a[href^="javascript:"]').count(), 0)
        self.assertNotIn('\u202e', page.title() + ''.join(self.names()))


class Phone(TraceCase):
    viewport = PHONE

    def test_a_phone_shows_rows_and_on_a_tap_the_details(self):
        page = self.show_shop()
        expect(page.get_by_test_id('panel')).to_be_hidden()
        self.named('auth.internal').click()
        expect(page.get_by_test_id('panel')).to_be_visible()
        expect(self.fact('status').locator('.fact-value')).to_have_text('504')
        self.assert_no_sideways_scroll()


if __name__ == '__main__':
    main()
