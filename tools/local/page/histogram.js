// SPDX-License-Identifier: Apache-2.0
// Response times of the traces in the list. What is dragged over, or chosen with the
// keys, becomes a range of the filter.
import {fill, h, svg} from './dom.js';
import {duration, plural} from './format.js';
import {outcome} from './list_row.js';

const KINDS = ['ok', 'pending', 'error', 'throttle', 'fault'];
/** Round numbers with even steps between them on a logarithmic scale. */
const STEPS = [
    [1, 1.12, 1.25, 1.4, 1.6, 1.8, 2, 2.24, 2.5, 2.8, 3.15, 3.55, 4, 4.5, 5, 5.6, 6.3, 7.1, 8, 9],
    [1, 1.25, 1.6, 2, 2.5, 3.15, 4, 5, 6.3, 8],
    [1, 1.6, 2.5, 4, 6.3],
    [1, 3],
];
const TALL = 56;

/** @param {number} value */
function round(value) {
    return Number(value.toPrecision(6));
}

/**
 * Edges of bins: on a logarithmic scale when the longest is many times the shortest.
 * @param {number[]} sorted @param {number} limit bins
 * @returns {{edges: number[], isLog: boolean}}
 */
export function edgesFor(sorted, limit) {
    if (!sorted.length)
        return {edges: [], isLog: false};
    const positive = sorted.filter((value) => value > 0);
    const low = positive[Math.floor(positive.length * 0.005)] ?? 0.001;
    const high = positive.at(-1) ?? 0.001;
    if (high / low > 20)
        return {edges: logEdges(low, high, limit), isLog: true};
    const first = sorted[0] < high / 3 ? 0 : sorted[0];
    const raw = Math.max(high - first, high / 1000) / Math.max(4, Math.min(limit, 40));
    const power = 10 ** Math.floor(Math.log10(raw));
    const step = power * ([1, 2, 2.5, 5, 10].find((factor) => factor * power >= raw) ?? 10);
    const begin = Math.floor(first / step);
    const count = Math.floor(high / step) - begin + 2;
    return {edges: Array.from({length: count}, (_, place) => round((begin + place) * step)), isLog: false};
}

/** @param {number} low @param {number} high @param {number} limit */
function logEdges(low, high, limit) {
    for (const steps of STEPS) {
        const edges = [];
        for (let power = Math.floor(Math.log10(low)); edges.length < 400; power++) {
            for (const step of steps)
                edges.push(round(step * 10 ** power));
            if (round(10 ** (power + 1)) > high)
                break;
        }
        edges.push(round(edges[0] * 10 ** Math.ceil(Math.log10(high / edges[0]) + 1e-9)));
        const begin = Math.max(0, edges.findLastIndex((edge) => edge <= low));
        const end = edges.findIndex((edge) => edge > high);
        const found = edges.slice(begin, (end < 0 ? edges.length : end) + 1);
        if (found.length - 1 <= limit || steps === STEPS.at(-1))
            return found.length > 1 ? found : [found[0], round(found[0] * 2)];
    }
    return [low, high];
}

/** @param {number[]} sorted @param {number} share */
export function quantile(sorted, share) {
    return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
}

/** Without the digits that say nothing: 5 ms, 31.5 ms. @param {number} seconds */
function short(seconds) {
    return duration(seconds).replace(/\.0+ /, ' ').replace(/(\.\d*[1-9])0+ /, '$1 ');
}

