// SPDX-License-Identifier: Apache-2.0
// Two traces as one tree of rows.
import assert from 'node:assert/strict';
import {test} from 'node:test';

const {compareTrees, kindCounts, visiblePairs} = await import(`${process.env.PAGE_DIR}/compare_match.js`);
const {buildTree} = await import(`${process.env.PAGE_DIR}/tree.js`);

/** tree('a 0 10 (b 1 2, c 3 4)'): names, starts, ends, children. */
function tree(text) {
    const tokens = text.match(/[a-z]+|[\d.]+|[(),]/g);
    let number = 0;
    const list = () => {
        const found = [];
        do {
            const [name, start, end] = [tokens.shift(), Number(tokens.shift()), Number(tokens.shift())];
            const one = {id: `${number++}`, name, start_time: start, end_time: end};
            if (tokens[0] === '(') {
                tokens.shift();
                one.subsegments = list();
                tokens.shift();
            }
            found.push(one);
        } while (tokens[0] === ',' && tokens.shift());
        return found;
    };
    return buildTree({Segments: list().map((Document) => ({Document}))});
}

const rows = (a, b) => compareTrees(tree(a), tree(b)).map(({name, depth, kind}) => `${'-'.repeat(depth)}${name} ${kind}`);

test('a trace does not differ from itself', () => {
    const text = 'shop 0 10 (db 1 2, db 3 4 (x 3 4), auth 5 6)';
    assert.ok(rows(text, text).every((row) => row.endsWith(' same')));
    assert.equal(rows(text, text).length, 5);
});

test('what takes longer, shorter, and what is in one only is told apart', () => {
    assert.deepEqual(rows('shop 0 10 (db 1 2, auth 3 6, old 7 8)', 'shop 0 20 (db 1 5, auth 6 7, new 8 9)'),
                     ['shop slower', '-db slower', '-auth faster', '-old only-a', '-new only-b']);
});

test('of entities with the same name the first is compared with the first', () => {
    const pairs = compareTrees(tree('s 0 9 (q 1 2, q 3 4)'), tree('s 0 9 (q 1 2, q 3 7, q 8 9)'));
    assert.deepEqual(pairs.map(({kind}) => kind), ['same', 'same', 'slower', 'only-b']);
    assert.ok(Math.abs(pairs[2].change - 3) < 1e-9);
});

test('what is only in a stands where it stood there', () => {
    assert.deepEqual(rows('s 0 9 (first 0 1, gone 2 3, last 4 5)', 's 0 9 (first 0 1, last 4 5)'),
                     ['s same', '-first same', '-gone only-a', '-last same']);
    assert.deepEqual(rows('s 0 9 (gone 0 1, kept 2 3)', 's 0 9 (kept 2 3)'), ['s same', '-gone only-a', '-kept same']);
});

test('all below what is only in one is too', () => {
    assert.deepEqual(rows('s 0 9 (x 1 2 (y 1 2))', 's 0 9'), ['s same', '-x only-a', '--y only-a']);
});

test('small differences are none', () => {
    assert.deepEqual(rows('s 0 10', 's 0 10.9'), ['s same'], 'less than a tenth');
    assert.deepEqual(rows('s 0 0.0001', 's 0 0.0004'), ['s same'], 'less than half a millisecond');
    assert.deepEqual(rows('s 0 10', 's 0 11.5'), ['s slower']);
});

test('a collapsed row hides what is below it', () => {
    const pairs = compareTrees(tree('s 0 9 (x 1 2 (y 1 2), z 3 4)'), tree('s 0 9 (x 1 2 (w 1 2), z 3 4)'));
    assert.deepEqual(visiblePairs(pairs, new Set([1])).map(({name}) => name), ['s', 'x', 'z']);
    assert.deepEqual(pairs.map(({size}) => size), [5, 3, 1, 1, 1]);
});

test('kinds are counted', () => {
    const counts = kindCounts(compareTrees(tree('s 0 9 (x 1 2)'), tree('s 0 9 (y 1 2)')));
    assert.deepEqual(counts, {same: 1, slower: 0, faster: 0, 'only-a': 1, 'only-b': 1});
});

test('an empty trace is compared with any', () => {
    assert.deepEqual(compareTrees(buildTree({}), tree('s 0 1')).map(({kind}) => kind), ['only-b']);
    assert.deepEqual(compareTrees(buildTree({}), buildTree({})), []);
});
