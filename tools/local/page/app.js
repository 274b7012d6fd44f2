// SPDX-License-Identifier: Apache-2.0
// The shell: which view is shown, what the server tells as it happens, keys that work
// everywhere, and the theme. Views are modules with show(container, params, app).
import {fill, h} from './dom.js';
import {startEvents} from './events.js';
import {Keyboard} from './keyboard.js';
import {startTheme} from './theme_button.js';

/**
 * @typedef {Object<string, string>} Params  what the hash says: id, filter, since, a, b …
 * @typedef {{close(): void, update?(params: Params): void}} View
 *   update, if there is one, gets the parameters when only they have changed.
 * @typedef {{show(container: HTMLElement, params: Params, app: App): View}} ViewModule
 */

/** @type {{pattern: RegExp, names: string[], view: string, load: () => Promise<ViewModule>}[]} */
const routes = [
    {pattern: /^\/traces\/([^/]+)$/, names: ['id'], view: 'traces', load: () => import('./trace.js')},
    {pattern: /^\/traces$/, names: [], view: 'traces', load: () => import('./list.js')},
    {pattern: /^\/map$/, names: [], view: 'map', load: () => import('./map.js')},
    {pattern: /^\/compare$/, names: [], view: 'traces', load: () => import('./compare.js')},
    {pattern: /^\/sampling$/, names: [], view: 'sampling', load: () => import('./sampling.js')},
    {pattern: /^\/status$/, names: [], view: 'status', load: () => import('./status.js')},
];

/** What views may ask of the shell. */
export class App {
    constructor() {
        /** Gets `traces` (detail: changes, traces, documents, changed), `connected`, `lost`. */
        this.events = new EventTarget();
        this.keyboard = new Keyboard();
        /** Where to come back to: the list as it was last seen. */
        this.lastList = '#/traces';
        /** @type {View | null} */
        this.view = null;
        /** @type {any} */
        this.route = null;
        this.visit = 0;
    }

    /**
     * Goes to a place such as `#/traces/1-…`.
     * @param {string} hash
     * @param {{replace?: boolean}} [options] replace: no entry of its own in the history
     */
    navigate(hash, {replace = false} = {}) {
        if (hash === location.hash)
            return;
        if (replace) {
            history.replaceState(null, '', hash);
            this.open();
        } else {
            location.hash = hash;
        }
    }

    /** Has a screen reader say it. @param {string} text */
    announce(text) {
        const place = /** @type {HTMLElement} */ (document.getElementById('announcer'));
        place.textContent = '';
        requestAnimationFrame(() => (place.textContent = text));
    }

    /**
     * The same, and seen for some seconds at the edge of the page.
     * @param {string} text
     * @param {'note' | 'problem'} [kind]
     */
    notify(text, kind = 'note') {
        const toast = h('div', {class: `toast ${kind}`, text});
        document.getElementById('toasts')?.append(toast);
        setTimeout(() => toast.remove(), kind === 'problem' ? 8000 : 3500);
        this.announce(text);
    }

    /** @param {string} text */
    title(text) {
        document.title = text ? `${text} · xraytrace` : 'xraytrace';
    }

    /**
     * Keys of the view that is shown; they go with it.
     * keys('Trace', [{keys: ['j', 'ArrowDown'], help: 'next row', run: () => …}])
     * A key may be a sequence: 'g m'. run may return false: then the key was not for it.
     * @param {string} title
     * @param {import('./keyboard.js').Binding[]} bindings
     */
    keys(title, bindings) {
        this.keyboard.setView(title, bindings);
    }

    /** Shows what the hash names. */
    async open() {
        const [path, search] = (location.hash.slice(1) || '/traces').split(/\?(.*)/s);
        const route = routes.find(({pattern}) => pattern.test(path));
        if (!route) {
            this.navigate('#/traces', {replace: true});
            return;
        }
        /** @type {Params} */
        const params = Object.fromEntries(new URLSearchParams(search ?? ''));
        const found = /** @type {RegExpExecArray} */ (route.pattern.exec(path));
        route.names.forEach((name, index) => (params[name] = safeDecode(found[index + 1])));
        if (path === '/traces')
            this.lastList = location.hash || '#/traces';
        if (this.view?.update && this.route === route && !route.names.length) {
            this.view.update(params);
            return;
        }
        const visit = ++this.visit;
        this.close();
        markTab(route.view);
        const main = /** @type {HTMLElement} */ (document.getElementById('main'));
        try {
            const module = await route.load();
            if (visit !== this.visit)
                return; // Another place was asked for meanwhile.
            fill(main);
            main.className = `view view-${path.split('/')[1]}${params.id ? '-one' : ''}`;
            this.route = route;
            this.view = module.show(main, params, this);
        } catch (error) {
            console.error(error);
            fill(main, h('p', {class: 'failure', role: 'alert'},
                         `This view could not be shown: ${/** @type {any} */ (error)?.message}`));
        }
    }

    close() {
        this.keyboard.setView('', []);
        try {
            this.view?.close();
        } finally {
            this.view = null;
            this.route = null;
        }
    }
}

/** @param {string} text */
function safeDecode(text) {
    try {
        return decodeURIComponent(text);
    } catch {
        return text;
    }
}

/** @param {string} view */
function markTab(view) {
    for (const tab of document.querySelectorAll('.tabs a'))
        if (/** @type {HTMLElement} */ (tab).dataset.view === view)
            tab.setAttribute('aria-current', 'page');
        else
            tab.removeAttribute('aria-current');
}

/** @param {App} app */
function shellKeys(app) {
    app.keyboard.setShell([
        {keys: ['g t'], help: 'traces', run: () => app.navigate(app.lastList)},
        {keys: ['g m'], help: 'service map', run: () => app.navigate('#/map')},
        {keys: ['g r'], help: 'sampling rules', run: () => app.navigate('#/sampling')},
        {keys: ['g s'], help: 'status', run: () => app.navigate('#/status')},
        {keys: ['t'], help: 'light or dark', run: () => document.getElementById('theme')?.click()},
        {keys: ['?'], help: 'this help', run: () => app.keyboard.showHelp()},
    ]);
    document.getElementById('keys')?.addEventListener('click', () => app.keyboard.showHelp());
    document.getElementById('skip')?.addEventListener('click', (event) => {
        event.preventDefault(); // The hash names the view and must stay.
        document.getElementById('main')?.focus();
    });
}

function start() {
    const app = new App();
    startTheme();
    shellKeys(app);
    startEvents(app.events);
    window.addEventListener('hashchange', () => app.open());
    app.open();
}

start();
