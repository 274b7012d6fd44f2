// SPDX-License-Identifier: Apache-2.0
// What the page remembers in this browser. Storage may be switched off or full: then it
// remembers nothing, and works.

/** @template T @param {string} name @param {T} otherwise @returns {T} */
export function recall(name, otherwise) {
    try {
        const text = localStorage.getItem(`xraytrace.${name}`);
        return text === null ? otherwise : JSON.parse(text);
    } catch {
        return otherwise;
    }
}

/** @param {string} name @param {any} value */
export function remember(name, value) {
    try {
        localStorage.setItem(`xraytrace.${name}`, JSON.stringify(value));
    } catch {
        // See above.
    }
}
