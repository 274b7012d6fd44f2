// SPDX-License-Identifier: Apache-2.0
// Terms of filters, completion, bins of the histogram, and how numbers are written.
import assert from 'node:assert/strict';
import {test} from 'node:test';

const folder = process.env.PAGE_DIR;
const terms = await import(`${folder}/filter_terms.js`);
const {complete} = await import(`${folder}/completion.js`);
const format = await import(`${folder}/format.js`);
const {edgesFor} = await import(`${folder}/histogram.js`);
const {hexLines} = await import(`${folder}/status_hex.js`);

test('terms are cut at AND outside of brackets and strings', () => {
    assert.deepEqual(terms.termsOf('fault and service("a AND b") { x AND y } && ok'),
                     ['fault', 'service("a AND b") { x AND y }', 'ok']);
    assert.deepEqual(terms.termsOf('annotation.brand = "AND" AND android'), ['annotation.brand = "AND"', 'android']);
    assert.deepEqual(terms.termsOf('a."x\\" AND y'), ['a."x\\" AND y']);
    assert.deepEqual(terms.termsOf(''), []);
});

test('what has an OR at the top is one term', () => {
    assert.deepEqual(terms.termsOf('fault OR error AND ok'), ['fault OR error AND ok']);
    assert.deepEqual(terms.termsOf('(fault OR error) AND ok'), ['(fault OR error)', 'ok']);
    assert.deepEqual(terms.termsOf('http.url CONTAINS "x OR y"'), ['http.url CONTAINS "x OR y"']);
});

test('a term is added once, and an OR is put in brackets before', () => {
    assert.equal(terms.addTerm('', 'fault'), 'fault');
    assert.equal(terms.addTerm('ok', 'fault'), 'ok AND fault');
    assert.equal(terms.addTerm('ok AND FAULT', 'fault'), 'ok AND FAULT');
    assert.equal(terms.addTerm('ok || error', 'fault'), '(ok || error) AND fault');
});

test('a term is taken out and the rest stays as it was written', () => {
    assert.equal(terms.toggleTerm('a = "X  y" AND fault AND ok', 'fault'), 'a = "X  y" AND ok');
    assert.equal(terms.toggleTerm('responsetime>1', 'responsetime > 1'), '');
    assert.equal(terms.toggleTerm('fault OR ok', 'fault'), '(fault OR ok) AND fault');
});

test('strings differ by case and blanks, words do not', () => {
    assert.equal(terms.hasTerm('user = "Ann"', 'user = "ann"'), false);
    assert.equal(terms.hasTerm('user   =  "Ann"', 'USER = "Ann"'), true);
});

test('a range of response times takes the place of the one before', () => {
    const first = terms.withResponseTimes('ok', 0.0125, 1e-4);
    assert.equal(first, 'ok AND responsetime >= 0.0125 AND responsetime <= 0.0001');
    assert.equal(terms.withResponseTimes(first, 10, 2000), 'ok AND responsetime >= 10 AND responsetime <= 2000');
    assert.deepEqual(terms.responseTimes(first), {from: 0.0125, to: 0.0001});
    assert.deepEqual(terms.responseTimes('ok'), {from: null, to: null});
    assert.equal(terms.withResponseTimes(first, null, null), 'ok');
});

test('a string is quoted so that it stays one', () => {
    assert.equal(terms.quoted('a"b\\c'), '"a\\"b\\\\c"');
    assert.deepEqual(terms.termsOf(`x = ${terms.quoted('"} OR y')}`), ['x = "\\"} OR y"']);
});

test('places of bytes are places of characters', () => {
    assert.equal(terms.placeOfByte('abc', 2), 2);
    assert.equal(terms.placeOfByte('äbc', 2), 1);
    assert.equal(terms.placeOfByte('a😀b', 5), 3);
    assert.equal(terms.placeOfByte('a', 99), 1);
});

const words = {
    words: [['fault', 'boolean'], ['responsetime', 'number'], ['http.url', 'string'], ['annotation.', 'complex'],
            ['service(', 'complex'], ['edge(', 'complex'], ['AND', 'operator']]
        .map(([text, kind]) => ({text, kind, help: ''})),
    services: [{name: 'api', type: 'T::A'}, {name: 'a"b', type: null}],
    annotations: [{key: 'customer', values: ['c1', 'c2', 3, true]}], users: ['ann'], urls: ['http://h/'],
};

function labels(text) {
    const cursor = text.indexOf('|');
    const plain = text.replace('|', '');
    return complete(plain, cursor, words).suggestions.map(({label}) => label);
}

function taken(text, place = 0) {
    const cursor = text.indexOf('|');
    const plain = text.replace('|', '');
    const {from, to, suggestions} = complete(plain, cursor, words);
    return plain.slice(0, from) + suggestions[place].text + plain.slice(to);
}

test('an empty text has the words of the language', () => {
    assert.deepEqual(labels('|'), ['fault', 'responsetime', 'http.url', 'annotation.…', 'service("…")', 'edge("…", "…")']);
});

