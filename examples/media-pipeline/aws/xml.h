/* SPDX-License-Identifier: Apache-2.0 */
/* The little XML that S3 and SNS answer: single elements, and lists of key and value. */
#ifndef PIPELINE_AWS_XML_H
#define PIPELINE_AWS_XML_H

/* The text of the first element of this name, decoded; NULL when there is none. The caller frees.
 */
char *xml_element(const char *xml, const char *name);

/* Of <entry><key>name</key><value>…</value></entry>, the value. The caller frees. */
char *xml_entry(const char *xml, const char *name);

#endif /* PIPELINE_AWS_XML_H */