export class Histogram {
    /**
     * @param {(from: number | null, to: number | null) => void} select
     * @param {(text: string) => void} announce
     */
    constructor(select, announce) {
        this.select = select;
        this.announce = announce;
        /** @type {number[]} */
        this.edges = [];
        /** @type {{total: number, kinds: number[]}[]} */
        this.bins = [];
        /** Bins that are being chosen. @type {{anchor: number, end: number} | null} */
        this.choice = null;
        this.facts = h('span', {class: 'histogram-facts'});
        this.area = svg('svg', {class: 'histogram-area', 'aria-hidden': 'true'});
        this.element = h('div', {class: 'histogram', role: 'group', tabindex: 0, 'data-testid': 'histogram',
                                 'aria-label': 'Response times. Arrow keys choose a bar, shift with arrows a range, ' +
                                               'enter filters by it, escape lets go',
                                 title: 'Drag to filter by response time'}, this.area);
        this.element.addEventListener('pointerdown', (/** @type {any} */ event) => this.press(event));
        this.element.addEventListener('pointermove', (/** @type {any} */ event) => this.hover(event));
        this.element.addEventListener('keydown', (/** @type {any} */ event) => this.key(event));
        this.element.addEventListener('blur', () => this.choose(null));
        this.observer = new ResizeObserver(() => this.draw());
        this.observer.observe(this.element);
        this.rows = /** @type {any[]} */ ([]);
        this.range = {from: /** @type {number | null} */ (null), to: /** @type {number | null} */ (null)};
        this.width = 0;
    }

    close() {
        this.observer.disconnect();
    }

    /** @param {any[]} rows @param {{from: number | null, to: number | null}} range what the filter says */
    update(rows, range) {
        this.rows = rows;
        this.range = range;
        // What is being chosen would slip away below the hand.
        if (!this.choice)
            this.draw();
    }

    count() {
        // What is in progress has taken nothing yet that could be compared.
        const timed = this.rows.filter((row) => Number.isFinite(row.ResponseTime) &&
                                                (row.ResponseTime > 0 || !row.IsPartial));
        const sorted = timed.map((row) => row.ResponseTime).sort((a, b) => a - b);
        const {edges, isLog} = edgesFor(sorted, Math.floor(this.width / 12));
        this.edges = edges;
        this.isLog = isLog;
        this.bins = this.edges.slice(1).map(() => ({total: 0, kinds: KINDS.map(() => 0)}));
        for (const row of timed) {
            const bin = this.bins[this.binOf(row.ResponseTime)];
            bin.total++;
            bin.kinds[KINDS.indexOf(outcome(row))]++;
        }
        fill(this.facts, sorted.length ? [['p50', 0.5], ['p90', 0.9], ['p99', 0.99]].map(([name, share]) =>
            h('span', {}, h('b', {text: name}), ` ${duration(quantile(sorted, Number(share)))}`)) : '');
    }

    /** @param {number} value */
    binOf(value) {
        let low = 0;
        let high = this.bins.length - 1;
        while (low < high) {
            const middle = (low + high + 1) >> 1;
            if (this.edges[middle] <= value)
                low = middle;
            else
                high = middle - 1;
        }
        return low;
    }

    draw() {
        this.width = this.element.clientWidth;
        if (!this.width)
            return;
        this.count();
        this.area.setAttribute('viewBox', `0 0 ${this.width} ${TALL + 18}`);
        const wide = this.width / Math.max(1, this.bins.length);
        const most = Math.max(1, ...this.bins.map(({total}) => total));
        const bars = this.bins.flatMap(({total, kinds}, place) => {
            let y = TALL;
            return kinds.map((number, kind) => {
                const tall = number ? Math.max(2, number / most * (TALL - 6)) : 0;
                y -= tall;
                return total && number ? svg('rect', {class: `bin ${KINDS[kind]}`, x: place * wide + 0.5, y,
                                                      width: Math.max(1, wide - 1.5), height: tall}) : null;
            });
        });
        this.band = svg('rect', {class: 'histogram-band', y: 0, height: TALL, width: 0});
        fill(this.area, svg('line', {class: 'histogram-base', x1: 0, x2: this.width, y1: TALL + 0.5, y2: TALL + 0.5}),
             this.band, bars, this.ticks(wide));
        this.mark();
    }

    /** @param {number} wide */
    ticks(wide) {
        const labels = [];
        const every = Math.max(1, Math.ceil(78 / wide));
        for (let place = 0; place <= this.bins.length; place += every) {
            const x = place * wide;
            if (x > this.width - 30 && place !== this.bins.length)
                continue;
            labels.push(svg('line', {class: 'histogram-base', x1: x, x2: x, y1: TALL, y2: TALL + 4}),
                        svg('text', {class: 'histogram-tick', x: Math.min(x + 3, this.width), y: TALL + 14,
                                     'text-anchor': x > this.width - 30 ? 'end' : 'start'},
                            this.edges.length ? short(this.edges[place]) : ''));
        }
        return labels;
    }

