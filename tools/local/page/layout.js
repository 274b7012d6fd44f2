// SPDX-License-Identifier: Apache-2.0
// Lays a directed graph out in columns, from left to right: cycles are cut, a node's
// column is the longest way to it, long edges pass the columns between through points
// of their own, and sweeps put each column in the order in which fewest edges cross.

/**
 * @typedef {{id: string, height?: number}} LayoutNode
 * @typedef {{id: string, from: string, to: string}} LayoutEdge
 * @typedef {{column?: number, row?: number, padding?: number, passing?: number}} Spaces
 *   passing: the height that an edge takes where it passes a column
 * @typedef {{x: number, y: number}} Point
 * @typedef {{nodes: Map<string, Point>, edges: Map<string, Point[]>, width: number, height: number,
 *            columns: number}} Layout  places of centres; an edge's points begin and end at its nodes
 * @typedef {Object} Cell
 * @property {string} id
 * @property {boolean} real
 * @property {number} rank
 * @property {number} height
 * @property {number} place  in its column
 * @property {number} y
 * @property {Cell[]} before
 * @property {Cell[]} after
 */

const SWEEPS = 24;
const PULLS = 16;

/**
 * The edges that, turned round, leave no cycle.
 * @param {LayoutNode[]} nodes
 * @param {Map<string, LayoutEdge[]>} leaving
 */
function backEdges(nodes, leaving) {
    /** @type {Set<string>} */
    const back = new Set();
    /** @type {Map<string, 'open' | 'done'>} */
    const state = new Map();
    for (const first of nodes) {
        if (state.has(first.id))
            continue;
        state.set(first.id, 'open');
        const stack = [{id: first.id, next: 0}];
        while (stack.length) {
            const top = stack[stack.length - 1];
            const edge = (leaving.get(top.id) ?? [])[top.next++];
            if (!edge) {
                state.set(top.id, 'done');
                stack.pop();
            } else if (state.get(edge.to) === 'open') {
                back.add(edge.id);
            } else if (!state.has(edge.to)) {
                state.set(edge.to, 'open');
                stack.push({id: edge.to, next: 0});
            }
        }
    }
    return back;
}

/**
 * @template T
 * @param {T[]} items
 * @param {(item: T) => string} keyOf
 */
function groupBy(items, keyOf) {
    /** @type {Map<string, T[]>} */
    const groups = new Map();
    for (const item of items) {
        const key = keyOf(item);
        const group = groups.get(key);
        if (group)
            group.push(item);
        else
            groups.set(key, [item]);
    }
    return groups;
}

/**
 * Columns by the longest way from a node that nothing leads to. What leads on but is not
 * led to stands directly before what it leads to.
 * @param {LayoutNode[]} nodes
 * @param {{from: string, to: string}[]} edges  without cycles
 * @returns {Map<string, number>}
 */
function ranksOf(nodes, edges) {
    const leaving = groupBy(edges, (edge) => edge.from);
    /** @type {Map<string, number>} */
    const waiting = new Map(nodes.map(({id}) => [id, 0]));
    for (const edge of edges)
        waiting.set(edge.to, (waiting.get(edge.to) ?? 0) + 1);
    const sources = nodes.filter(({id}) => waiting.get(id) === 0).map(({id}) => id);
    /** @type {Map<string, number>} */
    const ranks = new Map(nodes.map(({id}) => [id, 0]));
    const ready = [...sources];
    for (let i = 0; i < ready.length; i++)
        for (const {to} of leaving.get(ready[i]) ?? []) {
            ranks.set(to, Math.max(/** @type {number} */ (ranks.get(to)), /** @type {number} */ (ranks.get(ready[i])) + 1));
            const left = /** @type {number} */ (waiting.get(to)) - 1;
            waiting.set(to, left);
            if (left === 0)
                ready.push(to);
        }
    for (const id of sources) {
        const next = (leaving.get(id) ?? []).map(({to}) => /** @type {number} */ (ranks.get(to)));
        if (next.length)
            ranks.set(id, Math.min(...next) - 1);
    }
    return ranks;
}

/** @param {Cell} from @param {Cell} to */
function connect(from, to) {
    from.after.push(to);
    to.before.push(from);
}

/** @param {string} id @param {boolean} real @param {number} rank @param {number} height @returns {Cell} */
function newCell(id, real, rank, height) {
    return {id, real, rank, height, place: 0, y: 0, before: [], after: []};
}

/** @param {Cell[][]} columns */
function number(columns) {
    for (const column of columns)
        column.forEach((cell, place) => (cell.place = place));
}

