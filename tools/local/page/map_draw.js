// SPDX-License-Identifier: Apache-2.0
// The map as SVG elements: nodes as rings of what became of their requests, edges as
// curves with what they carry.
import {svg} from './dom.js';
import {duration, oneLine, percent, plural} from './format.js';
import {curve} from './layout.js';
import {SHARES, badShare, kindOf, meanOf, perMinute, percentile} from './map_data.js';

/**
 * @typedef {import('./map_data.js').MapNode} MapNode
 * @typedef {import('./map_data.js').MapEdge} MapEdge
 * @typedef {import('./map_data.js').MapData} MapData
 * @typedef {{x: number, y: number}} Point
 */

export const RING = 30; // the usual radius
const NAME_MAX = 24;
const NAMES_HIGH = 40;

/** What a node is, as a picture of 24 by 24. @type {Object<string, string>} */
const PICTURES = {
    client: 'M12 4a4 4 0 1 1 0 8 4 4 0 0 1 0-8ZM4 20c0-4 3.6-6 8-6s8 2 8 6Z',
    function: 'M5 20l5.3-11L8 4h3.4l6 14h2.6v2h-4.4L12 11.6 8.2 20Z',
    database: 'M12 3c4.4 0 8 1.3 8 3v12c0 1.7-3.6 3-8 3s-8-1.3-8-3V6c0-1.7 3.6-3 8-3ZM5.8 8.5v2.6c1 .8 3.3 1.4 6.2 1.4s5.2-.6 6.2-1.4V8.5c-1.5.7-3.7 1-6.2 1s-4.7-.3-6.2-1Z',
    bucket: 'M4 5c0-1.1 3.6-2 8-2s8 .9 8 2l-2.2 14c-.2 1.1-2.7 2-5.8 2s-5.600-.9-5.800-2Zm2.200 1.600.3 1.600c1.200.5 3.200.8 5.500.8s4.300-.3 5.500-.8l.3-1.600c-1.400.4-3.500.6-5.800.6s-4.400-.2-5.800-.6Z',
    queue: 'M3 7h5v10H3Zm6.500 0h5v10h-5ZM16 7h5v10h-5Z',
    topic: 'M4 10v4h3l6 5V5L7 10Zm11-2a5 5 0 0 1 0 8Zm0-4a9 9 0 0 1 0 16v-2a7 7 0 0 0 0-12Z',
    remote: 'M12 3a9 9 0 1 1 0 18 9 9 0 0 1 0-18Zm0 2c-1.200 0-2.400 2.500-2.700 6h5.400c-.3-3.500-1.500-6-2.700-6Zm-2.700 8c.3 3.500 1.500 6 2.700 6s2.400-2.500 2.700-6ZM8.300 6.100A7 7 0 0 0 5.100 11h2.200c.1-1.900.5-3.600 1-4.900Zm7.400 0c.5 1.300.9 3 1 4.900h2.200a7 7 0 0 0-3.200-4.900ZM5.100 13a7 7 0 0 0 3.200 4.900c-.5-1.300-.9-3-1-4.900Zm11.600 0c-.1 1.900-.5 3.600-1 4.900a7 7 0 0 0 3.200-4.900Z',
    gateway: 'M4 4h4v16H4Zm12 0h4v16h-4Zm-6 3h4v2h-4Zm0 8h4v2h-4Z',
    service: 'M4 5h16v6H4Zm2 2v2h2V7ZM4 13h16v6H4Zm2 2v2h2v-2Z',
};

/** @param {string} text @param {number} most */
function shorten(text, most) {
    const line = oneLine(text);
    return line.length > most ? `${line.slice(0, most - 1)}…` : line;
}

/** @param {number} rate a minute */
export function rateText(rate) {
    if (rate === 0)
        return '0/min';
    return rate < 0.1 ? '< 0.1/min' : `${rate >= 9.95 ? Math.round(rate) : rate.toFixed(1)}/min`;
}

/** @param {import('./map_data.js').Counts} counts @param {number | null} seconds  null: counts in place of rates */
export function trafficText(counts, seconds) {
    return seconds === null ? plural(counts.total, 'request') : rateText(perMinute(counts, seconds));
}

/** The median, or the mean where there is no histogram. @param {MapNode | MapEdge} item */
export function usualTime(item) {
    return percentile(item.histogram, 50) ?? meanOf(item.counts);
}

