// SPDX-License-Identifier: Apache-2.0
// One trace: its header, the waterfall with the details beside it, and its own map.
// While it is in progress it is asked for again when the server says that it changed.
import * as api from './api.js';
import {afterPause, copy, fill, h} from './dom.js';
import {oneLine} from './format.js';
import {MapFigure} from './map_figure.js';
import {headerOf, w3c} from './trace_header.js';
import {Panel} from './trace_panel.js';
import {buildTree, hasCause} from './tree.js';
import {Waterfall} from './waterfall.js';

export class TraceView {
    /**
     * @param {HTMLElement} container
     * @param {any} app  with offline: true there is no server, and reply is all there is
     * @param {{id: string, reply?: any, services?: any[] | null}} what
     */
    constructor(container, app, {id, reply, services = null}) {
        this.app = app;
        this.id = id;
        this.container = container;
        this.services = services;
        this.stop = new AbortController();
        /** @type {any} */
        this.reply = null;
        this.view = 'timeline';
        /** @type {MapFigure | null} */
        this.figure = null;
        this.waterfall = new Waterfall({
            onSelect: (node) => this.panel.show(node, this.tree),
            onOpen: () => this.showPanel(true),
        });
        this.tree = this.waterfall.tree;
        this.panel = new Panel(app, {select: (key) => this.waterfall.selectKey(key), close: () => this.showPanel(false)});
        this.header = h('header', {class: 'trace-header'});
        /** @type {HTMLElement[]} */
        this.viewButtons = [];
        this.tools = this.toolbar();
        this.stage = h('div', {class: 'trace-stage'}, this.waterfall.element, this.panel.element);
        this.mapStage = h('div', {class: 'trace-map', hidden: true});
        this.element = h('div', {class: 'trace'}, this.header, this.tools, this.stage, this.mapStage);
        this.showPanel(window.matchMedia('(min-width: 900px)').matches);
        app.keys('Trace', this.keys());
        if (reply) {
            this.receive(reply);
        } else {
            fill(container, h('p', {class: 'notice', text: 'Loading…'}));
            this.reload();
        }
        this.soon = afterPause(150, () => this.reload());
        this.onTraces = (/** @type {any} */ event) => {
            const {changed = [], changes} = event.detail ?? {};
            // The list of what changed is cut: then it may be this one.
            if (changed.includes(id) || (changes ?? changed.length) > changed.length || changed.length >= 100)
                this.soon();
        };
        app.events?.addEventListener('traces', this.onTraces);
        app.events?.addEventListener('connected', this.soon);
    }

    async reload() {
        try {
            this.receive(await api.trace(this.id, this.stop.signal));
        } catch (error) {
            const {name, message, status} = /** @type {any} */ (error);
            if (name === 'AbortError')
                return;
            if (this.reply)
                this.app.notify(message, 'problem');
            else
                fill(this.container, notFound(this.id, message, status, () => this.reload()));
        }
    }

    /** @param {any} reply */
    receive(reply) {
        const isFirst = !this.reply;
        this.reply = reply;
        this.tree = buildTree(reply);
        fill(this.header, ...headerOf(reply, this.tree, this));
        if (isFirst)
            fill(this.container, this.element);
        this.waterfall.setTree(this.tree);
        const node = this.waterfall.current();
        if (node)
            this.panel.show(node, this.tree);
        const entry = this.tree.roots[0];
        this.app.title(entry ? oneLine(entry.name) : this.id);
        if (isFirst && this.view === 'timeline')
            this.waterfall.scroller.focus({preventScroll: true});
        if (this.view === 'map')
            this.openMap();
    }

