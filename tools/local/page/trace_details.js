// SPDX-License-Identifier: Apache-2.0
// What the tabs say of one segment or subsegment.
import {h} from './dom.js';
import {clock, duration, oneLine, plural} from './format.js';
import {outcomeOf, statusOf, untracedTime, isCaptured} from './tree.js';
import {annotationFilter, nameFilter, nodeName, placeFilter, reference, traceFilter, valueFilter} from './trace_filters.js';
import {exceptionCount, exceptionsTab} from './trace_exceptions.js';
import {fact, factList, flatten, textBlock} from './trace_values.js';
import {OUTCOMES, percentileSentence} from './waterfall_row.js';

/**
 * @typedef {import('./tree.js').Tree} Tree
 * @typedef {import('./tree.js').TreeNode} TreeNode
 * @typedef {Object} Context
 * @property {any} app
 * @property {Tree} tree
 * @property {(key: string) => void} select
 * @typedef {{name: string, title: string, count: (node: TreeNode) => number | null,
 *            show: (node: TreeNode, context: Context) => any}} Tab
 *   count: null where it means nothing; 0 dims the tab
 */

const JSON_MAX = 200000;

/** @param {TreeNode} node @param {Context} context */
function overview(node, {app, tree, select}) {
    const {document} = node;
    if (node.kind === 'missing')
        return h('p', {class: 'wf-explain'}, 'Documents name ', h('code', {text: node.id}),
                 ' as their parent, and it has not come. Its sender may still be busy, may not be traced, ' +
                 'or its document was lost or refused: the status page counts those.');
    const http = document.http && typeof document.http === 'object' ? document.http : {};
    const request = http.request && typeof http.request === 'object' ? http.request : {};
    const response = http.response && typeof http.response === 'object' ? http.response : {};
    const length = node.end - node.start;
    const own = node.children.length ? untracedTime(node) : null;
    const share = tree.duration ? Math.round(length / tree.duration * 100) : 100;
    const flags = ['fault', 'error', 'throttle'].filter((flag) => document[flag] === true);
    return [
        factList([
            fact(app, 'name', node.name, {filter: nameFilter(node)}),
            fact(app, 'outcome', OUTCOMES[outcomeOf(document)], {
                shown: h('span', {class: `pill ${node.outcome}`, text: flags.length > 1 ? flags.join(', ') : OUTCOMES[node.outcome]}),
                filter: flags.length ? placeFilter(node, flags[0]) ?? flags[0] : null}),
            isCaptured(document) ? fact(app, 'sampling', 'captured although not sampled',
                                        {filter: 'annotation.xray_sampled = false'}) : null,
            fact(app, 'start', document.start_time, {
                shown: `+${duration(node.start)}  (${clock(document.start_time)})`, copied: String(document.start_time)}),
            node.inProgress ? fact(app, 'end', 'in progress')
                : fact(app, 'end', document.end_time, {shown: `+${duration(node.end)}`, copied: String(document.end_time)}),
            node.inProgress ? null : fact(app, 'duration', length, {
                shown: `${duration(length)}  (${share} % of the trace)`,
                filter: valueFilter(node, 'responsetime', Math.floor(length * 1000) / 1000, '>=')}),
            own === null ? null : fact(app, 'untraced time', own, {
                shown: `${duration(own)}  (${length ? Math.round(own / length * 100) : 0} %)`}),
            node.percentile ? fact(app, 'compared', percentileSentence(node),
                                   {shown: `${percentileSentence(node)}: slower than ${Math.floor(node.percentile.Percentile)} %`}) : null,
            fact(app, 'user', document.user, {filter: traceFilter('user', document.user)}),
        ]),
        factList([
            fact(app, 'method', request.method, {filter: valueFilter(node, 'http.method', request.method)}),
            fact(app, 'url', request.url, {filter: valueFilter(node, 'http.url', request.url)}),
            fact(app, 'status', statusOf(document), {filter: valueFilter(node, 'http.status', statusOf(document))}),
            fact(app, 'user agent', request.user_agent, {filter: valueFilter(node, 'http.useragent', request.user_agent)}),
            fact(app, 'client ip', request.client_ip, {filter: valueFilter(node, 'http.clientip', request.client_ip),
                 shown: request.x_forwarded_for === true ? `${oneLine(String(request.client_ip))} (as forwarded)` : undefined}),
            fact(app, 'content length', response.content_length),
        ], 'HTTP'),
        factList([
            fact(app, 'kind', node.inferred ? 'segment, inferred from the call' : node.kind),
            fact(app, 'namespace', document.namespace),
            fact(app, 'id', document.id, {mono: true}),
            fact(app, 'parent id', document.parent_id ?? node.parent?.id, {mono: true}),
            fact(app, 'traced', document.traced),
            fact(app, 'precursors', Array.isArray(document.precursor_ids) ? document.precursor_ids.join(', ') : null,
                 {mono: true}),
        ], 'Document'),
        links(document, app),
        node.parent && h('p', {class: 'wf-within'}, 'within ', h('button', {
            type: 'button', class: 'link', text: oneLine(node.parent.name),
            on: {click: () => select(/** @type {TreeNode} */ (node.parent).key)}})),
    ];
}

