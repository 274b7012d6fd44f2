// SPDX-License-Identifier: Apache-2.0
// What the map makes of statistics and histograms.
import assert from 'node:assert/strict';
import {test} from 'node:test';

const {badShare, bars, edgeFilterOf, meanOf, nodeFilter, percentile, perMinute, readServices, timesFilter} =
    await import(`${process.env.PAGE_DIR}/map_data.js`);

const statistics = (ok, error, throttle, fault, seconds) => ({
    OkCount: ok, ErrorStatistics: {OtherCount: error, ThrottleCount: throttle, TotalCount: error + throttle},
    FaultStatistics: {OtherCount: fault, TotalCount: fault}, TotalCount: ok + error + throttle + fault,
    TotalResponseTime: seconds});

function sample() {
    return readServices([
        {ReferenceId: 0, Name: 'shop', Type: 'client', State: 'unknown',
         Edges: [{ReferenceId: 1, SummaryStatistics: statistics(8, 1, 0, 1, 5)}]},
        {ReferenceId: 1, Name: 'shop', Type: 'AWS::EC2::Instance', State: 'active', Root: true,
         SummaryStatistics: statistics(8, 1, 0, 1, 5), Edges: [
            {ReferenceId: 2, SummaryStatistics: statistics(6, 0, 4, 0, 2)}, {ReferenceId: 9},
            {ReferenceId: 3, EdgeType: 'link', ReceivedEventAgeHistogram: [{Value: 2, Count: 1}]}]},
        {ReferenceId: 2, Name: 'Orders', Type: 'AWS::DynamoDB::Table', State: 'unknown', Edges: []},
        {ReferenceId: 3, Name: 'Orders', Type: 'AWS::SQS::Queue'}]);
}

test('shares are read, and throttling is not counted as an error too', () => {
    const edge = sample().edges.find(({id}) => id === '1>2');
    assert.deepEqual(edge.counts, {ok: 6, error: 0, throttle: 4, fault: 0, total: 10, seconds: 2});
    assert.equal(badShare(edge.counts), 0.4);
    assert.equal(meanOf(edge.counts), 0.2);
    assert.equal(perMinute(edge.counts, 300), 2);
});

test('an edge to a node that is not there is left out and a link is known as one', () => {
    assert.deepEqual(sample().edges.map(({id, linked}) => [id, linked]),
                     [['0>1', false], ['1>2', false], ['1>3 link', true]]);
});

test('a client counts what it sends', () => {
    assert.equal(sample().byId.get('0').counts.total, 10);
    assert.equal(meanOf({total: 0, seconds: 0}), null);
});

test('percentiles are values that were measured', () => {
    const histogram = [{Value: 0.1, Count: 90}, {Value: 0.5, Count: 9}, {Value: 2, Count: 1}];
    assert.deepEqual([50, 90, 99, 100].map((p) => percentile(histogram, p)), [0.1, 0.1, 0.5, 2]);
    assert.equal(percentile([{Value: 3, Count: 1}], 50), 3);
    assert.equal(percentile([], 50), null);
});

test('percentiles agree with sorting all values', () => {
    let seed = 3;
    const random = () => (seed = (seed * 48271) % 2147483647) / 2147483647;
    for (let round = 0; round < 100; round++) {
        const values = Array.from({length: 1 + Math.floor(random() * 200)}, () => Math.floor(random() * 50) / 10);
        const histogram = [...new Set(values)].sort((a, b) => a - b)
            .map((Value) => ({Value, Count: values.filter((value) => value === Value).length}));
        values.sort((a, b) => a - b);
        for (const p of [50, 90, 99])
            assert.equal(percentile(histogram, p), values[Math.ceil(values.length * p / 100) - 1]);
    }
});

test('bars count every entry once, also where values differ a thousandfold', () => {
    for (const histogram of [[{Value: 1, Count: 2}, {Value: 1.5, Count: 3}, {Value: 2, Count: 4}],
                             [{Value: 0, Count: 2}, {Value: 0.01, Count: 3}, {Value: 40, Count: 4}]]) {
        const list = bars(histogram, 20);
        assert.equal(list.length, 20);
        assert.equal(list.reduce((sum, bar) => sum + bar.count, 0), 9);
        assert.ok(list[0].count >= 2 && list[19].count === 4);
        list.slice(1).forEach((bar, index) => assert.equal(bar.from, list[index].to));
        assert.deepEqual([list[0].from, list[19].to], [histogram[0].Value, histogram[2].Value]);
    }
    assert.deepEqual(bars([{Value: 3, Count: 7}], 20), [{from: 3, to: 3, count: 7}]);
    assert.deepEqual(bars([], 20), []);
});

test('a node is named by its type too where another has the same name', () => {
    const map = sample();
    assert.equal(nodeFilter(map, map.byId.get('1'), 'fault'), 'service("shop"){fault}');
    assert.equal(nodeFilter(map, map.byId.get('2')), 'service(id(name: "Orders", type: "AWS::DynamoDB::Table"))');
    assert.equal(nodeFilter(map, map.byId.get('0')), 'service("shop"){root}');
});

test('an edge is named by its ends; that of a client by where the trace begins', () => {
    const map = sample();
    assert.equal(edgeFilterOf(map, map.edges[0], 'fault'), 'service("shop"){root fault}');
    assert.equal(edgeFilterOf(map, map.edges[1]),
                 'edge("shop", id(name: "Orders", type: "AWS::DynamoDB::Table"))');
});

test('times of a bar are widened to whole milliseconds so that its ends are found', () => {
    assert.equal(timesFilter({from: 0.0104, to: 0.0209}), 'responsetime >= 0.01 AND responsetime <= 0.021');
});

test('statistics that are missing or of another type count as nothing', () => {
    const {nodes} = readServices([{ReferenceId: 0, SummaryStatistics: {OkCount: 'x', TotalCount: -1}, ResponseTimeHistogram: 7}]);
    assert.deepEqual([nodes[0].counts.total, nodes[0].histogram, nodes[0].name], [0, [], '']);
});
