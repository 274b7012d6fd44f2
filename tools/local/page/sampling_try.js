// SPDX-License-Identifier: Apache-2.0
// "What would be decided for GET /x?": the rule that a request falls to.
import {post} from './api.js';
import {fill, h} from './dom.js';
import {oneLine, percent} from './format.js';
import {recall, remember} from './settings.js';

const FIELDS = [['HTTPMethod', 'Method', 'GET'], ['URLPath', 'Path', '/orders'], ['Host', 'Host', 'localhost'],
                ['ServiceName', 'Service name', ''], ['ServiceType', 'Service type', ''], ['ResourceARN', 'Resource ARN', '']];

/** @param {any} decision @param {string} request */
function words({RuleName, FixedRate, ReservoirSize}, request) {
    const beyond = FixedRate >= 1 ? 'and all of the rest' : FixedRate <= 0 ? 'and none of the rest' : `and ${percent(FixedRate)} of the rest`;
    return [h('b', {text: request}), ' falls to the rule ', h('b', {text: oneLine(RuleName)}), ': ',
            FixedRate >= 1 ? 'everything is sampled.'
                : ReservoirSize ? `the first ${ReservoirSize === 1 ? 'one' : ReservoirSize} of each second ${beyond} are sampled.`
                    : FixedRate <= 0 ? 'nothing is sampled.' : `${percent(FixedRate)} is sampled.`];
}

/** @param {import('./app.js').App} app */
export function tester(app) {
    const before = recall('sampling.try', /** @type {Object<string, string>} */ ({}));
    const inputs = FIELDS.map(([member, label, usual]) => {
        const input = h('input', {class: 'field', id: `try-${member}`, name: member, type: 'text', spellcheck: 'false',
                                  autocomplete: 'off', value: before[member] ?? usual});
        return {member, input, element: h('div', {class: 'form-field'}, h('label', {for: `try-${member}`, text: label}), input)};
    });
    const verdict = h('p', {class: 'verdict', role: 'status', hidden: true, 'data-testid': 'verdict'});
    const form = h('form', {class: 'tester', 'data-testid': 'tester'},
        h('div', {class: 'form'}, inputs.map(({element}) => element)),
        h('div', {}, h('button', {type: 'submit', class: 'button', text: 'What would be decided?'})), verdict);
    form.addEventListener('submit', async (/** @type {Event} */ event) => {
        event.preventDefault();
        const request = Object.fromEntries(inputs.map(({member, input}) => [member, input.value.trim()]));
        remember('sampling.try', request);
        verdict.hidden = false;
        try {
            const decision = await post('/api/sampling/try', {...request, Attributes: {}});
            verdict.className = 'verdict';
            fill(verdict, words(decision, oneLine(`${request.HTTPMethod} ${request.URLPath}`.trim() || 'Such a request')));
        } catch (error) {
            verdict.className = 'verdict bad';
            verdict.textContent = /** @type {any} */ (error).message;
            app.announce(verdict.textContent);
        }
    });
    return h('section', {class: 'card'}, h('header', {}, h('h2', {text: 'Try a request'})), form);
}
