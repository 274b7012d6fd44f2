// SPDX-License-Identifier: Apache-2.0
// The button that goes through the system's theme, light and dark.
import {fill, svg} from './dom.js';

const NAMES = {system: 'Theme: as the system', light: 'Theme: light', dark: 'Theme: dark'};
/** @type {('system' | 'light' | 'dark')[]} */
const ORDER = ['system', 'light', 'dark'];
const SHAPES = {
    system: 'M12 4a8 8 0 1 0 0 16ZM12 3a9 9 0 1 1 0 18 9 9 0 0 1 0-18Z',
    light: 'M12 7a5 5 0 1 1 0 10 5 5 0 0 1 0-10ZM11 1h2v4h-2ZM11 19h2v4h-2ZM1 11h4v2H1ZM19 11h4v2h-4Z' +
           'M4.2 5.6l1.4-1.4 2.5 2.5-1.4 1.4ZM15.9 17.3l1.4-1.4 2.5 2.5-1.4 1.4Z' +
           'M4.2 18.4l2.5-2.5 1.4 1.4-2.5 2.5ZM15.9 6.7l2.5-2.5 1.4 1.4-2.5 2.5Z',
    dark: 'M20.5 14.5A9 9 0 0 1 9.5 3.5a9 9 0 1 0 11 11Z',
};

function chosen() {
    const theme = document.documentElement.dataset.theme;
    return theme === 'light' || theme === 'dark' ? theme : 'system';
}

/** @param {HTMLElement} button */
function draw(button) {
    const theme = chosen();
    button.title = NAMES[theme];
    button.setAttribute('aria-label', NAMES[theme]);
    fill(button, svg('svg', {viewBox: '0 0 24 24', 'aria-hidden': 'true', class: 'icon'},
                     svg('path', {d: SHAPES[theme]})));
}

export function startTheme() {
    const button = /** @type {HTMLElement} */ (document.getElementById('theme'));
    draw(button);
    button.addEventListener('click', () => {
        const next = ORDER[(ORDER.indexOf(chosen()) + 1) % ORDER.length];
        if (next === 'system')
            delete document.documentElement.dataset.theme;
        else
            document.documentElement.dataset.theme = next;
        try {
            localStorage.setItem('xraytrace.theme', next);
        } catch {
            // Then the choice lasts as long as the page.
        }
        draw(button);
    });
}
