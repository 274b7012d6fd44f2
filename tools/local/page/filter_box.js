// SPDX-License-Identifier: Apache-2.0
// The field for a filter expression: it is checked as it is typed, completed, and
// remembered.
import {checkFilter, words as askWords} from './api.js';
import {complete} from './completion.js';
import {afterPause, fill, h} from './dom.js';
import {showFilterHelp} from './filter_help.js';
import {placeOfByte} from './filter_terms.js';
import {recall, remember} from './settings.js';

const HISTORY = 30;
const WORDS_AGE_MS = 5000;
let numberOfBoxes = 0;

/** @typedef {import('./completion.js').Words} Words */

/** @type {{words: Words, at: number, asked: Promise<Words> | null}} */
const known = {words: {words: [], services: [], annotations: [], users: [], urls: []}, at: -Infinity, asked: null};

/** Whoever asks while an answer is on its way waits for that one. @returns {Promise<Words>} */
async function freshWords() {
    if (performance.now() - known.at > WORDS_AGE_MS)
        known.asked ??= ask();
    return known.asked ?? known.words;
}

async function ask() {
    try {
        known.words = await askWords();
        known.at = performance.now();
    } catch {
        // Completion has nothing new to say then; the check says why.
    }
    known.asked = null;
    return known.words;
}

export class FilterBox {
    /**
     * @param {{value: string, apply: (expression: string) => void, announce?: (text: string) => void}} options
     *   apply: called with an expression that the server takes
     */
    constructor({value, apply, announce = () => undefined}) {
        this.applied = value;
        this.apply = apply;
        this.announce = announce;
        /** @type {import('./completion.js').Completion} */
        this.completion = {from: 0, to: 0, suggestions: []};
        this.active = -1;
        this.isHistory = false;
        this.checks = 0;
        /** Grows when the list is asked for or shut: late words open no list that nobody wants. */
        this.turn = 0;
        this.closed = false;
        /** Where the server found something wrong. @type {number | null} */
        this.marked = null;
        this.ruler = /** @type {CanvasRenderingContext2D} */ (document.createElement('canvas').getContext('2d'));
        this.build(value);
        this.checkSoon = afterPause(120, () => this.check());
        if (value)
            this.check();
    }

    /** @param {string} value */
    build(value) {
        const id = `filter-list-${++numberOfBoxes}`;
        this.input = h('input', {
            class: 'field filter-input mono', type: 'text', value, spellcheck: 'false', autocomplete: 'off',
            autocapitalize: 'off', role: 'combobox', 'aria-expanded': 'false', 'aria-controls': id,
            'aria-autocomplete': 'list', 'aria-label': 'Filter expression', 'aria-describedby': `${id}-says`,
            placeholder: 'Filter: fault, service("api"), responsetime > 0.5 …', 'data-testid': 'filter',
        });
        this.list = h('div', {class: 'completion', id, role: 'listbox', 'aria-label': 'Suggestions', hidden: true,
                              'data-testid': 'completion'});
        this.caret = h('span', {class: 'filter-caret mono', 'aria-hidden': 'true'});
        this.says = h('div', {class: 'filter-says', id: `${id}-says`, hidden: true, 'data-testid': 'filter-says'});
        this.emptied = h('button', {type: 'button', class: 'icon-button filter-clear', title: 'Clear the filter',
                                    'aria-label': 'Clear the filter', text: '✕', hidden: !value,
                                    on: {click: () => this.put('', true)}});
        this.past = h('button', {type: 'button', class: 'icon-button filter-tool', title: 'Earlier filters (↓)',
                                 'aria-label': 'Earlier filters', text: '↺',
                                 on: {click: () => this.openHistory()}});
        this.help = h('button', {type: 'button', class: 'icon-button filter-tool', title: 'The filter language',
                                 'aria-label': 'The filter language', text: 'ƒ',
                                 on: {click: () => showFilterHelp((expression) => this.put(expression, true), freshWords)}});
        this.element = h('div', {class: 'filter-box', role: 'search'},
                         h('div', {class: 'filter-field'}, this.input, this.emptied, this.past, this.help, this.list),
                         this.says);
        this.input.addEventListener('input', () => this.typed());
        this.input.addEventListener('keydown', (/** @type {KeyboardEvent} */ event) => this.key(event));
        this.input.addEventListener('focus', () => freshWords());
        this.input.addEventListener('click', () => this.suggest());
        this.input.addEventListener('scroll', () => this.place());
        this.input.addEventListener('blur', () => this.shut());
        // A click on the list must not take the focus away before it counts.
        this.list.addEventListener('pointerdown', (/** @type {Event} */ event) => event.preventDefault());
        this.list.addEventListener('click', (/** @type {any} */ event) => {
            const row = event.target.closest('[role=option]');
            if (row)
                this.take(Number(row.dataset.place));
        });
    }

