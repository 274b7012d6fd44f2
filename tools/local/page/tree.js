// SPDX-License-Identifier: Apache-2.0
// A trace as the waterfall shows it: segments and subsegments of all documents as one
// tree, the rows that are visible, the gaps between children and the critical path.
// Nothing here touches the page. Loops in place of recursion: traces can be deep.

/**
 * @typedef {'ok' | 'error' | 'throttle' | 'fault' | 'progress'} Outcome
 * @typedef {Object} TreeNode
 * @property {string} key  its id, made unique where a trace has it twice
 * @property {string} id
 * @property {any} document  what the segment or subsegment says of itself
 * @property {string} name
 * @property {'segment' | 'subsegment' | 'missing'} kind  missing: stands for a parent that is not there
 * @property {boolean} inferred
 * @property {boolean} inProgress
 * @property {Outcome} outcome
 * @property {number} start  seconds from the trace's start
 * @property {number} end  of what is in progress: the end of all that is known
 * @property {TreeNode | null} parent
 * @property {TreeNode[]} children  by start
 * @property {number} depth
 * @property {number} index  in the order of the tree
 * @property {number} size  of it and all below
 * @property {TreeNode | null} segment  the segment it belongs to
 * @property {{Level: string, Message: string, Path: string, Code: string}[]} findings
 * @property {{Percentile: number, Count: number, Name: string} | null} percentile
 */

/**
 * @typedef {Object} Tree
 * @property {TreeNode[]} nodes  parents before children, siblings by time
 * @property {TreeNode[]} roots
 * @property {Map<string, TreeNode>} byKey
 * @property {number} start  seconds since 1970
 * @property {number} duration
 * @property {number} segments
 * @property {number} inferred
 * @property {number} subsegments
 * @property {number} missing
 * @property {boolean} inProgress
 * @property {Map<string, any>} exceptions  by id
 */

/** @param {any} value */
function time(value) {
    return typeof value === 'number' && Number.isFinite(value) ? value : null;
}

/** @param {any} document @returns {Outcome} */
export function outcomeOf(document) {
    if (document.fault === true)
        return 'fault';
    if (document.throttle === true)
        return 'throttle';
    if (document.error === true)
        return 'error';
    return document.in_progress === true || time(document.end_time) === null ? 'progress' : 'ok';
}

/**
 * @param {any} document
 * @param {TreeNode['kind']} kind
 * @returns {TreeNode}
 */
function newNode(document, kind) {
    const start = time(document.start_time) ?? 0;
    const inProgress = document.in_progress === true || time(document.end_time) === null;
    const name = typeof document.name === 'string' && document.name ? document.name : '(no name)';
    return {
        key: '', id: typeof document.id === 'string' ? document.id : '', document, name, kind,
        inferred: false, inProgress, outcome: outcomeOf(document),
        start, end: inProgress ? start : Math.max(start, time(document.end_time) ?? start),
        parent: null, children: [], depth: 0, index: 0, size: 1, segment: null, findings: [], percentile: null,
    };
}

/** @param {TreeNode} parent @param {TreeNode} child */
function link(parent, child) {
    child.parent = parent;
    parent.children.push(child);
}

/**
 * The nodes of one document, the top level first.
 * @param {{Document: any, Inferred?: boolean}} entry
 */
function nodesOf(entry) {
    const top = newNode(entry.Document, entry.Document.type === 'subsegment' ? 'subsegment' : 'segment');
    top.inferred = entry.Inferred === true;
    const nodes = [top];
    for (let i = 0; i < nodes.length; i++) {
        const children = nodes[i].document.subsegments;
        for (const child of Array.isArray(children) ? children : [])
            if (child && typeof child === 'object') {
                const node = newNode(child, 'subsegment');
                link(nodes[i], node);
                nodes.push(node);
            }
    }
    return nodes;
}

/** A row for a parent that has not been received. @param {string} id @param {boolean} circular */
function placeholder(id, circular) {
    const node = newNode({id, name: `parent ${id} ${circular ? 'is one of its own descendants' : 'not received'}`,
                          start_time: 0, end_time: 0}, 'missing');
    node.id = id;
    return node;
}

/**
 * Of a node that no root leads to: the document's top in the circle above it.
 * @param {TreeNode} node
 */
function topOfCircle(node) {
    const seen = new Set();
    let one = node;
    while (!seen.has(one)) {
        seen.add(one);
        one = /** @type {TreeNode} */ (one.parent);
    }
    while (one.document.parent_id !== one.parent?.id)
        one = /** @type {TreeNode} */ (one.parent);
    return one;
}

/** @param {TreeNode[]} tops @param {TreeNode[]} roots @param {(top: TreeNode) => void} cut */
function cutCircles(tops, roots, cut) {
    const reached = new Set();
    const reach = (/** @type {TreeNode[]} */ stack) => {
        for (let node = stack.pop(); node; node = stack.pop()) {
            reached.add(node);
            for (const child of node.children)
                stack.push(child);
        }
    };
    reach([...roots]);
    for (const top of tops)
        while (!reached.has(top)) {
            const first = topOfCircle(top);
            const {children} = /** @type {TreeNode} */ (first.parent);
            children.splice(children.indexOf(first), 1);
            cut(first);
            reach([first]);
        }
}

