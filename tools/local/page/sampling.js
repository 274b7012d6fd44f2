// SPDX-License-Identifier: Apache-2.0
// Sampling rules with what each client makes of them, as they are now; they can be
// changed, tried and boosted.
import {get, post} from './api.js';
import {fill, h} from './dom.js';
import {ago, count, oneLine, percent, plural} from './format.js';
import {openDialog} from './keyboard.js';
import {editRule} from './sampling_form.js';
import {tester} from './sampling_try.js';

const REFRESH_MS = 2000;
const MATCHES = [['ServiceName', 'service'], ['ServiceType', 'type'], ['Host', 'host'], ['HTTPMethod', 'method'],
                 ['URLPath', 'path'], ['ResourceARN', 'resource']];

/**
 * @param {HTMLElement} container
 * @param {import('./app.js').Params} params
 * @param {import('./app.js').App} app
 */
export function show(container, params, app) {
    const view = new SamplingView(container, app);
    return {close: () => view.close()};
}

class SamplingView {
    /** @param {HTMLElement} container @param {import('./app.js').App} app */
    constructor(container, app) {
        this.app = app;
        this.closed = false;
        this.turn = 0;
        /** @type {any[]} */
        this.rules = [];
        /** @type {Map<string, any>} */
        this.clients = new Map();
        this.body = h('tbody', {'data-testid': 'rules'});
        this.problem = h('div', {class: 'failure', role: 'alert', hidden: true});
        this.summary = h('span', {class: 'muted'});
        fill(container, h('div', {class: 'cards'},
            h('div', {class: 'cards-line'}, h('h1', {text: 'Sampling'}), this.summary,
              h('button', {type: 'button', class: 'button primary', text: 'New rule', 'data-testid': 'new-rule',
                           on: {click: () => this.edit(null)}})),
            this.problem,
            h('section', {class: 'card'}, h('div', {class: 'card-scroll'}, h('table', {class: 'table'},
                h('thead', {}, h('tr', {}, ['Priority', 'Rule', 'Reservoir', 'Rate', 'Matches', 'Requests', 'Sampled', 'Borrowed', '']
                    .map((text, place) => h('th', {scope: 'col', text, class: [0, 2, 3, 5, 6, 7].includes(place) ? 'number' : ''})))),
                this.body))),
            tester(app)));
        this.timer = setInterval(() => this.refresh(), REFRESH_MS);
        app.title('Sampling');
        app.keys('Sampling', [
            {keys: ['n'], help: 'new rule', run: () => this.edit(null)},
            {keys: ['/'], help: 'try a request', run: () => /** @type {any} */ (container.querySelector('.tester input'))?.focus()},
        ]);
        this.refresh();
    }

    close() {
        this.closed = true;
        clearInterval(this.timer);
    }

    async refresh() {
        const turn = ++this.turn;
        try {
            const rules = await allRules();
            if (this.closed || turn !== this.turn)
                return;
            this.rules = rules;
            this.draw();
            const live = await get('/api/sampling');
            if (this.closed || turn !== this.turn)
                return;
            this.clients = new Map(live.rules.map((/** @type {any} */ rule) => [rule.RuleName, rule]));
            this.problem.hidden = true;
            this.draw();
        } catch (error) {
            if (this.closed)
                return;
            this.problem.hidden = false;
            this.problem.textContent = /** @type {any} */ (error).message;
        }
    }

    draw() {
        const clients = new Set([...this.clients.values()].flatMap((rule) =>
            rule.clients.map((/** @type {any} */ {ClientID}) => ClientID)));
        this.summary.textContent = `${plural(this.rules.length, 'rule')}, ${plural(clients.size, 'client')} reporting. ` +
                                   'Programs hear of changes with their next report, after ten seconds at most.';
        // Whoever has the focus on a button keeps it over a refresh.
        const focused = /** @type {HTMLElement | null} */ (document.activeElement)?.dataset?.focus;
        fill(this.body, this.rules.map((rule) => this.rows(rule)));
        if (focused)
            this.body.querySelector(`[data-focus="${CSS.escape(focused)}"]`)?.focus();
    }

    /** @param {any} rule */
    rows(rule) {
        const {clients = [], boost = null} = this.clients.get(rule.RuleName) ?? {};
        /** @param {string} name */
        const sum = (name) => clients.reduce((/** @type {number} */ total, /** @type {any} */ client) => total + client[name], 0);
        return [
            h('tr', {class: clients.length ? 'rule-row' : '', 'data-rule': rule.RuleName},
              h('td', {class: 'number', text: rule.Priority}),
              h('td', {class: 'breakable'}, h('b', {text: oneLine(rule.RuleName)}), boostMark(boost)),
              h('td', {class: 'number', text: `${rule.ReservoirSize}/s`}),
              h('td', {class: 'number', text: percent(rule.FixedRate)}),
              h('td', {}, matches(rule)),
              h('td', {class: 'number', text: count(sum('RequestCount'))}),
              h('td', {class: 'number', text: count(sum('SampledCount'))}),
              h('td', {class: 'number', text: count(sum('BorrowCount'))}),
              h('td', {}, this.actions(rule))),
            clients.length ? h('tr', {class: 'rule-clients'}, h('td', {colspan: 9}, clientTable(clients))) : null,
        ];
    }

