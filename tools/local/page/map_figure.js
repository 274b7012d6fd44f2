// SPDX-License-Identifier: Apache-2.0
// A service map in a place: drawing, choice of a node or an edge, keys, and the panel
// with what is known of it. Used for all traces and for one.
import {fill, h} from './dom.js';
import {layout} from './layout.js';
import {badShare, readServices} from './map_data.js';
import {RING, edgeElement, labelSize, markers, nodeElement, rimToRim} from './map_draw.js';
import {placeLabels} from './map_labels.js';
import {MapPanel} from './map_panel.js';
import {Viewport} from './map_viewport.js';

/**
 * @typedef {import('./map_data.js').MapData} MapData
 * @typedef {'traffic' | 'health' | 'none'} SizeBy
 */

const CELL = 2 * RING + 40;
const LOOP = 56; // more for a node that calls itself
const MARGIN = 70;
const WIDE = 130; // of a node's name, where the map leads downwards
const STEP = 60; // pixels that an arrow key moves the map

/** @param {{x: number, y: number} | undefined} point */
function swapped(point) {
    return point && {x: point.y, y: point.x};
}

export class MapFigure {
    /**
     * @param {HTMLElement} container
     * @param {any} app
     * @param {{sizeBy?: SizeBy}} options
     */
    constructor(container, app, {sizeBy = 'traffic'}) {
        this.app = app;
        this.sizeBy = sizeBy;
        /** @type {MapData} */
        this.map = {nodes: [], edges: [], byId: new Map()};
        /** @type {number | null} */
        this.seconds = null;
        /** What was chosen, by names: numbers of nodes change from one answer to the next. */
        this.chosen = '';
        /** @type {Map<string, {x: number, y: number}>} */
        this.places = new Map();
        this.upright = false;
        this.viewport = new Viewport('Service map');
        this.panel = new MapPanel(app, () => this.choose(''));
        const button = (/** @type {string} */ text, /** @type {string} */ title, /** @type {() => void} */ click) =>
            h('button', {type: 'button', class: 'button small', title, 'aria-label': title, on: {click}}, text);
        this.tools = h('div', {class: 'map-zoom'},
                       button('+', 'Larger (+)', () => this.viewport.zoom(1.3)),
                       button('−', 'Smaller (-)', () => this.viewport.zoom(1 / 1.3)),
                       button('Fit', 'All of it (0)', () => this.viewport.fit()));
        this.empty = h('div', {class: 'notice map-empty', hidden: true});
        this.stage = h('div', {class: 'map-stage', dataset: {testid: 'map'}}, this.viewport.element, this.tools, this.legend(),
                       this.empty);
        this.element = h('div', {class: 'map-figure'}, this.stage, this.panel.element);
        fill(container, this.element);
        this.viewport.element.addEventListener('click', (/** @type {MouseEvent} */ event) => {
            const key = this.keyAt(event.target);
            this.choose(key ?? '');
        });
        this.element.addEventListener('keydown', (/** @type {KeyboardEvent} */ event) => this.press(event));
    }

    legend() {
        const entry = (/** @type {string} */ kind, /** @type {string} */ text) =>
            h('span', {}, h('i', {class: `swatch ${kind}`}), text);
        return h('div', {class: 'map-legend', 'aria-hidden': 'true'}, entry('ok', 'ok'), entry('error', 'error'),
                 entry('throttle', 'throttled'), entry('fault', 'fault'), h('span', {text: 'times: median'}));
    }

    /** @param {EventTarget | null} target */
    keyAt(target) {
        const found = target instanceof Element ? target.closest('[data-key]') : null;
        return found?.getAttribute('data-key') ?? null;
    }

    /**
     * @param {any[]} services  of GetServiceGraph or GetTraceGraph
     * @param {{seconds: number | null}} options  the time that they are of; null: counts instead of rates
     */
    setServices(services, {seconds}) {
        this.map = readServices(services ?? []);
        this.seconds = seconds;
        this.draw();
    }

    /** @param {SizeBy} sizeBy */
    setSizeBy(sizeBy) {
        this.sizeBy = sizeBy;
        this.draw();
    }

    /** @param {string | any} text  shown if there is no node */
    setEmpty(...text) {
        fill(this.empty, ...text);
        this.empty.hidden = this.map.nodes.length > 0;
    }

    /** @param {import('./map_data.js').MapNode} node */
    nodeKey(node) {
        return `node ${node.name}\u0000${node.type}`;
    }