    close() {
        this.closed = true;
        this.checkSoon.cancel();
    }

    focus() {
        this.input.focus();
        this.input.select();
    }

    /** Another filter is shown, such as after Back. @param {string} expression */
    show(expression) {
        if (this.applied === expression && this.input.value.trim() === expression)
            return;
        this.applied = expression;
        this.input.value = expression;
        this.check();
    }

    /** @param {string} expression @param {boolean} apply */
    put(expression, apply) {
        this.input.value = expression;
        this.shut();
        if (apply)
            this.submit();
        else
            this.typed();
    }

    typed() {
        this.isHistory = false;
        this.emptied.hidden = !this.input.value;
        this.suggest();
        this.checkSoon();
    }

    /** Asks the server what it thinks of the text. @returns {Promise<boolean>} whether it takes it */
    async check() {
        const text = this.input.value;
        const turn = ++this.checks;
        this.emptied.hidden = !text;
        if (!text.trim()) {
            this.say(null);
            return true;
        }
        let answer;
        try {
            answer = await checkFilter(text);
        } catch (error) {
            answer = {ok: false, position: -1, message: /** @type {any} */ (error).message};
        }
        if (turn === this.checks && !this.closed)
            this.say(answer);
        return answer.ok;
    }

    /** @param {any} answer of /api/filter; null: nothing to say */
    say(answer) {
        const text = this.input.value;
        this.input.setAttribute('aria-invalid', String(Boolean(answer && !answer.ok)));
        this.marked = null;
        if (answer && !answer.ok) {
            this.marked = answer.position >= 0 ? placeOfByte(text, answer.position) : null;
            fill(this.says, this.caret, h('span', {class: 'filter-error', role: 'alert', text: answer.message}));
        } else if (answer?.notes?.length) {
            fill(this.says, h('ul', {class: 'filter-notes'}, answer.notes.map((/** @type {any} */ {position, message}) =>
                h('li', {}, h('span', {class: 'pill', text: 'not portable'}), ' ', message,
                  position >= 0 ? h('span', {class: 'muted', text: ` (at ${placeOfByte(text, position)})`}) : ''))));
        } else if (answer && text.trim() !== this.applied) {
            fill(this.says, h('span', {class: 'muted'}, h('kbd', {text: '⏎'}), ' to filter'));
        } else {
            fill(this.says);
        }
        this.says.hidden = !this.says.hasChildNodes();
        this.place();
    }

    /** Puts the mark below the character that is wrong: the font has one width. */
    place() {
        const {marked} = this;
        this.caret.hidden = marked === null;
        if (marked === null)
            return;
        this.caret.textContent = '▲';
        const style = getComputedStyle(this.input);
        this.ruler.font = `${style.fontSize} ${style.fontFamily}`;
        const x = this.ruler.measureText(this.input.value.slice(0, marked)).width + parseFloat(style.paddingLeft) + 1 -
                  this.input.scrollLeft;
        this.caret.style.left = `${Math.max(0, Math.min(x, this.input.clientWidth - 8))}px`;
    }

    async submit() {
        const text = this.input.value.trim();
        this.shut();
        if (!await this.check() || this.closed || this.input.value.trim() !== text)
            return;
        if (text)
            remember('filters', [text, ...recall('filters', []).filter((old) => old !== text)].slice(0, HISTORY));
        this.applied = text;
        this.say(null);
        this.check();
        this.apply(text);
    }

