// SPDX-License-Identifier: Apache-2.0
// The summaries that the list shows, newest first, and how they stay current: after an
// event only what changed is asked for again.
import * as api from './api.js';

/**
 * @typedef {any} Summary  a TraceSummary of the X-Ray API
 * @typedef {{filter: string, since: number | null}} Query  since: seconds, null is all there is
 * @typedef {{start: number, end: number, token: string | undefined}} Next  no token: there is no more
 */

/** The clock of a sender may be ahead of this one. */
const AHEAD_S = 3600;
const PAGE = 100;
/** So many are loaded without scrolling. */
const READY = 1000;
/** At most so many pages for what is new at once, and seconds to look in for what changed. */
const NEW_PAGES = 10;
const LOOK_SECONDS = 20;
const REFRESH_PAUSE_MS = 150;
const RELOAD_PAUSE_MS = 2000;

/** @param {Summary} a @param {Summary} b */
function newestFirst(a, b) {
    return b.StartTime - a.StartTime || (a.Id < b.Id ? -1 : a.Id > b.Id ? 1 : 0);
}

/** The second in which the id says the trace began. @param {string} id */
function epochOf(id) {
    return parseInt(id.slice(2, 10), 16);
}

/** Events: `rows` when rows changed, `state` when loading, failing or pausing did. */
export class TraceRows extends EventTarget {
    constructor() {
        super();
        /** @type {Summary[]} */
        this.rows = [];
        /** @type {Map<string, Summary>} */
        this.byId = new Map();
        /** @type {Query} */
        this.query = {filter: '', since: 3600};
        /** Grows with each question: answers to an older one are dropped. */
        this.round = 0;
        /** Where the next page begins. @type {Next} */
        this.next = {start: 0, end: 0, token: undefined};
        this.isLoading = false;
        this.isPaused = false;
        /** @type {api.ApiError | null} */
        this.failure = null;
        /** Ids that changed since they were last asked for. @type {Set<string>} */
        this.changed = new Set();
        /** More changed than was named: ask for all that is shown. */
        this.isStale = false;
        this.isRefreshing = false;
        this.closed = false;
    }

    close() {
        this.closed = true;
        this.round++;
        clearTimeout(this.timer);
    }

    range() {
        const now = Date.now() / 1000;
        return {start: this.query.since === null ? 0 : Math.max(0, now - this.query.since),
                end: now + AHEAD_S};
    }

    /** @param {Query} query */
    async load(query) {
        this.query = query;
        this.changed.clear();
        this.isStale = false;
        const round = ++this.round;
        this.isLoading = true;
        this.tell('state');
        const isDone = await this.pages(round, READY / PAGE, (found, next, isFirst) => {
            this.next = next;
            if (isFirst)
                this.replace(found);
            else
                this.merge(found);
        });
        if (!isDone) {
            // What an earlier question found is no answer to this one.
            if (round === this.round && !this.next.start)
                this.replace([]);
            return;
        }
        this.isLoading = false;
        this.tell('state');
    }

    /**
     * Asks from the newest on, up to so many pages.
     * @param {number} round @param {number} limit
     * @param {(found: Summary[], next: Next, isFirst: boolean) => void} take
     * @returns {Promise<boolean>} false: it failed, or nobody wants it any more
     */
    async pages(round, limit, take) {
        const window = this.range();
        /** @type {string | undefined} */
        let token;
        try {
            for (let page = 0; page < limit && (page === 0 || token); page++) {
                const reply = await api.summaries({...window, filter: this.query.filter, token});
                if (round !== this.round)
                    return false;
                token = reply.NextToken;
                this.failure = null;
                take(reply.TraceSummaries, {...window, token}, page === 0);
            }
            return true;
        } catch (error) {
            this.fail(round, error);
            return false;
        }
    }

    /** @param {number} round @param {any} error */
    fail(round, error) {
        if (round !== this.round)
            return;
        this.failure = error;
        this.isLoading = false;
        this.tell('state');
    }

    /** The next page, when the end of what is loaded comes near. */
    async more() {
        if (this.isLoading || !this.next.token || this.closed)
            return;
        const round = this.round;
        this.isLoading = true;
        try {
            const reply = await api.summaries({...this.next, filter: this.query.filter});
            if (round !== this.round)
                return;
            this.next = {...this.next, token: reply.NextToken};
            this.isLoading = false;
            this.merge(reply.TraceSummaries);
        } catch (error) {
            this.fail(round, error);
        }
    }

    /** @param {{changes: number, traces: number, changed: string[]}} event */
    hear(event) {
        for (const id of event.changed)
            this.changed.add(id);
        if (event.changed.length >= 100 || this.changed.size > 2000)
            this.isStale = true;
        if (event.traces < this.rows.length)
            this.isStale = true;
        this.tell('state');
        this.refreshSoon();
    }

