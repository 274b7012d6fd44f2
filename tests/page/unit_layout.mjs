// SPDX-License-Identifier: Apache-2.0
// The layout of the map: columns, crossings, overlaps, cycles.
import assert from 'node:assert/strict';
import {test} from 'node:test';

const {layout, curve} = await import(`${process.env.PAGE_DIR}/layout.js`);

const HEIGHT = 100;

function graph(text) {
    const edges = text.split(' ').filter((word) => word.includes('>')).map((word) => {
        const [from, to] = word.split('>');
        return {id: word, from, to};
    });
    const ids = new Set(text.split(/[ >]/).filter(Boolean));
    return [[...ids].map((id) => ({id, height: HEIGHT})), edges];
}

const options = {column: 200, row: 40, padding: 20};
const place = (text) => layout(...graph(text), options);

test('each edge leads to the right', () => {
    const {nodes} = place('client>shop shop>db shop>auth auth>db auth>cache');
    for (const [from, to] of [['client', 'shop'], ['shop', 'db'], ['auth', 'db'], ['auth', 'cache']])
        assert.ok(nodes.get(from).x < nodes.get(to).x, `${from} stands left of ${to}`);
});

test('a column is the longest way to it', () => {
    const {nodes} = place('a>b b>c a>c');
    assert.deepEqual(['a', 'b', 'c'].map((id) => nodes.get(id).x), [20, 220, 420]);
});

test('a client of a later service stands directly before it', () => {
    const {nodes} = place('c1>a a>b b>c c2>c');
    assert.equal(nodes.get('c2').x, nodes.get('b').x);
});

test('of a cycle one edge leads back and all have a way', () => {
    const {nodes, edges} = place('a>b b>c c>a');
    assert.equal(nodes.size, 3);
    assert.deepEqual([...edges.keys()].sort(), ['a>b', 'b>c', 'c>a']);
    const way = edges.get('c>a');
    assert.deepEqual([way[0], way.at(-1)], [nodes.get('c'), nodes.get('a')], 'it runs from c to a');
});

test('two services that call each other are laid out', () => {
    const {nodes} = place('a>b b>a');
    assert.notEqual(nodes.get('a').x, nodes.get('b').x);
});

test('crossings that can be avoided are', () => {
    const {nodes} = place('r>a r>b b>x a>y');
    assert.equal(nodes.get('a').y < nodes.get('b').y, nodes.get('y').y < nodes.get('x').y);
});

test('parts that nothing connects stand below one another', () => {
    const {nodes} = place('a>b c>d lone');
    const y = (id) => nodes.get(id).y;
    assert.ok(y('c') - Math.max(y('a'), y('b')) >= HEIGHT);
    assert.ok(y('lone') - y('d') >= HEIGHT);
    assert.equal(nodes.get('a').x, nodes.get('c').x);
});

test('an edge from a node to itself, and one to a node that is not there, are left out', () => {
    const {nodes, edges} = layout([{id: 'a'}], [{id: '1', from: 'a', to: 'a'}, {id: '2', from: 'a', to: 'gone'}]);
    assert.deepEqual([nodes.size, edges.size], [1, 0]);
});

test('nothing gives a layout of no size', () => {
    const {width, height} = layout([], [], options);
    assert.deepEqual([width, height], [40, 0]);
});

test('a hundred nodes neither overlap nor leave the frame', () => {
    let seed = 7;
    const random = (below) => (seed = (seed * 48271) % 2147483647) % below;
    for (let round = 0; round < 20; round++) {
        const words = [];
        for (let i = 1; i < 100; i++)
            words.push(`n${random(i)}>n${i}`);
        for (let i = 0; i < 60; i++)
            words.push(`n${random(100)}>n${random(100)}`);
        const {nodes, width, height} = place([...new Set(words)].join(' '));
        const all = [...nodes.values()];
        assert.equal(all.length, 100);
        for (const [index, a] of all.entries()) {
            assert.ok(a.x >= 20 && a.x <= width - 20 && a.y >= 20 + HEIGHT / 2 - 1e-6 && a.y <= height - 20 - HEIGHT / 2 + 1e-6);
            for (const b of all.slice(index + 1))
                assert.ok(a.x !== b.x || Math.abs(a.y - b.y) >= HEIGHT + 40 - 1e-6, 'two nodes are too near');
        }
    }
});

test('the same graph is always laid out alike', () => {
    const text = 'client>shop shop>db shop>auth auth>db auth>cache db>x cache>x';
    assert.deepEqual(place(text), place(text));
});

test('a straight chain is a straight line', () => {
    const {nodes} = place('a>b b>c c>d');
    assert.equal(new Set([...nodes.values()].map(({y}) => y)).size, 1);
});

test('a curve passes all its points', () => {
    assert.equal(curve([{x: 0, y: 0}, {x: 10, y: 4}]), 'M0 0C5 0 5 4 10 4');
});
