// SPDX-License-Identifier: Apache-2.0
// One row of the waterfall: name and status on the left, bar, gaps, critical path,
// exceptions and duration on the time scale.
import {h, setText} from './dom.js';
import {duration, oneLine} from './format.js';
import {detailOf, exceptionsOf, gapsOf, hasCause, statusOf} from './tree.js';

/**
 * @typedef {import('./tree.js').TreeNode} TreeNode
 * @typedef {import('./tree.js').Outcome} Outcome
 * @typedef {Object} RowState
 * @property {import('./waterfall_scale.js').Scale} scale
 * @property {number} width  of the time scale, pixels
 * @property {Map<string, {start: number, end: number}[]> | null} critical  null: not shown
 * @property {boolean} gaps
 * @property {boolean} selected
 * @property {boolean} collapsed
 */

const CHARACTER = 6.3; // pixels, about
const INDENT = 12;

/** @type {Record<Outcome, string>} */
export const OUTCOMES = {ok: 'ok', error: 'error', throttle: 'throttled', fault: 'fault', progress: 'in progress'};

/** @param {(key: string) => void} onTwist @returns {any} the element; updateRow() fills it */
export function createRow(onTwist) {
    const parts = {
        indent: h('span', {class: 'wf-indent'}),
        twisty: h('span', {class: 'wf-twisty', 'aria-hidden': 'true'}),
        mark: h('span', {class: 'wf-mark', 'aria-hidden': 'true'}),
        name: h('span', {class: 'wf-label'}),
        detail: h('span', {class: 'wf-detail'}),
        badges: h('span', {class: 'wf-badges'}),
        status: h('span', {class: 'wf-status'}),
        time: h('div', {class: 'wf-time', 'aria-hidden': 'true'}),
    };
    const row = h('div', {class: 'wf-row', role: 'treeitem', dataset: {testid: 'row'}},
                  h('div', {class: 'wf-name'}, parts.indent, parts.twisty, parts.mark, parts.name, parts.detail,
                    parts.badges, parts.status), parts.time);
    row.parts = parts;
    parts.twisty.addEventListener('click', (/** @type {MouseEvent} */ event) => {
        event.stopPropagation();
        onTwist(row.dataset.key);
    });
    return row;
}

/** @param {number} depth  deep rows move less, so that names stay to be seen */
export function indentOf(depth) {
    return depth <= 10 ? depth * INDENT : 10 * INDENT + Math.round(10 * Math.log2(depth - 9));
}

/** @param {{Percentile: number, Count: number}} percentile */
function percentileText({Percentile, Count}) {
    return `p${Math.floor(Percentile)} of ${Count}`;
}

/** How a call compares with others of its kind. @param {TreeNode} node */
export function percentileSentence(node) {
    return node.percentile ? `${percentileText(node.percentile)} ${oneLine(node.percentile.Name ?? '')}`.trim() : '';
}

/** What a screen reader says of a row. @param {TreeNode} node */
function spoken(node) {
    const status = statusOf(node.document);
    return [oneLine(node.name), oneLine(detailOf(node)), node.inferred && 'inferred',
            node.kind !== 'missing' && OUTCOMES[node.outcome], status !== null && `status ${status}`,
            node.kind !== 'missing' && !node.inProgress && duration(node.end - node.start),
            node.percentile && percentileSentence(node),
            exceptionsOf(node.document).length && `${exceptionsOf(node.document).length} exceptions`,
            node.findings.length && `${node.findings.length} lint findings`].filter(Boolean).join(', ');
}

/** @param {TreeNode} node */
function badges(node) {
    /** @type {HTMLElement[]} */
    const list = [];
    const pill = (/** @type {string} */ text, /** @type {string} */ kind, /** @type {string} */ title) =>
        list.push(h('span', {class: `wf-badge ${kind}`, title, text}));
    if (node.inferred)
        pill('inferred', '', 'Known only from the call to it: it sent no segment itself');
    if (node.document.type === 'subsegment' && !node.parent?.document.subsegments?.includes(node.document))
        pill('streamed', '', 'Sent on its own, not within its parent');
    if (node.findings.length) {
        const worst = ['error', 'warning'].find((level) => node.findings.some(({Level}) => Level === level)) ?? 'note';
        pill(`lint ${node.findings.length}`, worst === 'error' ? 'fault' : worst === 'warning' ? 'error' : '',
             node.findings.map(({Message}) => oneLine(String(Message))).join('\n'));
    }
    return list;
}

/**
 * @param {any} row  of createRow()
 * @param {TreeNode} node
 * @param {RowState} state
 */
