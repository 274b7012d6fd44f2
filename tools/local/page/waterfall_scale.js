// SPDX-License-Identifier: Apache-2.0
// The part of a trace's time that is shown: zoom, pan, round ticks, and sections of
// time as places in the window. Pure.

/** @typedef {{start: number, end: number}} Section */

const LEAST_WINDOW = 1e-6;

export class Scale {
    /** @param {number} duration  seconds; what has none is shown as a millisecond */
    constructor(duration) {
        this.duration = duration > 0 ? duration : 1e-3;
        this.from = 0;
        this.to = this.duration;
    }

    get width() {
        return this.to - this.from;
    }

    get isZoomed() {
        return this.width < this.duration * 0.9999;
    }

    /** A longer trace; what was all is all again. @param {number} duration */
    resize(duration) {
        const wasZoomed = this.isZoomed;
        this.duration = duration > 0 ? duration : 1e-3;
        if (wasZoomed)
            this.zoom(this.from, this.to);
        else
            this.reset();
    }

    reset() {
        this.from = 0;
        this.to = this.duration;
    }

    /** @param {number} from @param {number} to */
    zoom(from, to) {
        const width = Math.min(this.duration, Math.max(Math.abs(to - from), LEAST_WINDOW, this.duration * 1e-6));
        const middle = (from + to) / 2;
        this.from = Math.min(Math.max(0, middle - width / 2), this.duration - width);
        this.to = this.from + width;
    }

    /** Larger or smaller around a place of the window, 0 to 1. @param {number} factor @param {number} [at] */
    zoomBy(factor, at = 0.5) {
        const width = this.width * factor;
        const from = this.from + (this.width - width) * at;
        this.zoom(from, from + width);
    }

    /** @param {number} share  of the window */
    pan(share) {
        const step = this.width * share;
        this.zoom(this.from + step, this.to + step);
    }

    /** A time as a part of the window, 0 to 1 if it is inside. @param {number} time */
    place(time) {
        return (time - this.from) / this.width;
    }

    /**
     * What is seen of a section, as parts of the window; null if nothing is.
     * @param {number} start @param {number} end
     */
    clip(start, end) {
        const left = this.place(start);
        const right = this.place(end);
        // An edge a little outside, so that a cut bar does not look as if it ended there.
        return right < 0 || left > 1 ? null : {left: Math.max(left, -0.02), right: Math.min(right, 1.02)};
    }

    /**
     * Sections in the window; those too near to be told apart become one.
     * @param {Section[]} sections  by start
     * @param {number} [parts]  of the window that can be told apart
     */
    clipAll(sections, parts = 500) {
        /** @type {{left: number, right: number, start: number, end: number}[]} */
        const seen = [];
        for (const {start, end} of sections) {
            const part = this.clip(start, end);
            const last = seen[seen.length - 1];
            if (part && last && part.left - last.right < 1 / parts) {
                last.right = Math.max(last.right, part.right);
                last.end = Math.max(last.end, end);
            } else if (part) {
                seen.push({...part, start, end});
            }
        }
        return seen;
    }

    /** Round times in the window. @param {number} count  about so many at most */
    ticks(count) {
        const step = roundStep(this.width / Math.max(1, count));
        const times = [];
        for (let index = Math.ceil(this.from / step - 1e-6); index * step <= this.to + step * 1e-6; index++)
            times.push(index * step);
        return times;
    }
}

/** The next of 1, 2, 5, 10, … @param {number} least */
export function roundStep(least) {
    const power = 10 ** Math.floor(Math.log10(least));
    const found = [1, 2, 5, 10].find((factor) => factor * power >= least * 0.9999999);
    return (found ?? 10) * power;
}

/** A time on an axis whose ticks are a step apart. @param {number} seconds @param {number} step */
export function tickText(seconds, step) {
    const [unit, factor] = step >= 0.2 ? ['s', 1] : step >= 2e-4 ? ['ms', 1e3] : ['µs', 1e6];
    const digits = Math.max(0, -Math.floor(Math.log10(step * factor) + 1e-9));
    return seconds === 0 ? '0' : `${(seconds * factor).toFixed(digits)} ${unit}`;
}