/**
 * Hangs the tops under the entities that they name; the rest are roots.
 * @param {TreeNode[]} tops
 * @param {Map<string, TreeNode>} byId
 */
function join(tops, byId) {
    /** @type {TreeNode[]} */
    const roots = [];
    /** @type {Map<string, TreeNode>} */
    const missing = new Map();
    const putUnderPlaceholder = (/** @type {TreeNode} */ top, /** @type {boolean} */ circular) => {
        const name = top.document.parent_id;
        let place = missing.get(name);
        if (!place) {
            place = placeholder(name, circular);
            missing.set(name, place);
            roots.push(place);
        }
        link(place, top);
    };
    for (const top of tops) {
        const name = top.document.parent_id;
        const parent = byId.get(name);
        if (typeof name !== 'string' || !name)
            roots.push(top);
        else if (parent)
            link(parent, top);
        else
            putUnderPlaceholder(top, false);
    }
    cutCircles(tops, roots, (top) => putUnderPlaceholder(top, true));
    for (const place of missing.values()) {
        place.start = place.children.reduce((first, child) => Math.min(first, child.start), Infinity);
        place.end = place.children.reduce((last, child) => Math.max(last, child.end), 0);
        place.inProgress = place.children.some((child) => child.inProgress);
    }
    return roots.sort(byStart);
}

/** @param {TreeNode} a @param {TreeNode} b */
function byStart(a, b) {
    return a.start - b.start || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0);
}

/**
 * All nodes below the roots in their order, with depth, index and size.
 * @param {TreeNode[]} roots
 */
function order(roots) {
    /** @type {TreeNode[]} */
    const nodes = [];
    const stack = [...roots].reverse();
    while (stack.length) {
        const node = /** @type {TreeNode} */ (stack.pop());
        node.depth = node.parent ? node.parent.depth + 1 : 0;
        node.index = nodes.length;
        node.segment = node.kind === 'segment' ? node : node.parent?.segment ?? null;
        nodes.push(node);
        node.children.sort(byStart);
        for (let i = node.children.length - 1; i >= 0; i--)
            stack.push(node.children[i]);
    }
    for (let i = nodes.length - 1; i >= 0; i--) {
        const {parent, size} = nodes[i];
        if (parent)
            parent.size += size;
    }
    return nodes;
}

/** From seconds since 1970 to seconds from the first start. @param {TreeNode[]} nodes */
function makeRelative(nodes) {
    const start = nodes.reduce((first, node) => Math.min(first, node.start), Infinity);
    const end = nodes.reduce((last, node) => Math.max(last, node.end), start);
    for (const node of nodes) {
        node.start -= start;
        node.end = (node.inProgress ? end : node.end) - start;
    }
    return nodes.length ? {start, duration: end - start} : {start: 0, duration: 0};
}

/** @param {TreeNode[]} nodes */
function exceptionsById(nodes) {
    const found = new Map();
    for (const node of nodes)
        for (const exception of exceptionsOf(node.document))
            if (typeof exception.id === 'string')
                found.set(exception.id, exception);
    return found;
}

/** The exceptions that a document itself lists. @param {any} document @returns {any[]} */
export function exceptionsOf(document) {
    const list = document.cause?.exceptions;
    return Array.isArray(list) ? list.filter((one) => one && typeof one === 'object') : [];
}

/** Whether something is said of why it went wrong. @param {any} document */
export function hasCause(document) {
    return exceptionsOf(document).length > 0 || typeof document.cause === 'string' ||
           typeof document.cause?.message === 'string';
}

/**
 * @param {{Segments?: any[], Findings?: any[], Percentiles?: any[]}} reply  of /api/trace/<id>
 * @returns {Tree}
 */
export function buildTree(reply) {
    /** @type {Map<string, TreeNode>} */
    const byId = new Map();
    /** @type {TreeNode[]} */
    const tops = [];
    for (const entry of reply.Segments ?? []) {
        if (!entry?.Document || typeof entry.Document !== 'object')
            continue;
        const found = nodesOf(entry);
        tops.push(found[0]);
        for (const node of found)
            if (node.id && !byId.has(node.id))
                byId.set(node.id, node);
    }
    const roots = join(tops, byId);
    const nodes = order(roots);
    const times = makeRelative(nodes);

    /** @type {Map<string, TreeNode>} */
    const byKey = new Map();
    for (const node of nodes) {
        const id = node.kind === 'missing' ? `missing-${node.id}` : node.id || `at-${node.index}`;
        node.key = byKey.has(id) ? `${id}-${node.index}` : id;
        byKey.set(node.key, node);
    }
    for (const finding of reply.Findings ?? [])
        byId.get(finding.Id)?.findings.push(finding);
    for (const percentile of reply.Percentiles ?? []) {
        const node = byId.get(percentile.Id);
        if (node)
            node.percentile = percentile;
    }
    const count = (/** @type {(node: TreeNode) => boolean} */ test) => nodes.filter(test).length;
    return {
        nodes: nodes, roots, byKey, ...times,
        segments: count((node) => node.kind === 'segment' && !node.inferred),
        inferred: count((node) => node.inferred),
        subsegments: count((node) => node.kind === 'subsegment'),
        missing: count((node) => node.kind === 'missing'),
        inProgress: nodes.some((node) => node.inProgress),
        exceptions: exceptionsById(nodes),
    };
}

