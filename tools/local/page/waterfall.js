// SPDX-License-Identifier: Apache-2.0
// The waterfall of a trace: a tree of rows on a time scale, of which one is selected.
// Zoom, critical path and gaps; everything by keys too.
import {h, setText} from './dom.js';
import {duration} from './format.js';
import {Minimap} from './waterfall_minimap.js';
import {createRow, updateRow} from './waterfall_row.js';
import {VirtualRows} from './waterfall_rows.js';
import {Scale, tickText} from './waterfall_scale.js';
import {buildTree, criticalPath, visibleRows} from './tree.js';

/**
 * @typedef {import('./tree.js').Tree} Tree
 * @typedef {import('./tree.js').TreeNode} TreeNode
 */

const ROW = 26;
const HEADER = 26;
const NAME_LEAST = 120;
const TICK = 90; // pixels between ticks, at least

export class Waterfall {
    /** @param {{onSelect: (node: TreeNode) => void, onOpen: (node: TreeNode) => void}} options */
    constructor({onSelect, onOpen}) {
        this.onSelect = onSelect;
        this.onOpen = onOpen;
        this.tree = buildTree({});
        this.rows = this.tree.nodes;
        this.selected = 0; // of the rows
        /** @type {Set<string>} */
        this.collapsed = new Set();
        this.scale = new Scale(0);
        this.showsCritical = false;
        this.showsGaps = true;
        /** @type {ReturnType<typeof criticalPath> | null} */
        this.path = null;
        this.minimap = new Minimap(this.scale, () => this.redraw());
        /** @type {VirtualRows} */
        this.virtual = this.build();
        this.sizes = new ResizeObserver(() => this.redraw());
        this.sizes.observe(this.scroller);
    }

    /** The elements; returns the rows. */
    build() {
        this.axis = h('div', {class: 'wf-axis', title: 'Drag to zoom'});
        this.sash = h('div', {class: 'wf-sash', role: 'separator', 'aria-orientation': 'vertical',
                              'aria-label': 'Width of the names', title: 'Drag for wider names'});
        const header = h('div', {class: 'wf-header', 'aria-hidden': 'true'},
                         h('div', {class: 'wf-name'}, 'Segment'), this.axis, this.sash);
        this.scroller = h('div', {class: 'wf-scroller', role: 'tree', tabindex: '0', dataset: {testid: 'waterfall'},
                                  'aria-label': 'Segments and subsegments'}, header);
        const virtual = new VirtualRows(this.scroller, {
            height: ROW, header: HEADER,
            create: () => createRow((key) => this.toggle(key)),
            update: (row, index) => updateRow(row, this.rows[index], this.stateOf(index)),
        });
        this.scroller.append(virtual.element);
        this.scroller.addEventListener('click', (/** @type {MouseEvent} */ event) => {
            const key = /** @type {any} */ (event.target).closest?.('.wf-row')?.dataset.key;
            if (key !== undefined) {
                this.selectKey(key);
                this.onOpen(this.current());
            }
        });
        this.scroller.addEventListener('dblclick', () => this.zoomToSelected());
        this.scroller.addEventListener('wheel', (/** @type {WheelEvent} */ event) => this.wheel(event), {passive: false});
        this.axis.addEventListener('pointerdown', (/** @type {PointerEvent} */ event) => this.dragAxis(event));
        this.sash.addEventListener('pointerdown', (/** @type {PointerEvent} */ event) => this.dragSash(event));
        this.note = h('div', {class: 'wf-name wf-note', dataset: {testid: 'zoom-note'}});
        this.element = h('div', {class: 'wf'},
                         h('div', {class: 'wf-top'}, this.note, this.minimap.element), this.scroller);
        return virtual;
    }

    /** The tree as it is now; what is selected, collapsed and zoomed stays. @param {Tree} tree */
    setTree(tree) {
        const key = this.rows[this.selected]?.key;
        this.tree = tree;
        this.scale.resize(tree.duration);
        this.path = this.showsCritical ? criticalPath(tree) : null;
        this.minimap.setTree(tree);
        this.layOut(key);
    }

