#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What the operations on maps, groups, retrieved traces and tags do."""
import contextlib
import json
import os
import sqlite3
import sys
import tempfile
import time
import unittest

from collector import Case, Collector, segment, subsegment, trace_id

EC2 = 'AWS::EC2::Instance'


def id_of(number):
    return '%016x' % number


class Operations(Case):
    def setUp(self):
        super().setUp()
        self.now = time.time()

    def times(self, before=600, **members):
        return {'StartTime': self.now - before, 'EndTime': self.now + 60, **members}

    def expect_refused(self, path, request, words, status=400):
        code, headers, reply = self.collector.call(path, request)
        self.assertEqual(code, status, reply)
        self.assertTrue(headers['x-amzn-ErrorType'].endswith('Exception'))
        self.assertIn(words, reply['Message'])

    def names(self, path, request):
        return [one['Name'] for one in self.collector.ask(path, request)['Services']
                if one.get('Type') != 'client']


class Groups(Operations):
    def make(self, name, expression):
        return self.collector.ask('/CreateGroup', {
            'GroupName': name, 'FilterExpression': expression})['Group']

    def listed(self):
        return [group['GroupName'] for group in self.collector.ask('/Groups')['Groups']]

    def test_they_are_made_changed_and_deleted(self):
        group = self.make('slow', 'responsetime > 2')
        self.assertEqual(self.listed(), ['Default', 'slow'])
        self.collector.ask('/UpdateGroup', {'GroupARN': group['GroupARN'],
                                            'InsightsConfiguration': {'InsightsEnabled': True}})
        found = self.collector.ask('/GetGroup', {'GroupName': 'slow'})['Group']
        self.assertEqual(found['FilterExpression'], 'responsetime > 2')
        self.assertEqual(found['InsightsConfiguration'],
                         {'InsightsEnabled': True, 'NotificationsEnabled': False})
        self.collector.ask('/UpdateGroup', {'GroupName': 'slow', 'FilterExpression': 'fault'})
        found = self.collector.ask('/GetGroup', {'GroupARN': group['GroupARN']})['Group']
        self.assertEqual(found['FilterExpression'], 'fault')
        self.collector.ask('/DeleteGroup', {'GroupName': 'slow'})
        self.assertEqual(self.listed(), ['Default'])
        self.expect_refused('/GetGroup', {'GroupName': 'slow'}, 'no such group')
        self.expect_refused('/DeleteGroup', {'GroupName': 'slow'}, 'no such group')

    def test_default_stays_as_it_is(self):
        self.expect_refused('/CreateGroup', {'GroupName': 'Default'}, 'exists already')
        self.expect_refused('/UpdateGroup', {'GroupName': 'Default', 'FilterExpression': 'ok'},
                            'Default')
        self.expect_refused('/DeleteGroup', {'GroupName': 'Default'}, "can't be deleted")

    def test_names_and_filters_are_looked_at(self):
        self.make('a', 'ok')
        self.expect_refused('/CreateGroup', {'GroupName': 'a'}, 'exists already')
        self.expect_refused('/CreateGroup', {}, 'GroupName')
        self.expect_refused('/CreateGroup', {'GroupName': 'x' * 33}, '1 to 32')
        self.expect_refused('/CreateGroup', {'GroupName': 'b', 'FilterExpression': 'ok)'},
                            'Invalid filter expression')
        self.expect_refused('/UpdateGroup', {'GroupName': 'a', 'FilterExpression': 'ok)'},
                            'Invalid filter expression')
        self.expect_refused('/GetGroup', {}, 'GroupName or GroupARN')
        self.assertEqual(self.listed(), ['Default', 'a'])

    def test_there_are_as_many_as_in_the_service(self):
        for number in range(25):
            self.make(f'group-{number}', '')
        self.expect_refused('/CreateGroup', {'GroupName': 'one too many'}, '25')

    def test_a_map_can_be_that_of_a_group(self):
        group = self.make('bad', 'fault')
        self.collector.put(segment(trace_id(1), 1, 'fine'),
                           segment(trace_id(2), 1, 'broken', fault=True))
        for members, wanted in (({}, {'fine', 'broken'}), ({'GroupName': 'bad'}, {'broken'}),
                                ({'GroupARN': group['GroupARN']}, {'broken'}),
                                ({'GroupName': 'Default'}, {'fine', 'broken'})):
            self.assertEqual(set(self.names('/ServiceGraph', self.times(**members))), wanted)
        self.expect_refused('/ServiceGraph', self.times(GroupName='none'), 'none')

    def test_filters_and_statistics_know_groups(self):
        self.make('bad', 'fault')
        self.collector.put(segment(trace_id(1), 1, 'fine'),
                           segment(trace_id(2), 1, 'broken', fault=True))
        found = self.collector.summaries(FilterExpression='group.name = "bad"')
        self.assertEqual([one['Id'] for one in found], [trace_id(2)])
        reply = self.collector.ask('/TimeSeriesServiceStatistics', self.times(GroupName='bad'))
        self.assertEqual([one['EdgeSummaryStatistics']['TotalCount']
                          for one in reply['TimeSeriesServiceStatistics']], [1])

    def test_a_group_of_itself_is_refused_or_ends(self):
        self.make('a', 'ok')
        self.make('b', 'group.name = "a"')
        status, _, _ = self.collector.call('/UpdateGroup', {
            'GroupName': 'a', 'FilterExpression': 'group.name = "b"'})
        self.assertIn(status, (200, 400))
        self.assertIn(self.collector.call('/ServiceGraph', self.times(GroupName='a'))[0],
                      (200, 400))

    def test_tags_given_at_the_making_are_kept_and_go_with_the_group(self):
        group = self.collector.ask('/CreateGroup', {
            'GroupName': 'g', 'Tags': [{'Key': 'k', 'Value': 'v'}]})['Group']
        resource = {'ResourceARN': group['GroupARN']}
        self.assertEqual(self.collector.ask('/ListTagsForResource', resource)['Tags'],
                         [{'Key': 'k', 'Value': 'v'}])
        self.collector.ask('/DeleteGroup', {'GroupName': 'g'})
        self.make('g', '')
        self.assertEqual(self.collector.ask('/ListTagsForResource', resource)['Tags'], [])
        self.expect_refused('/CreateGroup', {'GroupName': 'h', 'Tags': [{'Key': ''}]}, 'tag')
        self.assertEqual(self.listed(), ['Default', 'g'])