/** @param {any} document @param {any} app */
function links(document, app) {
    const list = Array.isArray(document.links) ? document.links.slice(0, 100) : [];
    return factList(list.map((/** @type {any} */ link, /** @type {number} */ index) =>
        fact(app, `link ${index + 1}`, link?.trace_id, {mono: true,
             href: /^1-[0-9a-f]{8}-[0-9a-f]{24}$/i.test(link?.trace_id) ? `#/traces/${link.trace_id}` : undefined})),
                    'Links to other traces');
}

/** Keys of `aws` that filters know. */
const AWS_KEYS = {account_id: 'account.id', 'ec2.instance_id': 'instance.id', 'ec2.availability_zone': 'availabilityzone',
                  'ecs.availability_zone': 'availabilityzone'};

/** @param {TreeNode} node @param {Context} context */
function resources(node, {app}) {
    const {document} = node;
    return [
        factList([
            fact(app, 'origin', document.origin, {filter: node.kind === 'segment' && typeof document.origin === 'string'
                ? `service(${reference(nodeName(node), document.origin)})` : null}),
            fact(app, 'resource ARN', document.resource_arn, {filter: traceFilter('resource.arn', document.resource_arn)}),
        ]),
        factList(flatten(document.service).map(([key, value]) => fact(app, key, value)), 'Service'),
        factList(flatten(document.aws).map(([key, value]) => fact(app, key, value, {
            filter: AWS_KEYS[/** @type {'account_id'} */ (key)] ? traceFilter(AWS_KEYS[/** @type {'account_id'} */ (key)], value) : null})),
                 'AWS'),
    ];
}

/** @param {TreeNode} node */
function resourceCount({document}) {
    return (document.origin ? 1 : 0) + (document.resource_arn ? 1 : 0) + flatten(document.service).length +
           flatten(document.aws).length;
}

/** @param {any} value */
function members(value) {
    return value && typeof value === 'object' ? Object.entries(value) : [];
}

/** @param {TreeNode} node @param {Context} context */
function annotations(node, {app}) {
    return factList(members(node.document.annotations).map(([key, value]) =>
        fact(app, key, value, {filter: annotationFilter(key, value)})));
}

/** @param {TreeNode} node */
function metadata(node) {
    return members(node.document.metadata).map(([space, value]) => [
        h('h3', {text: oneLine(space)}), textBlock(prettyJson(value), space)]);
}

/** @param {TreeNode} node @param {Context} context */
function sql(node, {app}) {
    const {sql: query} = node.document;
    if (!query || typeof query !== 'object')
        return [];
    const names = {url: 'url', connection_string: 'connection', database_type: 'database', database_version: 'version',
                   driver_version: 'driver', user: 'user', preparation: 'preparation'};
    return [
        typeof query.sanitized_query === 'string' && textBlock(query.sanitized_query, 'Query'),
        factList(Object.entries(names).map(([key, label]) => fact(app, label, query[key]))),
        factList(Object.entries(query).filter(([key]) => key !== 'sanitized_query' && !(key in names))
                     .map(([key, value]) => fact(app, key, value)), 'More'),
    ];
}

/** @param {any} value */
function prettyJson(value) {
    const text = JSON.stringify(value, null, 2) ?? '';
    return text.length > JSON_MAX ? `${text.slice(0, JSON_MAX)}\n… ${text.length - JSON_MAX} more characters` : text;
}

/** @param {TreeNode} node */
function raw(node) {
    const {document} = node;
    const count = node.size - 1;
    // A document of megabytes would hold the page up; the copy has it all.
    const shown = count > 200 && Array.isArray(document.subsegments)
        ? {...document, subsegments: `… ${plural(document.subsegments.length, 'subsegment')} left out here, not in the copy`}
        : document;
    return textBlock(prettyJson(shown), 'Document', () => JSON.stringify(document, null, 2));
}

/** @param {TreeNode} node */
function lint(node) {
    return h('ul', {class: 'findings'}, node.findings.map(({Level, Code, Message, Path}) =>
        h('li', {dataset: {testid: 'finding'}},
          h('span', {class: `pill ${Level === 'error' ? 'fault' : Level === 'warning' ? 'error' : ''}`, text: oneLine(String(Level))}),
          h('div', {}, h('p', {text: oneLine(String(Message))}),
            h('p', {class: 'muted mono', text: [Path, Code].filter(Boolean).map((text) => oneLine(String(text))).join('  ')})))));
}

/** @type {Tab[]} */
export const TABS = [
    {name: 'overview', title: 'Overview', count: () => null, show: overview},
    {name: 'resources', title: 'Resources', count: resourceCount, show: resources},
    {name: 'annotations', title: 'Annotations', count: (node) => members(node.document.annotations).length, show: annotations},
    {name: 'metadata', title: 'Metadata', count: (node) => members(node.document.metadata).length, show: metadata},
    {name: 'exceptions', title: 'Exceptions', count: (node) => exceptionCount(node), show: exceptionsTab},
    {name: 'sql', title: 'SQL', count: (node) => (members(node.document.sql).length ? 1 : 0), show: sql},
    {name: 'raw', title: 'Raw', count: () => null, show: raw},
    {name: 'lint', title: 'Lint', count: (node) => node.findings.length, show: lint},
];