    toolbar() {
        const toggle = (/** @type {string} */ text, /** @type {string} */ title, /** @type {boolean} */ pressed,
                        /** @type {() => void} */ click, /** @type {string} */ testid) =>
            h('button', {type: 'button', class: 'button small', 'aria-pressed': String(pressed), title,
                         dataset: {testid}, on: {click}}, text);
        this.criticalButton = toggle('Critical path', 'What the end waited for (c)', false, () => this.toggleCritical(),
                                     'critical');
        this.gapsButton = toggle('Untraced time', 'Times in which no child ran (u)', true, () => this.toggleGaps(), 'gaps');
        const button = (/** @type {string} */ text, /** @type {string} */ title, /** @type {() => void} */ click) =>
            h('button', {type: 'button', class: 'button small quiet', title, on: {click}}, text);
        this.viewButtons = [
            toggle('Timeline', 'The waterfall (v)', true, () => this.setView('timeline'), 'view-timeline'),
            toggle('Map', 'The services of this trace (v)', false, () => this.setView('map'), 'view-map')];
        this.timelineTools = h('div', {class: 'trace-tools-part'},
            this.criticalButton, this.gapsButton,
            button('Collapse all', 'Only the first level (⇧C)', () => this.waterfall.collapseAll(true)),
            button('Expand all', 'Everything (⇧E)', () => this.waterfall.collapseAll(false)),
            button('Zoom to row', 'The selected row, and back (z)', () => this.waterfall.zoomToSelected()),
            button('All', 'The whole trace (0)', () => this.waterfall.resetZoom()));
        const hasMap = !this.app.offline || this.services;
        return h('div', {class: 'trace-tools', role: 'toolbar', 'aria-label': 'Timeline'},
                 hasMap && h('div', {class: 'segmented', role: 'group', 'aria-label': 'View'}, this.viewButtons),
                 this.timelineTools);
    }

    toggleCritical() {
        const on = this.waterfall.toggleCritical();
        this.criticalButton.setAttribute('aria-pressed', String(on));
        this.app.announce(on ? `Critical path: ${this.waterfall.path?.size ?? 0} rows` : 'Critical path off');
    }

    toggleGaps() {
        this.gapsButton.setAttribute('aria-pressed', String(this.waterfall.toggleGaps()));
    }

    /** @param {boolean} open */
    showPanel(open) {
        this.stage.classList.toggle('with-panel', open);
        this.panel.element.hidden = !open;
        if (!open)
            this.waterfall.scroller.focus({preventScroll: true});
    }

    /** @param {'timeline' | 'map'} view */
    setView(view) {
        if (view === 'map' && this.app.offline && !this.services)
            return;
        this.view = view;
        this.viewButtons.forEach((/** @type {HTMLElement} */ button, /** @type {number} */ index) =>
            button.setAttribute('aria-pressed', String((index === 0) === (view === 'timeline'))));
        this.stage.hidden = this.timelineTools.hidden = view === 'map';
        this.mapStage.hidden = view !== 'map';
        if (view === 'map')
            this.openMap();
        else
            this.waterfall.redraw();
    }

    async openMap() {
        try {
            const services = this.services ?? (await api.traceGraph([this.id], this.stop.signal)).Services;
            this.figure ??= new MapFigure(this.mapStage, this.app, {});
            this.figure.setServices(services, {seconds: null});
        } catch (error) {
            if (/** @type {any} */ (error).name !== 'AbortError')
                fill(this.mapStage, h('p', {class: 'failure', role: 'alert', text: /** @type {any} */ (error).message}));
        }
    }

    async togglePin() {
        const pinned = !this.reply?.Pinned;
        try {
            await api.pin(this.id, pinned);
            this.reply.Pinned = pinned;
            fill(this.header, ...headerOf(this.reply, this.tree, this));
            this.app.notify(pinned ? 'Pinned: it stays when older traces go' : 'No longer pinned');
        } catch (error) {
            this.app.notify(/** @type {any} */ (error).message, 'problem');
        }
    }

    /** @param {string} text @param {string} what */
    async copyText(text, what) {
        this.app.notify(await copy(text) ? `Copied: ${what}` : 'The browser did not let it be copied');
    }

    /** @param {(node: import('./tree.js').TreeNode) => boolean} is @param {string} none */
    find(is, none) {
        if (!this.waterfall.findNext(is))
            this.app.notify(none);
    }

