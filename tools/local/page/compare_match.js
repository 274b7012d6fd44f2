// SPDX-License-Identifier: Apache-2.0
// Two traces as one tree: entities with the same names on the way to them, in the same
// order among their like, are the same row. Pure.
import {detailOf} from './tree.js';

/**
 * @typedef {import('./tree.js').Tree} Tree
 * @typedef {import('./tree.js').TreeNode} TreeNode
 * @typedef {Object} Pair
 * @property {number} index
 * @property {TreeNode | null} a
 * @property {TreeNode | null} b
 * @property {number} depth
 * @property {string} name
 * @property {number} size  of it and all below
 * @property {number} change  seconds that b takes longer; 0 unless both are complete
 * @property {'same' | 'slower' | 'faster' | 'only-a' | 'only-b'} kind
 */

/** Shorter than this, and than a tenth of the longer one, is no difference. */
const LEAST_SECONDS = 0.0005;
const LEAST_SHARE = 0.1;

/** What two entities must have in common. @param {TreeNode} node */
function nameOf(node) {
    const {operation} = node.document.aws ?? {};
    return `${node.kind} ${node.inferred} ${node.name} ${node.kind === 'subsegment' && typeof operation === 'string' ? operation : ''}`;
}

/** Names with how many of the same name came before. @param {TreeNode[]} nodes */
function numbered(nodes) {
    /** @type {Map<string, number>} */
    const seen = new Map();
    return nodes.map((node) => {
        const name = nameOf(node);
        const number = seen.get(name) ?? 0;
        seen.set(name, number + 1);
        return {key: `${name} ${number}`, node};
    });
}

/**
 * The children of a pair, in b's order; those only in a stand after the one that they
 * followed in a.
 * @param {TreeNode[]} a
 * @param {TreeNode[]} b
 * @returns {[TreeNode | null, TreeNode | null][]}
 */
function matchChildren(a, b) {
    const inA = numbered(a);
    const inB = new Map(numbered(b).map(({key, node}) => [key, node]));
    const keysOfA = new Map(inA.map(({key, node}) => [key, node]));
    /** @type {Map<string, TreeNode[]>} */
    const after = new Map();
    let last = '';
    for (const {key, node} of inA)
        if (inB.has(key))
            last = key;
        else
            after.set(last, [...(after.get(last) ?? []), node]);
    /** @type {[TreeNode | null, TreeNode | null][]} */
    const pairs = (after.get('') ?? []).map((node) => [node, null]);
    for (const [key, node] of inB) {
        pairs.push([keysOfA.get(key) ?? null, node]);
        pairs.push(...(after.get(key) ?? []).map((only) => /** @type {[TreeNode, null]} */ ([only, null])));
    }
    return pairs;
}

/** @param {TreeNode | null} a @param {TreeNode | null} b @returns {{kind: Pair['kind'], change: number}} */
function difference(a, b) {
    if (!a || !b)
        return {kind: a ? 'only-a' : 'only-b', change: 0};
    if (a.inProgress || b.inProgress)
        return {kind: 'same', change: 0};
    const [before, after] = [a.end - a.start, b.end - b.start];
    const change = after - before;
    const isSame = Math.abs(change) < LEAST_SECONDS || Math.abs(change) < LEAST_SHARE * Math.max(before, after);
    return {kind: isSame ? 'same' : change > 0 ? 'slower' : 'faster', change};
}

/**
 * @param {Tree} a
 * @param {Tree} b
 * @returns {Pair[]} parents before children
 */
export function compareTrees(a, b) {
    /** @type {Pair[]} */
    const pairs = [];
    const stack = matchChildren(a.roots, b.roots).reverse().map((nodes) => ({nodes, depth: 0}));
    while (stack.length) {
        const {nodes: [left, right], depth} = /** @type {{nodes: [TreeNode | null, TreeNode | null], depth: number}} */ (stack.pop());
        const name = /** @type {TreeNode} */ (right ?? left).name;
        pairs.push({index: pairs.length, a: left, b: right, depth, name, size: 1, ...difference(left, right)});
        const children = matchChildren(left?.children ?? [], right?.children ?? []);
        for (let i = children.length - 1; i >= 0; i--)
            stack.push({nodes: children[i], depth: depth + 1});
    }
    // A row's size is the way to the next one that is not deeper.
    /** @type {Pair[]} */
    const open = [];
    for (const pair of pairs) {
        while (open.length && open[open.length - 1].depth >= pair.depth)
            close(open, pair.index);
        open.push(pair);
    }
    while (open.length)
        close(open, pairs.length);
    return pairs;
}

/** @param {Pair[]} open @param {number} next */
function close(open, next) {
    const pair = /** @type {Pair} */ (open.pop());
    pair.size = next - pair.index;
}

/** @param {Pair[]} pairs @param {Set<number>} collapsed */
export function visiblePairs(pairs, collapsed) {
    const rows = [];
    for (let i = 0; i < pairs.length; i += collapsed.has(i) ? pairs[i].size : 1)
        rows.push(pairs[i]);
    return rows;
}

/** How many rows are so. @param {Pair[]} pairs */
export function kindCounts(pairs) {
    const counts = {same: 0, slower: 0, faster: 0, 'only-a': 0, 'only-b': 0};
    for (const {kind} of pairs)
        counts[kind]++;
    return counts;
}

/** @param {Pair} pair */
export function pairDetail(pair) {
    return detailOf(/** @type {TreeNode} */ (pair.b ?? pair.a));
}