    /** @param {string} [key]  to select */
    layOut(key) {
        this.rows = visibleRows(this.tree, this.collapsed);
        const found = key === undefined ? 0 : this.rows.findIndex((node) => node.key === key);
        this.selected = Math.max(0, found);
        this.redrawHeader();
        this.virtual.setCount(this.rows.length);
        this.tellActive();
    }

    /** @param {number} index */
    stateOf(index) {
        const node = this.rows[index];
        return {scale: this.scale, width: this.timeWidth, critical: this.path, gaps: this.showsGaps,
                selected: index === this.selected, collapsed: this.collapsed.has(node.key)};
    }

    redraw() {
        this.redrawHeader();
        this.virtual.draw(true);
        this.minimap.place();
    }

    redrawHeader() {
        const {from, to, isZoomed} = this.scale;
        this.timeWidth = this.axis.clientWidth;
        setText(this.note, isZoomed ? `${duration(from)} to ${duration(to)}` : '');
        const ticks = this.scale.ticks(this.timeWidth / TICK);
        const step = ticks.length > 1 ? ticks[1] - ticks[0] : this.scale.width;
        this.axis.replaceChildren(...ticks.map((time) => {
            const place = this.scale.place(time);
            return h('span', {class: `wf-tick${place > 0.94 ? ' last' : ''}`, text: tickText(time, step),
                              style: {left: `${place * 100}%`}});
        }));
        this.scroller.style.setProperty('--wf-grid', `${step / this.scale.width * this.timeWidth}px`);
        this.scroller.style.setProperty('--wf-grid-from',
                                        `${(ticks.length ? this.scale.place(ticks[0]) : 0) * this.timeWidth}px`);
    }

    current() {
        return this.rows[this.selected];
    }

    tellActive() {
        const node = this.current();
        if (node)
            this.scroller.setAttribute('aria-activedescendant', `wf-${node.index}`);
        else
            this.scroller.removeAttribute('aria-activedescendant');
    }

    /** @param {number} index */
    select(index) {
        if (!this.rows.length)
            return;
        this.selected = Math.min(this.rows.length - 1, Math.max(0, index));
        this.virtual.reveal(this.selected);
        this.virtual.draw(true);
        this.tellActive();
        this.onSelect(this.current());
    }

    /** Opens what hides it. @param {string} key */
    selectKey(key) {
        const node = this.tree.byKey.get(key);
        if (!node)
            return false;
        for (let above = node.parent; above; above = above.parent)
            this.collapsed.delete(above.key);
        this.layOut(key);
        this.select(this.selected);
        return true;
    }

    /** @param {number} step */
    move(step) {
        this.select(this.selected + step);
    }

    /** @param {string} key */
    toggle(key) {
        if (!this.tree.byKey.get(key)?.children.length)
            return;
        if (!this.collapsed.delete(key))
            this.collapsed.add(key);
        // A selected row that is hidden now gives way to the one that hides it.
        let node = /** @type {TreeNode | null} */ (this.current());
        for (let above = node; above; above = above.parent)
            if (this.collapsed.has(above.key) && above !== this.current())
                node = above;
        this.layOut(node?.key);
        this.onSelect(this.current());
    }

    collapse() {
        const node = this.current();
        if (node?.children.length && !this.collapsed.has(node.key))
            this.toggle(node.key);
        else if (node?.parent)
            this.selectKey(node.parent.key);
    }

    expand() {
        const node = this.current();
        if (node && this.collapsed.has(node.key))
            this.toggle(node.key);
        else if (node?.children.length)
            this.move(1);
    }

    /** @param {boolean} all */
    collapseAll(all) {
        const key = this.current()?.key;
        this.collapsed = all ? new Set(this.tree.nodes.filter((node) => node.parent && node.children.length)
                                           .map((node) => node.key)) : new Set();
        this.layOut(key);
        this.onSelect(this.current());
    }

    /** The next row, from the selected one on and around, that is so. @param {(node: TreeNode) => boolean} is */
    findNext(is) {
        const {nodes} = this.tree;
        const from = this.current()?.index ?? 0;
        for (let i = 1; i <= nodes.length; i++) {
            const node = nodes[(from + i) % nodes.length];
            if (is(node))
                return this.selectKey(node.key);
        }
        return false;
    }

