// SPDX-License-Identifier: Apache-2.0
// The bytes of a datagram, sixteen a line, as they are and as text.

/** @param {string} hex @param {number} total bytes there were; some may be missing here */
export function hexLines(hex, total) {
    const bytes = hex.match(/[0-9a-fA-F]{2}/g) ?? [];
    const lines = [];
    for (let place = 0; place < bytes.length; place += 16) {
        const part = bytes.slice(place, place + 16);
        const text = part.map((byte) => {
            const code = parseInt(byte, 16);
            return code >= 0x20 && code < 0x7f ? String.fromCharCode(code) : '·';
        }).join('');
        lines.push(`${place.toString(16).padStart(4, '0')}  ${part.join(' ').padEnd(47)}  ${text}`);
    }
    if (total > bytes.length)
        lines.push(`… and ${total - bytes.length} more bytes`);
    return lines.join('\n');
}