/** The worst thing that happened. @param {import('./map_data.js').Counts} counts */
export function worst(counts) {
    return counts.fault ? 'fault' : counts.throttle ? 'throttle' : counts.error ? 'error' : 'ok';
}

/** A part of a ring. @param {number} from @param {number} to  of the whole, 0 to 1 @param {number} radius */
function arc(from, to, radius) {
    const at = (/** @type {number} */ share) => {
        const angle = share * 2 * Math.PI - Math.PI / 2;
        return `${(Math.cos(angle) * radius).toFixed(2)} ${(Math.sin(angle) * radius).toFixed(2)}`;
    };
    return `M${at(from)}A${radius} ${radius} 0 ${to - from > 0.5 ? 1 : 0} 1 ${at(to)}`;
}

/** @param {import('./map_data.js').Counts} counts @param {number} radius */
function ring(counts, radius) {
    const parts = [svg('circle', {class: 'ring-base', r: radius})];
    const shares = SHARES.map((kind) => [kind, counts[kind]]).filter(([, count]) => Number(count) > 0);
    if (shares.length === 1)
        parts.push(svg('circle', {class: `ring ${shares[0][0]}`, r: radius}));
    else if (shares.length) {
        const all = shares.reduce((sum, [, count]) => sum + Number(count), 0);
        // What happened once in thousands is still to be seen.
        const sizes = shares.map(([, count]) => Math.max(0.02, Number(count) / all));
        const total = sizes.reduce((sum, size) => sum + size, 0);
        let from = 0;
        shares.forEach(([kind], index) => {
            const to = from + sizes[index] / total;
            parts.push(svg('path', {class: `ring ${kind}`, d: arc(from, to, radius)}));
            from = to;
        });
    }
    return parts;
}

/** @param {MapNode | MapEdge} item @param {number | null} seconds */
export function sentence(item, seconds) {
    const {counts, histogram} = item;
    if (!counts.total)
        return 'no completed requests';
    const times = [50, 90, 99].map((p) => [p, percentile(histogram, p)]).filter(([, value]) => value !== null)
        .map(([p, value]) => `p${p} ${duration(value)}`);
    const shares = SHARES.slice(1).filter((kind) => counts[kind])
        .map((kind) => `${percent(counts[kind] / counts.total)} ${NAMES[kind]}`);
    return [trafficText(counts, seconds), ...times, ...shares].join(', ');
}

/** @type {Record<string, string>} */
export const NAMES = {ok: 'ok', error: 'errors', throttle: 'throttled', fault: 'faults'};

/** @param {MapNode} node @param {Point} place @param {number} radius @param {number | null} seconds */
export function nodeElement(node, place, radius, seconds) {
    const time = usualTime(node);
    const isSmall = node.client;
    const element = svg('g', {
        class: `node ${kindOf(node)}${node.inferred ? ' inferred' : ''}`, tabindex: '0', role: 'button',
        transform: `translate(${place.x.toFixed(1)} ${place.y.toFixed(1)})`,
        'aria-label': `${oneLine(node.name)}, ${oneLine(node.type) || 'service'}: ${sentence(node, seconds)}`,
    }, svg('title', {text: `${oneLine(node.name)}\n${oneLine(node.type)}\n${sentence(node, seconds)}`}),
       svg('circle', {class: 'node-area', r: radius + 4}));
    element.dataset.testid = 'map-node';
    element.dataset.name = node.name;
    element.dataset.type = node.type;
    element.append(...(isSmall ? [svg('circle', {class: 'ring-base', r: radius})] : ring(node.counts, radius)));
    element.append(svg('path', {class: 'node-picture', d: PICTURES[kindOf(node)],
                                transform: isSmall || !node.counts.total ? 'translate(-12 -12)' : 'translate(-7 -21) scale(.58)'}));
    if (!isSmall && node.counts.total) {
        element.append(svg('text', {class: 'node-time', y: 6, text: time === null ? '' : duration(time)}));
        element.append(svg('text', {class: 'node-rate', y: 18, text: seconds === null ? `× ${node.counts.total}` : trafficText(node.counts, seconds)}));
    }
    element.append(svg('text', {class: 'node-name', y: radius + 19, text: node.client ? 'client' : shorten(node.name, NAME_MAX)}));
    element.append(svg('text', {class: 'node-type', y: radius + 33,
                                text: node.client ? shorten(node.name, NAME_MAX) : shorten(node.type.replace(/^AWS::/, ''), NAME_MAX + 4)}));
    return element;
}

