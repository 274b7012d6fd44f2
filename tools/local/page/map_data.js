// SPDX-License-Identifier: Apache-2.0
// What the map says of GetServiceGraph's and GetTraceGraph's nodes and edges: shares,
// rates, percentiles, and the filters that find their traces. Pure.
import {reference, serviceFilter} from './trace_filters.js';

/**
 * @typedef {{ok: number, error: number, throttle: number, fault: number, total: number, seconds: number}} Counts
 * @typedef {{Value: number, Count: number}} Entry
 * @typedef {Object} MapNode
 * @property {string} id
 * @property {string} name
 * @property {string} type
 * @property {boolean} client
 * @property {boolean} inferred
 * @property {Counts} counts
 * @property {Entry[]} histogram
 * @property {any} service
 * @typedef {Object} MapEdge
 * @property {string} id
 * @property {string} from
 * @property {string} to
 * @property {boolean} linked  one trace names another; it is no call
 * @property {Counts} counts
 * @property {Entry[]} histogram
 * @property {Entry[]} ages
 * @typedef {{nodes: MapNode[], edges: MapEdge[], byId: Map<string, MapNode>}} MapData
 */

export const SHARES = /** @type {const} */ (['ok', 'error', 'throttle', 'fault']);

/** @param {any} statistics @returns {Counts} */
export function countsOf(statistics) {
    const number = (/** @type {any} */ value) => (Number.isFinite(value) && value > 0 ? value : 0);
    return {
        ok: number(statistics?.OkCount),
        error: number(statistics?.ErrorStatistics?.OtherCount),
        throttle: number(statistics?.ErrorStatistics?.ThrottleCount),
        fault: number(statistics?.FaultStatistics?.TotalCount),
        total: number(statistics?.TotalCount),
        seconds: number(statistics?.TotalResponseTime),
    };
}

/** @param {any} list @returns {Entry[]} by value */
function entries(list) {
    return (Array.isArray(list) ? list : [])
        .filter((entry) => Number.isFinite(entry?.Value) && entry?.Count > 0)
        .sort((a, b) => a.Value - b.Value);
}

/** @param {any[]} services @returns {MapData} */
export function readServices(services) {
    const nodes = services.map((service) => ({
        id: String(service.ReferenceId),
        name: String(service.Name ?? ''),
        type: String(service.Type ?? ''),
        client: service.Type === 'client',
        inferred: service.State === 'unknown' && service.Type !== 'client',
        counts: countsOf(service.SummaryStatistics),
        histogram: entries(service.ResponseTimeHistogram),
        service,
    }));
    const byId = new Map(nodes.map((node) => [node.id, node]));
    const edges = services.flatMap((service) => (service.Edges ?? []).map((/** @type {any} */ edge) => {
        const [from, to] = [String(service.ReferenceId), String(edge.ReferenceId)];
        return {
            id: `${from}>${to}${edge.EdgeType === 'link' ? ' link' : ''}`, from, to, linked: edge.EdgeType === 'link',
            counts: countsOf(edge.SummaryStatistics),
            histogram: entries(edge.ResponseTimeHistogram),
            ages: entries(edge.ReceivedEventAgeHistogram),
        };
    })).filter((edge) => byId.has(edge.from) && byId.has(edge.to));
    // A client has no statistics of its own: it is what it sends.
    for (const node of nodes)
        if (node.client)
            node.counts = sum(edges.filter((edge) => edge.from === node.id).map((edge) => edge.counts));
    return {nodes, edges, byId};
}

/** @param {Counts[]} list @returns {Counts} */
export function sum(list) {
    const whole = {ok: 0, error: 0, throttle: 0, fault: 0, total: 0, seconds: 0};
    for (const counts of list)
        for (const key of /** @type {(keyof Counts)[]} */ (Object.keys(whole)))
            whole[key] += counts[key];
    return whole;
}

/** The mean response time. @param {Counts} counts @returns {number | null} seconds */
export function meanOf(counts) {
    return counts.total ? counts.seconds / counts.total : null;
}

/** What went wrong, as a part of all. @param {Counts} counts */
export function badShare(counts) {
    return counts.total ? (counts.error + counts.throttle + counts.fault) / counts.total : 0;
}