    /** @param {any} rule */
    actions(rule) {
        const name = oneLine(rule.RuleName);
        /** @param {string} text @param {string} label @param {() => void} click @param {string} kind */
        const button = (text, label, click, kind = '') =>
            h('button', {type: 'button', class: `button small ${kind}`, text, 'aria-label': `${label} ${name}`,
                         dataset: {focus: `${text} ${rule.RuleName}`}, on: {click}});
        return h('div', {class: 'rule-actions'},
            rule.SamplingRateBoost ? button('Boost', 'Boost', () => this.boost(rule)) : null,
            button('Edit', 'Edit', () => this.edit(rule)),
            rule.RuleName === 'Default' ? null : button('Delete', 'Delete', () => this.remove(rule), 'danger'));
    }

    /** @param {any} rule null: a new one */
    edit(rule) {
        editRule(rule, (/** @type {string} */ text) => {
            this.app.notify(text);
            this.refresh();
        });
    }

    /** @param {any} rule */
    async boost(rule) {
        try {
            await post('/api/sampling/boost', {RuleName: rule.RuleName});
            this.app.notify(`${oneLine(rule.RuleName)} is boosted; its clients hear of it with their next report`);
        } catch (error) {
            this.app.notify(/** @type {any} */ (error).message, 'problem');
        }
        this.refresh();
    }

    /** @param {any} rule */
    remove(rule) {
        const dialog = openDialog('Delete the rule?', [
            h('p', {class: 'breakable'}, h('b', {text: oneLine(rule.RuleName)}),
              ' goes, and what it matched falls to the rules after it.'),
            h('div', {class: 'dialog-actions'},
              h('button', {type: 'button', class: 'button', text: 'Keep it', on: {click: () => dialog.close()}}),
              h('button', {type: 'button', class: 'button danger', text: 'Delete', on: {click: async () => {
                  dialog.close();
                  try {
                      await post('/DeleteSamplingRule', {RuleName: rule.RuleName});
                      this.app.notify(`${oneLine(rule.RuleName)} is deleted`);
                  } catch (error) {
                      this.app.notify(/** @type {any} */ (error).message, 'problem');
                  }
                  this.refresh();
              }}}))]);
    }
}

/** By priority, and by name where that is the same: the order they are tried in. */
async function allRules() {
    const rules = [];
    /** @type {string | undefined} */
    let token;
    do {
        const reply = await post('/GetSamplingRules', token ? {NextToken: token} : {});
        rules.push(...reply.SamplingRuleRecords.map((/** @type {any} */ record) => record.SamplingRule));
        token = reply.NextToken;
    } while (token);
    return rules.sort((a, b) => a.Priority - b.Priority || (a.RuleName < b.RuleName ? -1 : 1));
}

/** @param {any} boost */
function boostMark(boost) {
    const left = boost ? boost.until - Date.now() / 1000 : 0;
    return left > 0 ? [' ', h('span', {class: 'pill accent', text: `boost ${percent(boost.rate)}, ${Math.ceil(left)} s left`})] : null;
}

/** What is not a star. @param {any} rule */
function matches(rule) {
    const found = MATCHES.filter(([member]) => rule[member] && rule[member] !== '*').map(([member, name]) => [name, rule[member]]);
    found.push(...Object.entries(rule.Attributes ?? {}).map(([key, value]) => [key, String(value)]));
    return found.length ? h('div', {class: 'rule-match'}, found.map(([name, value]) =>
        h('span', {}, h('span', {class: 'muted', text: `${oneLine(name)} `}), h('span', {class: 'mono', text: oneLine(value)}))))
        : h('span', {class: 'muted', text: 'everything'});
}

/** @param {any[]} clients */
function clientTable(clients) {
    return h('table', {class: 'table clients'},
        h('thead', {}, h('tr', {}, ['Client', 'Requests', 'Sampled', 'Borrowed', 'Quota', 'Last report'].map((text, place) =>
            h('th', {scope: 'col', text, class: place >= 1 && place <= 4 ? 'number' : ''})))),
        h('tbody', {}, clients.map((client) => h('tr', {},
            h('td', {class: 'mono', text: oneLine(client.ClientID)}),
            h('td', {class: 'number', text: count(client.RequestCount)}),
            h('td', {class: 'number', text: count(client.SampledCount)}),
            h('td', {class: 'number', text: count(client.BorrowCount)}),
            h('td', {class: 'number', text: client.ReservoirQuota ?? '–'}),
            h('td', {text: ago(client.last)})))));
}
