// SPDX-License-Identifier: Apache-2.0
// Runs before the first paint, so that a chosen theme does not flash the other one.
(function () {
    let theme = null;
    try {
        theme = localStorage.getItem('xraytrace.theme');
    } catch {
        // Storage may be switched off: then the system's setting is used.
    }
    if (theme === 'light' || theme === 'dark')
        document.documentElement.dataset.theme = theme;
})();