/**
 * The way of an edge between the rims of its ends; none for one that leads to where it comes from.
 * @param {Point[] | undefined} points
 * @param {number} fromRadius
 * @param {number} toRadius
 * @param {boolean} upright  it leads downwards, and x is how far down
 */
export function rimToRim(points, fromRadius, toRadius, upright) {
    if (!points)
        return null;
    const list = points.map((point) => ({...point}));
    const last = list.length - 1;
    const side = Math.sign(list[1].x - list[0].x) || 1;
    const endSide = Math.sign(list[last].x - list[last - 1].x) || 1;
    // Below a node stands its name.
    list[0].x += side * (fromRadius + (upright && side > 0 ? NAMES_HIGH : 5));
    list[last].x -= endSide * (toRadius + (upright && endSide < 0 ? NAMES_HIGH : 11));
    if (side < 0) // What leads back stands a little lower, so that it does not cover what leads on.
        list.forEach((point) => (point.y += 14));
    return list;
}

/** A loop at the upper left of a node. @param {Point} place @param {number} radius */
function loop({x, y}, radius) {
    const r = radius + 5;
    const at = (/** @type {number} */ right, /** @type {number} */ down) => `${(x + right * r).toFixed(1)} ${(y + down * r).toFixed(1)}`;
    return `M${at(-0.2, -0.98)}C${at(-0.35, -1.9)} ${at(-1.7, -1.5)} ${at(-1.02, -0.6)}`;
}

/** The size of the words on an edge, about. @param {MapEdge} edge */
export function labelSize(edge) {
    return edge.linked ? {width: 30, height: 16} : {width: badShare(edge.counts) > 0 ? 78 : 48, height: 34};
}

/**
 * @param {MapEdge} edge
 * @param {MapData} map
 * @param {{points: Point[] | null, place: Point, label: Point | undefined, radius: number, most: number,
 *          seconds: number | null, upright: boolean}} drawing  points: rimToRim(); place and radius: of the
 *   node it comes from
 */
export function edgeElement(edge, map, {points, place, label, radius, most, seconds, upright}) {
    const from = /** @type {MapNode} */ (map.byId.get(edge.from));
    const to = /** @type {MapNode} */ (map.byId.get(edge.to));
    const path = points ? curve(points, upright) : loop(place, radius);
    const middle = label ?? {x: place.x - radius * 1.6, y: place.y - radius * 1.45};
    const state = edge.linked ? 'linked' : worst(edge.counts);
    const weight = edge.linked || !most ? 1.2 : 1.2 + 2.6 * Math.log1p(edge.counts.total) / Math.log1p(most);
    const said = edge.linked ? 'link' : sentence(edge, seconds);
    const title = `${oneLine(from.client ? 'client' : from.name)} → ${oneLine(to.name)}`;
    const bad = badShare(edge.counts);
    const time = usualTime(edge);
    const element = svg('g', {class: `edge ${state}`, tabindex: '0', role: 'button', 'aria-label': `${title}: ${said}`},
        svg('title', {text: `${title}\n${said}`}),
        svg('path', {class: 'edge-hit', d: path}),
        svg('path', {class: 'edge-line', d: path, 'stroke-width': weight.toFixed(2), 'marker-end': `url(#arrow-${state})`}),
        svg('g', {class: 'edge-label', transform: `translate(${middle.x.toFixed(1)} ${middle.y.toFixed(1)})`},
            edge.linked ? svg('text', {y: -5, text: 'link'}) : [
                svg('text', {y: -5}, svg('tspan', {text: seconds === null ? `× ${edge.counts.total}` : trafficText(edge.counts, seconds)}),
                    bad > 0 && svg('tspan', {class: `edge-bad ${state}`, dx: 5, text: percent(bad)})),
                svg('text', {class: 'edge-time', y: 13, text: time === null ? '' : duration(time)})]));
    element.dataset.testid = 'map-edge';
    element.dataset.from = from.client ? 'client' : from.name;
    element.dataset.to = to.name;
    return element;
}

/** The heads of arrows, in the colours of edges. */
export function markers() {
    return svg('defs', {}, ['ok', 'error', 'throttle', 'fault', 'linked'].map((state) =>
        svg('marker', {id: `arrow-${state}`, class: `arrow ${state}`, viewBox: '0 0 8 8', refX: 1, refY: 4,
                       markerWidth: 8, markerHeight: 8, markerUnits: 'userSpaceOnUse', orient: 'auto'},
            svg('path', {d: 'M0 0.500L8 4 0 7.500Z'}))));
}
