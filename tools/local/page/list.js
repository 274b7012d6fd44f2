// SPDX-License-Identifier: Apache-2.0
// The list of traces as they come: filter, chips, histogram, rows.
import {clear as clearAll, importFile, status} from './api.js';
import {chips} from './chips.js';
import {fill, h, onFrame} from './dom.js';
import {EmptyPanel} from './empty.js';
import {FilterBox} from './filter_box.js';
import {addTerm, responseTimes, withResponseTimes} from './filter_terms.js';
import {plural, span} from './format.js';
import {Histogram, quantile} from './histogram.js';
import {openDialog} from './keyboard.js';
import {TraceRows} from './list_data.js';
import {COLUMNS, createRow, updateRow} from './list_row.js';
import {VirtualRows} from './list_table.js';

const SINCE = [['5m', 'last 5 minutes'], ['15m', 'last 15 minutes'], ['1h', 'last hour'], ['6h', 'last 6 hours'],
               ['24h', 'last day'], ['all', 'all']];
const SINCE_USUAL = '1h';
const EXPIRE_MS = 5000;

/**
 * @param {HTMLElement} container
 * @param {import('./app.js').Params} params
 * @param {import('./app.js').App} app
 */
export function show(container, params, app) {
    const view = new ListView(container, params, app);
    return {close: () => view.close(), update: (/** @type {any} */ next) => view.update(next)};
}

class ListView {
    /**
     * @param {HTMLElement} container
     * @param {import('./app.js').Params} params
     * @param {import('./app.js').App} app
     */
    constructor(container, params, app) {
        this.app = app;
        this.params = params;
        this.data = new TraceRows();
        this.longest = 0;
        this.hasEver = false;
        this.box = new FilterBox({value: this.params.filter ?? '', apply: (filter) => this.go({filter}),
                                  announce: (text) => app.announce(text)});
        this.chips = chips(() => this.params.filter ?? '', (filter) => this.go({filter}), () => this.load(), app);
        this.histogram = new Histogram(
            (from, to) => this.go({filter: withResponseTimes(this.params.filter ?? '', from, to)}),
            (text) => app.announce(text));
        this.table = new VirtualRows({
            label: 'Traces', columns: COLUMNS, idOf: ({Id}) => Id, create: createRow,
            update: (row, item) => updateRow(row, item, this.longest),
            open: ({Id}) => app.navigate(`#/traces/${encodeURIComponent(Id)}`),
            nearEnd: () => this.data.more(), chosen: () => this.drawChosen(),
        });
        this.empty = new EmptyPanel(app);
        this.build(container);
        this.drawSoon = onFrame(() => this.draw());
        this.data.addEventListener('rows', () => this.drawSoon());
        this.data.addEventListener('state', () => this.drawSoon());
        this.listeners = new AbortController();
        const {signal} = this.listeners;
        app.events.addEventListener('traces', (event) => this.heard(/** @type {any} */ (event).detail), {signal});
        app.events.addEventListener('connected', (event) => {
            if (/** @type {any} */ (event).detail.again)
                this.load(); // What came meanwhile was told to nobody.
        }, {signal});
        this.timer = setInterval(() => this.data.expire(), EXPIRE_MS);
        app.keys('Traces', this.keys());
        app.title('Traces');
        this.load();
    }

    close() {
        this.listeners.abort();
        clearInterval(this.timer);
        this.drawSoon.cancel();
        this.data.close();
        this.table.close();
        this.histogram.close();
        this.box.close();
        this.empty.close();
    }

