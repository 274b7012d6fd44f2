#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The service map: what it draws, what it says on demand, and where it leads."""
import re
import time

from harness import PHONE, PageCase, expect, main, segment, trace_id
from sample_traces import entity, shop

HOSTILE = '"><img src=x onerror="window.hit=1">\u202e'


class MapCase(PageCase):
    def open_map(self, query=''):
        self.open(f'#/map{query}')
        expect(self.page.get_by_test_id('map')).to_be_visible()
        return self.page

    def node(self, name, kind=None):
        more = f'[data-type="{kind}"]' if kind else ':not([data-type=client])'
        return self.page.locator(f'[data-testid=map-node][data-name="{name}"]{more}')

    def edge(self, start, end):
        return self.page.locator(f'[data-testid=map-edge][data-from="{start}"][data-to="{end}"]')

    def panel(self):
        return self.page.get_by_test_id('map-panel')

    def find(self, text):
        return self.panel().get_by_test_id('find').filter(has_text=re.compile(f'^{text}'))

    def put_shops(self, count=3):
        return [self.put_shop(number + 1) for number in range(count)]

    def put_shop(self, number, slow=1.0):
        trace, documents = shop(number, slow)
        self.put_many(documents)
        return trace

    def put_calls(self, seconds):
        """A front that calls a back once for each of the times given."""
        for number, duration in enumerate(seconds):
            trace, start = trace_id(500 + number), time.time() - 40
            self.put_many([
                segment(trace, 1, 'front', start, duration, subsegments=[
                    entity(2, 'back', start, start + duration, namespace='remote')]),
                segment(trace, 3, 'back', start, duration, parent_id='%016x' % 2)])


class Drawing(MapCase):
    def test_nodes_stand_from_the_client_to_what_is_called(self):
        self.put_shops()
        self.open_map()
        places = [self.node(name, kind).bounding_box()['x'] for name, kind in
                  (('shop', 'client'), ('shop', None), ('auth', None))]
        self.assertEqual(places, sorted(set(places)))
        expect(self.node('Orders', 'AWS::DynamoDB::Table')).to_be_visible()
        expect(self.page.get_by_test_id('map-counts')).to_have_text(re.compile('^4 nodes, 4 edges$'))

    def test_a_ring_has_the_share_of_what_failed(self):
        self.put_shops()
        self.put_many([segment(trace_id(60), 1, 'shop', origin='AWS::EC2::Instance')])
        self.open_map()
        expect(self.node('shop').locator('.ring.fault')).to_have_count(1)
        expect(self.node('shop').locator('.ring.ok')).to_have_count(1)
        expect(self.node('Orders').locator('.ring.fault')).to_have_count(0)
        expect(self.edge('client', 'shop')).to_contain_text('75 %')

    def test_edges_say_rate_median_and_on_demand_more(self):
        self.put_calls([.1] * 8 + [.2, .9])
        self.open_map()
        edge = self.edge('front', 'back')
        expect(edge).to_contain_text('10/min')
        expect(edge.locator('.edge-time')).to_have_text('100 ms')
        edge.focus()
        expect(edge).to_have_attribute('aria-label', re.compile('p50 100 ms, p90 200 ms, p99 900 ms'))

    def test_a_link_is_dashed_and_no_call(self):
        first, second = trace_id(61), trace_id(62)
        self.put_many([segment(first, 1, 'producer')])
        self.put_many([segment(second, 2, 'consumer', links=[{'trace_id': first, 'id': '%016x' % 1}])])
        self.open_map()
        expect(self.edge('producer', 'consumer')).to_have_class(re.compile('linked'))

    def test_a_service_that_calls_itself_has_a_loop(self):
        trace, start = trace_id(63), time.time() - 9
        self.put_many([segment(trace, 1, 'ring', start, 1, subsegments=[
                          entity(2, 'ring', start, start + 1, namespace='remote')]),
                       segment(trace, 3, 'ring', start, 1, parent_id='%016x' % 2)])
        self.open_map()
        expect(self.edge('ring', 'ring')).to_have_count(1)

    def test_an_empty_map_says_what_to_do(self):
        self.open_map()
        expect(self.page.locator('.map-empty')).to_contain_text('No traces in this time')

    def test_a_new_service_appears_by_itself(self):
        self.put_shop(1)
        self.open_map()
        expect(self.node('shop')).to_be_visible()
        self.send('newcomer')
        expect(self.node('newcomer')).to_be_visible()

    def test_the_size_of_nodes_is_chosen(self):
        self.put_calls([.1] * 5)
        self.put_shop(1)
        page = self.open_map()
        ring = self.node('shop').locator('.ring-base')
        by_traffic = float(ring.get_attribute('r'))
        page.get_by_label('Size of the nodes').select_option('health')
        self.wait_for_hash('size=health')
        expect(ring).not_to_have_attribute('r', str(by_traffic))
        self.assertGreater(float(ring.get_attribute('r')),
                           float(self.node('front').locator('.ring-base').get_attribute('r')))


