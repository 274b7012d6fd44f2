// SPDX-License-Identifier: Apache-2.0
// A trace as a row of the list.
import {h, setText} from './dom.js';
import {clock, duration, oneLine} from './format.js';

/** @typedef {import('./list_data.js').Summary} Summary */

export const COLUMNS = [
    {name: '', class: 'cell-select'},
    {name: 'Time', class: 'cell-time'},
    {name: 'Entry', class: 'cell-entry'},
    {name: 'Request', class: 'cell-request'},
    {name: 'Status', class: 'cell-status'},
    {name: 'Response time', class: 'cell-duration'},
    {name: 'Marks', class: 'cell-marks'},
    {name: 'Services', class: 'cell-services', title: 'How many services the trace went through'},
];

/** What became of it, by the worst. @param {Summary} row */
export function outcome(row) {
    return row.HasFault ? 'fault' : row.HasThrottle ? 'throttle' : row.HasError ? 'error'
         : row.IsPartial ? 'pending' : 'ok';
}

/** Captured because of what happened, though it had not been sampled. @param {Summary} row */
function isCaptured(row) {
    return row.Annotations?.xray_sampled?.some(
        (/** @type {any} */ {AnnotationValue}) => AnnotationValue?.BooleanValue === false);
}

/** @param {Summary} row @returns {[string, string, string][]} name, class, title */
function marks(row) {
    /** @type {[string, string, string][]} */
    const found = [];
    if (row.HasFault)
        found.push(['fault', 'fault', 'The root answered with a fault']);
    if (row.HasThrottle)
        found.push(['throttle', 'throttle', 'Something in the trace was throttled']);
    if (row.HasError && !row.HasThrottle)
        found.push(['error', 'error', 'The root answered with an error']);
    if (row.IsPartial)
        found.push(['partial', '', 'Something is in progress, or has not come']);
    if (isCaptured(row))
        found.push(['captured', 'accent', 'Kept because of what happened, though it was not sampled']);
    return found;
}

/** Real services: clients are not counted. @param {Summary} row */
function services(row) {
    return (row.ServiceIds ?? []).filter((/** @type {any} */ {Type}) => Type !== 'client');
}

/** The path is what tells requests apart; the host is in the title. @param {string} url */
function pathOf(url) {
    const found = /^[a-z][a-z0-9+.-]*:\/\/[^/?#]*(.*)$/i.exec(url);
    return found ? found[1] || '/' : url;
}

export function createRow() {
    /** @type {any} */
    const parts = {
        box: h('input', {type: 'checkbox', tabindex: -1, 'aria-label': 'Select to compare'}),
        time: h('div', {class: 'cell cell-time', role: 'gridcell'}),
        entry: h('a', {tabindex: -1}),
        method: h('span', {class: 'method'}),
        url: h('span', {class: 'url'}),
        status: h('div', {class: 'cell cell-status number', role: 'gridcell'}),
        bar: h('span', {class: 'bar-fill'}),
        length: h('span', {class: 'bar-text number'}),
        marks: h('div', {class: 'cell cell-marks', role: 'gridcell'}),
        services: h('div', {class: 'cell cell-services number', role: 'gridcell'}),
    };
    parts.request = h('div', {class: 'cell cell-request', role: 'gridcell'}, parts.method, parts.url);
    const row = h('div', {class: 'grid-row', role: 'row', 'data-testid': 'row'},
                  h('div', {class: 'cell cell-select', role: 'gridcell'}, parts.box),
                  parts.time,
                  h('div', {class: 'cell cell-entry', role: 'gridcell'}, parts.entry),
                  parts.request, parts.status,
                  h('div', {class: 'cell cell-duration', role: 'gridcell'}, parts.length,
                    h('span', {class: 'bar-track'}, parts.bar)),
                  parts.marks, parts.services);
    row.box = parts.box;
    row.parts = parts;
    return row;
}

/**
 * @param {any} row an element of createRow()
 * @param {Summary} summary
 * @param {number} longest the response time that fills the bar
 */
export function updateRow(row, summary, longest) {
    const {parts} = row;
    if (row.summary !== summary) {
        row.summary = summary;
        write(row, parts, summary);
    }
    const time = summary.ResponseTime ?? summary.Duration ?? 0;
    parts.bar.style.width = `${longest > 0 ? Math.max(1.5, Math.min(100, 100 * time / longest)) : 0}%`;
}

/** @param {any} row @param {any} parts @param {Summary} summary */
function write(row, parts, summary) {
    const name = oneLine(summary.EntryPoint?.Name ?? '');
    const url = summary.Http?.HttpURL ?? '';
    const kind = outcome(summary);
    row.dataset.outcome = kind;
    setText(parts.time, clock(summary.StartTime));
    parts.time.title = summary.Id;
    setText(parts.entry, name || '(no root)');
    parts.entry.href = `#/traces/${encodeURIComponent(summary.Id)}`;
    parts.entry.title = [name, summary.EntryPoint?.Type].filter(Boolean).join('\n');
    setText(parts.method, oneLine(summary.Http?.HttpMethod ?? ''));
    setText(parts.url, oneLine(pathOf(url)));
    parts.request.title = oneLine(url);
    setText(parts.status, summary.Http?.HttpStatus ? String(summary.Http.HttpStatus) : '');
    setText(parts.length, summary.IsPartial && summary.ResponseTime === undefined
        ? '…' : duration(summary.ResponseTime ?? summary.Duration));
    const labels = marks(summary);
    parts.marks.replaceChildren(...labels.map(([text, style, title]) =>
        h('span', {class: `pill ${style}`, text, title})));
    const names = services(summary);
    setText(parts.services, names.length ? String(names.length) : '');
    parts.services.title = names.slice(0, 30).map((/** @type {any} */ {Name, Type}) =>
        oneLine(Type ? `${Name}  (${Type})` : Name)).join('\n');
}
