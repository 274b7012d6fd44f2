// SPDX-License-Identifier: Apache-2.0
// Two traces on one time scale, row by row: #/compare?a=<id>&b=<id>. Without b the
// traces to choose it from.
import * as api from './api.js';
import {fill, h, setText} from './dom.js';
import {clock, duration, oneLine} from './format.js';
import {compareTrees, kindCounts, pairDetail, visiblePairs} from './compare_match.js';
import {buildTree} from './tree.js';
import {indentOf, OUTCOMES} from './waterfall_row.js';
import {VirtualRows} from './waterfall_rows.js';
import {Scale, tickText} from './waterfall_scale.js';

/**
 * @typedef {import('./compare_match.js').Pair} Pair
 * @typedef {import('./tree.js').Tree} Tree
 */

const ROW = 34;
const HEADER = 26;
const CHOICES = 50;

/** @type {Record<Pair['kind'], string>} */
const WORDS = {same: 'about the same', slower: 'slower in B', faster: 'faster in B', 'only-a': 'only in A', 'only-b': 'only in B'};

/** @param {number} change */
function changeText(change) {
    return `${change > 0 ? '+' : '−'}${duration(Math.abs(change))}`;
}

class CompareView {
    /** @param {HTMLElement} container @param {Object<string, string>} params @param {any} app */
    constructor(container, params, app) {
        this.app = app;
        this.container = container;
        this.params = params;
        this.stop = new AbortController();
        /** @type {Pair[]} */
        this.pairs = [];
        /** @type {Pair[]} */
        this.rows = [];
        /** @type {Set<number>} */
        this.collapsed = new Set();
        this.selected = 0;
        this.scale = new Scale(0);
        this.width = 0;
        app.title('Compare');
        app.keys('Compare', this.keys());
        fill(container, h('p', {class: 'notice', text: 'Loading…'}));
        this.load();
    }

    async load() {
        const {a, b} = this.params;
        try {
            if (!a || !b) {
                await this.choose(a ?? b ?? '');
                return;
            }
            const [left, right] = await Promise.all([a, b].map((id) => api.trace(id, this.stop.signal)));
            this.trees = [left, right].map(buildTree);
            this.replies = [left, right];
            this.pairs = compareTrees(this.trees[0], this.trees[1]);
            this.scale = new Scale(Math.max(this.trees[0].duration, this.trees[1].duration));
            this.build();
        } catch (error) {
            const {name, message} = /** @type {any} */ (error);
            if (name !== 'AbortError')
                fill(this.container, h('p', {class: 'failure', role: 'alert', text: message}));
        }
    }

    /** Which one to compare with: those that begin at the same service first. @param {string} id */
    async choose(id) {
        const now = Date.now() / 1000;
        const [own, found] = await Promise.all([id ? api.trace(id, this.stop.signal) : null,
                                                api.summaries({start: now - 6 * 3600, end: now + 60}, this.stop.signal)]);
        const entry = own?.Summary?.EntryPoint?.Name;
        const others = found.TraceSummaries.filter((/** @type {any} */ summary) => summary.Id !== id)
            .sort((/** @type {any} */ p, /** @type {any} */ q) => Number(q.EntryPoint?.Name === entry) - Number(p.EntryPoint?.Name === entry))
            .slice(0, CHOICES);
        const row = (/** @type {any} */ summary) => h('li', {}, h('a', {
            class: 'compare-choice', dataset: {testid: 'compare-choice'},
            href: id ? `#/compare?a=${encodeURIComponent(id)}&b=${encodeURIComponent(summary.Id)}` : `#/compare?a=${encodeURIComponent(summary.Id)}`},
            h('b', {text: oneLine(summary.EntryPoint?.Name ?? 'trace')}),
            h('span', {text: duration(summary.Duration)}),
            h('span', {class: `pill ${summary.HasFault ? 'fault' : summary.HasThrottle ? 'throttle' : summary.HasError ? 'error' : 'ok'}`,
                       text: summary.HasFault ? 'fault' : summary.HasThrottle ? 'throttled' : summary.HasError ? 'error' : 'ok'}),
            h('span', {class: 'muted', text: clock(summary.StartTime)}), h('code', {class: 'muted', text: summary.Id})));
        fill(this.container, h('div', {class: 'compare-choose'},
            h('h1', {text: id ? 'Compare with' : 'Compare: the first trace'}),
            id && h('p', {class: 'muted'}, h('code', {text: id}), entry && ` begins at ${oneLine(entry)}`),
            others.length ? h('ul', {}, others.map(row)) : h('p', {class: 'notice', text: 'There is no other trace yet.'})));
        /** @type {any} */ (this.container.querySelector('.compare-choice'))?.focus();
    }