    /** Shows what is being chosen, else what the filter says. */
    mark() {
        const wide = this.width / Math.max(1, this.bins.length);
        const {from, to} = this.range;
        let first = 0;
        let last = -1;
        if (this.choice) {
            first = Math.min(this.choice.anchor, this.choice.end);
            last = Math.max(this.choice.anchor, this.choice.end);
        } else if (this.bins.length && (from !== null || to !== null)) {
            first = from === null ? 0 : this.binOf(from);
            last = to === null ? this.bins.length - 1 : this.binOf(to * (1 - 1e-9));
        }
        this.band?.setAttribute('x', String(first * wide));
        this.band?.setAttribute('width', String(Math.max(0, (last - first + 1) * wide)));
        this.element.classList.toggle('choosing', this.choice !== null);
    }

    /** @param {{anchor: number, end: number} | null} choice */
    choose(choice) {
        const had = this.choice !== null;
        this.choice = choice;
        if (had && !choice)
            this.draw();
        else
            this.mark();
    }

    /** @param {number} first @param {number} last */
    words(first, last) {
        const total = this.bins.slice(first, last + 1).reduce((sum, bin) => sum + bin.total, 0);
        return `${duration(this.edges[first])} to ${duration(this.edges[last + 1])}: ${plural(total, 'trace')}`;
    }

    apply() {
        if (!this.choice)
            return;
        const first = Math.min(this.choice.anchor, this.choice.end);
        const last = Math.max(this.choice.anchor, this.choice.end);
        this.announce(`Filtered by ${this.words(first, last)}`);
        const [from, to] = [this.edges[first], this.edges[last + 1]];
        this.choose(null);
        this.select(from, to);
    }

    /** @param {PointerEvent} event */
    placeOf(event) {
        const x = event.clientX - this.element.getBoundingClientRect().left;
        return Math.min(this.bins.length - 1, Math.max(0, Math.floor(x / this.width * this.bins.length)));
    }

    /** @param {PointerEvent} event */
    press(event) {
        if (event.button !== 0 || !this.bins.length)
            return;
        const place = this.placeOf(event);
        this.element.setPointerCapture(event.pointerId);
        this.choose({anchor: place, end: place});
        const move = (/** @type {PointerEvent} */ moved) =>
            this.choice && this.choose({anchor: this.choice.anchor, end: this.placeOf(moved)});
        const end = (/** @type {PointerEvent} */ ended) => {
            this.element.removeEventListener('pointermove', move);
            this.element.removeEventListener('pointerup', end);
            this.element.removeEventListener('pointercancel', end);
            if (ended.type === 'pointerup')
                this.apply();
            else
                this.choose(null);
        };
        this.element.addEventListener('pointermove', move);
        this.element.addEventListener('pointerup', end);
        this.element.addEventListener('pointercancel', end);
    }

    /** @param {PointerEvent} event */
    hover(event) {
        if (!this.bins.length)
            return;
        const place = this.placeOf(event);
        this.element.title = this.choice
            ? this.words(Math.min(this.choice.anchor, this.choice.end), Math.max(this.choice.anchor, this.choice.end))
            : this.words(place, place);
    }

    /** @param {KeyboardEvent} event */
    key(event) {
        const steps = {ArrowLeft: -1, ArrowRight: 1, Home: -this.bins.length, End: this.bins.length};
        const step = steps[/** @type {'Home'} */ (event.key)];
        if (event.key === 'Enter' && this.choice) {
            this.apply();
        } else if (event.key === 'Escape' && this.choice) {
            this.choose(null);
        } else if (step && this.bins.length) {
            const from = this.choice?.end ?? (step > 0 ? -1 : this.bins.length);
            const end = Math.min(this.bins.length - 1, Math.max(0, from + step));
            const anchor = event.shiftKey && this.choice ? this.choice.anchor : end;
            this.choose({anchor, end});
            this.announce(this.words(Math.min(anchor, end), Math.max(anchor, end)));
        } else {
            return;
        }
        event.preventDefault();
        event.stopPropagation();
    }
}
