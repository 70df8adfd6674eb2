/* Labels of ENUM and SET, from information_schema's COLUMN_TYPE. Pure. */
#ifndef SCHEMA_LABELS_INT_H
#define SCHEMA_LABELS_INT_H

/* How many labels `enum('a','it''s')` has. */
unsigned labels_count(const char *column_type);

/*
 * The literal that stores the error value 0 in an ENUM column without a warning,
 * in strict mode too. The number 0 is refused there (1265); but a text that is no
 * label and reads as a number is taken for the ordinal, and '0' reads as 0. So it
 * is as many zeros as no label can be equal to, whatever the collation, in a
 * character set that the server reads numbers in (one of whole 16 or 32 bit units
 * is not read after a conversion). NULL when the labels leave no such text.
 * Caller frees.
 */
char *labels_zero_literal(const char *column_type, const char *charset);

#endif
