// SPDX-License-Identifier: Apache-2.0
// The tree of a trace: what hangs where, gaps, rows and the critical path.
import assert from 'node:assert/strict';
import {test} from 'node:test';

const {buildTree, criticalPath, gapsOf, untracedTime, visibleRows, detailOf, outcomeOf, pathOf} =
    await import(`${process.env.PAGE_DIR}/tree.js`);

const T0 = 1700000000;

function entity(id, start, end, more = {}) {
    return {id, name: id, start_time: T0 + start, ...(end === null ? {in_progress: true} : {end_time: T0 + end}), ...more};
}

function build(...documents) {
    return buildTree({Segments: documents.map((Document) => ({Id: Document.id, Document}))});
}

const names = (nodes) => nodes.map((node) => `${'-'.repeat(node.depth)}${node.name}`);
const rounded = (sections) => sections.map(({start, end}) => [Number(start.toFixed(3)), Number(end.toFixed(3))]);

test('a called segment hangs under the subsegment that it names', () => {
    const tree = build(entity('b', 2, 3, {parent_id: 'call'}),
                       entity('a', 0, 5, {subsegments: [entity('call', 1, 4)]}));
    assert.deepEqual(names(tree.nodes), ['a', '-call', '--b']);
    assert.equal(tree.nodes[2].segment.name, 'b');
    assert.equal(tree.nodes[1].segment.name, 'a');
});

test('siblings stand by start time, whatever the order of the documents', () => {
    const tree = build(entity('a', 0, 9, {subsegments: [entity('late', 5, 6), entity('early', 1, 2)]}),
                       entity('middle', 3, 4, {type: 'subsegment', parent_id: 'a'}));
    assert.deepEqual(names(tree.nodes), ['a', '-early', '-middle', '-late']);
});

test('times count from the first start and in-progress work lasts to the end of all that is known', () => {
    const tree = build(entity('a', 10, 12), entity('b', 11, null, {parent_id: 'a'}));
    assert.equal(tree.start, T0 + 10);
    assert.equal(tree.duration, 2);
    assert.deepEqual([tree.nodes[1].start, tree.nodes[1].end], [1, 2]);
    assert.ok(tree.inProgress);
});

test('what names an unknown parent stands under one placeholder for it', () => {
    const tree = build(entity('x', 1, 2, {parent_id: 'gone'}), entity('y', 0, 3, {parent_id: 'gone'}));
    assert.deepEqual(names(tree.nodes), ['parent gone not received', '-y', '-x']);
    assert.deepEqual([tree.nodes[0].start, tree.nodes[0].end, tree.missing], [0, 3, 1]);
});

test('a circle of parents is cut and nothing is lost', () => {
    const tree = build(entity('a', 0, 1, {parent_id: 'b', subsegments: [entity('a1', 0, 1)]}),
                       entity('b', 0, 1, {parent_id: 'a1'}), entity('below', 0, 1, {parent_id: 'b'}));
    assert.deepEqual(names(tree.nodes),
                     ['parent b is one of its own descendants', '-a', '--a1', '---b', '----below']);
});

test('what names itself as its parent is kept', () => {
    assert.deepEqual(names(build(entity('a', 0, 1, {parent_id: 'a'})).nodes),
                     ['parent a is one of its own descendants', '-a']);
});

test('an id that comes twice gives two rows with keys of their own', () => {
    const tree = build(entity('a', 0, 1, {subsegments: [entity('same', 0, 1), entity('same', 0, 1)]}));
    assert.equal(new Set(tree.nodes.map((node) => node.key)).size, 3);
});

test('a tree of fifty thousand levels is built', () => {
    const documents = [];
    for (let i = 0; i < 50000; i++)
        documents.push(entity(`n${i}`, i, i + 1, i ? {parent_id: `n${i - 1}`} : {}));
    const tree = build(...documents.reverse());
    assert.equal(tree.nodes.at(-1).depth, 49999);
    assert.equal(tree.nodes[0].size, 50000);
    assert.ok(criticalPath(tree).size > 0);
});

test('documents that are no objects, or have members of other types, do no harm', () => {
    const tree = buildTree({Segments: [null, {Document: 'x'}, {Document: {
        id: 7, name: {}, start_time: 'now', subsegments: [null, 3, {name: 'kept', start_time: 1, end_time: 2}],
        http: 'x', aws: [], sql: 3, cause: 9}}]});
    assert.deepEqual(names(tree.nodes), ['(no name)', '-kept']);
    tree.nodes.forEach(detailOf);
});

test('an empty trace has no rows and no duration', () => {
    const tree = buildTree({});
    assert.deepEqual([tree.nodes, tree.duration, tree.start], [[], 0, 0]);
    assert.equal(criticalPath(tree).size, 0);
});

test('the worst flag decides the outcome', () => {
    assert.equal(outcomeOf({fault: true, error: true, end_time: 1}), 'fault');
    assert.equal(outcomeOf({throttle: true, error: true, end_time: 1}), 'throttle');
    assert.equal(outcomeOf({error: true, end_time: 1}), 'error');
    assert.equal(outcomeOf({in_progress: true}), 'progress');
    assert.equal(outcomeOf({end_time: 1}), 'ok');
});

