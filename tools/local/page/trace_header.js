// SPDX-License-Identifier: Apache-2.0
// What is said of a trace above its waterfall, and what can be done with it.
import {h} from './dom.js';
import {clock, duration, oneLine, plural} from './format.js';
import {isCaptured, pathOf, statusOf} from './tree.js';
import {OUTCOMES} from './waterfall_row.js';

/** @typedef {import('./tree.js').Tree} Tree */

/** A trace id as W3C Trace Context writes it. @param {string} id */
export function w3c(id) {
    return id.replace(/^1-/, '').replace(/-/g, '');
}

/** @param {Tree} tree */
function request(tree) {
    const entry = tree.roots.find((node) => node.kind === 'segment');
    const http = entry?.document.http?.request;
    if (!entry || !http || typeof http !== 'object')
        return null;
    const text = `${typeof http.method === 'string' ? http.method : ''} ${typeof http.url === 'string' ? pathOf(http.url) : ''}`;
    const status = statusOf(entry.document);
    return h('span', {class: 'trace-request', title: typeof http.url === 'string' ? oneLine(http.url) : ''},
             oneLine(text.trim()).slice(0, 300), status !== null && h('b', {text: ` ${status}`}));
}

/** @param {any} reply @param {Tree} tree */
function counts(reply, tree) {
    const findings = (reply.Findings ?? []).length;
    return [
        plural(tree.segments, 'segment'), tree.inferred && `${tree.inferred} inferred`,
        plural(tree.subsegments, 'subsegment'),
        tree.missing && `${plural(tree.missing, 'parent')} missing`,
        findings && plural(findings, 'lint finding'),
    ].filter(Boolean).join(' · ');
}

/**
 * @param {any} reply  of /api/trace/<id>
 * @param {Tree} tree
 * @param {import('./trace.js').TraceView} view
 */
export function headerOf(reply, tree, view) {
    const {id, app} = view;
    const entry = tree.roots.find((node) => node.kind === 'segment') ?? tree.roots[0];
    const outcome = entry && entry.kind !== 'missing' ? entry.outcome : 'progress';
    const pill = (/** @type {string} */ kind, /** @type {string} */ text, /** @type {string} */ title) =>
        h('span', {class: `pill ${kind}`, title, text});
    const button = (/** @type {string} */ text, /** @type {string} */ title, /** @type {() => void} */ click,
                    /** @type {string} */ testid) =>
        h('button', {type: 'button', class: 'button small', title, dataset: {testid}, on: {click}}, text);
    const pin = !app.offline && h('button', {
        type: 'button', class: 'button small', 'aria-pressed': String(Boolean(reply.Pinned)), dataset: {testid: 'pin'},
        title: 'A pinned trace stays when older ones give way (p)', on: {click: () => view.togglePin()},
        text: reply.Pinned ? 'Pinned' : 'Pin'});
    return [
        h('div', {class: 'trace-line'},
          !app.offline && h('a', {class: 'icon-button', href: app.lastList ?? '#/traces', 'aria-label': 'Back to the list',
                                  title: 'Back to the list (esc)', text: '←'}),
          h('h1', {class: 'trace-name', text: entry ? oneLine(entry.name) : 'Trace without documents'}),
          pill(outcome, OUTCOMES[outcome], 'What the first segment says'),
          tree.inProgress && outcome !== 'progress' && pill('', 'in progress', 'Something in it has not ended; the page follows'),
          tree.nodes.some((node) => isCaptured(node.document)) &&
              pill('accent', 'captured, not sampled', 'Sampling said no, and it was kept for what went wrong in it'),
          request(tree),
          h('span', {class: 'trace-duration', dataset: {testid: 'duration'}, text: duration(tree.duration)}),
          h('span', {class: 'trace-actions'},
            pin,
            button('Copy id', 'The trace id (y)', () => void view.copyText(id, 'the trace id'), 'copy-id'),
            button('W3C', 'The id as W3C Trace Context writes it (Y)', () => void view.copyText(w3c(id), 'the id in W3C form'), 'copy-w3c'),
            !app.offline && [
                h('a', {class: 'button small', href: `#/compare?a=${encodeURIComponent(id)}`, title: 'Beside another trace'}, 'Compare'),
                h('a', {class: 'button small', href: `/api/export?id=${encodeURIComponent(id)}`, download: `${id}.jsonl`,
                        title: 'The documents, one a line', dataset: {testid: 'export-jsonl'}}, 'JSON lines'),
                h('a', {class: 'button small', href: `/api/export/${encodeURIComponent(id)}.html`, download: `${id}.html`,
                        title: 'This view as one file that needs no server', dataset: {testid: 'export-html'}}, 'HTML')])),
        h('div', {class: 'trace-line trace-facts muted'},
          h('code', {class: 'trace-id', text: id}), h('span', {text: tree.start ? clock(tree.start) : ''}),
          h('span', {text: counts(reply, tree)})),
    ];
}
