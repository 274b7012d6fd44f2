// SPDX-License-Identifier: Apache-2.0
// The whole trace in a strip: dragging in it chooses the part of the time that the
// waterfall shows, dragging the chosen part moves it, its edges can be dragged.
import {color, h, onFrame} from './dom.js';

/** @typedef {import('./tree.js').Tree} Tree */

const HEIGHT = 44;
const EDGE = 7; // pixels in which an edge is grabbed
const COLORS = {ok: '--ok-area', error: '--error-area', throttle: '--throttle-area', fault: '--fault-area',
                progress: '--pending-area'};

export class Minimap {
    /**
     * @param {import('./waterfall_scale.js').Scale} scale
     * @param {() => void} changed  the scale was
     */
    constructor(scale, changed) {
        this.scale = scale;
        this.changed = changed;
        /** @type {Tree | null} */
        this.tree = null;
        this.canvas = h('canvas', {class: 'wf-mini-canvas', 'aria-hidden': 'true'});
        this.left = h('div', {class: 'wf-mini-shade'});
        this.right = h('div', {class: 'wf-mini-shade'});
        this.frame = h('div', {class: 'wf-mini-window'}, h('i'), h('i'));
        this.element = h('div', {class: 'wf-mini', dataset: {testid: 'minimap'},
                                 title: 'Drag to zoom, double-click for all'},
                         this.canvas, this.left, this.right, this.frame);
        this.draw = onFrame(() => this.paint());
        this.sizes = new ResizeObserver(() => this.draw());
        this.sizes.observe(this.element);
        this.scheme = matchMedia('(prefers-color-scheme: dark)');
        this.scheme.addEventListener('change', this.draw);
        this.theme = new MutationObserver(() => this.draw());
        this.theme.observe(document.documentElement, {attributeFilter: ['data-theme']});
        this.element.addEventListener('pointerdown', (/** @type {PointerEvent} */ event) => this.grab(event));
        this.element.addEventListener('dblclick', () => {
            scale.reset();
            changed();
        });
    }

    /** @param {Tree} tree */
    setTree(tree) {
        this.tree = tree;
        this.draw();
    }

    paint() {
        const {tree} = this;
        const width = this.element.clientWidth;
        if (!tree || !width)
            return;
        const ratio = window.devicePixelRatio || 1;
        this.canvas.width = Math.round(width * ratio);
        this.canvas.height = Math.round(HEIGHT * ratio);
        const context = this.canvas.getContext('2d');
        const colors = Object.fromEntries(Object.entries(COLORS).map(([outcome, name]) => [outcome, color(name)]));
        context.scale(ratio, ratio);
        const room = HEIGHT - 6;
        const step = Math.min(5, room / tree.nodes.length);
        const thick = Math.max(1, step * 0.7);
        tree.nodes.forEach((node, index) => {
            const left = node.start / this.scale.duration * width;
            const size = Math.max(1, (node.end - node.start) / this.scale.duration * width);
            context.fillStyle = colors[node.outcome];
            context.globalAlpha = node.kind === 'missing' ? 0.35 : node.inferred ? 0.6 : 1;
            context.fillRect(left, 3 + index * step, size, thick);
        });
        this.place();
    }

    /** Where the chosen part is. */
    place() {
        const {from, to, duration, isZoomed} = this.scale;
        const [left, right] = [from / duration * 100, to / duration * 100];
        this.element.classList.toggle('zoomed', isZoomed);
        this.left.style.width = `${left}%`;
        this.left.style.left = '0';
        this.right.style.left = `${right}%`;
        this.right.style.width = `${100 - right}%`;
        this.frame.style.left = `${left}%`;
        this.frame.style.width = `${right - left}%`;
    }

    /** @param {PointerEvent} event */
    grab(event) {
        if (event.button !== 0)
            return;
        const box = this.element.getBoundingClientRect();
        const {scale} = this;
        const timeAt = (/** @type {number} */ x) =>
            Math.min(1, Math.max(0, (x - box.left) / box.width)) * scale.duration;
        const pixels = (/** @type {number} */ time) => box.left + time / scale.duration * box.width;
        const begun = {time: timeAt(event.clientX), x: event.clientX, from: scale.from, to: scale.to};
        const near = (/** @type {number} */ time) => Math.abs(pixels(time) - event.clientX) <= EDGE;
        const inside = begun.time > scale.from && begun.time < scale.to;
        const mode = !scale.isZoomed ? 'new' : near(scale.from) ? 'from' : near(scale.to) ? 'to' : inside ? 'move' : 'new';
        let moved = false;
        const move = (/** @type {PointerEvent} */ next) => {
            if (!moved && Math.abs(next.clientX - begun.x) < 3)
                return; // A click is no drag.
            moved = true;
            const time = timeAt(next.clientX);
            if (mode === 'new')
                scale.zoom(begun.time, time);
            else if (mode === 'from')
                scale.zoom(Math.min(time, begun.to), begun.to);
            else if (mode === 'to')
                scale.zoom(begun.from, Math.max(time, begun.from));
            else
                scale.zoom(begun.from + time - begun.time, begun.to + time - begun.time);
            this.changed();
        };
        const end = () => {
            this.element.removeEventListener('pointermove', move);
            this.element.removeEventListener('pointerup', end);
            this.element.removeEventListener('pointercancel', end);
        };
        this.element.setPointerCapture(event.pointerId);
        this.element.addEventListener('pointermove', move);
        this.element.addEventListener('pointerup', end);
        this.element.addEventListener('pointercancel', end);
        event.preventDefault();
    }

    close() {
        this.sizes.disconnect();
        this.theme.disconnect();
        this.scheme.removeEventListener('change', this.draw);
        this.draw.cancel();
    }
}