    /** @param {import('./map_data.js').MapEdge} edge */
    edgeKey(edge) {
        const [from, to] = [edge.from, edge.to].map((id) =>
            this.nodeKey(/** @type {import('./map_data.js').MapNode} */ (this.map.byId.get(id))));
        return `edge ${from}\u0000${to}\u0000${edge.linked}`;
    }

    /** @param {import('./map_data.js').MapNode} node @param {number} most */
    radiusOf(node, most) {
        if (node.client)
            return 20;
        const share = this.sizeBy === 'traffic' ? Math.sqrt(node.counts.total / (most || 1))
            : this.sizeBy === 'health' ? badShare(node.counts) : 0.35;
        return RING - 4 + 12 * share;
    }

    draw() {
        const {map} = this;
        const most = Math.max(0, ...map.nodes.filter(({client}) => !client).map(({counts}) => counts.total));
        const radii = new Map(map.nodes.map((node) => [node.id, this.radiusOf(node, most)]));
        const isDense = map.nodes.length > 40;
        const loops = new Set(map.edges.filter(({from, to}) => from === to).map(({from}) => from));
        const {clientWidth, clientHeight} = this.element; // With the panel: what is chosen turns nothing.
        // A phone is higher than wide: there the map leads downwards.
        this.upright = clientWidth < 700 && clientHeight > clientWidth;
        const placed = this.upright
            ? layout(map.nodes.map(({id}) => ({id, height: WIDE})), map.edges, {column: 180, row: 8, padding: MARGIN, passing: 30})
            : layout(map.nodes.map(({id}) => ({id, height: CELL + (loops.has(id) ? LOOP : 0)})), map.edges,
                     {column: isDense ? 190 : 220, row: isDense ? 12 : 34, padding: MARGIN, passing: isDense ? 12 : 40});
        this.places = new Map([...placed.nodes].map(([id, {x, y}]) => [id, this.upright ? {x: y, y: x} : {x, y}]));
        const focused = this.keyAt(document.activeElement);
        const edges = this.edgeElements(placed, radii);
        const nodes = map.nodes.map((node) => {
            const element = nodeElement(node, /** @type {{x: number, y: number}} */ (this.places.get(node.id)),
                                        /** @type {number} */ (radii.get(node.id)), this.seconds);
            element.setAttribute('data-key', this.nodeKey(node));
            return element;
        });
        this.viewport.group.replaceChildren(markers(), ...edges, ...nodes);
        this.viewport.setSize(this.upright ? {width: placed.height, height: placed.width} : placed);
        if (focused !== null)
            this.elementOf(focused)?.focus();
        this.empty.hidden = map.nodes.length > 0;
        this.choose(this.chosen);
    }

    /** @param {import('./layout.js').Layout} placed @param {Map<string, number>} radii */
    edgeElements(placed, radii) {
        const {map} = this;
        const radiusOf = (/** @type {string} */ id) => /** @type {number} */ (radii.get(id));
        const placeOf = (/** @type {string} */ id) => /** @type {{x: number, y: number}} */ (this.places.get(id));
        const {upright} = this;
        const ways = new Map(map.edges.map((edge) => [edge.id, rimToRim(placed.edges.get(edge.id), radiusOf(edge.from),
                                                                        radiusOf(edge.to), upright)]));
        const turn = (/** @type {import('./map_labels.js').Box} */ {x, y, width, height}) =>
            (upright ? {x: y, y: x, width: height, height: width} : {x, y, width, height});
        const boxes = map.nodes.flatMap(({id}) => {
            const {x, y} = placeOf(id);
            const r = radiusOf(id);
            return [{x, y, width: 2 * r + 12, height: 2 * r + 12}, {x, y: y + r + 22, width: 120, height: 30}].map(turn);
        });
        const labels = placeLabels(map.edges.flatMap((edge) => {
            const points = ways.get(edge.id);
            const {width, height} = turn({x: 0, y: 0, ...labelSize(edge)});
            return points ? [{id: edge.id, points, width, height}] : [];
        }), boxes);
        const most = Math.max(0, ...map.edges.map(({counts}) => counts.total));
        return map.edges.map((edge) => {
            const element = edgeElement(edge, map, {
                points: ways.get(edge.id) ?? null, place: placeOf(edge.from), upright, most, seconds: this.seconds,
                radius: radiusOf(edge.from), label: upright ? swapped(labels.get(edge.id)) : labels.get(edge.id)});
            element.setAttribute('data-key', this.edgeKey(edge));
            return element;
        });
    }

    /** @param {string} key @returns {any} */
    elementOf(key) {
        return [...this.viewport.group.children].find((element) => element.getAttribute('data-key') === key);
    }

