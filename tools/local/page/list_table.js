// SPDX-License-Identifier: Apache-2.0
// A grid of rows of one height of which only those in sight are elements. New rows move
// neither what is being read nor the row that has the cursor.
import {h, onFrame} from './dom.js';

const BEYOND = 8; // rows above and below those in sight

/**
 * @template T
 * @typedef {{
 *   label: string,
 *   columns: {name: string, class: string, title?: string}[],
 *   idOf: (item: T) => string,
 *   create: () => any,
 *   update: (row: any, item: T) => void,
 *   open: (item: T) => void,
 *   nearEnd: () => void,
 *   chosen: () => void,
 * }} Options
 */

/** @template T */
export class VirtualRows {
    /** @param {Options<T>} options */
    constructor(options) {
        this.options = options;
        /** @type {T[]} */
        this.items = [];
        /** @type {Map<string, number>} */
        this.places = new Map();
        /** @type {Set<string>} */
        this.selected = new Set();
        /** The row with the cursor. @type {string | null} */
        this.active = null;
        /** Rows that came above what is in sight. */
        this.above = 0;
        /** @type {Map<string, any>} */
        this.shown = new Map();
        /** @type {any[]} */
        this.spare = [];
        this.height = 32;
        this.build();
        this.drawSoon = onFrame(() => this.draw());
        this.observer = new ResizeObserver(() => this.measure());
        this.observer.observe(this.element);
    }

    build() {
        const {label, columns} = this.options;
        this.head = h('div', {class: 'grid-row grid-head', role: 'row', 'aria-rowindex': 1},
                      columns.map(({name, title, class: kind}) =>
                          h('div', {class: `cell ${kind}`, role: 'columnheader', title}, name)));
        this.body = h('div', {class: 'grid-body', role: 'rowgroup'});
        this.element = h('div', {class: 'grid', role: 'grid', tabindex: 0, 'aria-label': label,
                                 'aria-multiselectable': 'true', 'data-testid': 'rows'},
                         h('div', {role: 'rowgroup', class: 'grid-top'}, this.head), this.body);
        this.element.addEventListener('scroll', () => this.scrolled());
        this.body.addEventListener('click', (/** @type {MouseEvent} */ event) => this.click(event));
        this.element.addEventListener('focus', () => this.activate(this.active ?? this.firstInSight()));
    }

    close() {
        this.drawSoon.cancel();
        this.observer.disconnect();
    }

    measure() {
        const height = parseFloat(getComputedStyle(this.element).getPropertyValue('--row'));
        if (height && height !== this.height) {
            const first = Math.floor(this.element.scrollTop / this.height);
            this.height = height;
            this.element.scrollTop = first * height;
        }
        this.draw();
    }

    /** @param {T[]} items */
    set(items) {
        const anchor = this.anchor();
        const before = anchor ? this.places.get(anchor) ?? -1 : -1;
        this.items = items;
        this.places = new Map(items.map((item, place) => [this.options.idOf(item), place]));
        for (const id of [...this.selected])
            if (!this.places.has(id))
                this.selected.delete(id);
        if (this.active !== null && !this.places.has(this.active))
            this.active = items.length ? this.options.idOf(items[Math.min(Math.max(before, 0), items.length - 1)]) : null;
        const after = anchor ? this.places.get(anchor) ?? -1 : -1;
        this.body.style.height = `${items.length * this.height}px`;
        this.element.setAttribute('aria-rowcount', String(items.length + 1));
        if (before >= 0 && after >= 0 && after !== before) {
            this.element.scrollTop += (after - before) * this.height;
            this.above = Math.max(0, this.above + after - before);
        }
        this.draw();
    }

    /** What must stay where it is: the row with the cursor, else the first in sight unless at the top. */
    anchor() {
        const top = this.element.scrollTop;
        if (this.active !== null && document.activeElement === this.element && this.isInSight(this.active))
            return this.places.get(this.active) === 0 && top < this.height ? null : this.active;
        return top < this.height / 2 ? null : this.firstInSight();
    }

    firstInSight() {
        const item = this.items[Math.ceil(this.element.scrollTop / this.height)];
        return item ? this.options.idOf(item) : null;
    }

    /** @param {string} id */
    isInSight(id) {
        const place = this.places.get(id);
        if (place === undefined)
            return false;
        const y = place * this.height - this.element.scrollTop;
        return y > -this.height && y < this.sight();
    }

