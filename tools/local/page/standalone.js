// SPDX-License-Identifier: Apache-2.0
// The waterfall without a server: in an exported file the trace stands in the page, as
// {"Trace": <what /api/trace/<id> says>, "Services": <of GetTraceGraph, or null>}.
import {h} from './dom.js';
import {Keyboard} from './keyboard.js';
import {startTheme} from './theme_button.js';
import {TraceView} from './trace.js';

/** What views ask of the shell, where there is none. */
class Page {
    constructor() {
        this.offline = true;
        this.keyboard = new Keyboard();
        this.keyboard.setShell([
            {keys: ['t'], help: 'light or dark', run: () => document.getElementById('theme')?.click()},
            {keys: ['?'], help: 'this help', run: () => this.keyboard.showHelp()}]);
    }

    /** @param {string} text */
    announce(text) {
        const place = /** @type {HTMLElement} */ (document.getElementById('announcer'));
        place.textContent = text;
    }

    /** @param {string} text @param {string} [kind] */
    notify(text, kind = 'note') {
        const toast = h('div', {class: `toast ${kind}`, text});
        document.getElementById('toasts')?.append(toast);
        setTimeout(() => toast.remove(), 3500);
        this.announce(text);
    }

    /** @param {string} text */
    title(text) {
        document.title = `${text} · xraytrace`;
    }

    /** @param {string} title @param {import('./keyboard.js').Binding[]} bindings */
    keys(title, bindings) {
        this.keyboard.setView(title, bindings);
    }

    navigate() {}
}

/** @param {HTMLElement} container @param {string} text  of #trace-data */
export function start(container, text) {
    const {Trace, Services} = JSON.parse(text);
    const page = new Page();
    startTheme();
    document.getElementById('keys')?.addEventListener('click', () => page.keyboard.showHelp());
    return new TraceView(container, page, {id: Trace.Id, reply: Trace, services: Services ?? null});
}
