// SPDX-License-Identifier: Apache-2.0
// What is known of the chosen node or edge: counts, shares, percentiles, a histogram
// whose bars lead to their traces, and ways to the traces of each kind.
import {fill, h, svg} from './dom.js';
import {count, duration, oneLine, percent} from './format.js';
import {SHARES, bars, edgeFilterOf, meanOf, nodeFilter, percentile, timesFilter} from './map_data.js';
import {NAMES, trafficText} from './map_draw.js';
import {fact, factList} from './trace_values.js';
import {listHash} from './trace_filters.js';

/**
 * @typedef {import('./map_data.js').MapData} MapData
 * @typedef {import('./map_data.js').MapNode} MapNode
 * @typedef {import('./map_data.js').MapEdge} MapEdge
 */

const BARS = 32;
const WIDTH = 320;
const HEIGHT = 84;

/** @param {import('./map_data.js').Counts} counts */
function shareBar(counts) {
    return h('div', {class: 'share-bar', 'aria-hidden': 'true'}, SHARES.filter((kind) => counts[kind]).map((kind) =>
        h('i', {class: kind, style: {flexGrow: String(counts[kind])}})));
}

/** @param {import('./map_data.js').Counts} counts @param {number | null} seconds */
function numbers(counts, seconds) {
    const rows = SHARES.map((kind) => h('tr', {class: counts[kind] ? '' : 'muted'},
        h('td', {}, h('i', {class: `swatch ${kind}`}), NAMES[kind]),
        h('td', {class: 'number', text: count(counts[kind])}),
        h('td', {class: 'number', text: counts.total ? percent(counts[kind] / counts.total) : ''})));
    return h('table', {class: 'share-table'}, h('tbody', {}, rows, h('tr', {class: 'total'},
        h('td', {text: 'completed'}), h('td', {class: 'number', text: count(counts.total)}),
        h('td', {class: 'number', text: seconds === null ? '' : trafficText(counts, seconds)}))));
}

/** @param {MapNode | MapEdge} item */
function times({histogram, counts}) {
    const cell = (/** @type {string} */ name, /** @type {number | null} */ value) =>
        h('div', {class: 'time-cell'}, h('span', {class: 'muted', text: name}),
          h('b', {dataset: {testid: `time-${name}`}, text: value === null ? '–' : duration(value)}));
    return h('div', {class: 'time-cells'}, cell('mean', meanOf(counts)), [50, 90, 99].map((p) =>
        cell(`p${p}`, percentile(histogram, p))));
}

/** @param {import('./map_data.js').Entry[]} entries @param {string} title @param {(bar: {from: number, to: number}) => string | null} filterOf */
function histogram(entries, title, filterOf) {
    const list = bars(entries, BARS);
    if (!list.length)
        return null;
    const most = Math.max(...list.map((bar) => bar.count));
    const step = WIDTH / list.length;
    const rects = list.filter((bar) => bar.count).map((bar) => {
        const height = Math.max(2, bar.count / most * (HEIGHT - 4));
        const text = `${count(bar.count)} between ${duration(bar.from)} and ${duration(bar.to)}`;
        const filter = filterOf(bar);
        const wide = list.length === 1 ? 24 : Math.max(1.5, step - 1.5);
        const x = list.length === 1 ? WIDTH / 2 - 12 : list.indexOf(bar) * step;
        const shape = [svg('title', {text}), svg('rect', {class: 'histogram-hit', x, y: 0, width: Math.max(step, wide), height: HEIGHT}),
                       svg('rect', {class: 'histogram-bar', x, y: HEIGHT - height, width: wide, height, rx: 1})];
        return filter ? svg('a', {href: listHash(filter), class: 'histogram-link', 'aria-label': `${text}: find them`}, shape)
                      : svg('g', {class: 'histogram-link'}, shape);
    });
    const marks = [50, 90, 99].map((p) => [p, percentile(entries, p)]);
    const axis = [list[0].from, list[list.length - 1].to];
    return h('figure', {class: 'map-histogram'}, h('figcaption', {class: 'muted', text: title}),
             svg('svg', {viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: 'group', 'aria-label':
                         `${title}: ${marks.map(([p, value]) => `p${p} ${duration(value)}`).join(', ')}`}, rects),
             h('div', {class: 'map-axis muted', 'aria-hidden': 'true'}, axis.map((value) => h('span', {text: duration(value)}))));
}

