// SPDX-License-Identifier: Apache-2.0
// The tab with what went wrong: exceptions with their frames, each with what caused it.
import {h} from './dom.js';
import {oneLine, plural} from './format.js';
import {exceptionsOf} from './tree.js';
import {exceptionFilter} from './trace_filters.js';
import {fact, factList} from './trace_values.js';

/** @typedef {import('./tree.js').TreeNode} TreeNode */

const FRAMES_MAX = 500;
const EXCEPTIONS_MAX = 200;

/** @param {TreeNode} node */
export function exceptionCount({document}) {
    const {cause} = document;
    const count = exceptionsOf(document).length;
    return count || (typeof cause === 'string' || typeof cause?.message === 'string' ? 1 : 0);
}

/**
 * An exception may name another as its cause, by id; chains that lead back end there.
 * @param {any[]} list
 * @param {Map<string, any>} byId
 * @returns {any[][]} chains, outermost first
 */
export function chains(list, byId) {
    const caused = new Set(list.map(({cause}) => cause).filter((id) => typeof id === 'string'));
    const firsts = list.filter(({id}) => !caused.has(id));
    const seen = new Set();
    return (firsts.length ? firsts : list.slice(0, 1)).map((first) => {
        const chain = [];
        for (let one = first; one && !seen.has(one); one = byId.get(one.cause)) {
            seen.add(one);
            chain.push(one);
        }
        return chain;
    });
}

/** @param {any} frame */
function frameRow(frame) {
    const text = (/** @type {any} */ value) => (value === undefined || value === null ? '' : oneLine(String(value)));
    const line = text(frame?.line);
    return h('tr', {}, h('td', {class: 'mono', text: text(frame?.label)}),
             h('td', {class: 'mono muted', text: `${text(frame?.path)}${line && line !== '0' ? `:${line}` : ''}`}));
}

/** @param {any} exception @param {boolean} isCause @param {TreeNode} node @param {any} app */
function exceptionPart(exception, isCause, node, app) {
    const frames = Array.isArray(exception.stack) ? exception.stack : [];
    const text = (/** @type {any} */ value) => (typeof value === 'string' ? value : '');
    return h('section', {class: 'exception', dataset: {testid: 'exception'}},
        isCause && h('p', {class: 'muted'}, 'caused by',
                     exception.skipped > 0 && ` (${plural(exception.skipped, 'exception')} between left out)`),
        h('h3', {}, oneLine(text(exception.type)) || 'exception',
          exception.remote === true && h('span', {class: 'pill', text: 'remote', title: 'It happened at the called service'})),
        text(exception.message) && h('pre', {class: 'exception-message', text: exception.message.slice(0, 20000)}),
        factList([fact(app, 'find', exceptionFilter(node, exception), {
            filter: exceptionFilter(node, exception), shown: 'traces with this message'})]),
        frames.length > 0 && h('div', {class: 'frames', tabindex: '0', role: 'group', 'aria-label': 'Stack'},
            h('table', {}, h('tbody', {}, frames.slice(0, FRAMES_MAX).map(frameRow)))),
        (exception.truncated > 0 || frames.length > FRAMES_MAX) && h('p', {class: 'muted', text:
            `${plural(Math.max(0, exception.truncated || 0) + Math.max(0, frames.length - FRAMES_MAX), 'more frame')}`}));
}

/** @param {TreeNode} node @param {import('./trace_details.js').Context} context */
export function exceptionsTab(node, {app, tree, select}) {
    const {cause} = node.document;
    if (typeof cause === 'string')
        return elsewhere(cause, node, tree, select, app);
    const parts = chains(exceptionsOf(node.document).slice(0, EXCEPTIONS_MAX), tree.exceptions)
        .flatMap((chain) => chain.map((exception, index) => exceptionPart(exception, index > 0, node, app)));
    if (!parts.length && typeof cause?.message === 'string')
        parts.push(exceptionPart({message: cause.message}, false, node, app));
    return [parts, factList([
        fact(app, 'working directory', cause?.working_directory, {mono: true}),
        fact(app, 'paths', Array.isArray(cause?.paths) && cause.paths.length ? cause.paths.join(', ') : null, {mono: true})])];
}

/** The exception of this entity is recorded with another one. */
function elsewhere(/** @type {string} */ id, /** @type {TreeNode} */ node, /** @type {import('./tree.js').Tree} */ tree,
                   /** @type {(key: string) => void} */ select, /** @type {any} */ app) {
    const owner = tree.nodes.find(({document}) => exceptionsOf(document).some((exception) => exception.id === id));
    if (!owner)
        return h('p', {class: 'muted'}, 'The exception ', h('code', {text: id}), ' is recorded elsewhere, and has not come.');
    return [
        h('p', {class: 'muted'}, 'recorded with ', h('button', {type: 'button', class: 'link', text: oneLine(owner.name),
                                                                on: {click: () => select(owner.key)}})),
        chains([tree.exceptions.get(id)], tree.exceptions)
            .flatMap((chain) => chain.map((exception, index) => exceptionPart(exception, index > 0, node, app))),
    ];
}