class Maps(Operations):
    def test_a_map_of_time_has_what_was_active_then(self):
        self.collector.put(segment(trace_id(1, int(self.now) - 900), 1, 'old', self.now - 900),
                           segment(trace_id(2), 1, 'new', self.now - 5))
        self.assertEqual(self.names('/ServiceGraph', self.times()), ['new'])
        self.assertEqual(set(self.names('/ServiceGraph', self.times(1000))), {'old', 'new'})

    def test_the_times_asked_for_come_back(self):
        reply = self.collector.ask('/ServiceGraph', {'StartTime': 1000.5, 'EndTime': 2000})
        self.assertEqual((reply['StartTime'], reply['EndTime'], reply['Services'],
                          reply['ContainsOldGroupVersions']), (1000.5, 2000, [], False))

    def test_no_more_than_six_hours_are_looked_at(self):
        hours = 6 * 3600
        for path in ('/ServiceGraph', '/TimeSeriesServiceStatistics'):
            self.collector.ask(path, {'StartTime': 1000, 'EndTime': 1000 + hours})
            self.expect_refused(path, {'StartTime': 1000, 'EndTime': 1002 + hours}, '6 hours')
            self.expect_refused(path, {'StartTime': 2, 'EndTime': 1}, 'StartTime is after')
            self.expect_refused(path, {}, 'StartTime and EndTime')
            self.expect_refused(path, self.times(NextToken='x'), 'NextToken')
            self.expect_refused(path, self.times(GroupName='a', GroupARN='b'), 'exclude')

    def test_a_map_of_traces_has_only_these(self):
        one, two, three = (trace_id(number) for number in (1, 2, 3))
        self.collector.put(
            segment(one, 1, 'a'), segment(two, 1, 'b', subsegments=[
                {'id': id_of(2), 'name': 'db', 'namespace': 'remote', 'fault': True,
                 'start_time': self.now - 5, 'end_time': self.now - 4.5}]), segment(three, 1, 'c'))
        self.assertEqual(set(self.names('/TraceGraph', {'TraceIds': [one, two, two]})),
                         {'a', 'b', 'db'})
        services = {service['Name']: service for service in self.collector.ask(
            '/TraceGraph', {'TraceIds': [two]})['Services'] if service.get('Type') != 'client'}
        edge, = services['b']['Edges']
        self.assertEqual(edge['ReferenceId'], services['db']['ReferenceId'])
        self.assertEqual(edge['SummaryStatistics']['FaultStatistics'],
                         {'OtherCount': 1, 'TotalCount': 1})
        self.assertTrue(services['b']['Root'])
        self.assertEqual(services['db']['State'], 'unknown')

    def test_a_map_of_traces_takes_a_hundred_ids(self):
        ids = [trace_id(number) for number in range(101)]
        self.assertEqual(self.collector.ask('/TraceGraph', {'TraceIds': ids[1:]})['Services'], [])
        self.expect_refused('/TraceGraph', {'TraceIds': ids}, '100')
        self.expect_refused('/TraceGraph', {'TraceIds': ['nonsense']}, 'not a trace id')
        self.expect_refused('/TraceGraph', {'TraceIds': ids[:1], 'NextToken': 'x'}, 'NextToken')


