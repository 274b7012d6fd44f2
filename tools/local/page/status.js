// SPDX-License-Identifier: Apache-2.0
// What the program receives, keeps and refuses, and why a trace may not be there.
import {status as ask} from './api.js';
import {fill, h} from './dom.js';
import {ago, clock, count, dateTime, duration, oneLine, percent, plural, rate, size} from './format.js';
import {hexLines} from './status_hex.js';

const REFRESH_MS = 1000;
/** Rates are over so many answers. */
const SAMPLES = 10;

/**
 * @param {HTMLElement} container
 * @param {import('./app.js').Params} params
 * @param {import('./app.js').App} app
 */
export function show(container, params, app) {
    const view = new StatusView(container, app);
    return {close: () => view.close()};
}

class StatusView {
    /** @param {HTMLElement} container @param {import('./app.js').App} app */
    constructor(container, app) {
        this.closed = false;
        /** @type {any[]} */
        this.samples = [];
        this.problem = h('div', {class: 'failure', role: 'alert', hidden: true});
        this.head = h('p', {class: 'muted', 'data-testid': 'status-head'});
        this.tiles = h('dl', {class: 'tiles'});
        /** @type {Map<string, any>} */
        this.parts = new Map();
        /** Bad datagrams whose bytes are shown. @type {Set<string>} */
        this.openHex = new Set();
        this.cards = h('div', {class: 'cards', 'data-testid': 'status'},
            h('div', {class: 'cards-line'}, h('h1', {text: 'Status'}), this.head), this.problem,
            h('section', {class: 'card'}, this.tiles));
        fill(container, this.cards);
        app.title('Status');
        this.timer = setInterval(() => this.refresh(), REFRESH_MS);
        this.refresh();
    }

    close() {
        this.closed = true;
        clearInterval(this.timer);
    }

    async refresh() {
        try {
            const answer = await ask();
            if (this.closed)
                return;
            this.problem.hidden = true;
            if (this.samples.length && answer.started !== this.samples[0].started)
                this.samples = []; // It was started again: its counts began anew.
            this.samples = [...this.samples, answer].slice(-SAMPLES);
            this.draw(answer);
        } catch (error) {
            if (this.closed)
                return;
            this.problem.hidden = false;
            this.problem.textContent = /** @type {any} */ (error).message;
        }
    }

    /** A second, over the last answers. @param {(answer: any) => number} value */
    rateOf(value) {
        const [first, last] = [this.samples[0], /** @type {any} */ (this.samples.at(-1))];
        const seconds = last.now - first.now;
        return seconds > 0 ? Math.max(0, (value(last) - value(first)) / seconds) : 0;
    }

    /** @param {any} answer */
    draw(answer) {
        const {ports} = answer;
        const places = [`UDP ${ports.udp}`, `HTTP ${ports.http}`, ports.otlp && `OTLP ${ports.otlp}`].filter(Boolean);
        this.head.textContent = `xraytrace-local ${answer.version} on ${answer.address} (${places.join(', ')}), since ` +
                                `${dateTime(answer.started)} (${duration(answer.now - answer.started)})`;
        this.drawTiles(answer);
        this.card('refused', 'Refused documents', refused(answer.refused));
        this.card('senders', 'Senders', senders(answer.senders));
        this.card('telemetry', 'Telemetry of SDKs and daemons', telemetry(answer.telemetry));
        this.card('forward', 'Forwarding', forward(answer.forward));
        this.card('tail', 'Tail sampling', tail(answer.tail));
        this.card('fail', 'Failures on purpose', answer.fail
            ? h('p', {class: 'card-note breakable', text: typeof answer.fail === 'string' ? answer.fail : JSON.stringify(answer.fail)}) : null);
        this.card('bad', 'Bad datagrams', bad(answer.bad, this.openHex));
    }

    /** @param {any} answer */
    drawTiles({counts, limits, database, database_failure: failure, refused: reasons}) {
        const total = reasons.reduce((/** @type {number} */ sum, /** @type {any} */ reason) => sum + reason.count, 0);
        const pace = this.rateOf((answer) => answer.counts.received);
        /** @param {number} value @param {number} limit */
        const share = (value, limit) => limit ? percent(value / limit) : '';
        fill(this.tiles,
             tile('Documents', rate(pace), `${count(counts.received)} received, ${count(counts.kept)} kept`),
             tile('Traces', count(counts.traces), `${share(counts.traces, limits.traces)} of ${count(limits.traces)}, ${count(counts.pinned)} pinned`),
             tile('Memory of documents', size(counts.bytes), `${share(counts.bytes, limits.bytes)} of ${size(limits.bytes)}`),
             tile('Refused', count(total), total ? 'reasons below' : 'nothing', total > 0),
             tile('Lost', count(counts.lost), counts.lost ? 'came faster than they could be read' : 'nothing', counts.lost > 0),
             tile('Left', count(counts.evicted + counts.expired),
                  `${count(counts.evicted)} for room, ${count(counts.expired)} for age (${duration(limits.age_seconds)})`),
             tile('Database', failure ? 'failed' : database ? 'on' : 'off',
                  failure ? oneLine(String(failure)) : database ? oneLine(String(database.path ?? database))
                      : 'in memory only (--db FILE keeps)', Boolean(failure)));
    }