/** @param {Counts} counts @param {number} seconds  how long the time range is */
export function perMinute(counts, seconds) {
    return seconds > 0 ? counts.total * 60 / seconds : 0;
}

/**
 * The least value that so many of a hundred do not exceed.
 * @param {Entry[]} histogram  by value
 * @param {number} percent
 * @returns {number | null}
 */
export function percentile(histogram, percent) {
    const total = histogram.reduce((count, entry) => count + entry.Count, 0);
    let left = Math.max(1, Math.ceil(total * percent / 100 - 1e-9));
    for (const entry of histogram) {
        left -= entry.Count;
        if (left <= 0)
            return entry.Value;
    }
    return null;
}

/**
 * Bars over values: as wide as each other in time, or, where the values differ by more than a
 * hundred times, in the logarithm.
 * @param {Entry[]} histogram  by value
 * @param {number} count
 * @returns {{from: number, to: number, count: number}[]}
 */
export function bars(histogram, count) {
    if (!histogram.length)
        return [];
    const first = histogram[0].Value;
    const last = histogram[histogram.length - 1].Value;
    if (first === last)
        return [{from: first, to: last, count: histogram.reduce((all, entry) => all + entry.Count, 0)}];
    const least = Math.max(first, last / 1e6, 0.0005);
    const isWide = last / least > 100;
    const scale = (/** @type {number} */ value) => (isWide ? Math.log(Math.max(value, least)) : value);
    const back = (/** @type {number} */ value) => (isWide ? Math.exp(value) : value);
    const low = scale(first);
    const width = (scale(last) - low) / count;
    const list = Array.from({length: count}, (_, index) => ({
        from: index ? back(low + index * width) : first,
        to: index + 1 < count ? back(low + (index + 1) * width) : last,
        count: 0,
    }));
    for (const {Value, Count} of histogram)
        list[Math.min(count - 1, Math.max(0, Math.floor((scale(Value) - low) / width)))].count += Count;
    return list;
}

/** The node as a filter names it; with the type if another one has the same name. @param {MapData} map @param {MapNode} node */
function referenceTo(map, node) {
    const isOnly = map.nodes.every((other) => other === node || other.client || other.name !== node.name);
    return isOnly || !node.type ? reference(node.name) : reference(node.name, node.type);
}

/**
 * @param {MapData} map
 * @param {MapNode} node
 * @param {string} [inner]
 */
export function nodeFilter(map, node, inner = '') {
    if (node.client) {
        // A client is no service: its traces are those that begin at what it calls.
        return serviceFilter(node.name, inner ? `root ${inner}` : 'root');
    }
    return `service(${referenceTo(map, node)})${inner ? `{${inner}}` : ''}`;
}

/**
 * @param {MapData} map
 * @param {MapEdge} edge
 * @param {string} [inner]
 */
export function edgeFilterOf(map, edge, inner = '') {
    const from = /** @type {MapNode} */ (map.byId.get(edge.from));
    const to = /** @type {MapNode} */ (map.byId.get(edge.to));
    if (from.client)
        return `service(${referenceTo(map, to)}){${inner ? `root ${inner}` : 'root'}}`;
    return `edge(${referenceTo(map, from)}, ${referenceTo(map, to)})${inner ? `{${inner}}` : ''}`;
}

/** Response times in a bar, as a condition. @param {{from: number, to: number}} bar */
export function timesFilter({from, to}) {
    const down = Math.floor(from * 1000) / 1000;
    const up = Math.ceil(to * 1000) / 1000;
    return `responsetime >= ${down} AND responsetime <= ${up}`;
}

/** What kind of thing a node is, for its picture. @param {MapNode} node */
export function kindOf(node) {
    const type = node.type.toLowerCase();
    if (node.client)
        return 'client';
    if (type.includes('lambda'))
        return 'function';
    if (type.includes('dynamodb') || type.includes('database') || type.includes('sql') || type.includes('rds'))
        return 'database';
    if (type.includes('s3'))
        return 'bucket';
    if (/sqs|kinesis|events|stepfunctions/.test(type))
        return 'queue';
    if (type.includes('sns'))
        return 'topic';
    return type === 'remote' ? 'remote' : type.includes('apigateway') ? 'gateway' : 'service';
}