class Series(Operations):
    def setUp(self):
        super().setUp()
        # Ends at +10, +70 and +130 seconds of a whole five minutes.
        self.begin = int(self.now) // 300 * 300 - 600
        for number, offset in enumerate((10, 70, 130)):
            start = self.begin + offset - 2
            self.collector.put(segment(trace_id(number), 1, 'shop', start, 2, origin=EC2,
                                       fault=number == 1, subsegments=[
                {'id': id_of(2), 'name': 'db', 'namespace': 'remote',
                 'start_time': start, 'end_time': start + 1}]))

    def ask(self, **members):
        return self.collector.ask('/TimeSeriesServiceStatistics', {
            'StartTime': self.begin, 'EndTime': self.begin + 599, **members})[
                'TimeSeriesServiceStatistics']

    def test_a_period_is_a_minute_or_five(self):
        for members in ({}, {'Period': 60}):
            self.assertEqual([one['Timestamp'] - self.begin for one in self.ask(**members)],
                             [0, 60, 120])
        five, = self.ask(Period=300)
        self.assertEqual(five['Timestamp'], self.begin)
        self.assertEqual(five['EdgeSummaryStatistics']['TotalCount'], 6)
        for period in (0, 61, 3600, -60, 1e300):
            self.expect_refused('/TimeSeriesServiceStatistics', self.times(Period=period), 'Period')

    def test_a_service_can_be_selected(self):
        for selector in ('service("shop")', f'service(id(name: "shop", type: "{EC2}"))'):
            found = self.ask(EntitySelectorExpression=selector)
            self.assertEqual([one['ServiceSummaryStatistics']['FaultStatistics']['TotalCount']
                              for one in found], [0, 1, 0])
            self.assertEqual(found[0]['ServiceSummaryStatistics']['TotalResponseTime'], 2)
            self.assertEqual(found[0]['ResponseTimeHistogram'], [{'Value': 2, 'Count': 1}])
            self.assertNotIn('EdgeSummaryStatistics', found[0])

    def test_an_edge_can_be_selected(self):
        found = self.ask(EntitySelectorExpression='edge("shop", "db")', Period=300)
        self.assertEqual([(one['EdgeSummaryStatistics']['TotalCount'],
                           one['EdgeSummaryStatistics']['TotalResponseTime'])
                          for one in found], [(3, 3)])
        self.assertEqual(self.ask(EntitySelectorExpression='edge("db", "shop")'), [])

    def test_a_selector_that_is_none_is_refused(self):
        for selector in ('', 'shop', 'service("shop"', 'service("shop"){fault}'):
            self.expect_refused('/TimeSeriesServiceStatistics',
                                self.times(EntitySelectorExpression=selector),
                                'Invalid entity selector expression')
        self.expect_refused('/TimeSeriesServiceStatistics', self.times(
            EntitySelectorExpression=f'service("{"x" * 500}")'), '500')