/** @param {string} text @param {string} filter @param {number | null} [number] @param {string} [kind] */
function way(text, filter, number = null, kind = '') {
    return h('a', {class: `button small ${kind}`, href: listHash(filter), title: oneLine(filter), dataset: {testid: 'find'}}, text,
             number === null ? null : h('span', {class: 'muted', text: count(number)}));
}

/**
 * @param {MapNode | MapEdge} item
 * @param {(inner?: string) => string} filterOf
 */
function ways(item, filterOf) {
    const {counts} = item;
    const slow = percentile(item.histogram, 90);
    return h('div', {class: 'map-ways'}, way('Traces', filterOf()),
             counts.fault > 0 && way('Faults', filterOf('fault'), counts.fault, 'is-fault'),
             counts.error > 0 && way('Errors', filterOf('error !throttle'), counts.error, 'is-error'),
             counts.throttle > 0 && way('Throttled', filterOf('throttle'), counts.throttle, 'is-throttle'),
             slow !== null && counts.total > 4 &&
                 way('Slowest tenth', filterOf(`responsetime >= ${Math.floor(slow * 1000) / 1000}`)));
}

/** @param {any} app @param {string} filter */
function filterFact(app, filter) {
    return factList([fact(app, 'filter', filter, {filter, mono: true})]);
}

/** @param {MapData} map @param {MapNode} node @param {any} app @param {number | null} seconds */
function nodeParts(map, node, app, seconds) {
    const filterOf = (/** @type {string} */ inner = '') => nodeFilter(map, node, inner);
    const isShown = !app.offline;
    return [
        isShown && ways(node, filterOf),
        times(node), shareBar(node.counts), numbers(node.counts, seconds),
        histogram(node.histogram, 'Response times', (bar) => (isShown ? filterOf(timesFilter(bar)) : null)),
        isShown && filterFact(app, filterOf()),
        node.inferred && h('p', {class: 'muted', text: 'Known only from the calls to it: it sends no segments itself.'}),
    ];
}

/** @param {MapData} map @param {MapEdge} edge @param {any} app @param {number | null} seconds */
function edgeParts(map, edge, app, seconds) {
    const filterOf = (/** @type {string} */ inner = '') => edgeFilterOf(map, edge, inner);
    const isShown = !app.offline;
    if (edge.linked)
        return [h('p', {class: 'muted', text: 'A link: segments of the one name traces of the other. It is no call.'}),
                histogram(edge.ages, 'Age of what was linked when it was received', () => null)];
    return [
        isShown && ways(edge, filterOf),
        times(edge), shareBar(edge.counts), numbers(edge.counts, seconds),
        histogram(edge.histogram, 'Response times, as the caller sees them', (bar) => (isShown ? filterOf(timesFilter(bar)) : null)),
        isShown && filterFact(app, filterOf()),
    ];
}

export class MapPanel {
    /** @param {any} app @param {() => void} close */
    constructor(app, close) {
        this.app = app;
        this.title = h('h2', {class: 'panel-title'});
        this.subtitle = h('p', {class: 'panel-subtitle muted'});
        this.body = h('div', {class: 'panel-body', tabindex: '0', role: 'group', 'aria-label': 'Statistics'});
        this.element = h('aside', {class: 'panel map-panel', 'aria-label': 'Details', hidden: true, dataset: {testid: 'map-panel'}},
            h('header', {class: 'panel-header'}, h('div', {class: 'panel-titles'}, this.title, this.subtitle),
              h('button', {type: 'button', class: 'icon-button', 'aria-label': 'Close the details', text: '✕', on: {click: close}})),
            this.body);
    }

    /** @param {MapData} map @param {MapNode} node @param {number | null} seconds */
    showNode(map, node, seconds) {
        this.title.textContent = oneLine(node.name);
        this.subtitle.textContent = `${oneLine(node.type) || 'service'}${node.inferred ? ', inferred' : ''}`;
        this.set(nodeParts(map, node, this.app, seconds));
    }

    /** @param {MapData} map @param {MapEdge} edge @param {number | null} seconds */
    showEdge(map, edge, seconds) {
        const [from, to] = [edge.from, edge.to].map((id) => /** @type {MapNode} */ (map.byId.get(id)));
        this.title.textContent = `${oneLine(from.client ? 'client' : from.name)} → ${oneLine(to.name)}`;
        this.subtitle.textContent = edge.linked ? 'link' : 'calls, as the caller measured them';
        this.set(edgeParts(map, edge, this.app, seconds));
    }

    /** @param {any[]} parts */
    set(parts) {
        const {scrollTop} = this.body;
        fill(this.body, parts);
        this.body.scrollTop = scrollTop;
        this.element.hidden = false;
    }
}
