/* admission.h - shapes of recorded admission reviews. */
#ifndef KEEP_WIRE_MSG_ADMISSION_H
#define KEEP_WIRE_MSG_ADMISSION_H

#include "model/admission.h"
#include "wire/shape.h"

/* enum admission_outcome; the second with "" in front, so that 0 is "any". */
extern const char *const admission_outcome_words[], *const admission_outcome_filter[];

extern const struct shape admission_query_shape, admission_list_shape;

/* ?cluster= of a review; other keys (the API server adds timeout=) are stepped over. */
struct review_query { const char *cluster; };
extern const struct shape review_query_shape;

/* An image of a review, in `images`. */
struct admission_image_answer { const char *container, *reference, *digest; bool by_tag, is_known; };
extern const struct shape admission_image_shape;

#endif
