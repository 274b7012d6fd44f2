// SPDX-License-Identifier: Apache-2.0
// What the server tells as it happens, for all views, and whether it still does.

/** @param {string} state @param {string} text @param {string} title */
function showState(state, text, title) {
    const live = /** @type {HTMLElement} */ (document.getElementById('live'));
    live.dataset.state = state;
    live.title = title;
    const label = /** @type {HTMLElement} */ (live.querySelector('.live-text'));
    if (label.textContent !== text)
        label.textContent = text;
}

/**
 * Events of /api/events become events of the target: `traces` with the data as detail,
 * `connected` when the stream opens (again: what was missed must be asked for), `lost`.
 * @param {EventTarget} target
 */
export function startEvents(target) {
    /** @type {EventSource} */
    let source;
    let isLost = false;
    let pause_ms = 500;

    const connect = () => {
        source = new EventSource('/api/events');
        source.onopen = () => {
            pause_ms = 500;
            showState('live', 'live', 'New traces appear by themselves');
            target.dispatchEvent(new CustomEvent('connected', {detail: {again: isLost}}));
            isLost = false;
        };
        source.addEventListener('traces', (event) => {
            target.dispatchEvent(new CustomEvent('traces', {detail: JSON.parse(event.data)}));
        });
        source.onerror = () => {
            if (!isLost)
                target.dispatchEvent(new CustomEvent('lost'));
            isLost = true;
            showState('lost', 'not connected', 'xraytrace-local does not answer; trying again');
            // The browser itself gives up for good on some failures.
            if (source.readyState === EventSource.CLOSED) {
                setTimeout(connect, pause_ms);
                pause_ms = Math.min(pause_ms * 2, 5000);
            }
        };
    };
    connect();
    // Else a stream that ends with the page counts as an error while the next one loads.
    window.addEventListener('pagehide', () => source.close());
    window.addEventListener('pageshow', (event) => {
        if (event.persisted)
            connect();
    });
}
