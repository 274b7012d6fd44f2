/* SPDX-License-Identifier: Apache-2.0 */
/* "00-" 32 digits "-" 16 digits "-" 2 digits. Relies on wire/hex.h for strict lower case. */
#include "wire/traceparent.h"

#include <errno.h>
#include <string.h>

#include "wire/ids.h"
#include "wire/output.h"

#define LENGTH       (XRAY_TRACEPARENT_SIZE - 1)
#define AT_TRACE     3
#define AT_PARENT    36
#define AT_FLAGS     53
#define FLAG_SAMPLED 0x01u

/* Future versions may be longer; longer than this is nobody's. */
#define INPUT_MAX 1024

static bool read_hex8(const char *p, uint8_t *ret)
{
    char padded[8] = { '0', '0', '0', '0', '0', '0', p[0], p[1] };
    uint32_t value;

    if (xr_hex32_read(padded, XR_HEX_LOWER_CASE, &value) != 0)
        return false;
    *ret = (uint8_t)value;
    return true;
}

static bool has_control(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
            return true;
    return false;
}

int xr_traceparent_parse(xray_trace_header *ret, const char *text)
{
    uint64_t words[2], parent, wrong;
    uint8_t version, flags;
    size_t length;

    if (!ret || !text)
        return -EINVAL;
    length = strnlen(text, INPUT_MAX + 1);
    if (length < LENGTH || length > INPUT_MAX)
        return -EINVAL;

    wrong = xr_hex64_read(text + AT_TRACE, XR_HEX_LOWER_CASE, &words[0]);
    wrong |= xr_hex64_read(text + AT_TRACE + 16, XR_HEX_LOWER_CASE, &words[1]);
    wrong |= xr_hex64_read(text + AT_PARENT, XR_HEX_LOWER_CASE, &parent);
    if (wrong != 0 || !read_hex8(text, &version) || !read_hex8(text + AT_FLAGS, &flags))
        return -EINVAL;
    if (text[AT_TRACE - 1] != '-' || text[AT_PARENT - 1] != '-' || text[AT_FLAGS - 1] != '-')
        return -EINVAL;
    if ((words[0] | words[1]) == 0 || parent == 0 || version == 0xff)
        return -EINVAL;
    if (length > LENGTH &&
        (version == 0 || text[LENGTH] != '-' || has_control(text + LENGTH, length - LENGTH)))
        return -EINVAL;

    *ret = (xray_trace_header){
        .parent_id = parent,
        .sampled = flags & FLAG_SAMPLED ? XRAY_SAMPLED_YES : XRAY_SAMPLED_NO,
        .flags = flags,
    };
    words[0] = htobe64(words[0]);
    words[1] = htobe64(words[1]);
    memcpy(ret->trace_id.bytes, words, sizeof(words));
    return 0;
}

size_t xr_traceparent_format(const xray_trace_header *header, char *buf, size_t size)
{
    char text[LENGTH], digits[8], *p = text;
    uint32_t flags;

    if (!header || header->parent_id == 0 || xr_trace_id_is_zero(&header->trace_id))
        return xr_output(buf, size, "", 0);

    flags = header->flags & 0xff & ~FLAG_SAMPLED;
    if (header->sampled == XRAY_SAMPLED_YES)
        flags |= FLAG_SAMPLED;

    memcpy(p, "00-", 3);
    p = xr_trace_id_write_w3c(p + 3, &header->trace_id);
    *p++ = '-';
    p = xr_hex64(p, header->parent_id);
    *p++ = '-';
    xr_hex32(digits, flags);
    memcpy(p, digits + 6, 2);
    return xr_output(buf, size, text, sizeof(text));
}
