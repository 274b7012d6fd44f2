// SPDX-License-Identifier: Apache-2.0
// Numbers and times as a reader wants them.

/**
 * Three digits and a unit: 812 µs, 41.2 ms, 1.60 s, 2 min 5 s.
 * @param {number | null | undefined} seconds
 */
export function duration(seconds) {
    if (seconds === null || seconds === undefined || !Number.isFinite(seconds))
        return '–';
    const size = Math.abs(seconds);
    if (size === 0)
        return '0 ms';
    if (size < 0.9995e-3)
        return `${digits(seconds * 1e6)} µs`;
    if (size < 0.9995)
        return `${digits(seconds * 1e3)} ms`;
    if (size < 60)
        return `${digits(seconds)} s`;
    const whole = Math.round(size);
    const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
    const sign = seconds < 0 ? '-' : '';
    return sign + (hours ? `${hours} h ${minutes} min` : `${minutes} min ${rest} s`);
}

/** @param {number} value */
function digits(value) {
    const size = Math.abs(value);
    return size >= 99.95 ? value.toFixed(0) : size >= 9.995 ? value.toFixed(1) : value.toFixed(2);
}

/** @param {number} number */
function two(number) {
    return String(number).padStart(2, '0');
}

/**
 * The time of day, with milliseconds; the date too if it is another day.
 * @param {number} seconds since 1970
 */
export function clock(seconds) {
    const time = new Date(seconds * 1000);
    const text = `${two(time.getHours())}:${two(time.getMinutes())}:${two(time.getSeconds())}` +
                 `.${String(time.getMilliseconds()).padStart(3, '0')}`;
    const isToday = time.toDateString() === new Date().toDateString();
    return isToday ? text : `${date(time)} ${text}`;
}

/** @param {Date} time */
function date(time) {
    return `${time.getFullYear()}-${two(time.getMonth() + 1)}-${two(time.getDate())}`;
}

/** @param {number} seconds since 1970 */
export function dateTime(seconds) {
    const time = new Date(seconds * 1000);
    return `${date(time)} ${two(time.getHours())}:${two(time.getMinutes())}:${two(time.getSeconds())}`;
}

/** @param {number} seconds since 1970 */
export function ago(seconds) {
    const age = Math.max(0, Date.now() / 1000 - seconds);
    if (age < 1.5)
        return 'now';
    if (age < 90)
        return `${Math.round(age)} s ago`;
    if (age < 5400)
        return `${Math.round(age / 60)} min ago`;
    return age < 129600 ? `${Math.round(age / 3600)} h ago` : `${Math.round(age / 86400)} d ago`;
}

/** @param {number} bytes */
export function size(bytes) {
    const units = ['B', 'KiB', 'MiB', 'GiB'];
    let value = bytes;
    let unit = 0;
    while (value >= 1024 && unit < units.length - 1) {
        value /= 1024;
        unit++;
    }
    return `${unit ? digits(value) : value} ${units[unit]}`;
}

/** 12 345 with thin spaces. @param {number} number */
export function count(number) {
    return String(Math.round(number)).replace(/\B(?=(\d{3})+(?!\d))/g, '\u202f');
}

/** @param {number} number @param {string} one @param {string} [many] */
export function plural(number, one, many = one + 's') {
    return `${count(number)} ${number === 1 ? one : many}`;
}

/** @param {number} rate a second */
export function rate(rate) {
    return rate === 0 ? '0/s' : rate < 0.01 ? '< 0.01/s' : `${digits(rate)}/s`;
}

/** 0.05 as 5 %. @param {number} share */
export function percent(share) {
    const value = share * 100;
    return `${Number(value.toFixed(value < 1 ? 2 : 1))} %`;
}

/**
 * A string of a document for one line: control characters are made visible.
 * @param {string} text
 */
export function oneLine(text) {
    return text.replace(/[\u0000-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, '\u00b7');
}

const SECONDS = {s: 1, m: 60, h: 3600, d: 86400};

/**
 * "15m", "1h", "all" or "" as seconds; null is without a limit.
 * @param {string | undefined} text
 * @param {number | null} [otherwise]
 * @returns {number | null}
 */
export function span(text, otherwise = 3600) {
    const found = /^(\d{1,6})([smhd])$/.exec(text ?? '');
    if (text === 'all')
        return null;
    return found ? Number(found[1]) * SECONDS[/** @type {'s'} */ (found[2])] : otherwise;
}
