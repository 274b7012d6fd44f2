// SPDX-License-Identifier: Apache-2.0
// Chips that put a term into the filter and take it out, and the rule that hides health
// checks.
import {h} from './dom.js';
import {hasTerm, quoted, toggleTerm} from './filter_terms.js';
import {openDialog} from './keyboard.js';
import {recall, remember} from './settings.js';

const CHIPS = [
    ['Faults', 'fault', 'fault', 'The root answered with a fault'],
    ['Errors', 'error', 'error', 'The root answered with an error'],
    ['Throttled', 'throttle', 'throttle', 'The root was throttled'],
    ['Slow', 'responsetime > 1', '', 'The root took more than a second'],
    ['Partial', 'partial', '', 'Something is in progress, or has not come'],
    ['Captured', 'annotation.xray_sampled = false', '', 'Kept because of what happened, though not sampled'],
];
const USUAL = ['/health', '/healthz', '/ready', '/readyz', '/livez', '/ping'];
const LINES = 20;

/** @param {string[]} endings */
function ruleOf(endings) {
    return endings.length
        ? `!(${endings.map((ending) => `http.url ENDSWITH ${quoted(ending)}`).join(' OR ')})` : '';
}

/**
 * @param {() => string} current the filter
 * @param {(filter: string) => void} change
 * @param {() => void} reload when the rule changed
 * @param {import('./app.js').App} app
 */
export function chips(current, change, reload, app) {
    const state = {isOn: recall('health.hide', false), endings: recall('health.endings', USUAL)};
    const buttons = CHIPS.map(([text, term, kind, title]) => ({term, element: h('button', {
        type: 'button', class: `chip ${kind}`, title: `${title}: ${term}`, 'data-testid': `chip-${text.toLowerCase()}`,
        on: {click: () => change(toggleTerm(current(), term))}}, h('i', {class: 'chip-dot'}), text)}));
    const hide = h('button', {type: 'button', class: 'chip', text: 'Hide health checks', 'data-testid': 'chip-health',
                              on: {click: () => {
                                  state.isOn = !state.isOn;
                                  remember('health.hide', state.isOn);
                                  draw();
                                  reload();
                              }}});
    const edit = h('button', {type: 'button', class: 'icon-button', text: '…', title: 'What is a health check?',
                              'aria-label': 'What is a health check?', on: {click: () => ask()}});
    const element = h('div', {class: 'chips', role: 'toolbar', 'aria-label': 'Filters at hand'},
                      buttons.map((button) => button.element), h('span', {class: 'chips-gap'}), hide, edit);

    function draw() {
        for (const {term, element: button} of buttons)
            button.setAttribute('aria-pressed', String(hasTerm(current(), term)));
        hide.setAttribute('aria-pressed', String(state.isOn));
        hide.title = `Leaves out what has ${ruleOf(state.endings).slice(2, -1) || 'no rule'}`;
    }

    function ask() {
        const text = h('textarea', {class: 'field mono endings', rows: 8, 'aria-label': 'Ends of URLs, one a line',
                                    value: state.endings.join('\n')});
        const dialog = openDialog('Health checks', [
            h('p', {class: 'muted', text: 'Traces whose URL ends with one of these are hidden, one a line:'}), text,
            h('div', {class: 'dialog-actions'},
              h('button', {type: 'button', class: 'button', text: 'As it was', on: {click: () => (text.value = USUAL.join('\n'))}}),
              h('button', {type: 'button', class: 'button primary', text: 'Hide these', on: {click: () => {
                  state.endings = text.value.split('\n').map((/** @type {string} */ line) => line.trim())
                      .filter(Boolean).slice(0, LINES);
                  state.isOn = state.endings.length > 0;
                  remember('health.endings', state.endings);
                  remember('health.hide', state.isOn);
                  dialog.close();
                  draw();
                  reload();
                  app.announce(state.isOn ? 'Health checks are hidden' : 'Nothing is hidden');
              }}}))]);
    }

    draw();
    return {element, draw, hidden: () => state.isOn ? ruleOf(state.endings) : ''};
}
