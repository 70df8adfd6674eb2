/* The server's words about a statement, without the values that some of them repeat. */
#ifndef MYSQL_WORDS_H
#define MYSQL_WORDS_H

/*
 * A copy of the message `text` of error or warning `number`, with `[...]` in place of a value of a row
 * ("Incorrect integer value: '[...]' for column 'a' at row 3"). The caller frees it. Pure, thread-safe.
 */
char *server_words_without_values(unsigned number, const char *text);

#endif
