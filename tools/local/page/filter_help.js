// SPDX-License-Identifier: Apache-2.0
// The filter language in one dialog, with examples that run.
import {h} from './dom.js';
import {openDialog} from './keyboard.js';

/** @type {[string, string, [string, string][]][]} */
const CHAPTERS = [
    ['What became of the request', 'Words that are true or not. They speak of the root: the service that was asked.', [
        ['fault', 'it failed (5xx)'],
        ['error AND !throttle', 'the client\'s mistake, but not too many requests'],
        ['ok', 'neither, and complete'],
        ['partial', 'something is in progress, or has not come'],
    ]],
    ['Times and statuses', 'Seconds and HTTP statuses, with = != < <= > >=.', [
        ['responsetime > 0.5', 'the root took more than half a second'],
        ['duration >= 2 AND responsetime < 0.2', 'answered at once, and went on working'],
        ['http.status = 404', ''],
    ]],
    ['Texts', 'With = != CONTAINS BEGINSWITH ENDSWITH.', [
        ['http.url CONTAINS "/orders"', ''],
        ['http.method = "POST" AND http.url ENDSWITH "/pay"', ''],
        ['user', 'has any user'],
    ]],
    ['Annotations', 'What the program attached, on any segment of the trace.', [
        ['annotation.customer = "c7"', ''],
        ['annotation.items > 10', ''],
        ['!annotation.customer', 'has none'],
        ['annotation.xray_sampled = false', 'captured because of what happened'],
    ]],
    ['Services and calls', 'In braces: what is true of that service itself, or of that call.', [
        ['service("api")', 'went through it'],
        ['service("api") { fault }', 'failed there, whatever the root said'],
        ['service(id(type: "AWS::DynamoDB::Table")) { throttle }', ''],
        ['edge("shop", "billing") { responsetime > 0.3 }', 'one called the other, and waited'],
    ]],
    ['Causes', 'Where a fault, an error or the time came from.', [
        ['rootcause.fault.service { name = "billing" }', ''],
        ['rootcause.fault.exception { message CONTAINS "timeout" }', ''],
    ]],
];

/**
 * @param {(expression: string) => void} run
 * @param {() => Promise<import('./completion.js').Words>} askWords
 */
export async function showFilterHelp(run, askWords) {
    const {words} = await askWords();
    const dialog = openDialog('The filter language', [
        h('p', {class: 'muted'}, 'X-Ray\'s own filter expressions: what you write here works with ',
          h('code', {text: 'aws xray get-trace-summaries --filter-expression'}),
          ' too. Join terms with AND and OR, turn one round with !. Click an example to run it.'),
        CHAPTERS.map(([title, about, examples]) => h('section', {class: 'filter-chapter'},
            h('h3', {text: title}), h('p', {class: 'muted', text: about}),
            h('ul', {class: 'examples'}, examples.map(([text, help]) => h('li', {},
                h('button', {type: 'button', class: 'example mono', text, on: {click: () => {
                    dialog.close();
                    run(text);
                }}}), h('span', {class: 'muted', text: help})))))),
        words.length ? h('details', {class: 'filter-words'}, h('summary', {text: 'All words'}),
            h('dl', {}, words.map(({text, kind, help}) =>
                [h('dt', {class: 'mono', text}), h('dd', {}, help, ' ', h('span', {class: 'muted', text: kind})) ]))) : null,
    ], 'filter-help');
}
