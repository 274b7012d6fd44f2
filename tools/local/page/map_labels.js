// SPDX-License-Identifier: Apache-2.0
// Where the words on edges stand: on their curve, and as far as there is room for it
// on nothing else. Pure.

/**
 * @typedef {{x: number, y: number}} Point
 * @typedef {{x: number, y: number, width: number, height: number}} Box  x, y: the centre
 */

/** Places along a piece of a curve, the best first. */
const TRIED = [0.5, 0.62, 0.38, 0.72, 0.28, 0.8, 0.2];

/** A place on a curve of curve() in layout.js. @param {Point} from @param {Point} to @param {number} t */
export function pointOn(from, to, t) {
    const middle = (from.x + to.x) / 2;
    const u = 1 - t;
    return {x: u * u * u * from.x + 3 * u * t * middle + t * t * t * to.x, y: from.y + (to.y - from.y) * t * t * (3 - 2 * t)};
}

/** The area that two have in common. @param {Box} a @param {Box} b */
export function overlap(a, b) {
    const wide = (a.width + b.width) / 2 - Math.abs(a.x - b.x);
    const high = (a.height + b.height) / 2 - Math.abs(a.y - b.y);
    return wide > 0 && high > 0 ? wide * high : 0;
}

/**
 * @param {{id: string, points: Point[], width: number, height: number}[]} edges  from rim to rim
 * @param {Box[]} taken  nodes with their names
 * @returns {Map<string, Point>}
 */
export function placeLabels(edges, taken) {
    const boxes = [...taken];
    /** @type {Map<string, Point>} */
    const places = new Map();
    // Short edges have the least choice.
    const order = [...edges].sort((a, b) => a.points.length - b.points.length);
    for (const {id, points, width, height} of order) {
        /** @type {Point | null} */
        let best = null;
        let least = Infinity;
        for (let piece = 1; piece < points.length; piece++)
            for (const [rank, t] of TRIED.entries()) {
                const point = pointOn(points[piece - 1], points[piece], t);
                const box = {...point, width, height};
                // A little is nothing against a place in the middle.
                const cost = boxes.reduce((sum, other) => sum + overlap(box, other), 0) + rank * 8;
                if (cost < least) {
                    least = cost;
                    best = point;
                }
            }
        const place = best ?? points[0];
        places.set(id, place);
        boxes.push({...place, width, height});
    }
    return places;
}
