/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SQL statements without the values in them, and connection strings without
 * passwords. What may be secret under any reading of the text is left out.
 */
#ifndef XR_MODEL_SQL_TEXT_H
#define XR_MODEL_SQL_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/* Longer statements are read so far. */
#define XR_SQL_STATEMENT_MAX (1024 * 1024)

/*
 * Writes a statement with "?" for each literal, without comments, and with one
 * blank for each run of blanks; TRUE, FALSE, NULL, a number's sign and the names
 * of parameters stay. Literals of a list stay as many as they are.
 *
 * Databases disagree about where a literal ends: about backslashes, "#", "--"
 * and text in double quotes. database_type ("PostgreSQL", "MySQL"…; may be NULL)
 * settles that, with the database's default settings. When it does not, text in
 * double quotes is a literal, and from the first character that two databases
 * would read differently the rest is one "?"; so it is from a quote that nothing
 * closes.
 *
 * Returns the length, at most size and at most that of the statement; no NUL is
 * written. Sets *ret_cut when a part is missing for its length, and leaves it
 * alone otherwise.
 */
size_t xr_sql_normalise(char *ret, size_t size, const char *statement, const char *database_type,
                        bool *ret_cut);

/*
 * Writes a connection string without what may be a password: of URLs the scheme,
 * hosts and path; of "key=value" lists, with ";" or blanks between, the pairs
 * whose keys are known to be harmless; of "user:password@tcp(host)/name" what is
 * behind the "@". Of any other text nothing.
 *
 * Returns the length, at most size and at most that of text; no NUL is written.
 */
size_t xr_sql_connection(char *ret, size_t size, const char *text);

#endif /* XR_MODEL_SQL_TEXT_H */
