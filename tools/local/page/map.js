// SPDX-License-Identifier: Apache-2.0
// The service map of all traces of a time, or of those that a filter finds, kept up to
// date: #/map?filter=…&since=1h&size=traffic
import {post} from './api.js';
import {afterPause, fill, h} from './dom.js';
import {FilterBox} from './filter_box.js';
import {plural, span} from './format.js';
import {MapFigure} from './map_figure.js';

const SPANS = [['5m', 'last 5 minutes'], ['15m', 'last 15 minutes'], ['1h', 'last hour'], ['6h', 'last 6 hours']];
const SIZES = [['traffic', 'by traffic'], ['health', 'by health'], ['none', 'all alike']];
const USUAL = '1h';
const LONGEST = 6 * 3600; // GetServiceGraph takes no more
const LEAST_SECONDS = 60;
const NEXT_MS = 600; // between two answers, while much arrives
const AGAIN_MS = 30000; // what is older than the range leaves the map by itself

/** @param {string[][]} choices @param {string} value @param {string} label @param {(value: string) => void} change */
function select(choices, value, label, change) {
    const element = h('select', {class: 'field', 'aria-label': label, title: label,
                                 on: {change: () => change(element.value)}},
                      choices.map(([name, text]) => h('option', {value: name, text})));
    element.value = value;
    return element;
}

class MapView {
    /** @param {HTMLElement} container @param {Object<string, string>} params @param {any} app */
    constructor(container, params, app) {
        this.app = app;
        this.params = params;
        this.stop = new AbortController();
        this.soon = afterPause(NEXT_MS, () => this.load());
        this.box = new FilterBox({value: params.filter ?? '', announce: (text) => app.announce(text),
                                  apply: (filter) => this.go({filter})});
        this.box.element.classList.add('map-filter');
        this.since = select(SPANS, this.sinceOf(params), 'Time range', (since) => this.go({since}));
        this.size = select(SIZES, params.size ?? 'traffic', 'Size of the nodes', (size) => this.go({size}));
        this.counts = h('span', {class: 'muted', dataset: {testid: 'map-counts'}});
        const place = h('div', {class: 'map-place'});
        fill(container, h('div', {class: 'map'},
                          h('div', {class: 'map-bar'}, this.box.element, this.since, this.size, this.counts), place));
        this.figure = new MapFigure(place, app, {sizeBy: /** @type {any} */ (params.size)});
        app.title('Map');
        app.keys('Map', [...this.figure.keys(), {keys: ['/'], help: 'filter', run: () => this.box.focus()}]);
        app.events.addEventListener('traces', this.soon);
        app.events.addEventListener('connected', this.soon);
        this.timer = setInterval(() => this.load(), AGAIN_MS);
        this.load();
    }

    /** @param {Object<string, string>} params */
    sinceOf(params) {
        return SPANS.some(([name]) => name === params.since) ? params.since : USUAL;
    }

    /** The same map with something else chosen. @param {Object<string, string>} changed */
    go(changed) {
        const {filter, since, size, ...rest} = {...this.params, ...changed};
        const kept = Object.entries({...rest, filter, since: since === USUAL ? '' : since, size: size === 'traffic' ? '' : size})
            .filter(([, value]) => value);
        this.app.navigate(`#/map${kept.length ? `?${new URLSearchParams(kept)}` : ''}`, {replace: true});
    }

    /** @param {Object<string, string>} params */
    update(params) {
        this.params = params;
        this.box.show(params.filter ?? '');
        this.since.value = this.sinceOf(params);
        this.size.value = params.size ?? 'traffic';
        this.figure.setSizeBy(/** @type {any} */ (this.size.value));
        this.load();
    }

    async load() {
        this.stop.abort();
        const stop = this.stop = new AbortController();
        const seconds = Math.min(LONGEST, span(this.sinceOf(this.params)) ?? LONGEST);
        const end = Date.now() / 1000;
        const services = [];
        try {
            let token;
            do {
                const reply = await post('/ServiceGraph', {
                    StartTime: end - seconds, EndTime: end, ...(this.params.filter ? {FilterExpression: this.params.filter} : {}),
                    ...(token ? {NextToken: token} : {})}, stop.signal);
                services.push(...reply.Services);
                token = reply.NextToken;
            } while (token);
            // Rates are of the time since the first request: an hour of which 59 minutes were before it says nothing.
            const first = services.reduce((least, {StartTime}) => Math.min(least, StartTime ?? end), end);
            this.figure.setServices(services, {seconds: Math.min(seconds, Math.max(LEAST_SECONDS, end - first))});
            this.figure.setEmpty(...this.emptyText());
            this.tell();
        } catch (error) {
            const {name, message} = /** @type {any} */ (error);
            if (name === 'AbortError' || stop.signal.aborted)
                return;
            this.counts.textContent = message;
            this.counts.className = 'text-fault';
        }
    }

    tell() {
        const {nodes, edges} = this.figure.map;
        this.counts.className = 'muted';
        this.counts.textContent = `${plural(nodes.filter(({client}) => !client).length, 'node')}, ${plural(edges.length, 'edge')}`;
    }

    emptyText() {
        return this.params.filter
            ? [h('p', {text: 'No traces in this time that the filter finds.'}),
               h('p', {}, h('button', {type: 'button', class: 'button', text: 'Without the filter', on: {click: () => this.go({filter: ''})}}))]
            : [h('p', {text: 'No traces in this time.'}),
               h('p', {}, 'The map draws itself as they arrive. How to send some: ', h('a', {href: '#/traces', text: 'Traces'}))];
    }

    close() {
        this.stop.abort();
        this.soon.cancel();
        clearInterval(this.timer);
        this.app.events.removeEventListener('traces', this.soon);
        this.app.events.removeEventListener('connected', this.soon);
        this.box.close();
        this.figure.close();
    }
}

/** @param {HTMLElement} container @param {Object<string, string>} params @param {any} app */
export function show(container, params, app) {
    return new MapView(container, params, app);
}