    /** @param {string} key  '' for nothing */
    choose(key) {
        const node = this.map.nodes.find((one) => this.nodeKey(one) === key);
        const edge = node ? undefined : this.map.edges.find((one) => this.edgeKey(one) === key);
        this.chosen = node || edge ? key : '';
        const near = new Set(node ? this.map.edges.filter(({from, to}) => from === node.id || to === node.id) : edge ? [edge] : []);
        const shownIds = new Set([...near].flatMap(({from, to}) => [from, to]));
        if (node)
            shownIds.add(node.id);
        this.viewport.element.classList.toggle('with-choice', Boolean(this.chosen));
        const nearKeys = new Set([...[...near].map((one) => this.edgeKey(one)),
                                  ...[...shownIds].map((id) => this.nodeKey(/** @type {any} */ (this.map.byId.get(id))))]);
        for (const element of this.viewport.group.children) {
            const own = element.getAttribute('data-key');
            element.classList.toggle('chosen', own !== null && own === this.chosen);
            element.classList.toggle('near', own !== null && nearKeys.has(own));
        }
        if (node)
            this.panel.showNode(this.map, node, this.seconds);
        else if (edge)
            this.panel.showEdge(this.map, edge, this.seconds);
        else
            this.panel.element.hidden = true;
    }

    /** The nearest node in a direction. @param {{x: number, y: number}} from @param {string} key of the keyboard */
    neighbour(from, key) {
        const [right, down] = {ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowDown: [0, 1], ArrowUp: [0, -1]}[key] ?? [0, 0];
        let best = null;
        let least = Infinity;
        for (const node of this.map.nodes) {
            const place = /** @type {{x: number, y: number}} */ (this.places.get(node.id));
            const along = (place.x - from.x) * right + (place.y - from.y) * down;
            const aside = Math.abs((place.x - from.x) * down) + Math.abs((place.y - from.y) * right);
            if (along > 1 && along + 2 * aside < least) {
                least = along + 2 * aside;
                best = node;
            }
        }
        return best;
    }

    /** @param {KeyboardEvent} event */
    press(event) {
        if (event.ctrlKey || event.metaKey || event.altKey || !this.stage.contains(/** @type {Node} */ (event.target)))
            return;
        const key = this.keyAt(event.target);
        if ((event.key === 'Enter' || event.key === ' ') && key !== null) {
            this.choose(this.chosen === key ? '' : key);
        } else if (event.key.startsWith('Arrow') && key?.startsWith('node ')) {
            const node = this.map.nodes.find((one) => this.nodeKey(one) === key);
            const next = node && this.neighbour(/** @type {{x: number, y: number}} */ (this.places.get(node.id)), event.key);
            if (next) {
                this.elementOf(this.nodeKey(next))?.focus();
                this.viewport.reveal(/** @type {{x: number, y: number}} */ (this.places.get(next.id)), MARGIN);
            }
        } else {
            return;
        }
        event.preventDefault();
        event.stopPropagation();
    }

    /** Keys for the view that shows the map. @returns {import('./keyboard.js').Binding[]} */
    keys() {
        const pan = (/** @type {number} */ x, /** @type {number} */ y) => (/** @type {KeyboardEvent} */ event) => {
            if (this.panel.element.contains(/** @type {Node} */ (event.target)))
                return false;
            this.viewport.pan(x * STEP, y * STEP);
            return true;
        };
        return [
            {keys: ['ArrowLeft'], help: 'move the map; on a node: to the next node', run: pan(1, 0)},
            {keys: ['ArrowRight'], help: '', run: pan(-1, 0)},
            {keys: ['ArrowUp'], help: '', run: pan(0, 1)},
            {keys: ['ArrowDown'], help: '', run: pan(0, -1)},
            {keys: ['+', '='], help: 'larger', run: () => this.viewport.zoom(1.3)},
            {keys: ['-'], help: 'smaller', run: () => this.viewport.zoom(1 / 1.3)},
            {keys: ['0'], help: 'all of it', run: () => this.viewport.fit()},
            {keys: ['n'], help: 'to the first node', run: () => this.focusFirst()},
            {keys: ['Escape'], help: 'nothing chosen', run: () => {
                if (!this.chosen)
                    return false;
                this.choose('');
                return true;
            }},
        ];
    }

    focusFirst() {
        const [first] = [...this.map.nodes].sort((a, b) => {
            const [p, q] = [a, b].map(({id}) => /** @type {{x: number, y: number}} */ (this.places.get(id)));
            return p.x - q.x || p.y - q.y;
        });
        if (first)
            this.elementOf(this.nodeKey(first))?.focus();
    }

    close() {
        this.viewport.close();
    }
}
