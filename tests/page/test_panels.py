#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The empty page, sampling, status, and the themes."""
import subprocess
import time

from harness import PageCase, call, expect, main


class Empty(PageCase):
    def test_it_says_what_to_do_with_the_address_that_is_right(self):
        page = self.open()
        empty = page.get_by_test_id('empty')
        expect(empty).to_contain_text(f'AWS_XRAY_DAEMON_ADDRESS=127.0.0.1:{self.collector.port}')
        for language, text in (('C', 'xray_begin_segment'), ('Python', 'aws_xray_sdk'),
                               ('Node.js', 'aws-xray-sdk-core'),
                               ('OpenTelemetry', 'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=http://127.0.0.1:'),
                               ('curl', f'http://127.0.0.1:{self.collector.port}/TraceSegments')):
            empty.get_by_role('tab', name=language, exact=True).click()
            expect(empty.get_by_role('tabpanel')).to_contain_text(text)

    def test_what_is_to_be_run_can_be_copied(self):
        page = self.open()
        empty = page.get_by_test_id('empty')
        empty.get_by_role('tab', name='Python').click()
        empty.get_by_role('tabpanel').get_by_role('button', name='Copy').last.click()
        expect(empty.get_by_role('button', name='Copied')).to_be_visible()
        text = page.evaluate('navigator.clipboard.readText()')
        self.assertEqual(text, 'pip install aws-xray-sdk\nexport AWS_XRAY_DAEMON_ADDRESS='
                               f'127.0.0.1:{self.collector.port}\npython3 hello.py')

    def test_the_line_for_curl_sends_a_segment(self):
        page = self.open()
        empty = page.get_by_test_id('empty')
        empty.get_by_role('tab', name='curl').click()
        line = empty.get_by_role('tabpanel').locator('code').inner_text()
        subprocess.run(['sh', '-c', line], check=True, stdin=subprocess.DEVNULL,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        expect(self.rows).to_have_count(1)
        expect(self.rows.first.locator('.bar-text')).to_have_text('250 ms')

    def test_a_sample_trace_ends_it(self):
        page = self.open()
        page.get_by_test_id('send-sample').click()
        expect(self.rows).to_have_count(1)
        expect(self.rows.first.locator('.cell-marks')).to_contain_text('fault')
        expect(page.get_by_test_id('empty')).to_be_hidden()

    def test_the_languages_are_turned_by_the_arrows(self):
        page = self.open()
        page.get_by_role('tab', name='C', exact=True).focus()
        page.keyboard.press('ArrowRight')
        expect(page.get_by_role('tab', name='Python')).to_be_focused()
        expect(page.get_by_role('tab', name='Python')).to_have_attribute('aria-selected', 'true')


class Sampling(PageCase):
    def open_sampling(self):
        page = self.open('#/sampling')
        expect(page.get_by_test_id('rules')).to_contain_text('Default')
        return page

    def create(self, page, **values):
        page.get_by_test_id('new-rule').click()
        for name, value in values.items():
            page.locator(f'dialog [name={name}]').fill(value)
        page.get_by_role('button', name='Create').click()

    def rule(self, name):
        return self.page.locator(f'tr[data-rule="{name}"]')

    def rules(self):
        return {record['SamplingRule']['RuleName']: record['SamplingRule'] for record
                in self.collector.ask('/GetSamplingRules', {})['SamplingRuleRecords']}

    def test_a_rule_is_created_changed_and_deleted(self):
        page = self.open_sampling()
        self.create(page, RuleName='orders', Priority='10', ReservoirSize='5', FixedRate='0.25',
                    HTTPMethod='GET', URLPath='/orders*')
        row = self.rule('orders')
        expect(row).to_contain_text('25 %')
        expect(row).to_contain_text('/orders*')
        made = self.rules()['orders']
        self.assertEqual((made['Priority'], made['ReservoirSize'], made['FixedRate'], made['Host']),
                         (10, 5, 0.25, '*'))
        row.get_by_role('button', name='Edit').click()
        page.locator('dialog [name=FixedRate]').fill('0.5')
        page.get_by_role('button', name='Save').click()
        expect(row).to_contain_text('50 %')
        self.assertEqual(self.rules()['orders']['FixedRate'], 0.5)
        row.get_by_role('button', name='Delete').click()
        page.locator('dialog').get_by_role('button', name='Delete').click()
        expect(row).to_have_count(0)
        self.assertNotIn('orders', self.rules())

    def test_what_is_wrong_is_said_at_its_field_and_nothing_is_sent(self):
        page = self.open_sampling()
        self.create(page, RuleName='x', FixedRate='1.5', Priority='0')
        for name, words in (('FixedRate', '0 to 1'), ('Priority', '1 to 9999')):
            expect(page.locator(f'dialog [name={name}]')).to_have_attribute('aria-invalid', 'true')
            expect(page.locator(f'#rule-{name}-error')).to_contain_text(words)
        expect(page.locator('dialog [name=Priority]')).to_be_focused()
        self.assertNotIn('x', self.rules())

    def test_what_the_server_refuses_is_said_in_the_dialog(self):
        self.collector.ask('/CreateSamplingRule', {'SamplingRule': {
            'RuleName': 'taken', 'Priority': 1, 'FixedRate': 0, 'ReservoirSize': 0, 'ServiceName': '*',
            'ServiceType': '*', 'Host': '*', 'HTTPMethod': '*', 'URLPath': '*', 'ResourceARN': '*',
            'Version': 1}})
        page = self.open_sampling()
        self.expected = lambda text: '400' in text
        self.create(page, RuleName='taken')
        problem = page.get_by_test_id('rule-problem')
        expect(problem).to_be_visible()
        expect(problem).to_contain_text('taken')

    def test_default_can_be_changed_but_not_deleted(self):
        page = self.open_sampling()
        row = self.rule('Default')
        expect(row.get_by_role('button', name='Delete')).to_have_count(0)
        row.get_by_role('button', name='Edit').click()
        expect(page.locator('dialog [name=URLPath]')).to_have_count(0)
        page.locator('dialog [name=FixedRate]').fill('0.1')
        page.get_by_role('button', name='Save').click()
        expect(row).to_contain_text('10 %')

    def test_what_clients_report_is_counted(self):
        page = self.open_sampling()
        client = '0123456789abcdef01234567'
        self.collector.ask('/SamplingTargets', {'SamplingStatisticsDocuments': [
            {'RuleName': 'Default', 'ClientID': client, 'Timestamp': time.time(),
             'RequestCount': 120, 'SampledCount': 7, 'BorrowCount': 3}]})
        expect(page.locator('.rule-clients')).to_contain_text(client)
        expect(self.rule('Default')).to_contain_text('120')
        expect(page.locator('.rule-clients tbody tr')).to_contain_text('7')

    def test_a_request_can_be_tried(self):
        page = self.open_sampling()
        self.create(page, RuleName='quiet', Priority='5', ReservoirSize='0', FixedRate='0.01',
                    URLPath='/quiet*')
        expect(self.rule('quiet')).to_be_visible()
        page.get_by_test_id('tester').locator('[name=URLPath]').fill('/quiet/1')
        page.get_by_role('button', name='What would be decided?').click()
        verdict = page.get_by_test_id('verdict')
        expect(verdict).to_contain_text('quiet')
        expect(verdict).to_contain_text('1 %')
        page.get_by_test_id('tester').locator('[name=URLPath]').fill('/loud')
        page.get_by_role('button', name='What would be decided?').click()
        expect(verdict).to_contain_text('Default')

    def test_a_rule_with_a_boost_can_be_boosted(self):
        page = self.open_sampling()
        self.create(page, RuleName='risky', MaxRate='0.9', CooldownWindowMinutes='1')
        row = self.rule('risky')
        row.get_by_role('button', name='Boost').click()
        expect(row).to_contain_text('boost 90 %')


class Status(PageCase):
    def test_what_came_and_what_was_refused_is_counted(self):
        page = self.open('#/status')
        status = page.get_by_test_id('status')
        expect(status).to_contain_text('None: everything that came could be kept.')
        for _ in range(3):
            self.send(**call('GET', 'http://h/', 200))
        self.collector.send({'id': 'x'})
        expect(status).to_contain_text('4 received, 3 kept')
        expect(page.get_by_test_id('status-refused')).to_contain_text('no valid id')
        expect(page.get_by_test_id('status-senders')).to_contain_text('127.0.0.1')
        expect(page.get_by_test_id('status-head')).to_contain_text(f'UDP {self.collector.port}')

    def test_a_bad_datagram_is_shown_byte_by_byte(self):
        self.collector.datagram(b'GET / HTTP/1.1\r\n\r\n<img src=x>')
        page = self.open('#/status')
        bad = page.get_by_test_id('status-bad')
        expect(bad.locator('summary')).to_have_count(1)
        bad.locator('summary').click()
        expect(bad.locator('.hex')).to_contain_text('47 45 54 20 2f 20')
        expect(bad.locator('.hex')).to_contain_text('<img src=x>')

    def test_it_stays_open_over_the_next_answers(self):
        self.collector.datagram(b'nonsense')
        page = self.open('#/status')
        page.get_by_test_id('status-bad').locator('summary').click()
        with page.expect_response('**/api/status'):
            pass
        with page.expect_response('**/api/status'):
            pass
        expect(page.get_by_test_id('status-bad').locator('.hex')).to_be_visible()


class Connection(PageCase):
    def test_a_program_that_ends_is_noticed_and_found_again(self):
        page = self.open()
        self.expected = lambda text: 'net::ERR' in text or '/api/' in text
        port = self.collector.port
        self.collector.stop()
        expect(page.locator('#live')).to_have_attribute('data-state', 'lost')
        self.collector = type(self.collector)('--port', str(port))
        expect(page.locator('#live')).to_have_attribute('data-state', 'live')
        self.send()
        expect(self.rows).to_have_count(1)


LUMINANCE = '''names => { const canvas = document.createElement('canvas').getContext('2d');
    const luminance = name => { const probe = document.createElement('span');
        probe.style.color = `var(${name})`; document.body.append(probe);
        canvas.fillStyle = getComputedStyle(probe).color; probe.remove();
        canvas.fillRect(0, 0, 1, 1);
        const [r, g, b] = [...canvas.getImageData(0, 0, 1, 1).data].map(value => {
            value /= 255; return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4; });
        return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
    return names.map(luminance); }'''


class Themes(PageCase):
    def luminances(self, *names):
        return self.page.evaluate(LUMINANCE, list(names))

    def contrast(self, text, behind):
        low, high = sorted(self.luminances(text, behind))
        return (high + 0.05) / (low + 0.05)

    def test_the_systems_theme_is_followed_until_one_is_chosen(self):
        page = self.open()
        self.assertGreater(self.luminances('--page')[0], 0.8)
        page.emulate_media(color_scheme='dark')
        self.assertLess(self.luminances('--page')[0], 0.05)
        page.locator('#theme').click()  # light
        self.assertGreater(self.luminances('--page')[0], 0.8)
        page.reload()
        self.assertGreater(self.luminances('--page')[0], 0.8)
        page.locator('#theme').click()  # dark
        page.emulate_media(color_scheme='light')
        self.assertLess(self.luminances('--page')[0], 0.05)

    def test_text_can_be_read_in_both_themes(self):
        self.open()
        for scheme in ('light', 'dark'):
            self.page.emulate_media(color_scheme=scheme)
            for name in ('text', 'muted', 'accent', 'ok', 'error', 'throttle', 'fault', 'pending'):
                for behind in ('surface', 'page', 'hover', 'selected'):
                    self.assertGreaterEqual(self.contrast(f'--{name}', f'--{behind}'), 4.5,
                                            (scheme, name, behind))
            for name in ('ok', 'error', 'throttle', 'fault', 'pending'):
                self.assertGreaterEqual(self.contrast(f'--{name}', f'--{name}-tint'), 4.5,
                                        (scheme, name))
            self.assertGreaterEqual(self.contrast('--on-accent', '--accent'), 4.5)


if __name__ == '__main__':
    main()