test('a collapsed row hides all below it and nothing else', () => {
    const tree = build(entity('a', 0, 9, {subsegments: [entity('b', 1, 2, {subsegments: [entity('c', 1, 2)]}),
                                                      entity('d', 3, 4)]}));
    assert.deepEqual(names(visibleRows(tree, new Set(['b']))), ['a', '-b', '-d']);
    assert.deepEqual(names(visibleRows(tree, new Set(['a']))), ['a']);
});

test('gaps are the times in which no child ran', () => {
    const tree = build(entity('a', 0, 10, {subsegments: [entity('b', 1, 4), entity('c', 3, 5), entity('d', 8, 10)]}));
    assert.deepEqual(rounded(gapsOf(tree.nodes[0], 0)), [[0, 1], [5, 8]]);
    assert.deepEqual(rounded(gapsOf(tree.nodes[0], 2)), [[5, 8]]);
    assert.equal(untracedTime(tree.nodes[0]), 4);
    assert.deepEqual(gapsOf(tree.nodes[1], 0), [], 'a leaf has none');
});

test('a short child beside a long one ends no gap', () => {
    const tree = build(entity('a', 0, 10, {subsegments: [entity('b', 1, 6), entity('c', 2, 3), entity('d', 8, 10)]}));
    assert.deepEqual(rounded(gapsOf(tree.nodes[0], 0)), [[0, 1], [6, 8]]);
});

test('a child that outlives its parent leaves no gap after the parent', () => {
    const tree = build(entity('a', 0, 2, {subsegments: [entity('b', 1, 9)]}));
    assert.deepEqual(rounded(gapsOf(tree.nodes[0], 0)), [[0, 1]]);
});

test('the critical path goes back from the end over the child that ended last', () => {
    const tree = build(entity('a', 0, 10, {subsegments: [
        entity('first', 1, 4), entity('beside', 2, 3), entity('second', 5, 9, {subsegments: [entity('deep', 6, 9)]})]}));
    const path = criticalPath(tree);
    assert.deepEqual([...path.keys()].sort(), ['a', 'deep', 'first', 'second']);
    assert.deepEqual(rounded(path.get('a')), [[0, 1], [4, 5], [9, 10]]);
    assert.deepEqual(rounded(path.get('second')), [[5, 6]]);
});

test('the sections of the critical path add up to the root, without overlap', () => {
    let seed = 1;
    const random = () => (seed = (seed * 48271) % 2147483647) / 2147483647;
    for (let round = 0; round < 200; round++) {
        const documents = [entity('n0', 0, 100)];
        for (let i = 1; i < 40; i++) {
            const start = random() * 90;
            documents.push(entity(`n${i}`, start, start + random() * 20, {parent_id: `n${Math.floor(random() * i)}`}));
        }
        const tree = build(...documents);
        const sections = [...criticalPath(tree).values()].flat().sort((x, y) => x.start - y.start || x.end - y.end);
        let at = 0;
        for (const {start, end} of sections) {
            assert.ok(Math.abs(start - at) < 1e-5, `round ${round}: a section begins at ${start}, not at ${at}`);
            at = end;
        }
        assert.ok(Math.abs(at - tree.nodes[0].end) < 1e-5);
    }
});

test('work that goes on after the root ended is not on the critical path', () => {
    const tree = build(entity('a', 0, 5, {subsegments: [entity('late', 6, 9), entity('b', 1, 5)]}));
    assert.deepEqual([...criticalPath(tree).keys()].sort(), ['a', 'b']);
});

test('of work that outlives the root the part before its end is on the critical path', () => {
    const path = criticalPath(build(entity('a', 0, 5, {subsegments: [entity('late', 3, 9)]})));
    assert.deepEqual([rounded(path.get('a')), rounded(path.get('late'))], [[[0, 3]], [[3, 5]]]);
});

test('findings and percentiles go to the entity with their id', () => {
    const tree = buildTree({Segments: [{Document: entity('a', 0, 1, {subsegments: [entity('b', 0, 1)]})}],
                            Findings: [{Id: 'b', Message: 'm'}, {Id: 'unknown', Message: 'n'}],
                            Percentiles: [{Id: 'b', Percentile: 98, Count: 412, Name: 'DynamoDB GetItem'}]});
    assert.equal(tree.nodes[1].findings[0].Message, 'm');
    assert.equal(tree.nodes[1].percentile.Count, 412);
    assert.deepEqual(tree.nodes[0].findings, []);
});

test('a row says the operation and resource, the query, or the request', () => {
    const detail = (document, type = 'subsegment') => detailOf(build({...entity('a', 0, 1), type, ...document}).nodes[0]);
    assert.equal(detail({aws: {operation: 'GetItem', table_name: 'Orders'}}), 'GetItem Orders');
    assert.equal(detail({aws: {operation: 'SendMessage', queue_url: 'https://sqs/1/jobs'}}), 'SendMessage jobs');
    assert.equal(detail({sql: {sanitized_query: 'SELECT ?'}}), 'SELECT ?');
    assert.equal(detail({http: {request: {method: 'GET', url: 'https://h/x?y=1'}}}), 'GET /x?y=1');
    assert.equal(detail({origin: 'AWS::EC2::Instance'}, 'segment'), 'AWS::EC2::Instance');
});

test('a URL without path is the root of its host', () => {
    assert.deepEqual(['https://h', 'https://h/a/b', '/as/is', ''].map(pathOf), ['/', '/a/b', '/as/is', '']);
});