    /** @param {HTMLElement} container */
    build(container) {
        this.since = h('select', {class: 'field', 'aria-label': 'Time range', 'data-testid': 'since',
                                  on: {change: () => this.go({since: this.since.value})}},
                       SINCE.map(([value, text]) => h('option', {value, text})));
        this.pause = h('button', {type: 'button', class: 'button', 'aria-pressed': 'false', 'data-testid': 'pause',
                                  title: 'Hold the list still (p)', on: {click: () => this.togglePause()}});
        this.more = h('button', {type: 'button', class: 'button', text: 'More…', on: {click: () => this.showMore()}});
        this.counts = h('span', {class: 'list-counts', 'data-testid': 'counts'});
        this.fresh = h('button', {type: 'button', class: 'button small primary list-fresh', hidden: true,
                                  on: {click: () => this.table.toTop()}});
        this.chosenBar = h('div', {class: 'list-chosen', role: 'toolbar', 'aria-label': 'Selected traces', hidden: true,
                                   'data-testid': 'chosen'});
        this.message = h('div', {class: 'notice', hidden: true, role: 'status', 'data-testid': 'message'});
        this.tools = h('div', {class: 'list-tools'},
                       h('div', {class: 'list-line'}, this.box.element, this.since, this.pause, this.more),
                       h('div', {class: 'list-line chips-line'}, this.chips.element));
        this.chart = h('div', {class: 'list-chart'},
                       h('div', {class: 'list-line chart-line'}, this.counts, this.histogram.facts), this.histogram.element);
        fill(container, this.tools, this.chart,
             h('div', {class: 'list-rows'}, this.table.element, this.fresh, this.message, this.empty.element), this.chosenBar);
    }

    /** @returns {import('./keyboard.js').Binding[]} */
    keys() {
        const {table} = this;
        const page = () => Math.max(1, Math.floor(table.sight() / table.height) - 1);
        return [
            {keys: ['j', 'ArrowDown'], help: 'next trace', run: () => table.move(1)},
            {keys: ['k', 'ArrowUp'], help: 'trace before', run: () => table.move(-1)},
            {keys: ['PageDown'], help: '', run: () => table.move(page())},
            {keys: ['PageUp'], help: '', run: () => table.move(-page())},
            {keys: ['Home', 'g g'], help: 'newest', run: () => this.table.toTop()},
            {keys: ['End', 'G'], help: 'oldest that is loaded', run: () => table.move(Infinity)},
            {keys: ['Enter', 'o'], help: 'open the trace', run: () => this.openActive()},
            {keys: ['x', ' '], help: 'select', run: () => this.selectActive()},
            {keys: ['c'], help: 'compare the two selected', run: () => this.compare()},
            {keys: ['/'], help: 'filter', run: () => this.box.focus()},
            {keys: ['p'], help: 'hold still, or go on', run: () => this.togglePause()},
            {keys: ['Escape'], help: 'select none', run: () => table.selected.size ? table.clearSelection() : false},
        ];
    }

    openActive() {
        const item = this.table.activeItem;
        if (!item)
            return false;
        this.app.navigate(`#/traces/${encodeURIComponent(item.Id)}`);
        return true;
    }

    selectActive() {
        if (this.table.active === null)
            return false;
        this.table.toggle(this.table.active);
        this.app.announce(`${this.table.selected.size} selected`);
        return true;
    }

    /* ---- What is asked for ---- */

    /** Another filter or range, as a place of its own. @param {Object<string, string>} changes */
    go(changes) {
        const next = new URLSearchParams();
        const filter = changes.filter ?? this.params.filter;
        const since = changes.since ?? this.params.since;
        if (filter)
            next.set('filter', filter);
        if (since && since !== SINCE_USUAL)
            next.set('since', since);
        // What URLSearchParams writes as + would be read as a blank; people read %20 no better.
        const search = next.toString();
        this.app.navigate(search ? `#/traces?${search}` : '#/traces');
    }

    /** @param {import('./app.js').Params} params */
    update(params) {
        this.params = params;
        this.box.show(params.filter ?? '');
        this.chips.draw();
        this.load();
    }

