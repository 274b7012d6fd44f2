// SPDX-License-Identifier: Apache-2.0
// Which part of a drawing is seen, and how large: by wheel, drag, two fingers and keys.
import {svg} from './dom.js';

const LEAST = 0.15;
const MOST = 4;
const FIT_MOST = 1.2;

export class Viewport {
    /** @param {string} label */
    constructor(label) {
        this.group = svg('g', {class: 'viewport'});
        this.element = svg('svg', {class: 'map-svg', role: 'group', 'aria-label': label}, this.group);
        this.size = {width: 0, height: 0};
        this.at = {x: 0, y: 0, scale: 1};
        this.touched = false;
        /** @type {Map<number, {x: number, y: number}>} */
        this.pointers = new Map();
        this.element.addEventListener('wheel', (/** @type {WheelEvent} */ event) => {
            event.preventDefault();
            const step = Math.max(-80, Math.min(80, event.deltaMode ? event.deltaY * 20 : event.deltaY));
            this.zoom(Math.exp(-step * 0.004), this.pointOf(event));
        }, {passive: false});
        this.element.addEventListener('pointerdown', (/** @type {PointerEvent} */ event) => this.down(event));
        this.element.addEventListener('pointermove', (/** @type {PointerEvent} */ event) => this.move(event));
        for (const name of ['pointerup', 'pointercancel'])
            this.element.addEventListener(name, (/** @type {PointerEvent} */ event) => this.up(event));
        // A drag that ends on a node is no click on it.
        this.element.addEventListener('click', (/** @type {MouseEvent} */ event) => {
            if (this.dragged)
                event.stopPropagation();
        }, {capture: true});
        this.dragged = false;
        this.sizes = new ResizeObserver(() => {
            if (!this.touched)
                this.fit();
        });
        this.sizes.observe(this.element);
    }

    /** @param {{clientX: number, clientY: number}} event */
    pointOf(event) {
        const box = this.element.getBoundingClientRect();
        return {x: event.clientX - box.left, y: event.clientY - box.top};
    }

    /** @param {{width: number, height: number}} size  of the drawing */
    setSize(size) {
        this.size = size;
        if (!this.touched)
            this.fit();
    }

    apply() {
        const {x, y, scale} = this.at;
        this.group.setAttribute('transform', `translate(${x.toFixed(2)} ${y.toFixed(2)}) scale(${scale.toFixed(4)})`);
        this.element.classList.toggle('far', scale < 0.55);
    }

    /** All of it, in the middle. */
    fit() {
        const {clientWidth, clientHeight} = this.element;
        const {width, height} = this.size;
        if (!clientWidth || !width || !height)
            return;
        const scale = Math.max(LEAST, Math.min(FIT_MOST, clientWidth / width, clientHeight / height));
        this.at = {x: (clientWidth - width * scale) / 2, y: (clientHeight - height * scale) / 2, scale};
        this.touched = false;
        this.apply();
    }

    /** @param {number} factor @param {{x: number, y: number}} [about]  default: the middle */
    zoom(factor, about = {x: this.element.clientWidth / 2, y: this.element.clientHeight / 2}) {
        const scale = Math.max(LEAST, Math.min(MOST, this.at.scale * factor));
        const real = scale / this.at.scale;
        this.at = {x: about.x - (about.x - this.at.x) * real, y: about.y - (about.y - this.at.y) * real, scale};
        this.touched = true;
        this.apply();
    }

    /** @param {number} x @param {number} y */
    pan(x, y) {
        this.at.x += x;
        this.at.y += y;
        this.touched = true;
        this.apply();
    }

    /** Brings a place of the drawing into sight. @param {{x: number, y: number}} place @param {number} margin */
    reveal(place, margin) {
        const {clientWidth, clientHeight} = this.element;
        const x = place.x * this.at.scale + this.at.x;
        const y = place.y * this.at.scale + this.at.y;
        const into = (/** @type {number} */ value, /** @type {number} */ room) =>
            Math.max(margin, Math.min(room - margin, value)) - value;
        const [right, down] = [into(x, clientWidth), into(y, clientHeight)];
        if (right || down)
            this.pan(right, down);
    }

    /** @param {PointerEvent} event */
    down(event) {
        if (event.button !== 0)
            return;
        this.dragged = false;
        this.pointers.set(event.pointerId, this.pointOf(event));
    }

    /** @param {PointerEvent} event */
    move(event) {
        const before = this.pointers.get(event.pointerId);
        if (!before)
            return;
        const now = this.pointOf(event);
        const others = [...this.pointers].filter(([id]) => id !== event.pointerId).map(([, point]) => point);
        if (!this.dragged && Math.hypot(now.x - before.x, now.y - before.y) < 4)
            return;
        if (!this.dragged) {
            this.dragged = true;
            this.element.setPointerCapture(event.pointerId);
        }
        this.pointers.set(event.pointerId, now);
        if (others.length) {
            const [other] = others;
            const spread = (/** @type {{x: number, y: number}} */ point) => Math.hypot(point.x - other.x, point.y - other.y) || 1;
            this.zoom(spread(now) / spread(before), {x: (now.x + other.x) / 2, y: (now.y + other.y) / 2});
        } else {
            this.pan(now.x - before.x, now.y - before.y);
        }
    }

    /** @param {PointerEvent} event */
    up(event) {
        this.pointers.delete(event.pointerId);
    }

    close() {
        this.sizes.disconnect();
    }
}