class Summaries(Operations):
    def page_through(self, **members):
        request, seen = self.times(**members), []
        while True:
            reply = self.collector.ask('/TraceSummaries', request)
            seen += [one['Id'] for one in reply['TraceSummaries']]
            if 'NextToken' not in reply:
                return seen
            request['NextToken'] = reply['NextToken']

    def test_a_share_of_traces_is_the_same_at_every_asking(self):
        for number in range(400):
            self.collector.send(segment(trace_id(number, int(self.now)), 1))
        everything = self.page_through()
        half = self.page_through(SamplingStrategy={'Name': 'FixedRate', 'Value': 0.5})
        self.assertEqual(len(everything), 400)
        self.assertTrue(120 < len(half) < 280, len(half))
        self.assertEqual(half, [one for one in everything if one in set(half)])
        self.assertEqual(half, self.page_through(SamplingStrategy={'Name': 'FixedRate',
                                                                   'Value': 0.5}))
        tenth = self.page_through(SamplingStrategy={'Name': 'FixedRate', 'Value': 0.1})
        self.assertLess(set(tenth), set(half))
        for name, value, count in (('FixedRate', 0, 0), ('FixedRate', 1, 400),
                                   ('PartialScan', None, 400)):
            self.assertEqual(len(self.page_through(
                SamplingStrategy={'Name': name, 'Value': value})), count)

    def test_strategies_and_ranges_that_are_none_are_refused(self):
        for strategy in ({}, {'Name': 'x'}, {'Name': 'FixedRate'},
                         {'Name': 'FixedRate', 'Value': 1.5}):
            self.expect_refused('/TraceSummaries', self.times(SamplingStrategy=strategy),
                                'SamplingStrategy')
        self.expect_refused('/TraceSummaries', self.times(TimeRangeType='x'), 'TimeRangeType')

    def test_the_time_of_the_event_is_told_where_events_are_asked_for(self):
        epoch = int(self.now) - 100
        self.collector.put(segment(trace_id(1, epoch), 1, start=epoch, duration=20))
        for kind, start, wanted in (('Event', epoch + 10, epoch + 10),
                                    ('Event', epoch - 10, epoch), ('Service', epoch + 10, None)):
            found, = self.collector.ask('/TraceSummaries', {
                'StartTime': start, 'EndTime': epoch + 50,
                'TimeRangeType': kind})['TraceSummaries']
            self.assertEqual(found.get('MatchedEventTime'), wanted)

    def test_a_service_is_found_by_its_end(self):
        epoch = int(self.now) - 100
        self.collector.put(segment(trace_id(1, epoch), 1, start=epoch, duration=20))
        for start, end, count in ((epoch, epoch + 18, 0), (epoch + 19, epoch + 20, 1)):
            found = self.collector.ask('/TraceSummaries', {
                'StartTime': start, 'EndTime': end, 'TimeRangeType': 'Service'})
            self.assertEqual(len(found['TraceSummaries']), count)


class Traces(Operations):
    def test_what_is_inferred_keeps_its_id(self):
        trace = trace_id()
        call = {'id': id_of(2), 'name': 'DynamoDB', 'namespace': 'aws', 'start_time': self.now - 4,
                'end_time': self.now - 3, 'aws': {'table_name': 'orders'}}
        self.collector.put(segment(trace, 1, 'shop', self.now - 4, subsegments=[call]))
        first = self.collector.trace(trace)
        self.assertEqual([one['name'] for one in first], ['shop', 'DynamoDB'])
        self.assertTrue(first[1]['inferred'])
        self.assertEqual(first[1]['parent_id'], id_of(2))
        self.assertEqual(first[1]['origin'], 'AWS::DynamoDB::Table')
        self.collector.put(subsegment(trace, 3, 1, 'later'))
        second = self.collector.trace(trace)
        self.assertEqual([one['id'] for one in second], [one['id'] for one in first])
        # It goes when what answered the call tells of itself.
        self.collector.put(segment(trace, 4, 'table', parent_id=id_of(2)))
        self.assertEqual({one['name'] for one in self.collector.trace(trace)}, {'shop', 'table'})

    def test_subsegments_that_came_on_their_own_are_where_they_belong(self):
        trace = trace_id()
        self.collector.put(subsegment(trace, 3, 2, 'inner'), subsegment(trace, 2, 1, 'outer'),
                           segment(trace, 1, 'shop'))
        document, = self.collector.trace(trace)
        outer, = document['subsegments']
        inner, = outer['subsegments']
        self.assertEqual((outer['name'], inner['name']), ('outer', 'inner'))
        for one in (outer, inner):
            self.assertEqual(set(one) & {'trace_id', 'parent_id', 'type'}, set())