/** Crossings between neighbouring columns. @param {Cell[][]} columns */
function crossings(columns) {
    let count = 0;
    for (const column of columns) {
        const seen = [];
        for (const cell of column) {
            const targets = cell.after.map((after) => after.place);
            for (const target of targets)
                for (const earlier of seen)
                    if (earlier > target)
                        count++;
            seen.push(...targets);
        }
    }
    return count;
}

/** @param {number[]} values @param {number} otherwise */
function mean(values, otherwise) {
    return values.length ? values.reduce((sum, value) => sum + value, 0) / values.length : otherwise;
}

/**
 * Orders each column by the mean place of its neighbours, to and fro; the best order found stays.
 * @param {Cell[][]} columns
 */
function sweep(columns) {
    number(columns);
    let best = columns.map((column) => [...column]);
    let least = crossings(columns);
    for (let round = 0; round < SWEEPS && least > 0; round++) {
        const forwards = round % 2 === 0;
        const list = forwards ? columns : [...columns].reverse();
        for (const column of list) {
            const wish = new Map(column.map((cell) => [cell, mean(
                (forwards ? cell.before : cell.after).map((other) => other.place), cell.place)]));
            column.sort((a, b) => /** @type {number} */ (wish.get(a)) - /** @type {number} */ (wish.get(b)) ||
                                  a.place - b.place);
            column.forEach((cell, place) => (cell.place = place));
        }
        const now = crossings(columns);
        if (now < least) {
            least = now;
            best = columns.map((column) => [...column]);
        }
    }
    best.forEach((column, index) => (columns[index] = column));
    number(columns);
}

/** @param {Cell} a @param {Cell} b @param {number} space */
function apart(a, b, space) {
    return (a.height + b.height) / 2 + (a.real && b.real ? space : space / 2);
}

/**
 * Cells as near to their wishes as the order and the spaces allow: neighbours that would
 * overlap move as one block, to the mean of what its cells wish.
 * @param {Cell[]} column
 * @param {number[]} wishes
 * @param {number} space
 */
function settle(column, wishes, space) {
    /** @type {{sum: number, count: number, first: number, size: number, offsets: number[]}[]} */
    const blocks = [];
    const top = (/** @type {typeof blocks[0]} */ block) => block.sum / block.count;
    column.forEach((cell, index) => {
        let block = {sum: wishes[index], count: 1, first: index, size: 0, offsets: [0]};
        for (let last = blocks[blocks.length - 1]; last; last = blocks[blocks.length - 1]) {
            const step = last.size + apart(column[block.first - 1], column[block.first], space);
            if (top(last) + step <= top(block))
                break;
            blocks.pop();
            block = {sum: last.sum + block.sum - step * block.count, count: last.count + block.count,
                     first: last.first, size: step + block.size,
                     offsets: [...last.offsets, ...block.offsets.map((offset) => offset + step)]};
        }
        blocks.push(block);
    });
    for (const block of blocks)
        block.offsets.forEach((offset, index) => (column[block.first + index].y = top(block) + offset));
}

/** @param {Cell[][]} columns @param {number} space */
function align(columns, space) {
    for (const column of columns) {
        let y = 0;
        column.forEach((cell, index) => {
            y += index ? apart(column[index - 1], cell, space) : 0;
            cell.y = y;
        });
        column.forEach((cell) => (cell.y -= y / 2));
    }
    for (let round = 0; round < PULLS; round++) {
        const forwards = round % 2 === 0;
        for (const column of forwards ? columns : [...columns].reverse())
            settle(column, column.map((cell) => {
                const near = forwards ? cell.before : cell.after;
                return mean(near.map((other) => other.y), cell.y);
            }), space);
    }
    for (const column of columns) // At last both sides count.
        settle(column, column.map((cell) => mean([...cell.before, ...cell.after].map((other) => other.y), cell.y)),
               space);
}

/** The nodes that edges connect with each other. @param {LayoutNode[]} nodes @param {LayoutEdge[]} edges */
function components(nodes, edges) {
    const near = groupBy([...edges, ...edges.map(({id, from, to}) => ({id, from: to, to: from}))], (edge) => edge.from);
    /** @type {Map<string, number>} */
    const part = new Map();
    /** @type {LayoutNode[][]} */
    const parts = [];
    for (const node of nodes) {
        if (part.has(node.id))
            continue;
        const ids = [node.id];
        part.set(node.id, parts.length);
        for (let i = 0; i < ids.length; i++)
            for (const {to} of near.get(ids[i]) ?? [])
                if (!part.has(to)) {
                    part.set(to, parts.length);
                    ids.push(to);
                }
        const members = new Set(ids);
        parts.push(nodes.filter(({id}) => members.has(id)));
    }
    return parts;
}

