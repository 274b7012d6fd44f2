// SPDX-License-Identifier: Apache-2.0
// What could stand at the cursor of a filter expression: words of the language, and the
// names, keys and values that there are in the traces.
import {quoted} from './filter_terms.js';

/**
 * @typedef {{text: string, label: string, help: string, kind: string, back?: number}} Suggestion
 *   text goes in; back: so many characters before its end the cursor is put
 * @typedef {{from: number, to: number, suggestions: Suggestion[]}} Completion
 * @typedef {{words: {text: string, kind: string, help: string}[],
 *            services: {name: string, type: string | null}[],
 *            annotations: {key: string, values: any[]}[], users: string[], urls: string[]}} Words
 */

const LIMIT = 50;
const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS'];
const OPERATORS = {
    boolean: ['=', '!='],
    number: ['>', '>=', '<', '<=', '=', '!='],
    string: ['=', '!=', 'CONTAINS', 'BEGINSWITH', 'ENDSWITH'],
};
const OPERATOR_HELP = {
    '=': 'equal', '!=': 'there, and not equal', '>': 'more than', '>=': 'at least', '<': 'less than',
    '<=': 'at most', CONTAINS: 'has the text', BEGINSWITH: 'begins with the text', ENDSWITH: 'ends with the text',
    AND: 'both', OR: 'one or both',
};
const KEY = '(annotation\\.[\\w.:/-]+|annotation\\[\\s*"?[^"\\]]+"?\\s*\\]|[A-Za-z][\\w.]*)';
const COMPARED = new RegExp(`${KEY}\\s*(?:!=|<=|>=|=|<|>|\\bcontains|\\bbeginswith|\\bendswith)\\s*$`, 'i');

/** Where the string begins that the cursor is in, or -1. @param {string} text */
function openString(text) {
    let open = -1;
    for (let place = 0; place < text.length; place++) {
        if (open >= 0 && text[place] === '\\')
            place++;
        else if (text[place] === '"')
            open = open < 0 ? place : -1;
    }
    return open;
}

/** @param {string} text @param {number} cursor in a string: the place after its end */
function endOfOpenString(text, cursor) {
    for (let place = cursor; place < text.length; place++) {
        if (text[place] === '\\')
            place++;
        else if (text[place] === '"')
            return place + 1;
        else if (/[)}\]]/.test(text[place]))
            return place; // It was never closed; what follows is not of it.
    }
    return text.length;
}

/** @param {any} value @param {string} kind @param {string} help @returns {Suggestion} */
function literal(value, kind, help) {
    const text = typeof value === 'string' ? quoted(value) : String(value);
    return {text, label: text, help, kind};
}

