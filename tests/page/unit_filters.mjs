// SPDX-License-Identifier: Apache-2.0
// Filters made from the values of a trace.
import assert from 'node:assert/strict';
import {test} from 'node:test';

const {annotationFilter, exceptionFilter, listHash, nameFilter, quote, traceFilter, valueFilter} =
    await import(`${process.env.PAGE_DIR}/trace_filters.js`);
const {buildTree} = await import(`${process.env.PAGE_DIR}/tree.js`);

function sample() {
    const {nodes} = buildTree({Segments: [
        {Document: {id: 'a', name: 'shop', start_time: 1, end_time: 9, subsegments: [
            {id: 'c', name: 'DynamoDB', namespace: 'aws', start_time: 2, end_time: 3},
            {id: 'l', name: 'local work', start_time: 4, end_time: 5}]}},
        {Inferred: true, Document: {id: 'i', name: 'DynamoDB', parent_id: 'c', start_time: 2, end_time: 3,
                                    aws: {table_name: 'Orders'}}}]});
    return Object.fromEntries(nodes.map((node) => [node.id, node]));
}

test('quotes and backslashes of a value can not end the string', () => {
    assert.equal(quote('a"b\\c'), '"a\\"b\\\\c"');
});

test('an annotation is compared as what it is', () => {
    assert.equal(annotationFilter('user_id', 'x"y'), 'annotation.user_id = "x\\"y"');
    assert.equal(annotationFilter('n', 12.5), 'annotation.n = 12.5');
    assert.equal(annotationFilter('ok', false), 'annotation.ok = false');
    assert.equal(annotationFilter('two words', 1), 'annotation["two words"] = 1');
    assert.equal(annotationFilter('n', {}), null);
});

test('a value of the root is one of the trace', () => {
    assert.equal(valueFilter(sample().a, 'http.status', 500), 'http.status = 500');
});

test('a value of a call is one of its edge, by the resource that it leads to', () => {
    assert.equal(valueFilter(sample().c, 'http.status', 400), 'edge("shop", "Orders"){http.status = 400}');
});

test('a value of another segment is one of its service', () => {
    assert.equal(valueFilter(sample().i, 'responsetime', 0.5, '>='), 'service("Orders"){responsetime >= 0.5}');
});

test('local work can not be found by a filter', () => {
    assert.equal(valueFilter(sample().l, 'http.status', 500), null);
    assert.equal(nameFilter(sample().l), null);
});

test('a name is found as a service or an edge', () => {
    assert.equal(nameFilter(sample().a), 'service("shop")');
    assert.equal(nameFilter(sample().c), 'edge("shop", "Orders")');
});

test('an exception is found in its service by the message', () => {
    assert.equal(exceptionFilter(sample().l, {message: 'no "x"'}), 'service("shop"){message = "no \\"x\\""}');
    assert.equal(exceptionFilter(sample().l, {type: 'E'}), null);
});

test('a value that is none gives no filter', () => {
    assert.equal(traceFilter('user', undefined), null);
    assert.equal(traceFilter('user', 'bo'), 'user = "bo"');
});

test('the place of the list carries any expression', () => {
    const expression = 'annotation.a = "x&y=z#%"';
    const {searchParams} = new URL(listHash(expression).slice(1), 'http://localhost');
    assert.equal(searchParams.get('filter'), expression);
});
