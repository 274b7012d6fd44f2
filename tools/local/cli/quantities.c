/* SPDX-License-Identifier: Apache-2.0 */
#include "local/cli/quantities.h"

#include <errno.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define TEN_YEARS (3653u * 24 * 3600)

struct unit {
    const char *name;
    unsigned long long factor;
};

/* A whole number and one of the units, of which the last has no name. */
static bool read_units(const char *text, const struct unit *unit, unsigned long long most,
                       unsigned long long *ret)
{
    char *end;
    errno = 0;
    unsigned long long value = strtoull(text, &end, 10);
    if (*text < '0' || *text > '9' || errno)
        return false;
    while (*unit->name && strcmp(unit->name, end) != 0)
        unit++;
    if (strcmp(unit->name, end) != 0 || value < 1 || value > most / unit->factor)
        return false;
    *ret = value * unit->factor;
    return true;
}

bool quantity_bytes(const char *text, size_t *ret)
{
    static const struct unit units[] = {
        { "K", 1u << 10 }, { "M", 1u << 20 }, { "G", 1u << 30 }, { "", 1 }
    };
    unsigned long long value;
    if (!read_units(text, units, SIZE_MAX / 4, &value))
        return false;
    *ret = (size_t)value;
    return true;
}

bool quantity_seconds(const char *text, unsigned *ret)
{
    static const struct unit units[] = {
        { "s", 1 }, { "m", 60 }, { "h", 3600 }, { "d", 24 * 3600 }, { "", 1 }
    };
    unsigned long long value;
    if (!read_units(text, units, TEN_YEARS, &value))
        return false;
    *ret = (unsigned)value;
    return true;
}

bool quantity_number(const char *text, double least, double most, double *ret)
{
    char *end;
    double value = strtod(text, &end);
    /* strtod() also takes blanks, signs, words and hexadecimal. */
    if (!*text || text[strspn(text, "0123456789.")] || *end || !(value >= least && value <= most))
        return false;
    *ret = value;
    return true;
}