export function updateRow(row, node, state) {
    const {parts} = row;
    const hasChildren = node.children.length > 0;
    const siblings = node.parent?.children;
    row.className = `wf-row ${node.kind} ${node.outcome}${state.selected ? ' selected' : ''}` +
                    `${node.inferred ? ' inferred' : ''}` +
                    `${state.critical && !state.critical.has(node.key) ? ' off-path' : ''}`;
    row.id = `wf-${node.index}`;
    row.dataset.key = node.key;
    row.setAttribute('aria-level', String(node.depth + 1));
    row.setAttribute('aria-selected', String(state.selected));
    row.setAttribute('aria-label', spoken(node));
    row.setAttribute('aria-setsize', String(siblings ? siblings.length : -1));
    row.setAttribute('aria-posinset', String(siblings && siblings.length < 1000 ? siblings.indexOf(node) + 1 : 1));
    if (hasChildren)
        row.setAttribute('aria-expanded', String(!state.collapsed));
    else
        row.removeAttribute('aria-expanded');

    parts.indent.style.width = `${indentOf(node.depth)}px`;
    parts.twisty.className = `wf-twisty${hasChildren ? state.collapsed ? ' closed' : ' open' : ''}`;
    parts.twisty.title = hasChildren && state.collapsed ? `${node.size - 1} below` : '';
    setText(parts.name, oneLine(node.name));
    setText(parts.detail, oneLine(detailOf(node)).slice(0, 300));
    row.firstChild.title = `${oneLine(node.name)}\n${oneLine(detailOf(node)).slice(0, 1000)}`.trim();
    parts.badges.replaceChildren(...badges(node));
    const status = statusOf(node.document);
    setText(parts.status, status === null ? '' : String(status));
    parts.time.replaceChildren(...timeParts(node, state));
}

/** @param {TreeNode} node @param {RowState} state */
function timeParts(node, state) {
    const {scale, width} = state;
    const place = scale.clip(node.start, node.end);
    if (!place)
        return [outside(node, scale)];
    const left = place.left * width;
    const size = Math.max(2, (place.right - place.left) * width);
    const style = {left: `${left}px`, width: `${size}px`};
    const bar = h('div', {class: 'wf-bar', style});
    const parts = [bar];
    if (state.gaps && !state.collapsed)
        parts.push(...gapParts(node, state));
    const critical = state.critical?.get(node.key);
    if (critical)
        for (const part of scale.clipAll(critical))
            parts.push(h('div', {class: 'wf-critical', style: {
                left: `${part.left * width}px`, width: `${Math.max(2, (part.right - part.left) * width)}px`}}));
    if (hasCause(node.document) && place.right <= 1.0001)
        parts.push(h('div', {class: 'wf-exception', text: '!', title: exceptionTitle(node),
                             style: {left: `${Math.max(8, Math.min(width - 8, left + size))}px`}}));
    parts.push(label(node, left, size, width, hasCause(node.document)));
    return parts;
}

/** @param {TreeNode} node @param {import('./waterfall_scale.js').Scale} scale */
function outside(node, scale) {
    const before = node.end < scale.from;
    return h('div', {class: `wf-outside ${before ? 'before' : 'after'}`, text: before ? '◂' : '▸',
                     title: `${before ? 'before' : 'after'} what is shown: at ${duration(node.start)}`});
}

/** @param {TreeNode} node @param {RowState} state */
function gapParts(node, {scale, width}) {
    // Shorter ones are not to be seen, or no matter.
    const least = Math.max(scale.width * 0.01, (node.end - node.start) * 0.02);
    return scale.clipAll(gapsOf(node, least), width).map((gap) => {
        const size = (gap.right - gap.left) * width;
        const time = duration(gap.end - gap.start);
        const text = size > 130 ? `untraced time ${time}` : size > 100 ? `untraced ${time}` : '';
        return h('div', {class: 'wf-gap', text, title: `untraced time: ${time}`,
                         style: {left: `${gap.left * width}px`, width: `${size}px`}});
    });
}

/** @param {TreeNode} node */
function exceptionTitle(node) {
    const list = exceptionsOf(node.document).slice(0, 5);
    const lines = list.map(({type, message}) => oneLine(`${type ?? ''}${type && message ? ': ' : ''}${message ?? ''}`));
    return lines.join('\n').slice(0, 1000) || 'an exception, recorded elsewhere in the trace';
}

/**
 * The duration, after the bar if it fits there, else before it, else in it.
 * @param {TreeNode} node @param {number} left @param {number} size @param {number} width @param {boolean} marked
 */
function label(node, left, size, width, marked) {
    const time = node.kind === 'missing' ? '' : node.inProgress ? 'in progress' : duration(node.end - node.start);
    const hint = node.percentile ? percentileText(node.percentile) : '';
    const text = h('div', {class: 'wf-duration'}, time);
    let room = (time.length + 1) * CHARACTER + (marked ? 16 : 8);
    if (hint && left + size + room + hint.length * CHARACTER < width) {
        const rare = node.percentile !== null && node.percentile.Percentile >= 95;
        text.append(h('span', {class: `wf-percentile${rare ? ' rare' : ''}`, text: hint, title: percentileSentence(node)}));
        room += hint.length * CHARACTER;
    }
    if (left + size + room <= width) {
        text.style.left = `${left + size + (marked ? 12 : 5)}px`;
    } else if (left > room) {
        text.style.right = `${width - left + 5}px`;
    } else {
        text.classList.add('inside');
        text.style.right = `${Math.max(4, width - left - size + (marked ? 14 : 5))}px`;
    }
    return text;
}
