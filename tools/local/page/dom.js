// SPDX-License-Identifier: Apache-2.0
// Small helpers to build elements. Text becomes text nodes and nothing else: there is
// no way from here to markup, so a document's strings can't become elements.

const SVG = 'http://www.w3.org/2000/svg';

/**
 * @typedef {any} Child  a node, text, a number; nothing for null, undefined and false
 * @typedef {Object<string, any>} Attributes
 *   `class`, `text`, `dataset: {…}`, `on: {click: …}`, `style: {left: '3px'}` (set through the
 *   CSSOM, which the Content-Security-Policy allows), booleans, and any plain attribute.
 */

/** @param {string} name */
function refused(name) {
    return name.startsWith('on') || name === 'style' || name === 'srcdoc' || name === 'innerHTML';
}

/**
 * A link from a document must not become javascript:. Only places of this page.
 * @param {string} value
 */
function isOwnPlace(value) {
    return /^(#|\/(?!\/)|blob:)/.test(value);
}

/**
 * @param {Element} element
 * @param {string} name
 * @param {any} value
 */
function setAttribute(element, name, value) {
    if (refused(name) || ((name === 'href' || name === 'src') && !isOwnPlace(String(value))))
        throw new Error(`the attribute ${name} can't be set`);
    if (value === false || value === null || value === undefined)
        element.removeAttribute(name);
    else
        element.setAttribute(name, value === true ? '' : String(value));
}

/**
 * @param {any} element
 * @param {Attributes} attributes
 */
export function assign(element, attributes) {
    for (const [name, value] of Object.entries(attributes)) {
        if (name === 'text')
            element.textContent = value ?? '';
        else if (name === 'class')
            element.setAttribute('class', value || '');
        else if (name === 'dataset')
            Object.assign(element.dataset, value);
        else if (name === 'on')
            for (const [event, listener] of Object.entries(value))
                element.addEventListener(event, listener);
        else if (name === 'style')
            for (const [property, setting] of Object.entries(value))
                property.startsWith('--') ? element.style.setProperty(property, String(setting))
                                          : (element.style[property] = setting);
        else if (name === 'value')
            element.value = value ?? '';
        else if (name === 'checked')
            element.checked = Boolean(value);
        else
            setAttribute(element, name, value);
    }
    return element;
}

/**
 * @param {Element} element
 * @param {...Child} children arrays in arrays are fine
 */
function append(element, ...children) {
    for (const child of children.flat(3))
        if (child !== null && child !== undefined && child !== false)
            element.append(child instanceof Node ? child : String(child));
}

/**
 * h('button', {class: 'quiet', on: {click}}, 'Pause')
 * @param {string} tag
 * @param {Attributes} [attributes]
 * @param {...Child} children
 * @returns {any} the element
 */
export function h(tag, attributes = {}, ...children) {
    if (tag === 'script' || tag === 'iframe' || tag === 'object' || tag === 'embed')
        throw new Error(`${tag} can't be created`);
    const element = assign(document.createElement(tag), attributes);
    append(element, ...children);
    return element;
}

/**
 * The same for SVG.
 * @param {string} tag
 * @param {Attributes} [attributes]
 * @param {...Child} children
 * @returns {any} the element
 */
export function svg(tag, attributes = {}, ...children) {
    if (tag === 'script' || tag === 'foreignObject')
        throw new Error(`${tag} can't be created`);
    const element = assign(document.createElementNS(SVG, tag), attributes);
    append(element, ...children);
    return element;
}

/**
 * Puts these children in the place of all there are.
 * @param {Element} parent
 * @param {...Child} children
 */
export function fill(parent, ...children) {
    parent.replaceChildren();
    append(parent, ...children);
}

/** @param {Element} element @param {string} text */
export function setText(element, text) {
    if (element.textContent !== text)
        element.textContent = text;
}

/**
 * Brings the children of parent in line with items, keeping the element of each key: what has
 * the focus, a selection or a scroll place keeps it.
 * @template T
 * @param {Element} parent
 * @param {T[]} items
 * @param {(item: T) => string} keyOf
 * @param {(item: T) => Element} create
 * @param {(element: any, item: T) => void} [update]
 */
export function keyed(parent, items, keyOf, create, update) {
    /** @type {Map<string, Element>} */
    const had = new Map();
    for (const child of parent.children)
        had.set(child.getAttribute('data-key') ?? '', child);
    let place = parent.firstElementChild;
    for (const item of items) {
        const key = keyOf(item);
        let element = had.get(key);
        if (element) {
            had.delete(key);
        } else {
            element = create(item);
            element.setAttribute('data-key', key);
        }
        update?.(element, item);
        if (element === place)
            place = place.nextElementSibling;
        else
            parent.insertBefore(element, place);
    }
    for (const left of had.values())
        left.remove();
}

/**
 * Calls at most once a frame, with the last arguments.
 * @param {(...values: any[]) => void} call
 */
export function onFrame(call) {
    let waiting = 0;
    /** @type {any[]} */
    let last = [];
    const scheduled = (/** @type {any[]} */ ...values) => {
        last = values;
        waiting ||= requestAnimationFrame(() => {
            waiting = 0;
            call(...last);
        });
    };
    scheduled.cancel = () => cancelAnimationFrame(waiting);
    return scheduled;
}

/** @param {number} ms @param {(...values: any[]) => void} call */
export function afterPause(ms, call) {
    /** @type {any} */
    let timer = 0;
    const scheduled = (/** @type {any[]} */ ...values) => {
        clearTimeout(timer);
        timer = setTimeout(() => call(...values), ms);
    };
    scheduled.cancel = () => clearTimeout(timer);
    return scheduled;
}

/**
 * A colour of style.css as the theme has it now, for canvas: color('--ok-area').
 * @param {string} name
 */
export function color(name) {
    const probe = h('span', {hidden: true, style: {color: `var(${name})`}});
    document.body.append(probe);
    const found = getComputedStyle(probe).color;
    probe.remove();
    return found;
}

/**
 * A button that copies; says so in its own label for a moment.
 * @param {() => string} text
 * @param {string} [label]
 */
export function copyButton(text, label = 'Copy') {
    const button = h('button', {type: 'button', class: 'button small copy', on: {click: async () => {
        const done = await copy(text());
        button.textContent = done ? 'Copied' : 'Could not copy';
        setTimeout(() => (button.textContent = label), 1500);
    }}}, label);
    return button;
}

/**
 * @param {string} text
 * @returns {Promise<boolean>} whether it is in the clipboard
 */
export async function copy(text) {
    try {
        await navigator.clipboard.writeText(text);
        return true;
    } catch {
        // Not a secure context (an address other than loopback): the old way.
        const field = h('textarea', {class: 'visually-hidden', value: text});
        document.body.append(field);
        field.select();
        const done = document.execCommand('copy');
        field.remove();
        return done;
    }
}
