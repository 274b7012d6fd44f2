/* SPDX-License-Identifier: Apache-2.0 */
/* As much XML as error replies need: the text of the first element of a name. */
#ifndef XR_CURL_AWS_XML_H
#define XR_CURL_AWS_XML_H

#include <stdbool.h>
#include <stddef.h>

/*
 * The text in the first element of that name, with entities resolved, up to the
 * next tag. Comments, processing instructions and CDATA sections around it are not
 * searched. Returns memory to free(), or NULL: no such element, not closed, or
 * out of memory.
 */
char *xr_aws_xml_text(const char *xml, size_t length, const char *name);

/* Whether the outermost element has that name. */
bool xr_aws_xml_root_is(const char *xml, size_t length, const char *name);

#endif /* XR_CURL_AWS_XML_H */
