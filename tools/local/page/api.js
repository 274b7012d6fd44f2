// SPDX-License-Identifier: Apache-2.0
// The X-Ray API and /api/* of this program. An answer that is not a success becomes an
// ApiError with the sentence the server gave.

export class ApiError extends Error {
    /** @param {string} message @param {number} status @param {string} type */
    constructor(message, status, type) {
        super(message);
        this.name = 'ApiError';
        /** HTTP status; 0 if the program can't be reached. */
        this.status = status;
        /** Such as InvalidRequestException. */
        this.type = type;
    }
}

/**
 * @param {string} path
 * @param {RequestInit} options
 * @returns {Promise<Response>} a success
 */
async function request(path, options) {
    let response;
    try {
        response = await fetch(path, {cache: 'no-store', ...options});
    } catch (error) {
        if (/** @type {any} */ (error)?.name === 'AbortError')
            throw error;
        throw new ApiError('xraytrace-local does not answer; is it still running?', 0, 'Unreachable');
    }
    if (response.ok)
        return response;
    let message = '';
    try {
        const reply = await response.json();
        message = reply.Message ?? reply.message ?? '';
    } catch {
        // Not JSON: the status says what there is to say.
    }
    throw new ApiError(message || `HTTP status ${response.status} for ${path}`, response.status,
                       response.headers.get('x-amzn-ErrorType') ?? '');
}

/**
 * @param {string} path
 * @param {any} [body]
 * @param {AbortSignal} [signal]
 */
export async function post(path, body = {}, signal) {
    const response = await request(path, {
        method: 'POST',
        headers: {'Content-Type': 'application/json'},
        body: JSON.stringify(body),
        signal,
    });
    return response.json();
}

/** @param {string} path @param {Object<string, string>} [query] @param {AbortSignal} [signal] */
export async function get(path, query = {}, signal) {
    const parameters = new URLSearchParams(query).toString();
    const response = await request(parameters ? `${path}?${parameters}` : path, {signal});
    return response.json();
}

/** What is in a file chosen by the user. @param {Blob} blob */
export async function importFile(blob) {
    const response = await request('/api/import', {
        method: 'POST',
        headers: {'Content-Type': 'application/json'},
        body: blob,
    });
    return response.json();
}

/**
 * One page of GetTraceSummaries over what happened in a window.
 * @param {{start: number, end: number, filter?: string, token?: string, type?: string}} query
 * @param {AbortSignal} [signal]
 */
export function summaries({start, end, filter, token, type = 'Event'}, signal) {
    return post('/TraceSummaries', {
        StartTime: start,
        EndTime: end,
        TimeRangeType: type,
        ...(filter ? {FilterExpression: filter} : {}),
        ...(token ? {NextToken: token} : {}),
    }, signal);
}

/** @param {string} id @param {AbortSignal} [signal] */
export function trace(id, signal) {
    return get(`/api/trace/${encodeURIComponent(id)}`, {}, signal);
}

/** @param {string[]} ids @param {AbortSignal} [signal] */
export function traceGraph(ids, signal) {
    return post('/TraceGraph', {TraceIds: ids}, signal);
}

/** @param {string} expression @param {AbortSignal} [signal] */
export function checkFilter(expression, signal) {
    return get('/api/filter', {expression}, signal);
}

/** @param {AbortSignal} [signal] */
export function words(signal) {
    return get('/api/words', {}, signal);
}

/** @param {AbortSignal} [signal] */
export function status(signal) {
    return get('/api/status', {}, signal);
}

/** @param {string} id @param {boolean} pinned */
export function pin(id, pinned) {
    return post('/api/pin', {TraceId: id, Pinned: pinned});
}

/** Sends a small trace of two services, one of which fails. */
export function sampleTrace() {
    return post('/api/sample-trace');
}

export function clear() {
    return post('/api/clear');
}
