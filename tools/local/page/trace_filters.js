// SPDX-License-Identifier: Apache-2.0
// Filter expressions that find what a value of a trace says. Pure.

/** @typedef {import('./tree.js').TreeNode} TreeNode */

/** @param {any} value */
export function quote(value) {
    return `"${String(value).replace(/[\\"]/g, '\\$&')}"`;
}

/** @param {any} value  a string, number or boolean */
function literal(value) {
    return typeof value === 'string' ? quote(value) : String(value);
}

/** @param {string} key @param {any} value @returns {string | null} */
export function annotationFilter(key, value) {
    if (!['string', 'number', 'boolean'].includes(typeof value))
        return null;
    const name = /^[A-Za-z0-9_.:/-]+$/.test(key) ? `annotation.${key}` : `annotation[${quote(key)}]`;
    return `${name} = ${literal(value)}`;
}

/**
 * A node of the map; with its type where the name alone would find others.
 * @param {string} name
 * @param {string} [type]
 */
export function reference(name, type) {
    return type ? `id(name: ${quote(name)}, type: ${quote(type)})` : quote(name);
}

/** @param {string} name @param {string} [inner] */
export function serviceFilter(name, inner = '') {
    return `service(${quote(name)})${inner ? `{${inner}}` : ''}`;
}

/** @param {string} from @param {string} to @param {string} [inner] */
export function edgeFilter(from, to, inner = '') {
    return `edge(${quote(from)}, ${quote(to)})${inner ? `{${inner}}` : ''}`;
}

/** The segment that a call leads to. @param {TreeNode} node */
export function calleeOf(node) {
    return node.children.find((child) => child.kind === 'segment') ?? null;
}

/** The name of a segment's node on the map: of an inferred one the resource. @param {TreeNode} segment */
export function nodeName(segment) {
    const {aws} = segment.document;
    const resources = aws?.resource_names;
    if (!segment.inferred || !aws || typeof aws !== 'object')
        return segment.name;
    const last = (/** @type {any} */ text, /** @type {string} */ mark) =>
        (typeof text === 'string' ? text.split(mark).pop() : '');
    return aws.table_name || aws.bucket_name || aws.function_name || last(aws.queue_url, '/') ||
           last(aws.topic_arn, ':') || (Array.isArray(resources) && resources[0]) || segment.name;
}

/**
 * What finds traces in which the same place says so: a segment by its service, a call by the
 * edge; what is neither can't be found by that.
 * @param {TreeNode} node
 * @param {string} inner
 * @returns {string | null}
 */
export function placeFilter(node, inner) {
    if (node.kind === 'segment')
        return serviceFilter(nodeName(node), inner);
    const callee = calleeOf(node);
    return callee && node.segment ? edgeFilter(nodeName(node.segment), nodeName(callee), inner) : null;
}

/** @param {TreeNode} node */
export function nameFilter(node) {
    return placeFilter(node, '');
}

/**
 * A comparison: of the whole trace where the trace begins, else of this place.
 * @param {TreeNode} node
 * @param {string} key  such as http.status
 * @param {any} value
 * @param {string} [operator]
 * @returns {string | null}
 */
export function valueFilter(node, key, value, operator = '=') {
    if (value === null || value === undefined || typeof value === 'object')
        return null;
    const comparison = `${key} ${operator} ${literal(value)}`;
    const isRoot = node.kind === 'segment' && !node.parent;
    return isRoot ? comparison : placeFilter(node, comparison);
}

/** Keys that hold of any segment of a trace. @param {string} key @param {any} value @returns {string | null} */
export function traceFilter(key, value) {
    return value === null || value === undefined || typeof value === 'object' ? null : `${key} = ${literal(value)}`;
}

/** @param {TreeNode} node @param {any} exception @returns {string | null} */
export function exceptionFilter(node, exception) {
    const {segment} = node;
    return segment && typeof exception.message === 'string' && exception.message
        ? serviceFilter(nodeName(segment), `message = ${quote(exception.message)}`) : null;
}

/** The place of the list that shows what an expression finds. @param {string} expression */
export function listHash(expression) {
    return `#/traces?filter=${encodeURIComponent(expression)}`;
}
