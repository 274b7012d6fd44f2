// SPDX-License-Identifier: Apache-2.0
// The places of the words on the map's edges.
import assert from 'node:assert/strict';
import {test} from 'node:test';

const {overlap, placeLabels, pointOn} = await import(`${process.env.PAGE_DIR}/map_labels.js`);
const size = {width: 60, height: 30};

test('words stand in the middle of an edge that nothing is near', () => {
    const places = placeLabels([{id: 'e', points: [{x: 0, y: 0}, {x: 200, y: 100}], ...size}], []);
    assert.deepEqual(places.get('e'), {x: 100, y: 50});
});

test('words of edges that cross do not cover each other', () => {
    const edges = [{id: 'down', points: [{x: 0, y: 0}, {x: 200, y: 100}], ...size},
                   {id: 'up', points: [{x: 0, y: 100}, {x: 200, y: 0}], ...size}];
    const places = placeLabels(edges, []);
    const [a, b] = edges.map(({id}) => ({...places.get(id), ...size}));
    assert.equal(overlap(a, b), 0);
});

test('words of a long edge keep off the node that it passes', () => {
    const node = {x: 200, y: 0, width: 80, height: 80};
    const places = placeLabels([{id: 'e', points: [{x: 0, y: 0}, {x: 200, y: 30}, {x: 400, y: 0}], ...size}], [node]);
    assert.equal(overlap({...places.get('e'), ...size}, node), 0);
});

test('words stand on their curve, which is level at both ends', () => {
    const [from, to] = [{x: 0, y: 0}, {x: 100, y: 50}];
    assert.deepEqual([pointOn(from, to, 0), pointOn(from, to, 1)], [from, to]);
    assert.ok(pointOn(from, to, 0.01).y < 0.1);
});

test('boxes that only touch have nothing in common', () => {
    assert.equal(overlap({x: 0, y: 0, width: 10, height: 10}, {x: 10, y: 0, width: 10, height: 10}), 0);
    assert.equal(overlap({x: 0, y: 0, width: 10, height: 10}, {x: 5, y: 5, width: 10, height: 10}), 25);
});