    keys() {
        // Arrows belong to the tree unless the details, tabs or the map have the focus.
        const inTree = (/** @type {(event: KeyboardEvent) => void} */ run) => (/** @type {KeyboardEvent} */ event) => {
            if (this.view !== 'timeline' || (event.key.startsWith('Arrow') || event.key === 'Home' || event.key === 'End' ||
                event.key.startsWith('Page')) && this.panel.element.contains(/** @type {Node} */ (event.target)))
                return false;
            run(event);
            return true;
        };
        const {waterfall} = this;
        return [
            {keys: ['j', 'ArrowDown'], help: 'next row', run: inTree(() => waterfall.move(1))},
            {keys: ['k', 'ArrowUp'], help: 'row before', run: inTree(() => waterfall.move(-1))},
            {keys: ['ArrowRight', 'l'], help: 'expand, or to the first child', run: inTree(() => waterfall.expand())},
            {keys: ['ArrowLeft', 'h'], help: 'collapse, or to the parent', run: inTree(() => waterfall.collapse())},
            {keys: ['Home'], help: '', run: inTree(() => waterfall.select(0))},
            {keys: ['End'], help: '', run: inTree(() => waterfall.select(Infinity))},
            {keys: ['PageDown'], help: '', run: inTree(() => waterfall.move(waterfall.virtual.page()))},
            {keys: ['PageUp'], help: '', run: inTree(() => waterfall.move(-waterfall.virtual.page()))},
            {keys: ['Enter', ' '], help: 'details of the row', run: inTree(() => this.showPanel(this.panel.element.hidden))},
            {keys: ['1', '2', '3', '4', '5', '6', '7', '8'], help: 'tab of the details', run: inTree((event) => {
                this.showPanel(true);
                this.panel.openAt(Number(event.key) - 1);
            })},
            {keys: ['c'], help: 'critical path', run: inTree(() => this.toggleCritical())},
            {keys: ['u'], help: 'untraced time', run: inTree(() => this.toggleGaps())},
            {keys: ['z'], help: 'zoom to the row, and back', run: inTree(() => waterfall.zoomToSelected())},
            {keys: ['0'], help: 'the whole trace', run: inTree(() => waterfall.resetZoom())},
            {keys: ['+', '='], help: 'zoom in', run: inTree(() => waterfall.zoomBy(0.5))},
            {keys: ['-'], help: 'zoom out', run: inTree(() => waterfall.zoomBy(2))},
            {keys: ['['], help: 'earlier', run: inTree(() => waterfall.pan(-0.25))},
            {keys: [']'], help: 'later', run: inTree(() => waterfall.pan(0.25))},
            {keys: ['x'], help: 'next exception', run: inTree(() => this.find((node) => hasCause(node.document), 'No exceptions in this trace'))},
            {keys: ['n'], help: 'next row that is not ok', run: inTree(() => this.find(
                (node) => node.outcome !== 'ok' && node.kind !== 'missing', 'Everything in this trace is ok'))},
            {keys: ['C'], help: 'collapse all', run: inTree(() => waterfall.collapseAll(true))},
            {keys: ['E'], help: 'expand all', run: inTree(() => waterfall.collapseAll(false))},
            {keys: ['v'], help: 'timeline or map', run: () => this.setView(this.view === 'map' ? 'timeline' : 'map')},
            {keys: ['y'], help: 'copy the trace id', run: () => void this.copyText(this.id, 'the trace id')},
            {keys: ['Y'], help: 'copy the id in W3C form', run: () => void this.copyText(w3c(this.id), 'the id in W3C form')},
            ...(this.app.offline ? [] : [
                {keys: ['p'], help: 'pin', run: () => void this.togglePin()},
                {keys: ['Escape'], help: 'back to the list', run: () => this.app.navigate(this.app.lastList ?? '#/traces')}]),
        ];
    }

    close() {
        this.stop.abort();
        this.soon?.cancel();
        this.app.events?.removeEventListener('traces', this.onTraces);
        this.app.events?.removeEventListener('connected', this.soon);
        this.waterfall.close();
        this.figure?.close();
    }
}

/** @param {string} id @param {string} message @param {number} status @param {() => void} again */
function notFound(id, message, status, again) {
    return h('div', {class: 'notice', role: 'alert'},
             h('p', {class: 'mono', text: oneLine(id)}),
             h('p', {text: message}),
             status === 404 && h('p', {text: 'It may have given way to newer traces, or not have come yet: it is shown as soon as it does.'}),
             h('p', {}, h('button', {type: 'button', class: 'button', on: {click: again}}, 'Try again'), ' ',
               h('a', {class: 'button', href: '#/traces'}, 'All traces')));
}

/** @param {HTMLElement} container @param {Object<string, string>} params @param {any} app */
export function show(container, params, app) {
    return new TraceView(container, app, {id: params.id});
}
