// SPDX-License-Identifier: Apache-2.0
// What to do while there is no trace yet: the lines to copy, with the address that is right.
import {sampleTrace, status} from './api.js';
import {copyButton, fill, h} from './dom.js';
import {recall, remember} from './settings.js';

/** @typedef {{host: string, udp: number, http: number, otlp: number | null}} Place */

/** @param {Place} place */
function address({host, udp}) {
    return `${host.includes(':') ? `[${host}]` : host}:${udp}`;
}

/** The line that tells a program where to send; not needed where SDKs send by default. @param {Place} place */
function exported(place) {
    return place.udp === 2000 && /^(127\.0\.0\.1|localhost)$/.test(place.host)
        ? '' : `export AWS_XRAY_DAEMON_ADDRESS=${address(place)}\n`;
}

/** @type {{name: string, files: (place: Place) => [string, string][]}[]} */
const LANGUAGES = [
    {name: 'C', files: (place) => [
        ['hello.c', `#include <xraytrace/xraytrace.h>

int main(void)
{
    xray_segment *hello = xray_begin_segment("hello");
    xray_segment *work = xray_begin_subsegment("work");
    xray_annotate(work, "answer", 42);
    xray_end(work);
    xray_end(hello);
}`],
        ['build and run', `cc hello.c $(pkg-config --cflags --libs xraytrace) -o hello
${exported(place)}XRAYTRACE_SAMPLING_RATE=1 ./hello`]]},
    {name: 'Python', files: (place) => [
        ['hello.py', `from aws_xray_sdk.core import xray_recorder

xray_recorder.configure(service='hello', sampling=False)
with xray_recorder.in_segment('hello'):
    with xray_recorder.in_subsegment('work'):
        pass`],
        ['run', `pip install aws-xray-sdk
${exported(place)}python3 hello.py`]]},
    {name: 'Node.js', files: (place) => [
        ['hello.js', `const xray = require('aws-xray-sdk-core');

const segment = new xray.Segment('hello');
segment.addNewSubsegment('work').close();
segment.close();`],
        ['run', `npm install aws-xray-sdk-core
${exported(place)}node hello.js`]]},
    {name: 'OpenTelemetry', files: (place) => [
        ['environment of the program', `export OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=http://${place.host}:${place.otlp ?? place.http}/v1/traces
export OTEL_EXPORTER_OTLP_TRACES_PROTOCOL=http/protobuf
export OTEL_SERVICE_NAME=hello`]]},
    {name: 'curl', files: (place) => [
        ['one segment', `now=$(date +%s)
curl http://${place.host}:${place.http}/TraceSegments -d '{"TraceSegmentDocuments":["{\\"name\\":\\"hello\\",\\"id\\":\\"'$(openssl rand -hex 8)'\\",\\"trace_id\\":\\"1-'$(printf %08x $now)'-'$(openssl rand -hex 12)'\\",\\"start_time\\":'$now',\\"end_time\\":'$now'.25}"]}'`]]},
];

export class EmptyPanel {
    /** @param {import('./app.js').App} app */
    constructor(app) {
        this.app = app;
        this.isBuilt = false;
        this.element = h('section', {class: 'empty', hidden: true, 'data-testid': 'empty'});
    }

    close() {
        this.element.remove();
    }

    /** @param {boolean} isWanted */
    show(isWanted) {
        this.element.hidden = !isWanted;
        if (isWanted && !this.isBuilt) {
            this.isBuilt = true;
            this.build();
        }
    }

    async build() {
        const found = await status().catch(() => null);
        /** @type {Place} */
        const place = {host: location.hostname.replace(/^\[|\]$/g, ''), http: Number(location.port) || 80,
                       udp: found?.ports?.udp ?? (Number(location.port) || 2000), otlp: found?.ports?.otlp ?? null};
        this.send = h('button', {type: 'button', class: 'button primary', text: 'Send a sample trace', 'data-testid': 'send-sample',
                                 on: {click: () => this.sample()}});
        this.tabs = h('div', {class: 'empty-tabs', role: 'tablist', 'aria-label': 'Languages'});
        this.files = h('div', {class: 'empty-files', role: 'tabpanel', id: 'empty-panel'});
        fill(this.element,
             h('h1', {text: 'Waiting for the first trace'}),
             h('p', {class: 'empty-lead'}, 'X-Ray SDKs send to ', h('code', {text: address(place)}), ' (UDP). ',
               place.udp === 2000 ? 'That is what they do by default: just run the program.'
                                  : ['Tell the program: ', h('code', {text: `AWS_XRAY_DAEMON_ADDRESS=${address(place)}`}),
                                     copyButton(() => `AWS_XRAY_DAEMON_ADDRESS=${address(place)}`)]),
             h('p', {class: 'empty-lead muted', text: 'A trace appears here by itself when its first segment arrives.'}),
             h('p', {}, this.send), this.tabs, this.files,
             h('p', {class: 'muted empty-foot'}, 'Nothing comes? ', h('a', {href: '#/status', text: 'Status'}),
               ' shows what was received, and why it could not be kept.'));
        this.choose(recall('empty.language', 'C'), place);
    }

    /** @param {string} name @param {Place} place */
    choose(name, place) {
        const chosen = LANGUAGES.find((language) => language.name === name) ?? LANGUAGES[0];
        fill(this.tabs, LANGUAGES.map((language) => h('button', {
            type: 'button', role: 'tab', class: 'empty-tab', text: language.name, 'aria-controls': 'empty-panel',
            'aria-selected': String(language === chosen), tabindex: language === chosen ? 0 : -1,
            on: {click: () => {
                remember('empty.language', language.name);
                this.choose(language.name, place);
            }, keydown: (/** @type {KeyboardEvent} */ event) => this.turn(event, chosen, place)}})));
        fill(this.files, chosen.files(place).map(([title, text]) => h('figure', {class: 'snippet'},
            h('figcaption', {}, title, copyButton(() => text)), h('pre', {tabindex: 0}, h('code', {text})))));
    }

    /** @param {KeyboardEvent} event @param {any} chosen @param {Place} place */
    turn(event, chosen, place) {
        const step = event.key === 'ArrowRight' ? 1 : event.key === 'ArrowLeft' ? -1 : 0;
        if (!step)
            return;
        event.preventDefault();
        const next = LANGUAGES[(LANGUAGES.indexOf(chosen) + step + LANGUAGES.length) % LANGUAGES.length];
        remember('empty.language', next.name);
        this.choose(next.name, place);
        this.tabs.querySelector('[aria-selected=true]').focus();
    }

    async sample() {
        this.send.disabled = true;
        try {
            await sampleTrace();
            this.app.announce('A sample trace was sent');
        } catch (error) {
            this.app.notify(/** @type {any} */ (error).message, 'problem');
        }
        this.send.disabled = false;
    }
}
