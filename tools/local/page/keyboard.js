// SPDX-License-Identifier: Apache-2.0
// Keys: those of the shell, those of the view, sequences such as "g m", and the help
// that lists them.
import {h} from './dom.js';

/**
 * @typedef {{keys: string[], help: string, run: (event: KeyboardEvent) => (boolean | void)}} Binding
 *   help '' leaves it out of the help.
 */

const NAMES = {ArrowDown: '↓', ArrowUp: '↑', ArrowLeft: '←', ArrowRight: '→', Enter: '⏎', ' ': 'space',
               Escape: 'esc'};
const SEQUENCE_MS = 1500;

/** @param {EventTarget | null} target */
function isTyping(target) {
    if (!(target instanceof HTMLElement))
        return false;
    return target.isContentEditable || target instanceof HTMLTextAreaElement ||
           target instanceof HTMLSelectElement ||
           (target instanceof HTMLInputElement && !['checkbox', 'radio', 'button', 'range'].includes(target.type));
}

/** Enter and space are a button's own. @param {KeyboardEvent} event */
function isOfTarget(event) {
    return (event.key === 'Enter' || event.key === ' ') && event.target instanceof Element &&
           event.target.closest('button, a, summary, input') !== null;
}

export class Keyboard {
    constructor() {
        /** @type {Binding[]} */
        this.shell = [];
        /** @type {Binding[]} */
        this.view = [];
        this.viewTitle = '';
        this.begun = '';
        this.begunAt = 0;
        document.addEventListener('keydown', (event) => this.press(event));
    }

    /** @param {Binding[]} bindings */
    setShell(bindings) {
        this.shell = bindings;
    }

    /** @param {string} title @param {Binding[]} bindings */
    setView(title, bindings) {
        this.viewTitle = title;
        this.view = bindings;
    }

    /** @param {KeyboardEvent} event */
    press(event) {
        if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey ||
            event.isComposing || isTyping(event.target) || isOfTarget(event) ||
            document.querySelector('dialog[open]'))
            return;
        const isSequence = this.begun && event.timeStamp - this.begunAt < SEQUENCE_MS;
        const key = isSequence ? `${this.begun} ${event.key}` : event.key;
        this.begun = '';
        for (const binding of [...this.view, ...this.shell])
            if (binding.keys.includes(key)) {
                if (binding.run(event) === false)
                    continue;
                event.preventDefault();
                return;
            }
        const begins = [...this.view, ...this.shell].some(
            ({keys}) => keys.some((name) => name.startsWith(`${event.key} `) && name.length > 2));
        if (begins) {
            this.begun = event.key;
            this.begunAt = event.timeStamp;
        }
    }

    showHelp() {
        const parts = [this.viewTitle && [this.viewTitle, this.view], ['Everywhere', this.shell]]
            .filter(Boolean).map((part) => {
                const [title, bindings] = /** @type {[string, Binding[]]} */ (part);
                return h('section', {}, h('h3', {text: title}), h('dl', {class: 'keys'},
                    bindings.filter(({help}) => help).map(({keys, help}) => [
                        h('dt', {}, keys.map((key, index) => [index ? ' or ' : '', keyCaps(key)])),
                        h('dd', {text: help})])));
            });
        openDialog('Keyboard', parts, 'keys-dialog');
    }
}

/** @param {string} key */
function keyCaps(key) {
    const caps = key === ' ' ? [' '] : key.split(' ');
    return caps.map((cap) => h('kbd', {text: NAMES[/** @type {'Enter'} */ (cap)] ?? cap}));
}

/**
 * A modal dialog with a heading and a way out; gone when closed.
 * @param {string} title
 * @param {any} content children
 * @param {string} [name] a class of its own
 * @returns {HTMLDialogElement}
 */
export function openDialog(title, content, name = '') {
    const close = h('button', {type: 'button', class: 'icon-button', 'aria-label': 'Close', text: '✕'});
    const dialog = h('dialog', {class: `dialog ${name}`, 'aria-label': title},
                     h('header', {}, h('h2', {text: title}), close), h('div', {class: 'dialog-body'}, content));
    close.addEventListener('click', () => dialog.close());
    dialog.addEventListener('click', (/** @type {MouseEvent} */ event) => {
        if (event.target === dialog)
            dialog.close(); // Only the backdrop is the dialog itself.
    });
    dialog.addEventListener('close', () => dialog.remove());
    document.body.append(dialog);
    dialog.showModal();
    return dialog;
}