/** @param {Words} words @param {string} key @returns {Suggestion[]} */
function valuesOf(words, key) {
    const lower = key.toLowerCase();
    if (lower.startsWith('annotation')) {
        const name = key.replace(/^annotation(\.|\[\s*"?)/i, '').replace(/"?\s*\]$/, '');
        const found = words.annotations.find((annotation) => annotation.key === name);
        return (found?.values ?? []).map((value) => literal(value, 'value', `a value of ${name}`));
    }
    if (lower === 'http.url')
        return words.urls.map((url) => literal(url, 'value', 'URL'));
    if (lower === 'user')
        return words.users.map((user) => literal(user, 'value', 'user'));
    if (lower === 'name')
        return services(words);
    if (lower === 'type')
        return types(words);
    if (lower === 'http.method')
        return METHODS.map((method) => literal(method, 'value', ''));
    const word = words.words.find(({text}) => text.toLowerCase() === lower);
    return word?.kind === 'boolean' ? [literal(true, 'value', ''), literal(false, 'value', '')] : [];
}

/** @param {Words} words @returns {Suggestion[]} */
function services(words) {
    const names = new Map(words.services.map(({name, type}) => [name, type]));
    return [...names].map(([name, type]) => literal(name, 'service', type ?? ''));
}

/** @param {Words} words @returns {Suggestion[]} */
function types(words) {
    const found = new Set(words.services.map(({type}) => type).filter(Boolean));
    return [...found].map((type) => literal(type, 'value', 'type of a service'));
}

/** @param {Words} words @param {string} before @returns {Suggestion[] | null} strings that fit after this */
function strings(words, before) {
    if (/\bid\s*\((?:[^)]*,)?\s*name\s*:\s*$/i.test(before) || /\b(service|edge)\s*\(\s*$/i.test(before) ||
        /\bedge\s*\([^{}]*,\s*$/i.test(before))
        return services(words);
    if (/\bid\s*\((?:[^)]*,)?\s*type\s*:\s*$/i.test(before))
        return types(words);
    const compared = COMPARED.exec(before);
    if (compared)
        return valuesOf(words, compared[1]);
    if (/\bannotation\s*\[\s*$/i.test(before))
        return words.annotations.map(({key}) => literal(key, 'annotation', 'annotation'));
    return null;
}

/** A word of the language as it is put in. @param {{text: string, kind: string, help: string}} word */
function wordSuggestion(word) {
    const {kind, help} = word;
    const name = /^[a-z.]+/i.exec(word.text)?.[0] ?? word.text;
    /** @type {Suggestion} */
    const suggestion = {text: word.text, label: word.text, help, kind};
    if (name === 'service')
        Object.assign(suggestion, {text: 'service("")', label: 'service("…")', back: 2});
    else if (name === 'edge')
        Object.assign(suggestion, {text: 'edge("", "")', label: 'edge("…", "…")', back: 6});
    else if (/^annotation/.test(name))
        Object.assign(suggestion, {text: 'annotation.', label: 'annotation.…'});
    else if (name === 'rootcause.json')
        Object.assign(suggestion, {text: 'rootcause.json = #[]', label: 'rootcause.json', back: 1});
    else if (name.startsWith('rootcause.'))
        Object.assign(suggestion, {text: `${name} {  }`, back: 2});
    return suggestion;
}

/** @param {Words} words @returns {Suggestion[]} */
function keywords(words) {
    const operators = words.words.filter(({text, kind}) => kind === 'operator' && /^(not|!)$/i.test(text));
    return [...words.words.filter(({text, kind}) => kind !== 'operator' && text !== 'id('), ...operators].map(wordSuggestion);
}

/** @param {string[]} names @returns {Suggestion[]} */
function operators(names) {
    return names.map((name) => ({text: `${name} `, label: name, kind: 'operator',
                                 help: OPERATOR_HELP[/** @type {'='} */ (name)] ?? ''}));
}

/** What follows something that is whole. @param {Words} words @param {string} before */
function following(words, before) {
    const last = new RegExp(`${KEY}\\s+$`, 'i').exec(before);
    const isValue = /(?:=|<|>|\bcontains|\bbeginswith|\bendswith)\s*[^\s"]+\s+$/i.test(before);
    if (last && !isValue) {
        const lower = last[1].toLowerCase();
        if (/^(and|or|not)$/.test(lower))
            return null;
        if (lower.startsWith('annotation'))
            return operators([...new Set([...OPERATORS.string, ...OPERATORS.number, 'AND', 'OR'])]);
        const kind = words.words.find(({text}) => text.toLowerCase() === lower)?.kind;
        if (kind === 'boolean' || kind === 'number' || kind === 'string')
            return operators(kind === 'boolean' ? ['AND', 'OR', '='] : OPERATORS[kind]);
    }
    return /[)}\]"\w]\s+$/.test(before) && before.trim() ? operators(['AND', 'OR']) : null;
}

/** Those that fit what has been typed: beginnings first. @param {Suggestion[]} all @param {string} typed */
function fitting(all, typed) {
    const wanted = typed.toLowerCase().replace(/^"/, '');
    /** @param {Suggestion} item */
    const rank = ({label}) => {
        const place = label.toLowerCase().replace(/^"/, '').indexOf(wanted);
        return place < 0 ? 9 : place === 0 ? 0 : 1;
    };
    return all.map((item) => ({item, order: rank(item)})).filter(({order}) => order < 9)
        .sort((a, b) => a.order - b.order).slice(0, LIMIT).map(({item}) => item);
}

/**
 * @param {string} text @param {number} cursor @param {Words} words
 * @returns {Completion}
 */
export function complete(text, cursor, words) {
    const head = text.slice(0, cursor);
    const open = openString(head);
    if (open >= 0) {
        const found = strings(words, head.slice(0, open)) ?? [];
        return {from: open, to: endOfOpenString(text, cursor), suggestions: fitting(found, head.slice(open + 1))};
    }
    const typed = /[A-Za-z0-9_.:/-]*$/.exec(head)?.[0] ?? '';
    const before = head.slice(0, head.length - typed.length);
    const rest = /^[A-Za-z0-9_.:/-]*/.exec(text.slice(cursor))?.[0] ?? '';
    const place = {from: before.length, to: cursor + rest.length};
    const literals = strings(words, before);
    if (literals)
        return {...place, suggestions: fitting(literals, typed)};
    if (/^annotation\./i.test(typed)) {
        const keys = words.annotations.map(({key}) => ({text: `annotation.${key}`, label: `annotation.${key}`,
                                                        help: 'annotation', kind: 'annotation'}));
        return {...place, suggestions: fitting(keys, typed).filter(({text: name}) => name !== typed)};
    }
    const next = following(words, before);
    const suggestions = fitting(next && !typed ? next : [...keywords(words), ...(typed ? operators(['AND', 'OR']) : [])], typed);
    return {...place, suggestions: suggestions.filter(({text: name}) => name !== typed)};
}
