// SPDX-License-Identifier: Apache-2.0
// The panel with the details of the selected row: its tabs, by pointer, arrows and digits.
import {fill, h} from './dom.js';
import {oneLine} from './format.js';
import {TABS} from './trace_details.js';
import {detailOf} from './tree.js';

/** @typedef {import('./tree.js').TreeNode} TreeNode */

export class Panel {
    /**
     * @param {any} app
     * @param {{select: (key: string) => void, close: () => void}} options
     */
    constructor(app, {select, close}) {
        this.app = app;
        this.select = select;
        this.tab = 'overview';
        /** @type {TreeNode | null} */
        this.node = null;
        /** @type {import('./tree.js').Tree | null} */
        this.tree = null;
        this.title = h('h2', {class: 'panel-title'});
        this.subtitle = h('p', {class: 'panel-subtitle muted'});
        this.tabs = TABS.map((tab, index) => h('button', {
            type: 'button', class: 'panel-tab', role: 'tab', id: `tab-${tab.name}`, 'aria-controls': 'panel-body',
            dataset: {tab: tab.name, testid: `tab-${tab.name}`}, title: `${tab.title} (${index + 1})`,
            on: {click: () => this.open(tab.name)}}));
        this.list = h('div', {class: 'panel-tabs', role: 'tablist', 'aria-label': 'Details',
                              on: {keydown: (/** @type {KeyboardEvent} */ event) => this.arrows(event)}}, this.tabs);
        this.body = h('div', {class: 'panel-body', role: 'tabpanel', id: 'panel-body', tabindex: '0',
                              dataset: {testid: 'panel-body'}});
        this.element = h('aside', {class: 'panel', 'aria-label': 'Details', dataset: {testid: 'panel'}},
            h('header', {class: 'panel-header'}, h('div', {class: 'panel-titles'}, this.title, this.subtitle),
              h('button', {type: 'button', class: 'icon-button', 'aria-label': 'Close the details', text: '✕',
                           on: {click: close}})),
            this.list, this.body);
    }

    /** @param {TreeNode} node @param {import('./tree.js').Tree} tree */
    show(node, tree) {
        const isSame = this.node?.key === node.key;
        this.node = node;
        this.tree = tree;
        this.draw(isSame);
    }

    /** @param {string} name */
    open(name) {
        this.tab = name;
        this.draw(false);
    }

    /** By its digit. @param {number} index */
    openAt(index) {
        if (TABS[index])
            this.open(TABS[index].name);
    }

    /** @param {boolean} keepsScroll */
    draw(keepsScroll) {
        const {node, tree} = this;
        if (!node || !tree)
            return;
        this.title.textContent = oneLine(node.name);
        this.subtitle.textContent = oneLine(detailOf(node)).slice(0, 400);
        this.tabs.forEach((button, index) => {
            const tab = TABS[index];
            const count = tab.count(node);
            const isOpen = tab.name === this.tab;
            button.setAttribute('aria-selected', String(isOpen));
            button.tabIndex = isOpen ? 0 : -1;
            button.classList.toggle('nothing', count === 0);
            fill(button, tab.title, count ? h('span', {class: 'panel-count', text: count}) : null);
        });
        const tab = /** @type {import('./trace_details.js').Tab} */ (TABS.find(({name}) => name === this.tab));
        const top = this.body.scrollTop;
        this.body.setAttribute('aria-labelledby', `tab-${tab.name}`);
        const context = {app: this.app, tree, select: this.select};
        fill(this.body, tab.count(node) === 0 ? h('p', {class: 'notice', text: `No ${EMPTY[tab.name] ?? tab.title}`})
                                              : tab.show(node, context));
        this.body.scrollTop = keepsScroll ? top : 0;
    }

    /** @param {KeyboardEvent} event */
    arrows(event) {
        const step = {ArrowRight: 1, ArrowLeft: -1}[event.key];
        if (!step)
            return;
        event.preventDefault();
        const at = TABS.findIndex(({name}) => name === this.tab);
        const next = (at + step + TABS.length) % TABS.length;
        this.openAt(next);
        this.tabs[next].focus();
    }
}

/** @type {Object<string, string>} */
const EMPTY = {resources: 'resources recorded', annotations: 'annotations', metadata: 'metadata', exceptions: 'exceptions',
               sql: 'SQL query', lint: 'findings: the cloud would take this document as it is'};
