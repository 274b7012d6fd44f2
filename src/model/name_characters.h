/* SPDX-License-Identifier: Apache-2.0 */
/* Which characters beyond ASCII a name may have. */
#ifndef XR_MODEL_NAME_CHARACTERS_H
#define XR_MODEL_NAME_CHARACTERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* text is one valid character of 2 to 4 bytes. */
bool xr_is_name_character(const char *text, size_t length);

#endif /* XR_MODEL_NAME_CHARACTERS_H */