    refreshSoon(pause_ms = REFRESH_PAUSE_MS) {
        if (this.isPaused || this.isRefreshing || this.closed)
            return;
        this.isRefreshing = true;
        this.timer = setTimeout(async () => {
            const began = performance.now();
            await this.refresh();
            this.isRefreshing = false;
            // A slow answer must not keep the server busy with nothing else.
            if (this.changed.size || this.isStale)
                this.refreshSoon(this.isStale ? RELOAD_PAUSE_MS : REFRESH_PAUSE_MS + 2 * (performance.now() - began));
        }, pause_ms);
    }

    /** Asks for what changed, and no more than that if it can be helped. */
    async refresh() {
        const round = this.round;
        const wanted = new Set(this.changed);
        this.changed.clear();
        if (this.isStale) {
            this.isStale = false;
            await this.reload(round);
            return;
        }
        const isRemembered = (/** @type {Summary} */ {Id}) => this.byId.has(Id);
        const window = this.range();
        let token;
        try {
            for (let page = 0; page < NEW_PAGES; page++) {
                const reply = await api.summaries({...window, filter: this.query.filter, token});
                if (round !== this.round)
                    return;
                const reachesOld = reply.TraceSummaries.some(isRemembered);
                for (const {Id} of reply.TraceSummaries)
                    wanted.delete(Id);
                this.merge(reply.TraceSummaries);
                token = reply.NextToken;
                if (reachesOld || !token)
                    break;
            }
            this.failure = null;
            await this.look(round, wanted);
        } catch (error) {
            this.fail(round, error);
        }
    }

    /**
     * Older traces are found by the second they began in: the API has no other way to
     * ask whether a trace still matches.
     * @param {number} round @param {Set<string>} ids
     */
    async look(round, ids) {
        /** @type {Map<number, string[]>} */
        const seconds = new Map();
        for (const id of ids)
            seconds.set(epochOf(id), [...(seconds.get(epochOf(id)) ?? []), id]);
        if (seconds.size > LOOK_SECONDS) {
            this.isStale = true;
            return;
        }
        const begin = this.range().start;
        for (const [second, sought] of seconds) {
            const reply = await api.summaries({start: second, end: second, type: 'TraceId',
                                               filter: this.query.filter});
            if (round !== this.round)
                return;
            const found = reply.TraceSummaries.filter(
                (/** @type {Summary} */ row) => row.StartTime + (row.Duration ?? 0) >= begin);
            const names = new Set(found.map((/** @type {Summary} */ row) => row.Id));
            // With more than a page in a second, what is missing may be on the next one.
            const gone = reply.NextToken ? [] : sought.filter((id) => !names.has(id) && this.byId.has(id));
            this.merge(found.filter((/** @type {Summary} */ row) => sought.includes(row.Id)), gone);
        }
    }

    /** From anew, as far as a list begins; what is older than that stays as it is. @param {number} round */
    async reload(round) {
        /** @type {Summary[]} */
        const all = [];
        /** @type {Next | undefined} */
        let next;
        const isDone = await this.pages(round, READY / PAGE, (found, following) => {
            all.push(...found);
            next = following;
        });
        if (!isDone || !next)
            return;
        const last = all.at(-1);
        const older = next.token && last ? this.rows.filter((row) => newestFirst(last, row) < 0) : [];
        if (!older.length)
            this.next = next;
        this.replace([...all, ...older]);
    }

    /** @param {Summary[]} rows */
    replace(rows) {
        this.byId = new Map(rows.map((row) => [row.Id, row]));
        this.rows = [...this.byId.values()].sort(newestFirst);
        this.tell('rows');
    }

    /** @param {Summary[]} rows @param {string[]} [gone] */
    merge(rows, gone = []) {
        if (!rows.length && !gone.length)
            return;
        for (const row of rows)
            this.byId.set(row.Id, row);
        for (const id of gone)
            this.byId.delete(id);
        this.rows = [...this.byId.values()].sort(newestFirst);
        this.tell('rows');
    }

    /** What has left the time range goes. */
    expire() {
        if (this.query.since === null || this.isPaused)
            return;
        const {start} = this.range();
        const gone = this.rows.filter((row) => row.StartTime + (row.Duration ?? 0) < start);
        if (gone.length)
            this.merge([], gone.map(({Id}) => Id));
    }

    /** @param {boolean} isPaused */
    pause(isPaused) {
        this.isPaused = isPaused;
        if (isPaused) {
            clearTimeout(this.timer);
            this.isRefreshing = false;
        } else {
            if (this.changed.size > LOOK_SECONDS)
                this.isStale = true;
            this.refreshSoon(0);
        }
        this.tell('state');
    }

    /** How many traces have come that are not shown. */
    get waiting() {
        let count = 0;
        for (const id of this.changed)
            count += this.byId.has(id) ? 0 : 1;
        return count;
    }

    /** @param {string} event */
    tell(event) {
        if (!this.closed)
            this.dispatchEvent(new Event(event));
    }
}