class Retrieval(Operations):
    def start(self, ids):
        return self.collector.ask('/StartTraceRetrieval',
                                  self.times(TraceIds=ids))['RetrievalToken']

    def pages(self, token, kind=None):
        request, pages = {'RetrievalToken': token}, []
        if kind:
            request['TraceFormat'] = kind
        while True:
            reply = self.collector.ask('/ListRetrievedTraces', request)
            self.assertEqual(reply['RetrievalStatus'], 'COMPLETE')
            self.assertEqual(reply['TraceFormat'], kind or 'XRAY')
            pages.append(reply['Traces'])
            if 'NextToken' not in reply:
                return pages
            request['NextToken'] = reply['NextToken']

    def test_more_than_five_traces_come_in_pages(self):
        ids = [trace_id(number) for number in range(12)]
        self.collector.put(*(segment(one, 1, 'shop', duration=2.5) for one in ids))
        pages = self.pages(self.start(ids + [trace_id(99)]))
        self.assertEqual([len(page) for page in pages], [5, 5, 2])
        found = [trace for page in pages for trace in page]
        self.assertEqual([trace['Id'] for trace in found], ids)
        self.assertEqual(found[0]['Duration'], 2.5)
        span, = found[0]['Spans']
        self.assertEqual(span['Id'], id_of(1))
        self.assertEqual(json.loads(span['Document'])['name'], 'shop')

    def test_more_than_a_hundred_spans_of_a_trace_are_told_apart(self):
        trace = trace_id()
        for number in range(250):
            self.collector.send(segment(trace, number + 1, f's{number}'))
        for kind in ('XRAY', 'OTEL'):
            page, = self.pages(self.start([trace]), kind)
            self.assertEqual([len(part['Spans']) for part in page], [100, 100, 50])
            self.assertEqual({part['Id'] for part in page}, {trace})
            self.assertEqual({span['Id'] for part in page for span in part['Spans']},
                             {id_of(number + 1) for number in range(250)})

    def test_spans_can_be_those_of_opentelemetry(self):
        trace = trace_id()
        self.collector.put(segment(trace, 1, 'shop', subsegments=[
            {'id': id_of(2), 'name': 'call', 'namespace': 'remote', 'start_time': self.now - 4,
             'end_time': self.now - 3}]))
        (found,), = self.pages(self.start([trace]), 'OTEL')
        spans = {span['Id']: json.loads(span['Document']) for span in found['Spans']}
        self.assertEqual(set(spans), {id_of(1), id_of(2)})
        self.assertEqual(spans[id_of(2)]['parentSpanId'], id_of(1))
        self.assertEqual(spans[id_of(2)]['traceId'], trace[2:].replace('-', ''))
        self.assertIn({'key': 'service.name', 'value': {'stringValue': 'shop'}},
                      spans[id_of(1)]['resource']['attributes'])

    def test_the_map_is_that_of_the_traces(self):
        self.collector.put(segment(trace_id(1), 1, 'a'), segment(trace_id(2), 1, 'b'))
        reply = self.collector.ask('/GetRetrievedTracesGraph',
                                   {'RetrievalToken': self.start([trace_id(1)])})
        self.assertEqual({one['Service']['Name'] for one in reply['Services']}, {'a'})

    def test_the_map_of_many_services_has_pages(self):
        ids = [trace_id(number) for number in range(11)]
        for number, one in enumerate(ids):
            for part in range(50):
                self.collector.send(segment(one, part + 1, f's{number}-{part}'))
        request, pages = {'RetrievalToken': self.start(ids)}, []
        while True:
            reply = self.collector.ask('/GetRetrievedTracesGraph', request)
            pages.append([one['Service']['ReferenceId'] for one in reply['Services']])
            if 'NextToken' not in reply:
                break
            request['NextToken'] = reply['NextToken']
        self.assertEqual([len(page) for page in pages], [1000, 100])
        self.assertEqual(len(set(pages[0] + pages[1])), 1100)
        for token in ('x', request['NextToken'][:-3]):
            self.expect_refused('/GetRetrievedTracesGraph', {**request, 'NextToken': token},
                                'NextToken')

    def test_tokens_that_are_none_are_refused(self):
        token = self.start([trace_id()])
        for path in ('/ListRetrievedTraces', '/GetRetrievedTracesGraph', '/CancelTraceRetrieval'):
            self.expect_refused(path, {}, 'RetrievalToken is missing')
            self.expect_refused(path, {'RetrievalToken': 'x'}, 'no such retrieval', 404)
        self.expect_refused('/ListRetrievedTraces', {'RetrievalToken': token, 'TraceFormat': 'x'},
                            'TraceFormat')
        self.collector.ask('/CancelTraceRetrieval', {'RetrievalToken': token})
        self.expect_refused('/ListRetrievedTraces', {'RetrievalToken': token},
                            'no such retrieval', 404)
        self.expect_refused('/StartTraceRetrieval', self.times(), 'TraceIds is missing')

    def test_the_token_of_a_page_belongs_to_its_request(self):
        ids = [trace_id(number) for number in range(12)]
        self.collector.put(*(segment(one, 1) for one in ids))
        request = {'RetrievalToken': self.start(ids)}
        token = self.collector.ask('/ListRetrievedTraces', request)['NextToken']
        for changed in ({'NextToken': 'x'}, {'NextToken': token + '1'}, {'NextToken': token[:-1]},
                        {'NextToken': token, 'TraceFormat': 'OTEL'},
                        {'NextToken': token, 'RetrievalToken': self.start(ids)}):
            self.expect_refused('/ListRetrievedTraces', {**request, **changed}, 'NextToken')


