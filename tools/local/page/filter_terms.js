// SPDX-License-Identifier: Apache-2.0
// A filter expression as terms joined by AND, so that a chip or a drag can add and take
// away one of them and leave what else is written there as it is.

const OPENING = '([{';
const CLOSING = ')]}';

/**
 * The end of a string that begins at `start` with a quote.
 * @param {string} text @param {number} start
 */
function endOfString(text, start) {
    for (let place = start + 1; place < text.length; place++) {
        if (text[place] === '\\')
            place++;
        else if (text[place] === '"')
            return place + 1;
    }
    return text.length;
}

/**
 * Cuts at AND (and &&) outside of brackets and strings.
 * @param {string} text
 * @returns {{terms: string[], hasOr: boolean}}
 */
function cut(text) {
    const terms = [];
    let hasOr = false;
    let depth = 0;
    let begin = 0;
    let place = 0;
    while (place < text.length) {
        const character = text[place];
        if (character === '"') {
            place = endOfString(text, place);
            continue;
        }
        if (OPENING.includes(character))
            depth++;
        else if (CLOSING.includes(character))
            depth--;
        const word = depth === 0 ? /^(and\b|or\b|&&|\|\|)/i.exec(text.slice(place, place + 4)) : null;
        const isWhole = word && (/^\W/.test(word[0]) || !/[\w.:/-]/.test(text[place - 1] ?? ' '));
        if (word && isWhole) {
            if (/^(or|\|\|)$/i.test(word[0])) {
                hasOr = true;
            } else {
                terms.push(text.slice(begin, place).trim());
                begin = place + word[0].length;
            }
            place += word[0].length;
            continue;
        }
        place++;
    }
    terms.push(text.slice(begin).trim());
    return {terms: terms.filter(Boolean), hasOr};
}

/** Blanks outside of strings don't matter. @param {string} term */
function spelling(term) {
    let result = '';
    for (let place = 0; place < term.length;) {
        if (term[place] === '"') {
            const end = endOfString(term, place);
            result += term.slice(place, end);
            place = end;
        } else {
            result += term[place].trim().toLowerCase();
            place++;
        }
    }
    return result;
}

/**
 * The terms; one if there is an OR at the top.
 * @param {string} expression
 * @returns {string[]}
 */
export function termsOf(expression) {
    const {terms, hasOr} = cut(expression);
    return hasOr ? [expression.trim()] : terms;
}

/** @param {string} expression @param {string} term */
export function hasTerm(expression, term) {
    const wanted = spelling(term);
    return termsOf(expression).some((found) => spelling(found) === wanted);
}

/** Both. @param {string} expression @param {string} term */
export function addTerm(expression, term) {
    const text = expression.trim();
    if (!text || !term)
        return text || term;
    if (hasTerm(text, term))
        return text;
    return `${cut(text).hasOr ? `(${text})` : text} AND ${term}`;
}

/** @param {string} expression @param {(term: string) => boolean} isUnwanted */
export function withoutTerms(expression, isUnwanted) {
    const {terms, hasOr} = cut(expression);
    return hasOr || !terms.some(isUnwanted) ? expression.trim()
                                            : terms.filter((term) => !isUnwanted(term)).join(' AND ');
}

/** @param {string} expression @param {string} term */
export function toggleTerm(expression, term) {
    const unwanted = spelling(term);
    return hasTerm(expression, term) ? withoutTerms(expression, (found) => spelling(found) === unwanted)
                                     : addTerm(expression, term);
}

const BOUND = /^responsetime\s*(<=|>=|<|>)\s*([0-9.]+(?:e[-+]?[0-9]+)?)$/i;

/**
 * The range of response times that the filter's own terms leave.
 * @param {string} expression
 * @returns {{from: number | null, to: number | null}}
 */
export function responseTimes(expression) {
    /** @type {{from: number | null, to: number | null}} */
    const range = {from: null, to: null};
    for (const term of termsOf(expression)) {
        const found = BOUND.exec(term);
        if (found)
            range[found[1][0] === '>' ? 'from' : 'to'] = Number(found[2]);
    }
    return range;
}

/** Seconds without an exponent and without digits that mean nothing. @param {number} seconds */
function seconds(seconds) {
    return String(Number(seconds.toPrecision(4)).toFixed(9)).replace(/\.?0+$/, '') || '0';
}

/**
 * The filter with this range and no other; null: no bound.
 * @param {string} expression @param {number | null} from @param {number | null} to
 */
export function withResponseTimes(expression, from, to) {
    let result = withoutTerms(expression, (term) => BOUND.test(term));
    if (from !== null)
        result = addTerm(result, `responsetime >= ${seconds(from)}`);
    if (to !== null)
        result = addTerm(result, `responsetime <= ${seconds(to)}`);
    return result;
}

/** A string of the filter language. @param {string} text */
export function quoted(text) {
    return `"${text.replace(/["\\]/g, '\\$&')}"`;
}

/**
 * A number of bytes in UTF-8, which is how the server counts, as a place in the text.
 * @param {string} text @param {number} bytes
 */
export function placeOfByte(text, bytes) {
    let seen = 0;
    let place = 0;
    for (const character of text) {
        const code = /** @type {number} */ (character.codePointAt(0));
        if (seen >= bytes)
            break;
        seen += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
        place += character.length;
    }
    return place;
}
