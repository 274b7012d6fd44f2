// SPDX-License-Identifier: Apache-2.0
// The dialog in which a sampling rule is made or changed. What is wrong is said at its
// field; the server has the last word.
import {post} from './api.js';
import {h} from './dom.js';
import {oneLine} from './format.js';
import {openDialog} from './keyboard.js';

/**
 * @typedef {{member: string, label: string, help: string, kind: 'text' | 'number', usual: any,
 *            check: (value: any) => string}} Field
 */

/** @param {number} most @returns {(value: string) => string} */
function text(most) {
    return (value) => !value ? 'must not be empty; * matches everything'
                    : value.length > most ? `at most ${most} characters` : '';
}

/** @param {number} low @param {number} high @returns {(value: number) => string} */
function whole(low, high) {
    return (value) => Number.isInteger(value) && value >= low && value <= high ? '' : `a whole number from ${low} to ${high}`;
}

/** @type {Field[]} */
const FIELDS = [
    {member: 'RuleName', label: 'Name', help: '', kind: 'text', usual: '',
     check: (value) => !value ? 'a rule needs a name' : value.length > 32 ? 'at most 32 characters' : ''},
    {member: 'Priority', label: 'Priority', help: '1 is tried first', kind: 'number', usual: 1000, check: whole(1, 9999)},
    {member: 'ReservoirSize', label: 'Reservoir', help: 'traces a second, before the rate counts', kind: 'number', usual: 1,
     check: whole(0, 2147483647)},
    {member: 'FixedRate', label: 'Rate', help: '0 to 1, of what is beyond the reservoir', kind: 'number', usual: 0.05,
     check: (value) => value >= 0 && value <= 1 ? '' : 'a number from 0 to 1'},
    {member: 'ServiceName', label: 'Service name', help: '* and ? are wildcards', kind: 'text', usual: '*', check: text(64)},
    {member: 'ServiceType', label: 'Service type', help: 'such as AWS::EC2::Instance', kind: 'text', usual: '*', check: text(64)},
    {member: 'Host', label: 'Host', help: 'of the request', kind: 'text', usual: '*', check: text(64)},
    {member: 'HTTPMethod', label: 'Method', help: '', kind: 'text', usual: '*', check: text(10)},
    {member: 'URLPath', label: 'Path', help: 'of the URL', kind: 'text', usual: '*', check: text(128)},
    {member: 'ResourceARN', label: 'Resource ARN', help: '', kind: 'text', usual: '*', check: text(500)},
];
/** Of the rule Default only these can be changed. */
const OF_DEFAULT = ['ReservoirSize', 'FixedRate'];

/**
 * @param {any} rule null: a new one
 * @param {(text: string) => void} done
 */
export function editRule(rule, done) {
    const isDefault = rule?.RuleName === 'Default';
    const fields = FIELDS.filter(({member}) => (!rule || member !== 'RuleName') && (!isDefault || OF_DEFAULT.includes(member)))
        .map((field) => formField(field, rule ? rule[field.member] : field.usual));
    const attributes = isDefault ? null : attributesField(rule?.Attributes ?? {});
    const boost = isDefault ? null : boostFields(rule?.SamplingRateBoost ?? null);
    const problem = h('p', {class: 'form-error', role: 'alert', hidden: true, 'data-testid': 'rule-problem'});
    const form = h('form', {'data-testid': 'rule-form', novalidate: true},
        h('div', {class: 'form'}, fields.map(({element}) => element), attributes?.element, boost?.elements),
        problem,
        h('div', {class: 'dialog-actions'},
          h('button', {type: 'button', class: 'button', text: 'Cancel', on: {click: () => dialog.close()}}),
          h('button', {type: 'submit', class: 'button primary', text: rule ? 'Save' : 'Create'})));
    const dialog = openDialog(rule ? `Rule ${oneLine(rule.RuleName)}` : 'New rule', form);
    form.addEventListener('submit', async (/** @type {Event} */ event) => {
        event.preventDefault();
        const parts = [...fields, ...(attributes ? [attributes] : []), ...(boost ? [boost] : [])];
        const wrong = parts.filter((part) => !part.check());
        problem.hidden = true;
        if (wrong.length) {
            wrong[0].focus();
            return;
        }
        const values = Object.assign({}, ...parts.map((part) => part.value()));
        try {
            await send(rule, values);
            dialog.close();
            done(`${oneLine(rule?.RuleName ?? values.RuleName)} is ${rule ? 'saved' : 'created'}`);
        } catch (error) {
            problem.hidden = false;
            problem.textContent = /** @type {any} */ (error).message;
        }
    });
    fields[0].focus();
}