    /**
     * A card that is there when it has something to say. Drawn anew only when that changed,
     * so that a selection of text survives.
     * @param {string} name @param {string} title @param {any} content
     */
    card(name, title, content) {
        let card = this.parts.get(name);
        if (!content) {
            card?.remove();
            this.parts.delete(name);
            return;
        }
        if (!card) {
            card = h('section', {class: 'card', 'data-testid': `status-${name}`}, h('header', {}, h('h2', {text: title})),
                     h('div', {class: 'card-scroll'}));
            this.parts.set(name, card);
            this.cards.append(card);
        }
        const place = card.lastElementChild;
        const next = h('div', {}, content);
        if (place.firstElementChild?.isEqualNode(next))
            return;
        const hold = place.contains(document.activeElement) || !(document.getSelection()?.isCollapsed ?? true);
        if (!hold)
            fill(place, next);
    }
}

/** @param {string} title @param {string} value @param {string} more @param {boolean} [isBad] */
function tile(title, value, more, isBad = false) {
    return h('div', {class: isBad ? 'tile bad' : 'tile'}, h('dt', {text: title}), h('dd', {}, value, h('small', {text: more})));
}

/** @param {[string, boolean?][]} heads title, and whether it is a number @param {any[][]} rows */
function table(heads, rows) {
    return h('table', {class: 'table'},
        h('thead', {}, h('tr', {}, heads.map(([text, isNumber]) => h('th', {scope: 'col', text, class: isNumber ? 'number' : ''})))),
        h('tbody', {}, rows.map((cells) => h('tr', {}, cells.map((cell, place) =>
            h('td', {class: heads[place][1] ? 'number' : 'breakable'}, cell))))));
}

/** @param {string} text */
function note(text) {
    return h('p', {class: 'card-note', text});
}

/** @param {any[] | undefined} reasons */
function refused(reasons) {
    return reasons?.length ? table([['Reason'], ['Documents', true]],
        reasons.map(({reason, text, count: number}) => [oneLine(String(text ?? reason)), count(number)]))
        : note('None: everything that came could be kept.');
}

/** @param {any[] | undefined} list */
function senders(list) {
    return list?.length ? table([['Address'], ['Documents', true], ['Refused', true], ['Last']], list.map((sender) => [
        h('span', {class: 'mono', text: oneLine(sender.address)}), count(sender.documents),
        sender.refused ? h('span', {class: 'text-fault', text: count(sender.refused)}) : '0', ago(sender.last)]))
        : note('Nobody has sent anything yet.');
}

/** @param {any[] | undefined} records */
function telemetry(records) {
    return records?.length ? table([['Time'], ['Host'], ['Received', true], ['Sent', true], ['Spilled over', true], ['Rejected', true]],
        records.map((record) => [clock(record.time), oneLine(record.hostname ?? ''), count(record.received), count(record.sent),
            record.spillover ? h('span', {class: 'text-error', text: count(record.spillover)}) : '0',
            record.rejected ? h('span', {class: 'text-fault', text: count(record.rejected)}) : '0'])) : null;
}

/** @param {any} state */
function forward(state) {
    return state ? table([['To'], ['Sent', true], ['Failed', true]], [[h('span', {class: 'mono', text: oneLine(state.target)}), count(state.sent),
        state.failed ? h('span', {class: 'text-fault', text: count(state.failed)}) : '0']]) : null;
}

/** @param {any} state */
function tail(state) {
    return state ? table([['Waiting', true], ['Kept', true], ['Dropped', true], ['Memory', true]],
        [[plural(state.buffered, 'trace'), count(state.kept), count(state.dropped), size(state.bytes)]]) : null;
}

/** @param {any[] | undefined} list @param {Set<string>} open those whose bytes are shown */
function bad(list, open) {
    return list?.length ? h('div', {}, list.map((datagram) => {
        const key = `${datagram.time} ${datagram.sender}`;
        const details = h('details', {class: 'bad-datagram', open: open.has(key)},
            h('summary', {}, h('span', {class: 'mono', text: clock(datagram.time)}), ' ',
              h('span', {class: 'mono', text: oneLine(datagram.sender)}), ' ',
              h('span', {class: 'text-fault', text: oneLine(datagram.reason)}), ' ',
              h('span', {class: 'muted', text: size(datagram.bytes)})),
            h('pre', {class: 'hex', text: hexLines(datagram.hex, datagram.bytes)}));
        details.addEventListener('toggle', () => details.open ? open.add(key) : open.delete(key));
        return details;
    })) : note('None. The last hundred would be here, with their bytes.');
}