class Details(MapCase):
    def test_a_node_says_counts_shares_and_percentiles(self):
        self.put_calls([.1] * 8 + [.2, .9])
        self.open_map()
        self.node('back').click()
        for name, value in (('mean', '190 ms'), ('p50', '100 ms'), ('p90', '200 ms'), ('p99', '900 ms')):
            expect(self.panel().get_by_test_id(f'time-{name}')).to_have_text(value)
        expect(self.panel().locator('.share-table .total')).to_contain_text('10')

    def test_the_traces_of_a_node_are_found(self):
        traces = self.put_shops(2)
        self.put_many([segment(trace_id(64), 1, 'other')])
        self.open_map()
        self.node('auth').click()
        self.find('Traces').click()
        self.wait_for_hash(re.escape('filter=service("auth")') + '$')
        for trace in traces:
            expect(self.row(trace)).to_be_visible()
        expect(self.rows).to_have_count(2)

    def test_the_faults_of_an_edge_are_found(self):
        trace = self.put_shop(1)
        self.open_map()
        self.edge('shop', 'auth').locator('.edge-hit').click(force=True)
        self.find('Faults').click()
        self.wait_for_hash(re.escape('filter=edge("shop", "auth"){fault}'))
        expect(self.row(trace)).to_be_visible()

    def test_all_filters_of_all_panels_are_taken_by_the_server_and_find_something(self):
        self.put_shops(6)
        page = self.open_map()
        expect(self.node('shop')).to_be_visible()
        tried = set()
        for element in page.locator('[data-testid=map-node], [data-testid=map-edge]').all():
            element.focus()
            page.keyboard.press('Enter')
            expect(self.panel()).to_be_visible()
            links = self.panel().locator('a[href^="#/traces"]').evaluate_all(
                'list => list.map(a => new URLSearchParams(a.getAttribute("href").split("?")[1]).get("filter"))')
            self.assertTrue(links)
            tried.update(links)
            page.keyboard.press('Enter')
        for expression in tried:
            with self.subTest(expression):
                self.assertTrue(self.collector.summaries(FilterExpression=expression))

    def test_bars_of_the_histogram_lead_to_their_traces(self):
        self.put_calls([.1] * 8 + [.9])
        self.open_map()
        self.node('back').click()
        self.panel().locator('.histogram-link').last.click()
        self.wait_for_hash(r'service\("back"\)\{responsetime >= ')
        expect(self.rows).to_have_count(1)


class Filter(MapCase):
    def test_only_what_the_filter_finds_is_drawn(self):
        self.put_shop(1)
        self.put_many([segment(trace_id(65), 1, 'healthy')])
        self.open_map()
        expect(self.node('healthy')).to_be_visible()
        self.apply('fault')
        expect(self.node('healthy')).to_have_count(0)
        expect(self.node('shop')).to_be_visible()
        self.wait_for_hash('#/map.*filter=fault')

    def test_a_filter_that_finds_nothing_says_so(self):
        self.put_shop(1)
        self.open_map('?filter=service("nobody")')
        expect(self.page.locator('.map-empty')).to_contain_text('that the filter finds')


