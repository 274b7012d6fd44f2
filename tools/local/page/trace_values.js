// SPDX-License-Identifier: Apache-2.0
// Values of a trace as the details show them: each can be copied, and where a filter
// finds it, it is a link to what the filter finds, and the filter can be copied too.
import {copy, copyButton, h} from './dom.js';
import {oneLine} from './format.js';
import {listHash} from './trace_filters.js';

const TEXT_MAX = 20000;

/** @typedef {{offline?: boolean, notify: (text: string, kind?: 'note' | 'problem') => void}} Host */

/** @param {string} path @param {string} title @param {() => void} click @param {string} testid */
function iconButton(path, title, click, testid) {
    const icon = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
    icon.setAttribute('viewBox', '0 0 16 16');
    icon.setAttribute('class', 'icon');
    icon.setAttribute('aria-hidden', 'true');
    const shape = document.createElementNS('http://www.w3.org/2000/svg', 'path');
    shape.setAttribute('d', path);
    icon.append(shape);
    return h('button', {type: 'button', class: 'icon-button fact-button', title, 'aria-label': title,
                        dataset: {testid}, on: {click}}, icon);
}

const COPY = 'M5 1h8a1 1 0 0 1 1 1v9h-1.3V2.3H5ZM2.5 4h8a1 1 0 0 1 1 1v9a1 1 0 0 1-1 1h-8a1 1 0 0 1-1-1V5a1 1 0 0 1 1-1Z' +
             'M2.8 5.3v8.4h7.4V5.3Z';
const FUNNEL = 'M1.5 2h13v1.8L9.6 9v5L6.4 12.4V9L1.5 3.8ZM3.4 3.3l4.3 4.9v3.4l.6.3V8.2l4.3-4.9Z';

/** @param {any} value */
export function textOf(value) {
    const text = typeof value === 'string' ? value : JSON.stringify(value) ?? '';
    return text.length > TEXT_MAX ? `${text.slice(0, TEXT_MAX)}…` : text;
}

/**
 * One row of a list of facts; null if there is no value.
 * @param {Host} app
 * @param {string} label
 * @param {any} value
 * @param {{filter?: string | null, shown?: any, mono?: boolean, copied?: string, href?: string}} [options]
 *   shown: in place of the value; copied: what its copy is
 */
export function fact(app, label, value, {filter = null, shown, mono = false, copied, href} = {}) {
    if (value === undefined || value === null || value === '')
        return null;
    const text = textOf(value);
    const content = shown ?? text;
    const target = href ?? (filter && listHash(filter));
    const title = filter ? `Find traces with ${oneLine(filter)}` : '';
    const body = target && !app.offline
        ? h('a', {class: `fact-value${mono ? ' mono' : ''}`, href: target, title, dataset: {testid: 'fact-link'}}, content)
        : h('span', {class: `fact-value${mono ? ' mono' : ''}`}, content);
    const say = async (/** @type {string} */ what, /** @type {string} */ said) =>
        app.notify(await copy(what) ? said : 'The browser did not let it be copied', 'note');
    return h('div', {class: 'fact', dataset: {label}},
             h('dt', {text: label}),
             h('dd', {}, body, h('span', {class: 'fact-buttons'},
                 filter && iconButton(FUNNEL, `Copy the filter ${oneLine(filter)}`,
                                      () => say(filter, `Copied: ${oneLine(filter)}`), 'copy-filter'),
                 iconButton(COPY, `Copy ${label}`, () => say(copied ?? text, `Copied: ${label}`), 'copy-value'))));
}

/** @param {(HTMLElement | null)[]} facts @param {string} [title] */
export function factList(facts, title = '') {
    const present = facts.filter(Boolean);
    return present.length ? [title && h('h3', {text: title}), h('dl', {class: 'facts'}, present)] : [];
}

/**
 * Text in its own lines, with a way to copy it.
 * @param {string} text
 * @param {string} name
 * @param {() => string} [whole]  what is copied, if it is more than what is shown
 */
export function textBlock(text, name, whole = () => text) {
    return h('div', {class: 'text-block'}, h('pre', {tabindex: '0', role: 'group', 'aria-label': name, text}),
             copyButton(whole));
}

/**
 * The members of an object, those in objects with a dotted name.
 * @param {any} object
 * @returns {[string, any][]}
 */
export function flatten(object, prefix = '', depth = 0) {
    if (!object || typeof object !== 'object')
        return [];
    return Object.entries(object).flatMap(([key, value]) => {
        const name = prefix ? `${prefix}.${key}` : key;
        const isPlain = !value || typeof value !== 'object' || depth > 6 ||
                        (Array.isArray(value) && value.every((item) => typeof item !== 'object'));
        return isPlain ? [/** @type {[string, any]} */ ([name, Array.isArray(value) ? value.join(', ') : value])]
                       : flatten(value, name, depth + 1);
    });
}