    build() {
        const [left, right] = /** @type {Tree[]} */ (this.trees);
        const counts = kindCounts(this.pairs);
        const change = right.duration - left.duration;
        const side = (/** @type {string} */ letter, /** @type {Tree} */ tree, /** @type {any} */ reply) =>
            h('div', {class: `compare-side side-${letter.toLowerCase()}`}, h('b', {class: 'compare-letter', text: letter}),
              h('a', {href: `#/traces/${encodeURIComponent(reply.Id)}`}, h('b', {text: oneLine(tree.roots[0]?.name ?? 'trace')})),
              tree.roots[0] && h('span', {class: `pill ${tree.roots[0].outcome}`, text: OUTCOMES[tree.roots[0].outcome]}),
              h('span', {class: 'trace-duration', text: duration(tree.duration)}),
              h('span', {class: 'muted', text: clock(tree.start)}), h('code', {class: 'muted compare-id', text: reply.Id}));
        this.axis = h('div', {class: 'wf-axis'});
        this.scroller = h('div', {class: 'wf-scroller compare-scroller', role: 'tree', tabindex: '0', 'aria-label': 'Rows of both traces',
                                  dataset: {testid: 'compare'}},
            h('div', {class: 'wf-header', 'aria-hidden': 'true'}, h('div', {class: 'wf-name', text: 'Segment'}), this.axis));
        this.virtual = new VirtualRows(this.scroller, {height: ROW, header: HEADER, create: () => this.createRow(),
                                                       update: (row, index) => this.updateRow(row, index)});
        this.scroller.append(this.virtual.element);
        this.scroller.addEventListener('click', (/** @type {any} */ event) => {
            const row = event.target.closest?.('.compare-row');
            if (!row)
                return;
            this.select(this.rows.findIndex((pair) => pair.index === Number(row.dataset.pair)));
            if (event.target.closest('.wf-twisty'))
                this.toggle();
        });
        const legend = Object.entries(WORDS).filter(([kind]) => counts[/** @type {Pair['kind']} */ (kind)]).map(([kind, text]) =>
            h('span', {class: `compare-count ${kind}`}, h('b', {text: counts[/** @type {Pair['kind']} */ (kind)]}), ` ${text}`));
        fill(this.container, h('div', {class: 'compare trace'},
            h('header', {class: 'compare-header'}, h('div', {class: 'compare-sides'}, side('A', left, this.replies?.[0]), side('B', right, this.replies?.[1])),
              h('div', {class: 'compare-summary'},
                h('b', {class: change > 0 ? 'text-fault' : change < 0 ? 'text-ok' : '', dataset: {testid: 'compare-change'},
                        text: Math.abs(change) < 1e-6 ? 'as long' : `B ${changeText(change)}`}), legend,
                h('a', {class: 'button small', href: `#/compare?a=${encodeURIComponent(this.params.b)}&b=${encodeURIComponent(this.params.a)}`,
                        text: 'Swap', title: 'Swap A and B (s)'}))),
            this.scroller));
        this.sizes = new ResizeObserver(() => this.redraw());
        this.sizes.observe(this.scroller);
        this.layOut();
        this.scroller.focus({preventScroll: true});
    }