class Tags(Operations):
    RULE = 'arn:aws:xray:local:000000000000:sampling-rule/'

    def listed(self, arn):
        return {tag['Key']: tag['Value'] for tag in self.collector.ask(
            '/ListTagsForResource', {'ResourceARN': arn})['Tags']}

    def tag(self, arn, **tags):
        self.collector.ask('/TagResource', {'ResourceARN': arn, 'Tags': [
            {'Key': key, 'Value': value} for key, value in tags.items()]})

    def test_they_are_set_changed_and_taken_away(self):
        group = self.collector.ask('/CreateGroup', {'GroupName': 'g'})['Group']
        for arn in (group['GroupARN'], self.RULE + 'Default'):
            self.assertEqual(self.listed(arn), {})
            self.tag(arn, a='1', b='2')
            self.tag(arn, b='3', c='')
            self.assertEqual(self.listed(arn), {'a': '1', 'b': '3', 'c': ''})
            self.collector.ask('/UntagResource', {'ResourceARN': arn, 'TagKeys': ['b', 'z']})
            self.assertEqual(self.listed(arn), {'a': '1', 'c': ''})
            self.collector.ask('/UntagResource', {'ResourceARN': arn, 'TagKeys': ['a', 'c']})
            self.assertEqual(self.listed(arn), {})

    def test_those_of_a_rule_come_and_go_with_it(self):
        rule = {'RuleName': 'r', 'ResourceARN': '*', 'Priority': 5, 'FixedRate': 0.25,
                'ReservoirSize': 10, 'ServiceName': '*', 'ServiceType': '*', 'Host': '*',
                'HTTPMethod': '*', 'URLPath': '*', 'Version': 1}
        tags = [{'Key': 'k', 'Value': 'v'}]
        self.expect_refused('/CreateSamplingRule', {'SamplingRule': rule, 'Tags': [{}]}, 'a tag')
        self.collector.ask('/CreateSamplingRule', {'SamplingRule': rule, 'Tags': tags})
        self.assertEqual(self.listed(self.RULE + 'r'), {'k': 'v'})
        self.collector.ask('/DeleteSamplingRule', {'RuleName': 'r'})
        self.collector.ask('/CreateSamplingRule', {'SamplingRule': rule})
        self.assertEqual(self.listed(self.RULE + 'r'), {})

    def test_what_is_not_there_has_none(self):
        for path, members in (('/TagResource', {'Tags': []}), ('/UntagResource', {'TagKeys': []}),
                              ('/ListTagsForResource', {})):
            self.expect_refused(path, {'ResourceARN': self.RULE + 'none', **members},
                                'no group or sampling rule', 404)
            self.expect_refused(path, members, 'ResourceARN is missing')

    def test_nothing_of_them_stays_in_the_file(self):
        with tempfile.TemporaryDirectory() as directory:
            path = os.path.join(directory, 'traces.db')
            collector = Collector('--port', '0', '--db', path)
            self.addCleanup(collector.stop)
            for name in ('stays', 'goes'):
                collector.ask('/CreateGroup', {'GroupName': name, 'Tags': [
                    {'Key': 'key', 'Value': f'value of what {name}'}]})
            collector.ask('/DeleteGroup', {'GroupName': 'goes'})
            self.assertEqual(collector.stop(), 0)
            with contextlib.closing(sqlite3.connect(path)) as database:
                kept = '\n'.join(database.iterdump())
        self.assertIn('value of what stays', kept)
        self.assertNotIn('value of what goes', kept)

    def test_there_are_at_most_fifty(self):
        arn = self.RULE + 'Default'
        self.tag(arn, **{f'k{number}': 'v' for number in range(50)})
        status, headers, _ = self.collector.call('/TagResource', {
            'ResourceARN': arn, 'Tags': [{'Key': 'one more', 'Value': ''}]})
        self.assertEqual((status, headers['x-amzn-ErrorType']), (400, 'TooManyTagsException'))
        self.assertEqual(len(self.listed(arn)), 50)
        for tag in ({'Key': 'k'}, {'Key': '', 'Value': ''}, {'Key': 'k' * 129, 'Value': ''},
                    {'Key': 'k', 'Value': 'v' * 257}, 'x'):
            self.expect_refused('/TagResource', {'ResourceARN': arn, 'Tags': [tag]}, 'a tag has')


