// SPDX-License-Identifier: Apache-2.0
// Rows of one height of which only those in sight are elements: ten thousand rows
// scroll as fifty do.
import {h} from './dom.js';

const SPARE = 6; // beyond each edge, so that a quick scroll meets no empty place

export class VirtualRows {
    /**
     * @param {HTMLElement} scroller  what scrolls; rows begin below its header
     * @param {{height: number, header: number, create: () => HTMLElement,
     *          update: (element: any, index: number) => void}} options
     */
    constructor(scroller, {height, header, create, update}) {
        this.scroller = scroller;
        this.height = height;
        this.header = header;
        this.create = create;
        this.update = update;
        this.count = 0;
        /** @type {Map<number, HTMLElement>} */
        this.shown = new Map();
        this.element = h('div', {class: 'rows', role: 'presentation'});
        this.frame = 0;
        this.onScroll = () => {
            this.frame ||= requestAnimationFrame(() => {
                this.frame = 0;
                this.draw(false);
            });
        };
        scroller.addEventListener('scroll', this.onScroll, {passive: true});
        this.sizes = new ResizeObserver(() => this.draw(true));
        this.sizes.observe(scroller);
    }

    /** @param {number} count */
    setCount(count) {
        this.count = count;
        this.element.style.height = `${count * this.height}px`;
        this.draw(true);
    }

    /** @param {boolean} all  also rows that were there before */
    draw(all) {
        const {scrollTop, clientHeight} = this.scroller;
        const first = Math.max(0, Math.floor((scrollTop - this.header) / this.height) - SPARE);
        const last = Math.min(this.count, Math.ceil((scrollTop + clientHeight) / this.height) + SPARE);
        const spare = [];
        for (const [index, element] of this.shown)
            if (index < first || index >= last) {
                spare.push(element);
                this.shown.delete(index);
            }
        for (let index = first; index < last; index++) {
            let element = this.shown.get(index);
            if (element && !all)
                continue;
            if (!element) {
                element = spare.pop();
                if (!element) {
                    element = this.create();
                    this.element.append(element);
                }
                element.style.transform = `translateY(${index * this.height}px)`;
                this.shown.set(index, element);
            }
            this.update(element, index);
        }
        for (const element of spare)
            element.remove();
    }

    /** Scrolls as little as shows the row. @param {number} index */
    reveal(index) {
        const top = index * this.height;
        const room = this.scroller.clientHeight - this.header;
        if (top < this.scroller.scrollTop)
            this.scroller.scrollTop = top;
        else if (top + this.height > this.scroller.scrollTop + room)
            this.scroller.scrollTop = top + this.height - room;
        this.draw(false);
    }

    /** Rows that fit into the window. */
    page() {
        return Math.max(1, Math.floor((this.scroller.clientHeight - this.header) / this.height) - 1);
    }

    close() {
        cancelAnimationFrame(this.frame);
        this.sizes.disconnect();
        this.scroller.removeEventListener('scroll', this.onScroll);
    }
}
