/* words.h - the words of enums as the API writes them; each list by value. */
#ifndef KEEP_WIRE_MSG_WORDS_H
#define KEEP_WIRE_MSG_WORDS_H

extern const char *const severity_words[];      /* enum severity */
extern const char *const status_words[];        /* enum finding_status */
extern const char *const issue_kind_words[];    /* enum issue_kind */
extern const char *const freshness_words[];     /* enum freshness */
extern const char *const decision_words[];      /* enum decision */
/* For filters: the same with "" in front, so that 0 is "any". */
extern const char *const severity_filter[];
extern const char *const freshness_filter[];
extern const char *const decision_filter[];
extern const char *const sort_words[];          /* enum image_sort */

#endif