class Account(Operations):
    def test_what_would_change_nothing_is_refused(self):
        for path, request, words in (
                ('/PutEncryptionConfig', {'Type': 'KMS', 'KeyId': 'k'}, 'NONE'),
                ('/UpdateTraceSegmentDestination', {'Destination': 'CloudWatchLogs'}, 'XRay'),
                ('/UpdateIndexingRule', {'Name': 'Default', 'Rule': {'Probabilistic': {
                    'DesiredSamplingPercentage': 5}}}, '100'),
                ('/UpdateIndexingRule', {'Name': 'Default'}, '100'),
                ('/PutResourcePolicy', {'PolicyName': 'p', 'PolicyDocument': '{}'}, 'policies'),
                ('/Insight', {'InsightId': 'x'}, 'insights')):
            self.expect_refused(path, request, words)
        self.expect_refused('/UpdateIndexingRule', {'Name': 'x', 'Rule': {}}, 'Default', 404)



class Bounds(Case):
    def test_inferred_documents_of_a_trace_are_at_most_twenty_thousand(self):
        trace = trace_id(77)
        for document in range(4):
            calls = [{'id': '%016x' % (document * 1000 + call + 10), 'name': 'DynamoDB', 'namespace': 'aws',
                      'start_time': 1, 'end_time': 2,
                      'aws': {'table_names': ['t%d' % table for table in range(20)]}}
                     for call in range(300)]
            self.assertEqual(self.collector.put(segment(trace, document + 1, subsegments=calls)), [])
        segments = self.collector.ask('/Traces', {'TraceIds': [trace]})['Traces'][0]['Segments']
        self.assertEqual(len(segments), 20000)
        shown = json.loads(self.collector.request('GET', f'/api/trace/{trace}')[2])
        self.assertEqual(len(shown['Segments']), 20000)


if __name__ == '__main__':
    sys.exit(unittest.main())