class Keys(MapCase):
    def test_arrows_go_from_node_to_node_and_enter_opens(self):
        self.put_shop(1)
        page = self.open_map()
        expect(self.node('shop')).to_be_visible()
        page.keyboard.press('n')
        expect(self.node('shop', 'client')).to_be_focused()
        page.keyboard.press('ArrowRight')
        expect(self.node('shop')).to_be_focused()
        page.keyboard.press('Enter')
        expect(self.panel()).to_contain_text('EC2::Instance')
        page.keyboard.press('Escape')
        expect(self.panel()).to_be_hidden()

    def test_what_has_the_focus_keeps_it_when_the_map_is_drawn_again(self):
        self.put_shop(1)
        page = self.open_map()
        self.node('auth').focus()
        page.keyboard.press('Enter')
        self.send('newcomer')
        expect(self.node('newcomer')).to_be_visible()
        expect(self.node('auth')).to_be_focused()
        expect(self.panel()).to_contain_text('auth')

    def scale(self):
        return float(re.search(r'scale\(([\d.]+)', self.page.locator('.viewport').get_attribute('transform'))[1])

    def test_keys_and_the_wheel_zoom_and_zero_shows_all(self):
        self.put_shop(1)
        page = self.open_map()
        expect(self.node('shop')).to_be_visible()
        before = self.scale()
        page.keyboard.press('+')
        self.assertGreater(self.scale(), before)
        page.keyboard.press('0')
        self.assertAlmostEqual(self.scale(), before, delta=.01)
        box = page.get_by_test_id('map').bounding_box()
        page.mouse.move(box['x'] + 10, box['y'] + 10)
        page.mouse.wheel(0, 300)
        page.wait_for_function('before => Number(document.querySelector(".viewport").getAttribute("transform")'
                               '.match(/scale\\(([\\d.]+)/)[1]) < before', arg=before)

    def test_a_drag_moves_the_map_and_chooses_nothing(self):
        self.put_shop(1)
        page = self.open_map()
        expect(page.locator('.viewport')).to_have_attribute('transform', re.compile('scale'))
        before = self.node('auth').bounding_box()
        page.mouse.move(before['x'] + 20, before['y'] + 20)
        page.mouse.down()
        page.mouse.move(before['x'] + 60, before['y'] + 50)
        page.mouse.move(before['x'] + 80, before['y'] + 60)
        page.mouse.up()
        self.assertAlmostEqual(self.node('auth').bounding_box()['x'], before['x'] + 60, delta=2)
        expect(self.panel()).to_be_hidden()


class Large(MapCase):
    def test_a_hundred_nodes_do_not_cover_each_other(self):
        start = time.time() - 9
        for group in range(10):
            trace = trace_id(800 + group)
            self.put_many([segment(trace, 1, f'service {group}', start, 1, subsegments=[
                entity(10 + call, f'host-{group}-{call}', start, start + .1, namespace='remote')
                for call in range(9)])])
        page = self.open_map()
        expect(page.get_by_test_id('map-counts')).to_have_text(re.compile('^100 nodes'))
        boxes = page.locator('.node-area').evaluate_all(
            'list => list.map(e => { const b = e.getBoundingClientRect(); return [b.x, b.y, b.width, b.height]; })')
        for index, (x, y, width, height) in enumerate(boxes):
            for other in boxes[index + 1:]:
                self.assertFalse(abs(x - other[0]) < width - 1 and abs(y - other[1]) < height - 1)


class Hostile(MapCase):
    def test_names_are_text(self):
        trace, start = trace_id(66), time.time() - 9
        self.put_many([segment(trace, 1, HOSTILE, start, 1, origin=HOSTILE, fault=True, subsegments=[
            entity(2, HOSTILE + 'x', start, start + 1, namespace='remote')])])
        page = self.open_map()
        nodes = page.get_by_test_id('map-node')
        expect(nodes).to_have_count(3)
        for node in nodes.all():
            node.focus()
            page.keyboard.press('Enter')
            expect(self.panel()).to_be_visible()
        self.assertIsNone(page.evaluate('window.hit ?? null'))
        self.assertEqual(page.locator('main img').count(), 0)


class Phone(MapCase):
    viewport = PHONE

    def test_a_phone_shows_the_map_and_a_panel_below(self):
        self.put_shop(1)
        self.open_map()
        self.node('auth').click()
        expect(self.panel()).to_be_visible()
        self.assert_no_sideways_scroll()


if __name__ == '__main__':
    main()
