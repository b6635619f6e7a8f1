/* severity.h - severity words of all scanners and feeds, and our own. */
#ifndef KEEP_WIRE_SEVERITY_H
#define KEEP_WIRE_SEVERITY_H

#include "model/severity.h"

#include <stdbool.h>

/* The severity a word stands for, ASCII case and blanks around it ignored:
 * critical, Defcon1, Important, Moderate, Info, ...  NULL, "" and words nobody
 * uses give SEVERITY_UNKNOWN. */
enum severity severity_from_word(const char *word);

/* As above, but tells a word that is not in the table from one that means
 * "unknown": false for the former, and *out is untouched. */
bool severity_parse(const char *word, enum severity *out);

/* Our word, lower case: "critical"; "unknown" for values out of range. */
const char *severity_to_word(enum severity severity);

/* SARIF's security-severity and kin: >= 9 critical, >= 7 high, >= 4 medium,
 * > 0 low, 0 none.  Tenths, 0..100; anything else is unknown. */
enum severity severity_from_score(int tenths);

#endif