/**
 * @param {LayoutNode[]} nodes
 * @param {LayoutEdge[]} edges  without those from a node to itself
 * @param {Required<Spaces>} spaces
 * @returns {Layout} from y = 0 downwards
 */
function layoutPart(nodes, edges, spaces) {
    const back = backEdges(nodes, groupBy(edges, (edge) => edge.from));
    const turned = edges.map((edge) => (back.has(edge.id) ? {...edge, from: edge.to, to: edge.from} : edge));
    const ranks = ranksOf(nodes, turned);
    const least = Math.min(...ranks.values());
    /** @type {Cell[][]} */
    const columns = [];
    const put = (/** @type {Cell} */ cell) => {
        (columns[cell.rank] ??= []).push(cell);
        return cell;
    };
    const cells = new Map(nodes.map(({id, height = 0}) =>
        [id, newCell(id, true, /** @type {number} */ (ranks.get(id)) - least, height)]));
    cells.forEach(put);
    /** @type {Map<string, Cell[]>} */
    const ways = new Map();
    for (const edge of turned) {
        const from = /** @type {Cell} */ (cells.get(edge.from));
        const to = /** @type {Cell} */ (cells.get(edge.to));
        const way = [from];
        for (let rank = from.rank + 1; rank < to.rank; rank++)
            way.push(put(newCell(edge.id, false, rank, spaces.passing)));
        way.push(to);
        way.slice(1).forEach((cell, index) => connect(way[index], cell));
        ways.set(edge.id, back.has(edge.id) ? [...way].reverse() : way);
    }
    sweep(columns);
    align(columns, spaces.row);

    const all = columns.flat();
    const top = Math.min(...all.map((cell) => cell.y - cell.height / 2));
    const bottom = Math.max(...all.map((cell) => cell.y + cell.height / 2));
    const point = (/** @type {Cell} */ cell) => ({x: cell.rank * spaces.column, y: cell.y - top});
    return {
        nodes: new Map([...cells].map(([id, cell]) => [id, point(cell)])),
        edges: new Map([...ways].map(([id, way]) => [id, way.map(point)])),
        width: (columns.length - 1) * spaces.column, height: bottom - top, columns: columns.length,
    };
}

/**
 * Parts that nothing connects stand below one another.
 * @param {LayoutNode[]} nodes  ids differ
 * @param {LayoutEdge[]} edges  ids differ; an edge from a node to itself gets no points
 * @param {Spaces} [options]
 * @returns {Layout}
 */
export function layout(nodes, edges, {column = 200, row = 40, padding = 0, passing = 0} = {}) {
    const known = new Set(nodes.map(({id}) => id));
    const used = edges.filter(({from, to}) => from !== to && known.has(from) && known.has(to));
    /** @type {Layout} */
    const whole = {nodes: new Map(), edges: new Map(), width: 0, height: 0, columns: 0};
    let y = padding;
    for (const part of components(nodes, used)) {
        const members = new Set(part.map(({id}) => id));
        const one = layoutPart(part, used.filter(({from}) => members.has(from)), {column, row, padding, passing});
        const moved = (/** @type {Point} */ point) => ({x: point.x + padding, y: point.y + y});
        one.nodes.forEach((point, id) => whole.nodes.set(id, moved(point)));
        one.edges.forEach((points, id) => whole.edges.set(id, points.map(moved)));
        y += one.height + row;
        whole.width = Math.max(whole.width, one.width);
        whole.columns = Math.max(whole.columns, one.columns);
    }
    whole.width += 2 * padding;
    whole.height = whole.nodes.size ? y - row + padding : 0;
    return whole;
}

/**
 * A curve through points, level where it passes each of them.
 * @param {Point[]} points
 * @param {boolean} [upright]  x and y change places: it leads downwards
 */
export function curve(points, upright = false) {
    const at = (/** @type {number} */ x, /** @type {number} */ y) => {
        const [first, second] = [upright ? y : x, upright ? x : y].map((value) => Math.round(value * 10) / 10);
        return `${first} ${second}`;
    };
    let path = `M${at(points[0].x, points[0].y)}`;
    for (let i = 1; i < points.length; i++) {
        const middle = (points[i - 1].x + points[i].x) / 2;
        path += `C${at(middle, points[i - 1].y)} ${at(middle, points[i].y)} ${at(points[i].x, points[i].y)}`;
    }
    return path;
}