test('words fit by their beginning first', () => {
    assert.equal(labels('re|')[0], 'responsetime');
    assert.equal(taken('ok AND fau|'), 'ok AND fault');
    assert.equal(taken('fa| AND ok'), 'fault AND ok');
});

test('after a word come its operators, after a value AND and OR', () => {
    assert.deepEqual(labels('responsetime |').slice(0, 2), ['>', '>=']);
    assert.ok(labels('http.url |').includes('CONTAINS'));
    assert.deepEqual(labels('fault |').slice(0, 2), ['AND', 'OR']);
    assert.deepEqual(labels('responsetime > 3 |'), ['AND', 'OR']);
    assert.deepEqual(labels('service("api") |'), ['AND', 'OR']);
    assert.equal(labels('fault AND |')[0], 'fault');
});

test('names, keys and values of the traces are known where they fit', () => {
    assert.deepEqual(labels('service(|'), ['"api"', '"a\\"b"']);
    assert.deepEqual(labels('edge("api", "|'), ['"api"', '"a\\"b"']);
    assert.deepEqual(labels('service(id(type: "|'), ['"T::A"']);
    assert.deepEqual(labels('annotation.c|'), ['annotation.customer']);
    assert.deepEqual(labels('annotation.customer = |'), ['"c1"', '"c2"', '3', 'true']);
    assert.deepEqual(labels('annotation[customer] = |'), ['"c1"', '"c2"', '3', 'true']);
    assert.deepEqual(labels('user = "|'), ['"ann"']);
    assert.deepEqual(labels('http.url CONTAINS |'), ['"http://h/"']);
});

test('what is taken stands in the place of the whole string', () => {
    assert.equal(taken('service("a|")', 1), 'service("a\\"b")');
    assert.equal(taken('service("a|) { fault }'), 'service("api") { fault }');
    assert.equal(taken('annotation.customer = "c2|" AND ok'), 'annotation.customer = "c2" AND ok');
});

test('every text and place gets an answer', () => {
    const parts = ['service(', '"', '\\', 'annotation.', ' = ', '{', '}', 'AND ', 'fault', ' ', '[', '#', 'é', '1'];
    let seed = 7;
    for (let round = 0; round < 2000; round++) {
        let text = '';
        for (let count = 0; count < 8; count++) {
            seed = (seed * 1103515245 + 12345) % 2147483648;
            text += parts[seed % parts.length];
        }
        const cursor = seed % (text.length + 1);
        const {from, to} = complete(text, cursor, words);
        assert.ok(0 <= from && from <= cursor && cursor <= to && to <= text.length, JSON.stringify([text, cursor]));
        terms.toggleTerm(text, 'fault');
    }
});

test('bins hold every value, in steps that grow when values do', () => {
    for (const values of [[0.5], [0], [0, 0, 3], [0.1, 0.11, 0.12], [1e-6, 1, 3600], [5, 5, 5], [0.00001, 0.00002]])
        for (const limit of [8, 30, 100]) {
            const {edges} = edgesFor(values, limit);
            assert.ok(edges.length >= 2 && edges.length < 130, `${values}: ${edges.length}`);
            assert.ok(edges.at(-1) > values.at(-1), `${values}: ${edges}`);
            for (let place = 1; place < edges.length; place++)
                assert.ok(edges[place] > edges[place - 1], `${values}: ${edges}`);
        }
    assert.equal(edgesFor([0.1, 0.15, 0.2], 30).isLog, false);
    assert.equal(edgesFor([0.001, 0.1, 2], 30).isLog, true);
    assert.deepEqual(edgesFor([], 30).edges, []);
});

test('durations have three digits and a unit', () => {
    for (const [seconds, text] of [[0, '0 ms'], [8.1e-7, '0.81 µs'], [0.000412, '412 µs'], [0.0412, '41.2 ms'], [0.9999, '1.00 s'],
                                   [1.604, '1.60 s'], [59.99, '60.0 s'], [125, '2 min 5 s'], [7300, '2 h 1 min'], [null, '–']])
        assert.equal(format.duration(seconds), text);
});

test('sizes, counts, shares and spans are written as people read them', () => {
    assert.equal(format.size(512), '512 B');
    assert.equal(format.size(256 * 1024 * 1024), '256 MiB');
    assert.equal(format.count(1234567), '1\u202f234\u202f567');
    assert.equal(format.percent(0.05), '5 %');
    assert.equal(format.percent(0.0025), '0.25 %');
    assert.equal(format.span('15m'), 900);
    assert.equal(format.span('all'), null);
    assert.equal(format.span('<b>'), 3600);
});

test('control characters and marks of direction are made visible', () => {
    assert.equal(format.oneLine('a\u0000b\nc\u202ed'), 'a·b·c·d');
});

test('bytes stand sixteen a line, with what they are as text', () => {
    const lines = hexLines('474554202f0d0a'.padEnd(40, '0'), 300).split('\n');
    assert.match(lines[0], /^0000 {2}47 45 54 20 2f 0d 0a 00.* {2}GET \/\u00b7\u00b7/);
    assert.match(lines[1], /^0010 {2}00 00 00 00 /);
    assert.equal(lines[2], '… and 280 more bytes');
});