    layOut() {
        this.rows = visiblePairs(this.pairs, this.collapsed);
        this.drawAxis();
        this.virtual?.setCount(this.rows.length);
    }

    redraw() {
        this.drawAxis();
        this.virtual?.draw(true);
    }

    drawAxis() {
        this.width = this.axis.clientWidth;
        const ticks = this.scale.ticks(this.width / 90);
        const step = ticks.length > 1 ? ticks[1] - ticks[0] : this.scale.width;
        this.axis.replaceChildren(...ticks.map((time) => h('span', {class: `wf-tick${this.scale.place(time) > 0.94 ? ' last' : ''}`,
            text: tickText(time, step), style: {left: `${this.scale.place(time) * 100}%`}})));
        this.scroller.style.setProperty('--wf-grid', `${step / this.scale.width * this.width}px`);
    }

    createRow() {
        const parts = {indent: h('span', {class: 'wf-indent'}), twisty: h('span', {class: 'wf-twisty', 'aria-hidden': 'true'}),
                       name: h('span', {class: 'wf-label'}), detail: h('span', {class: 'wf-detail'}),
                       change: h('span', {class: 'compare-change'}), time: h('div', {class: 'wf-time', 'aria-hidden': 'true'})};
        const row = h('div', {class: 'compare-row wf-row', role: 'treeitem', dataset: {testid: 'compare-row'}},
                      h('div', {class: 'wf-name'}, parts.indent, parts.twisty, parts.name, parts.detail, parts.change), parts.time);
        row.parts = parts;
        return row;
    }

    /** @param {any} row @param {number} index */
    updateRow(row, index) {
        const pair = this.rows[index];
        const {parts} = row;
        const isSelected = index === this.selected;
        const isOpen = !this.collapsed.has(pair.index);
        row.className = `compare-row wf-row ${pair.kind}${isSelected ? ' selected' : ''}`;
        row.id = `compare-${pair.index}`;
        row.dataset.pair = pair.index;
        row.dataset.kind = pair.kind;
        row.setAttribute('aria-level', String(pair.depth + 1));
        row.setAttribute('aria-selected', String(isSelected));
        if (pair.size > 1)
            row.setAttribute('aria-expanded', String(isOpen));
        else
            row.removeAttribute('aria-expanded');
        if (isSelected)
            this.scroller.setAttribute('aria-activedescendant', row.id);
        const times = [pair.a, pair.b].map((node) => (node ? duration(node.end - node.start) : 'not there'));
        const change = pair.kind.startsWith('only') ? WORDS[pair.kind] : pair.kind === 'same' ? '' : changeText(pair.change);
        row.setAttribute('aria-label', `${oneLine(pair.name)}, A ${times[0]}, B ${times[1]}, ${WORDS[pair.kind]} ${change}`);
        row.title = `${oneLine(pair.name)}\nA ${times[0]}\nB ${times[1]}`;
        parts.indent.style.width = `${indentOf(pair.depth)}px`;
        parts.twisty.className = `wf-twisty${pair.size > 1 ? isOpen ? ' open' : ' closed' : ''}`;
        setText(parts.name, oneLine(pair.name));
        setText(parts.detail, oneLine(pairDetail(pair)).slice(0, 200));
        setText(parts.change, change);
        parts.time.replaceChildren(...[pair.a, pair.b].flatMap((node, side) => this.bar(node, side)));
    }