    load() {
        const since = this.params.since ?? SINCE_USUAL;
        if (!SINCE.some(([value]) => value === since))
            this.since.append(h('option', {value: since, text: `last ${since}`}));
        this.since.value = since;
        const hidden = this.chips.hidden();
        this.data.load({filter: addTerm(this.params.filter ?? '', hidden), since: span(since)});
        this.table.toTop();
    }

    /** @param {any} event */
    heard(event) {
        this.traces = event.traces;
        this.data.hear(event);
    }

    togglePause() {
        this.data.pause(!this.data.isPaused);
        this.app.announce(this.data.isPaused ? 'The list holds still' : 'The list goes on');
    }

    /* ---- What is seen ---- */

    draw() {
        const {data} = this;
        const {rows} = data;
        const times = rows.map((row) => row.ResponseTime ?? row.Duration ?? 0).sort((a, b) => a - b);
        this.longest = times.length ? quantile(times, 0.98) || /** @type {number} */ (times.at(-1)) : 0;
        this.table.set(rows);
        this.histogram.update(rows, responseTimes(this.params.filter ?? ''));
        this.hasEver ||= rows.length > 0;
        this.drawCounts();
        this.drawPause();
        this.drawMessage();
    }

    drawCounts() {
        const {rows, next, isLoading} = this.data;
        const faults = rows.reduce((sum, row) => sum + (row.HasFault ? 1 : 0), 0);
        fill(this.counts, h('b', {text: plural(rows.length, 'trace')}), next.token ? ' loaded' : '',
             faults ? [' · ', h('span', {class: 'text-fault', text: plural(faults, 'fault')})] : '',
             isLoading ? h('span', {class: 'muted', text: ' · loading…'}) : '');
        this.fresh.hidden = !this.table.above;
        this.fresh.textContent = `↑ ${this.table.above} new`;
    }

    drawPause() {
        const {isPaused, waiting} = this.data;
        this.pause.setAttribute('aria-pressed', String(isPaused));
        this.pause.textContent = isPaused ? (waiting ? `Go on (${waiting} new)` : 'Go on') : 'Pause';
    }

    /** Nothing to show has four reasons, and each wants something else done. */
    async drawMessage() {
        const {rows, isLoading, failure} = this.data;
        const isNothing = !rows.length && !isLoading;
        const isBare = isNothing && !failure && !this.params.filter;
        let inStore = this.traces;
        if (isBare && inStore === undefined)
            inStore = (await status().catch(() => null))?.counts.traces ?? 0;
        if (this.data.closed || rows !== this.data.rows)
            return;
        const isEmpty = isBare && inStore === 0;
        this.empty.show(isEmpty);
        this.chart.hidden = isEmpty;
        this.table.element.hidden = !rows.length;
        this.message.hidden = !isNothing || isEmpty;
        if (this.message.hidden)
            return;
        if (failure)
            fill(this.message, h('p', {class: 'text-fault', text: failure.message}),
                 h('button', {type: 'button', class: 'button', text: 'Try again', on: {click: () => this.load()}}));
        else if (this.params.filter)
            fill(this.message, h('p', {text: 'No trace matches the filter in this time range.'}),
                 h('button', {type: 'button', class: 'button', text: 'Clear the filter', on: {click: () => this.go({filter: ''})}}),
                 this.widen());
        else
            fill(this.message, h('p', {text: this.chips.hidden()
                ? 'There are traces, but none of this time range, or only health checks.'
                : 'There are traces, but none of this time range.'}), this.widen());
    }

    widen() {
        return this.params.since === 'all' ? null
            : [' ', h('button', {type: 'button', class: 'button', text: 'Look at all times', on: {click: () => this.go({since: 'all'})}})];
    }

