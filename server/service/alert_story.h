/* alert_story.h - what a person needs to know about an alert at first sight, as JSON:
 * who did it and who started them, in which container of which image, how old its scan
 * is and what it said, by which profile or policy that is a departure, on which node and
 * with which bundle. */
#ifndef KEEP_SERVICE_ALERT_STORY_H
#define KEEP_SERVICE_ALERT_STORY_H

#include "service/event_subject.h"
#include "service/judge_events.h"

struct profile;

struct story {
    const struct judged_batch *batch;
    const struct event *event;
    const struct event_subject *subject;
    const struct profile *profile;       /* NULL none */
    const char *expected;                /* what would have been allowed; NULL not known */
    const char *policy, *validation, *remediation;       /* of a policy's alert; NULL none */
    const char *const *also; size_t n_also;              /* what else departs in the same event */
};

/* The JSON text, in the call's arena. */
int story_write(struct call *c, const struct story *story, const char **out, struct err *err);

#endif