    /** @param {import('./tree.js').TreeNode | null} node @param {number} side */
    bar(node, side) {
        const place = node && this.scale.clip(node.start, node.end);
        if (!node || !place)
            return [];
        const left = place.left * this.width;
        const size = Math.max(2, (place.right - place.left) * this.width);
        const text = node.inProgress ? 'in progress' : duration(node.end - node.start);
        const bar = h('div', {class: `compare-bar side-${'ab'[side]} ${node.outcome}`, style: {left: `${left}px`, width: `${size}px`}});
        const label = h('div', {class: `compare-time side-${'ab'[side]} ${node.outcome}`, text});
        if (left + size + 60 < this.width)
            label.style.left = `${left + size + 5}px`;
        else
            label.style.right = `${Math.max(4, this.width - left + 5)}px`;
        if (left <= 70 && left + size + 60 >= this.width)
            Object.assign(label.style, {right: '6px'}) && label.classList.add('inside');
        return [bar, label];
    }

    /** @param {number} index */
    select(index) {
        if (!this.rows.length)
            return;
        this.selected = Math.max(0, Math.min(this.rows.length - 1, index));
        this.virtual?.reveal(this.selected);
        this.virtual?.draw(true);
    }

    toggle() {
        const pair = this.rows[this.selected];
        if (!pair || pair.size < 2)
            return;
        if (!this.collapsed.delete(pair.index))
            this.collapsed.add(pair.index);
        this.layOut();
    }

    /** @param {boolean} open */
    fold(open) {
        const pair = this.rows[this.selected];
        if (!pair)
            return;
        if (pair.size > 1 && this.collapsed.has(pair.index) === open) {
            this.toggle();
        } else if (open) {
            this.select(this.selected + 1);
        } else {
            for (let i = this.selected - 1; i >= 0; i--)
                if (this.rows[i].depth < pair.depth) {
                    this.select(i);
                    return;
                }
        }
    }

    /** To the next row that differs. @param {number} step */
    next(step) {
        const {length} = this.rows;
        for (let i = 1; i <= length; i++) {
            const index = (this.selected + step * i + length * 2) % length;
            if (this.rows[index].kind !== 'same') {
                this.select(index);
                return;
            }
        }
        this.app.notify('The two traces do not differ');
    }

    openSelected() {
        const pair = this.rows[this.selected];
        if (!pair)
            return;
        this.app.navigate(`#/traces/${encodeURIComponent(pair.b ? this.params.b : this.params.a)}`);
    }

    keys() {
        return [
            {keys: ['j', 'ArrowDown'], help: 'next row', run: () => this.select(this.selected + 1)},
            {keys: ['k', 'ArrowUp'], help: 'row before', run: () => this.select(this.selected - 1)},
            {keys: ['ArrowRight', 'l'], help: 'expand', run: () => this.fold(true)},
            {keys: ['ArrowLeft', 'h'], help: 'collapse, or to the parent', run: () => this.fold(false)},
            {keys: ['Home'], help: '', run: () => this.select(0)},
            {keys: ['End'], help: '', run: () => this.select(Infinity)},
            {keys: ['PageDown'], help: '', run: () => this.select(this.selected + (this.virtual?.page() ?? 10))},
            {keys: ['PageUp'], help: '', run: () => this.select(this.selected - (this.virtual?.page() ?? 10))},
            {keys: ['n'], help: 'next difference', run: () => this.next(1)},
            {keys: ['N'], help: 'difference before', run: () => this.next(-1)},
            {keys: ['s'], help: 'swap A and B', run: () => this.app.navigate(
                `#/compare?a=${encodeURIComponent(this.params.b ?? '')}&b=${encodeURIComponent(this.params.a ?? '')}`)},
            {keys: ['Enter'], help: 'open the trace of the row', run: () => this.openSelected()},
            {keys: ['Escape'], help: 'back to the list', run: () => this.app.navigate(this.app.lastList)},
        ];
    }

    close() {
        this.stop.abort();
        this.sizes?.disconnect();
        this.virtual?.close();
    }
}

/** @param {HTMLElement} container @param {Object<string, string>} params @param {any} app */
export function show(container, params, app) {
    return new CompareView(container, params, app);
}