    toggleCritical() {
        this.showsCritical = !this.showsCritical;
        this.path = this.showsCritical ? criticalPath(this.tree) : null;
        this.redraw();
        return this.showsCritical;
    }

    toggleGaps() {
        this.showsGaps = !this.showsGaps;
        this.redraw();
        return this.showsGaps;
    }

    /** To the selected row; a second time to all. */
    zoomToSelected() {
        const node = this.current();
        if (!node)
            return;
        const room = Math.max((node.end - node.start) * 0.05, 1e-6);
        const before = [this.scale.from, this.scale.to];
        this.scale.zoom(node.start - room, node.end + room);
        if (Math.abs(before[0] - this.scale.from) + Math.abs(before[1] - this.scale.to) < this.scale.width * 1e-3)
            this.scale.reset();
        this.redraw();
    }

    resetZoom() {
        this.scale.reset();
        this.redraw();
    }

    /** @param {number} factor @param {number} [at] */
    zoomBy(factor, at) {
        this.scale.zoomBy(factor, at);
        this.redraw();
    }

    /** @param {number} share */
    pan(share) {
        this.scale.pan(share);
        this.redraw();
    }

    /** With ctrl (or two fingers) it zooms around the pointer, sideways it pans. @param {WheelEvent} event */
    wheel(event) {
        const box = this.axis.getBoundingClientRect();
        const at = (event.clientX - box.left) / box.width;
        if (event.ctrlKey && at >= 0) {
            event.preventDefault();
            this.zoomBy(Math.exp(Math.max(-60, Math.min(60, event.deltaY)) * 0.008), Math.min(1, at));
        } else if ((Math.abs(event.deltaX) > Math.abs(event.deltaY) || event.shiftKey) && this.scale.isZoomed) {
            event.preventDefault();
            this.pan((event.deltaX || event.deltaY) / box.width);
        }
    }

    /** @param {PointerEvent} event */
    dragAxis(event) {
        const box = this.axis.getBoundingClientRect();
        const timeAt = (/** @type {number} */ x) =>
            this.scale.from + Math.min(1, Math.max(0, (x - box.left) / box.width)) * this.scale.width;
        const begun = timeAt(event.clientX);
        const mark = h('div', {class: 'wf-axis-mark'});
        this.axis.append(mark);
        drag(this.axis, event, (next) => {
            const [a, b] = [event.clientX - box.left, next.clientX - box.left].sort((x, y) => x - y);
            Object.assign(mark.style, {left: `${a}px`, width: `${b - a}px`});
        }, (last) => {
            mark.remove();
            if (Math.abs(last.clientX - event.clientX) < 4)
                return;
            this.scale.zoom(begun, timeAt(last.clientX));
            this.redraw();
        });
    }

    /** @param {PointerEvent} event */
    dragSash(event) {
        const box = this.element.getBoundingClientRect();
        drag(this.sash, event, (next) => {
            const width = Math.min(box.width - 160, Math.max(NAME_LEAST, next.clientX - box.left));
            this.element.style.setProperty('--wf-name', `${Math.round(width)}px`);
            this.redraw();
        }, () => {});
    }

    close() {
        this.sizes.disconnect();
        this.virtual.close();
        this.minimap.close();
    }
}

/**
 * Follows a pointer until it is let go.
 * @param {HTMLElement} element
 * @param {PointerEvent} begun
 * @param {(event: PointerEvent) => void} onMove
 * @param {(event: PointerEvent) => void} onEnd
 */
function drag(element, begun, onMove, onEnd) {
    if (begun.button !== 0)
        return;
    const end = (/** @type {PointerEvent} */ event) => {
        element.removeEventListener('pointermove', onMove);
        element.removeEventListener('pointerup', end);
        element.removeEventListener('pointercancel', end);
        onEnd(event);
    };
    element.setPointerCapture(begun.pointerId);
    element.addEventListener('pointermove', onMove);
    element.addEventListener('pointerup', end);
    element.addEventListener('pointercancel', end);
    begun.preventDefault();
}