    /** The height that rows have. */
    sight() {
        return Math.max(this.height, this.element.clientHeight - this.head.offsetHeight);
    }

    scrolled() {
        if (this.element.scrollTop < this.height)
            this.above = 0;
        this.drawSoon();
    }

    toTop() {
        this.element.scrollTop = 0;
        this.above = 0;
        if (this.items.length && this.active !== null)
            this.activate(this.options.idOf(this.items[0]));
        this.draw();
    }

    draw() {
        const top = this.element.scrollTop;
        const first = Math.max(0, Math.floor(top / this.height) - BEYOND);
        const last = Math.min(this.items.length, Math.ceil((top + this.sight()) / this.height) + BEYOND);
        const wanted = new Set();
        for (let place = first; place < last; place++)
            wanted.add(this.options.idOf(this.items[place]));
        for (const [id, row] of this.shown)
            if (!wanted.has(id)) {
                this.shown.delete(id);
                row.hidden = true;
                row.removeAttribute('id');
                row.removeAttribute('data-id');
                this.spare.push(row);
            }
        for (let place = first; place < last; place++)
            this.drawRow(place);
        // Those left over would else be found, and read, as rows of the grid.
        for (const row of this.spare.splice(0, Math.max(0, this.spare.length - 2 * BEYOND)))
            row.remove();
        if (this.active !== null && this.shown.has(this.active))
            this.element.setAttribute('aria-activedescendant', this.shown.get(this.active).id);
        else
            this.element.removeAttribute('aria-activedescendant');
        if (last > this.items.length - 60)
            this.options.nearEnd();
        this.options.chosen();
    }

    /** @param {number} place */
    drawRow(place) {
        const item = this.items[place];
        const id = this.options.idOf(item);
        let row = this.shown.get(id);
        if (!row) {
            row = this.spare.pop() ?? this.newRow();
            row.hidden = false;
            row.id = `row-${id}`;
            row.dataset.id = id;
            this.shown.set(id, row);
        }
        row.style.transform = `translateY(${place * this.height}px)`;
        row.setAttribute('aria-rowindex', String(place + 2));
        row.setAttribute('aria-selected', String(this.selected.has(id)));
        row.classList.toggle('active', id === this.active);
        row.classList.toggle('odd', place % 2 === 1);
        row.box.checked = this.selected.has(id);
        this.options.update(row, item);
    }

    newRow() {
        const row = this.options.create();
        this.body.append(row);
        return row;
    }

    /** @param {MouseEvent} event */
    click(event) {
        const target = /** @type {Element} */ (event.target);
        const row = /** @type {HTMLElement | null} */ (target.closest('.grid-row'));
        const place = row?.dataset.id === undefined ? undefined : this.places.get(row.dataset.id);
        if (place === undefined || event.ctrlKey || event.metaKey || event.shiftKey)
            return; // With a key held, the link in the row opens elsewhere.
        const id = this.options.idOf(this.items[place]);
        this.active = id;
        if (target.closest('.cell-select')) {
            this.toggle(id);
            return;
        }
        event.preventDefault();
        this.options.open(this.items[place]);
    }

    /** @param {string} id */
    toggle(id) {
        if (!this.selected.delete(id))
            this.selected.add(id);
        this.draw();
    }

    clearSelection() {
        this.selected.clear();
        this.draw();
    }

    /** @param {string | null} id */
    activate(id) {
        this.active = id;
        const place = id === null ? undefined : this.places.get(id);
        if (place !== undefined) {
            const y = place * this.height;
            const top = this.element.scrollTop;
            if (y < top)
                this.element.scrollTop = y;
            else if (y + this.height > top + this.sight())
                this.element.scrollTop = y + this.height - this.sight();
        }
        this.draw();
    }

    /** @param {number} by rows; beyond an end means the end */
    move(by) {
        if (!this.items.length)
            return;
        const now = this.active === null ? (by > 0 ? -1 : 0) : this.places.get(this.active) ?? 0;
        const place = Math.min(this.items.length - 1, Math.max(0, now + by));
        this.activate(this.options.idOf(this.items[place]));
        if (document.activeElement !== this.element)
            this.element.focus({preventScroll: true});
    }

    get activeItem() {
        const place = this.active === null ? undefined : this.places.get(this.active);
        return place === undefined ? null : this.items[place];
    }
}