/** @param {any} rule @param {any} values */
function send(rule, values) {
    return rule ? post('/UpdateSamplingRule', {SamplingRuleUpdate: {RuleName: rule.RuleName, ...values}})
                : post('/CreateSamplingRule', {SamplingRule: {...values, Version: 1}});
}

/** @param {Field} field @param {any} initial */
function formField({member, label, help, kind, check}, initial) {
    const id = `rule-${member}`;
    const input = h('input', {class: 'field', id, name: member, type: 'text', value: String(initial ?? ''), spellcheck: 'false',
                              autocomplete: 'off', inputmode: kind === 'number' ? 'decimal' : 'text',
                              'aria-describedby': `${id}-help ${id}-error`});
    const error = h('span', {class: 'form-error', id: `${id}-error`, role: 'alert', hidden: true});
    const read = () => kind === 'number' ? (input.value.trim() ? Number(input.value) : NaN) : input.value.trim();
    const test = () => {
        const wrong = check(read());
        input.setAttribute('aria-invalid', String(Boolean(wrong)));
        error.hidden = !wrong;
        error.textContent = wrong;
        return !wrong;
    };
    input.addEventListener('change', test);
    return {
        element: h('div', {class: 'form-field'}, h('label', {for: id, text: label}), input,
                   help ? h('span', {class: 'form-help', id: `${id}-help`, text: help}) : null, error),
        check: test, focus: () => input.focus(), value: () => ({[member]: read()}),
    };
}

/** @param {Object<string, string>} initial */
function attributesField(initial) {
    const input = h('textarea', {class: 'field mono', id: 'rule-Attributes', rows: 2, spellcheck: 'false',
                                 'aria-describedby': 'rule-Attributes-error',
                                 value: Object.entries(initial).map(([key, value]) => `${key}=${value}`).join('\n')});
    const error = h('span', {class: 'form-error', id: 'rule-Attributes-error', role: 'alert', hidden: true});
    const pairs = () => input.value.split('\n').map((/** @type {string} */ line) => line.trim()).filter(Boolean)
        .map((/** @type {string} */ line) => line.split(/=(.*)/s).slice(0, 2).map((part) => part.trim()));
    return {
        element: h('div', {class: 'form-field wide'}, h('label', {for: 'rule-Attributes', text: 'Attributes'}), input,
                   h('span', {class: 'form-help', text: 'key=value, one a line, at most five'}), error),
        check: () => {
            const found = pairs();
            const wrong = found.length > 5 ? 'at most five'
                : found.some((/** @type {string[]} */ [key, value]) => !key || !value || key.length > 32 || value.length > 32)
                    ? 'key=value, each of 1 to 32 characters' : '';
            error.hidden = !wrong;
            error.textContent = wrong;
            return !wrong;
        },
        focus: () => input.focus(),
        value: () => ({Attributes: Object.fromEntries(pairs())}),
    };
}

/** @param {any} initial */
function boostFields(initial) {
    const max = formField({member: 'MaxRate', label: 'Boost up to', help: 'rate when things go wrong; empty: no boost', kind: 'text',
                           usual: '', check: (value) => value === '' || (Number(value) >= 0 && Number(value) <= 1) ? '' : 'a number from 0 to 1'},
                          initial?.MaxRate ?? '');
    const cooldown = formField({member: 'CooldownWindowMinutes', label: 'Boost again after', help: 'minutes', kind: 'number', usual: 10,
                                check: whole(1, 10080)}, initial?.CooldownWindowMinutes ?? 10);
    return {
        elements: [max.element, cooldown.element],
        check: () => [max.check(), cooldown.check()].every(Boolean),
        focus: () => max.focus(),
        value: () => {
            const rate = max.value().MaxRate;
            return rate === '' ? {} : {SamplingRateBoost: {MaxRate: Number(rate), ...cooldown.value()}};
        },
    };
}
