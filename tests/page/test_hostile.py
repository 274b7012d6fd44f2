#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Strings of documents reach the page as text and as nothing else."""
import time

from harness import PageCase, call, expect, main, segment, subsegment, trace_id

MARKUP = '<img src=x onerror="document.title=\'owned\'"><script>document.title=\'owned\'</script>'
LINK = 'javascript:document.title="owned"'
BIDI = 'a\u202eb\u0007c'


def hostile_documents(trace, now):
    """Markup wherever a document may have a string."""
    exception = {'id': '%016x' % 9, 'type': MARKUP, 'message': MARKUP, 'remote': True,
                 'stack': [{'path': MARKUP, 'line': 1, 'label': MARKUP}]}
    root = segment(
        trace, 1, MARKUP, now, 0.5, origin=MARKUP, user=MARKUP, resource_arn=MARKUP, fault=True,
        http={'request': {'method': MARKUP, 'url': LINK + MARKUP, 'user_agent': MARKUP,
                          'client_ip': MARKUP},
              'response': {'status': 500}},
        service={'version': MARKUP}, cause={'working_directory': MARKUP, 'exceptions': [exception]},
        annotations={'k': MARKUP, 'link': LINK, 'bidi': BIDI},
        metadata={MARKUP: {MARKUP: [MARKUP, {'deep': MARKUP}]}},
        aws={'ec2': {'instance_id': MARKUP, 'availability_zone': MARKUP},
             'xray': {'sdk': MARKUP, 'sampling_rule_name': MARKUP}},
        subsegments=[
            {'id': '%016x' % 2, 'name': MARKUP, 'namespace': 'remote', 'start_time': now,
             'end_time': now + 0.2, 'http': {'request': {'method': 'GET', 'url': LINK},
                                             'response': {'status': 502}}, 'fault': True},
            {'id': '%016x' % 3, 'name': MARKUP, 'namespace': 'aws', 'start_time': now + 0.2,
             'end_time': now + 0.3, 'aws': {'operation': MARKUP, 'table_name': MARKUP,
                                            'request_id': MARKUP, 'region': MARKUP}},
            {'id': '%016x' % 4, 'name': MARKUP, 'start_time': now + 0.3, 'end_time': now + 0.4,
             'sql': {'url': LINK, 'sanitized_query': MARKUP, 'database_type': MARKUP,
                     'user': MARKUP, 'driver_version': MARKUP}}])
    return root, subsegment(trace, 5, 77, MARKUP, namespace='remote')