    /* ---- Suggestions ---- */

    async suggest() {
        const turn = ++this.turn;
        const words = await freshWords();
        if (turn !== this.turn || document.activeElement !== this.input || this.closed)
            return; // Something else was asked for meanwhile.
        this.isHistory = false;
        this.active = -1;
        this.completion = complete(this.input.value, this.input.selectionStart ?? 0, words);
        this.drawList();
    }

    openHistory() {
        const found = recall('filters', /** @type {string[]} */ ([])).filter((text) => text !== this.input.value);
        this.input.focus();
        this.turn++;
        this.isHistory = true;
        this.active = -1;
        this.completion = {from: 0, to: this.input.value.length, suggestions: found.map((text) =>
            ({text, label: text, help: 'earlier', kind: 'history'}))};
        if (!found.length)
            this.announce('No earlier filters');
        this.drawList();
    }

    drawList() {
        const {suggestions} = this.completion;
        fill(this.list, suggestions.map(({label, help, kind}, place) =>
            h('div', {class: 'option', role: 'option', id: `${this.list.id}-${place}`, dataset: {place},
                      'aria-selected': String(place === this.active)},
              h('span', {class: 'option-label mono', text: label}),
              h('span', {class: 'option-help', text: help}),
              h('span', {class: 'option-kind', text: kind}))));
        this.list.hidden = !suggestions.length;
        this.input.setAttribute('aria-expanded', String(!this.list.hidden));
        this.point();
    }

    /** Shows which suggestion the keys have reached. */
    point() {
        [...this.list.children].forEach((row, place) => {
            row.setAttribute('aria-selected', String(place === this.active));
            if (place === this.active)
                row.scrollIntoView({block: 'nearest'});
        });
        if (this.active >= 0 && !this.list.hidden)
            this.input.setAttribute('aria-activedescendant', `${this.list.id}-${this.active}`);
        else
            this.input.removeAttribute('aria-activedescendant');
    }

    shut() {
        this.turn++;
        this.list.hidden = true;
        this.active = -1;
        this.input.setAttribute('aria-expanded', 'false');
        this.input.removeAttribute('aria-activedescendant');
    }

    /** @param {number} place */
    take(place) {
        const {from, to, suggestions} = this.completion;
        const chosen = suggestions[place];
        if (!chosen)
            return;
        if (this.isHistory) {
            this.put(chosen.text, true);
            return;
        }
        const text = this.input.value;
        this.input.value = text.slice(0, from) + chosen.text + text.slice(to);
        const cursor = from + chosen.text.length - (chosen.back ?? 0);
        this.input.focus();
        this.input.setSelectionRange(cursor, cursor);
        this.typed();
    }

    /** @param {KeyboardEvent} event */
    key(event) {
        const isOpen = !this.list.hidden;
        const count = this.completion.suggestions.length;
        if (event.isComposing)
            return;
        if (event.key === 'ArrowDown' && !isOpen) {
            this.input.value ? this.suggest() : this.openHistory();
        } else if ((event.key === 'ArrowDown' || event.key === 'ArrowUp') && isOpen) {
            const step = event.key === 'ArrowDown' ? 1 : -1;
            this.active = this.active < 0 && step < 0 ? count - 1 : (this.active + step + count) % count;
            this.point();
        } else if (event.key === 'Tab' && isOpen && !event.shiftKey && (this.active >= 0 || this.input.value)) {
            this.take(Math.max(0, this.active));
        } else if (event.key === 'Enter') {
            if (isOpen && this.active >= 0)
                this.take(this.active);
            else
                this.submit();
        } else if (event.key === 'Escape') {
            if (isOpen)
                this.shut();
            else
                this.input.blur();
        } else if (event.key === ' ' && event.ctrlKey) {
            this.suggest();
        } else {
            return;
        }
        event.preventDefault();
        event.stopPropagation();
    }
}