/**
 * The nodes that are not below a collapsed one.
 * @param {Tree} tree
 * @param {Set<string>} collapsed  keys
 */
export function visibleRows(tree, collapsed) {
    if (!collapsed.size)
        return tree.nodes;
    const rows = [];
    for (let i = 0; i < tree.nodes.length;) {
        const node = tree.nodes[i];
        rows.push(node);
        i += collapsed.has(node.key) ? node.size : 1;
    }
    return rows;
}

/**
 * The times in a node in which none of its children ran.
 * @param {TreeNode} node
 * @param {number} least  shorter ones are left out, seconds
 * @returns {{start: number, end: number}[]}
 */
export function gapsOf(node, least) {
    /** @type {{start: number, end: number}[]} */
    const gaps = [];
    if (!node.children.length || node.kind === 'missing')
        return gaps;
    let covered = node.start;
    for (const child of node.children) {
        const start = Math.min(child.start, node.end);
        if (start - covered >= least && start > covered)
            gaps.push({start: covered, end: start});
        covered = Math.max(covered, child.end);
    }
    if (node.end - covered >= least && node.end > covered && !node.inProgress)
        gaps.push({start: covered, end: node.end});
    return gaps;
}

/** All the time in a node that none of its children accounts for. @param {TreeNode} node */
export function untracedTime(node) {
    return gapsOf(node, 0).reduce((sum, gap) => sum + gap.end - gap.start, 0);
}

const CLOCK_STEP = 2e-6;

/**
 * What decided how long the trace took: of each node the times in which it, and none of
 * its children, was what the end waited for. From the end backwards: the child that ended last, then the
 * one that ended last before that one began, and so on.
 * @param {Tree} tree
 * @returns {Map<string, {start: number, end: number}[]>} by key
 */
export function criticalPath(tree) {
    /** @type {Map<string, {start: number, end: number}[]>} */
    const path = new Map();
    const root = tree.roots.find((node) => node.kind === 'segment') ?? tree.roots[0];
    if (!root)
        return path;
    const stack = [{node: root, start: root.start, end: root.end}];
    while (stack.length) {
        const {node, start, end} = /** @type {{node: TreeNode, start: number, end: number}} */ (stack.pop());
        const sections = [];
        let until = end;
        const children = [...node.children].sort((a, b) => b.end - a.end || b.start - a.start);
        for (const child of children) {
            // What goes on after its parent's end held nobody up.
            const childEnd = until === end ? Math.min(child.end, end) : child.end;
            if (childEnd > until + CLOCK_STEP || child.start >= until || childEnd <= start)
                continue;
            if (until > childEnd)
                sections.push({start: childEnd, end: until});
            const childStart = Math.max(child.start, start);
            stack.push({node: child, start: childStart, end: Math.min(childEnd, until)});
            until = childStart;
        }
        if (until > start)
            sections.push({start, end: until}); // None where a child took all of it.
        path.set(node.key, sections.reverse());
    }
    return path;
}

/** What a row says besides the name: the operation, the request, the query. @param {TreeNode} node */
export function detailOf(node) {
    const {document} = node;
    const text = (/** @type {any} */ value) => (typeof value === 'string' ? value : '');
    if (node.kind === 'missing')
        return '';
    const aws = document.aws && typeof document.aws === 'object' ? document.aws : {};
    const operation = node.kind === 'subsegment' || node.inferred ? text(aws.operation) : '';
    if (operation) {
        const resource = text(aws.table_name) || text(aws.bucket_name) || text(aws.function_name) ||
                         text(aws.queue_url).split('/').pop() || text(aws.topic_arn).split(':').pop() ||
                         (Array.isArray(aws.resource_names) ? text(aws.resource_names[0]) : '');
        return resource ? `${operation} ${resource}` : operation;
    }
    const query = text(document.sql?.sanitized_query);
    if (query)
        return query;
    const request = document.http?.request;
    if (request && typeof request === 'object')
        return `${text(request.method)} ${pathOf(text(request.url))}`.trim();
    return node.kind === 'segment' ? text(document.origin) : '';
}

/** A URL without scheme and host. @param {string} url */
export function pathOf(url) {
    const found = /^[a-z][a-z0-9+.-]*:\/\/[^/?#]*(.*)$/is.exec(url);
    return found ? found[1] || '/' : url;
}

/** @param {any} document @returns {number | null} */
export function statusOf(document) {
    const status = document.http?.response?.status;
    return typeof status === 'number' && Number.isFinite(status) ? status : null;
}

/** Recorded although the sampling decision was no. @param {any} document */
export function isCaptured(document) {
    return document.annotations?.xray_sampled === false;
}