class Hostile(PageCase):
    def setUp(self):
        super().setUp()
        now = time.time() - 10
        self.traces = [trace_id(n, int(now)) for n in (1, 2)]
        for number, trace in enumerate(self.traces):
            self.collector.send(*hostile_documents(trace, now - number))
        # A status page and rules have strings of others too.
        self.collector.datagram(MARKUP.encode())
        self.collector.call('/TelemetryRecords', {'TelemetryRecords': [
            {'Timestamp': now, 'SegmentsReceivedCount': 1}], 'Hostname': MARKUP})
        self.collector.call('/CreateSamplingRule', {'SamplingRule': {
            'RuleName': 'markup', 'Priority': 1, 'FixedRate': 1, 'ReservoirSize': 1,
            'ServiceName': MARKUP[:64], 'ServiceType': '*', 'Host': MARKUP[:64], 'HTTPMethod': '*',
            'URLPath': MARKUP, 'ResourceARN': '*', 'Version': 1, 'Attributes': {'<b>': '<i>x</i>'}}})

    def check(self):
        page = self.page
        self.assertNotEqual(page.title(), 'owned')
        found = page.evaluate('''[...document.querySelectorAll('main *, dialog *')].filter(element =>
            ['script', 'img', 'iframe', 'object', 'embed', 'base', 'meta'].includes(element.localName) ||
            [...element.attributes].some(({name, value}) => name.startsWith('on') ||
                ['href', 'xlink:href', 'src', 'action', 'formaction', 'srcdoc', 'data'].includes(name) &&
                /^\\s*(javascript|data|https?):/i.test(value))).map(e => e.outerHTML)''')
        self.assertEqual(found, [])

    def test_the_list_shows_it_as_it_is(self):
        page = self.open()
        row = self.row(self.traces[0])
        expect(row.locator('.cell-entry')).to_contain_text('<img src=x onerror=')
        expect(row.locator('.url')).to_contain_text('javascript:')
        self.check()
        self.filter().click()
        page.keyboard.type('service(')
        expect(page.locator('[role=option]').first).to_contain_text('<img')
        self.check()

    def test_a_suggestion_with_quotes_is_a_string_that_finds(self):
        page = self.open()
        self.filter().click()
        page.keyboard.type('annotation.k = ')
        expect(page.locator('[role=option]').first).to_contain_text('<img')
        page.keyboard.press('ArrowDown')
        page.keyboard.press('Enter')
        page.keyboard.press('Enter')
        self.wait_for_hash('filter=annotation')
        expect(self.rows).to_have_count(2)

    def test_a_trace_shows_it_as_it_is(self):
        page = self.open(f'#/traces/{self.traces[0]}')
        expect(page.locator('main')).to_contain_text('<img src=x onerror=')
        self.check()

    def test_the_map_shows_it_as_it_is(self):
        page = self.open('#/map?since=1h')
        expect(page.locator('main')).to_contain_text('<img')
        self.check()

    def test_a_comparison_shows_it_as_it_is(self):
        page = self.open(f'#/compare?a={self.traces[1]}&b={self.traces[0]}')
        expect(page.locator('main')).to_contain_text('<img src=x')
        self.check()

    def test_sampling_and_status_show_it_as_it_is(self):
        page = self.open('#/sampling')
        expect(page.get_by_test_id('rules')).to_contain_text('<i>x</i>')
        self.check()
        page.goto(f'{self.base}/#/status')
        page.get_by_test_id('status-bad').locator('summary').first.click()
        expect(page.get_by_test_id('status-bad').locator('.hex')).to_contain_text('<img')
        self.check()

    def test_an_address_of_the_page_is_text_too(self):
        page = self.open('#/traces?filter=%3Cimg%20src%3Dx%20onerror%3Dalert(1)%3E&since=%3Cb%3E')
        self.expected = lambda text: '400' in text
        expect(page.locator('.filter-error')).to_be_visible()
        self.check()

    def expected(self, text):
        return '400' in text  # the filter of the last test

    def test_the_policy_allows_no_inline_code(self):
        _, headers, body = self.collector.request('GET', '/', headers={'Accept': 'text/html'})
        policy = headers['Content-Security-Policy']
        self.assertIn("script-src 'self'", policy)
        self.assertNotIn('unsafe', policy)
        self.assertNotRegex(body.decode(), r'<script>|<style|\sstyle=|\son\w+=')

    def test_a_violation_would_be_noticed(self):
        page = self.open()
        page.evaluate('''const image = document.createElement('img');
                         image.src = 'http://127.0.0.1:9/x.png'; document.body.append(image);''')
        page.wait_for_timeout(300)
        self.assertTrue(any('Content Security Policy' in text for text in self.wrong), self.wrong)
        self.wrong.clear()


class Names(PageCase):
    """Everything that can be worked has a name for those who do not see it."""

    def test_all_controls_have_a_name(self):
        self.send(**call('GET', 'http://h/', 200))
        for place in ('#/traces', '#/sampling', '#/status', '#/map'):
            page = self.open(place)
            page.wait_for_timeout(300)
            found = page.evaluate('''[...document.querySelectorAll(
                'button, a[href], input, select, textarea, [tabindex]')].filter(element => {
                const label = element.labels?.length || element.getAttribute('aria-label') ||
                    element.getAttribute('aria-labelledby') || element.textContent.trim() ||
                    element.title;
                return !label && element.checkVisibility(); }).map(element => element.outerHTML)''')
            self.assertEqual(found, [], place)


if __name__ == '__main__':
    main()