    drawChosen() {
        const ids = [...this.table.selected];
        this.chosenBar.hidden = !ids.length;
        this.fresh.hidden = !this.table.above;
        const shown = ids.join();
        if (shown === this.chosenBar.dataset.shown)
            return;
        this.chosenBar.dataset.shown = shown;
        const search = ids.map((id) => `id=${encodeURIComponent(id)}`).join('&');
        fill(this.chosenBar, h('b', {text: `${ids.length} selected`}),
             h('button', {type: 'button', class: 'button primary', disabled: ids.length !== 2, text: 'Compare',
                          title: ids.length === 2 ? 'Compare (c)' : 'Select two traces to compare them',
                          on: {click: () => this.compare()}}),
             h('a', {class: 'button', href: `/api/export?${search}`, download: 'traces.jsonl', text: 'Export'}),
             h('button', {type: 'button', class: 'button quiet', text: 'Select none', on: {click: () => this.table.clearSelection()}}));
    }

    compare() {
        // In the order of time, whichever was selected first.
        const [b, a] = this.data.rows.filter(({Id}) => this.table.selected.has(Id)).map(({Id}) => Id);
        if (this.table.selected.size !== 2 || !a) {
            this.app.notify('Select two traces to compare them: x, or the boxes on the left');
            return;
        }
        this.app.navigate(`#/compare?a=${encodeURIComponent(a)}&b=${encodeURIComponent(b)}`);
    }

    /* ---- More ---- */

    showMore() {
        const filter = this.data.query.filter;
        const seconds = this.data.query.since ?? 0;
        const search = new URLSearchParams({filter, ...(seconds ? {seconds: String(seconds)} : {})});
        const file = h('input', {type: 'file', class: 'visually-hidden', accept: '.jsonl,.json,.txt', 'aria-label': 'File to import'});
        const dialog = openDialog('More', [
            h('section', {class: 'more-part'}, h('h3', {text: 'Export'}),
              h('p', {class: 'muted', text: 'What the list shows now, whole.'}),
              h('a', {class: 'button', href: `/api/export?${search}`, download: 'traces.jsonl', text: 'Segment documents (.jsonl)'}), ' ',
              h('a', {class: 'button', href: `/api/export?${search}&format=otlp`, download: 'traces.otlp.json', text: 'OTLP (.json)'})),
            h('section', {class: 'more-part'}, h('h3', {text: 'Import'}),
              h('p', {class: 'muted', text: 'A file of segment documents, one a line, or an OTLP JSON request.'}), file,
              h('button', {type: 'button', class: 'button', text: 'Choose a file…', on: {click: () => file.click()}})),
            h('section', {class: 'more-part'}, h('h3', {text: 'Service map'}),
              h('p', {class: 'muted', text: 'Of the traces this filter finds.'}),
              h('a', {class: 'button', href: `#/map?${new URLSearchParams({filter: this.params.filter ?? '', since: this.params.since ?? SINCE_USUAL})}`,
                      text: 'Show the map', on: {click: () => dialog.close()}})),
            h('section', {class: 'more-part'}, h('h3', {text: 'Start anew'}),
              h('p', {class: 'muted', text: 'Forgets all traces that are not pinned, for everyone.'}),
              h('button', {type: 'button', class: 'button danger', text: 'Forget all traces', on: {click: async () => {
                  dialog.close();
                  await this.attempt(clearAll(), () => 'All traces are forgotten');
                  this.load();
              }}})),
        ], 'more-dialog');
        file.addEventListener('change', async () => {
            dialog.close();
            if (file.files?.[0])
                await this.attempt(importFile(file.files[0]), ({kept, refused}) => importWords(kept, refused));
            this.load();
        });
    }

    /** @param {Promise<any>} work @param {(reply: any) => string} words */
    async attempt(work, words) {
        try {
            this.app.notify(words(await work));
        } catch (error) {
            this.app.notify(/** @type {any} */ (error).message, 'problem');
        }
    }
}

/** @param {number} kept @param {{line: number, message: string}[]} refused */
function importWords(kept, refused) {
    const first = refused[0];
    return `${plural(kept, 'document')} imported` +
           (first ? `, ${refused.length} refused: line ${first.line}: ${first.message}` : '');
}

