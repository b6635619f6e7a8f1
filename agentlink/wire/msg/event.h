/* event.h - the message of one event: our own JSON of struct event.
 *
 * What wire/event/ makes of other people's formats is this on disk, on the wire
 * and in the store.  Unknown members are left out; bounds are those of
 * model/event.h, so that an event that decodes fits EVENT_JSON_MAX. */
#ifndef KEEP_WIRE_MSG_EVENT_H
#define KEEP_WIRE_MSG_EVENT_H

#include "model/event.h"
#include "wire/shape.h"

/* By value. */
extern const char *const event_source_words[];     /* agent, falco, tracee, tetragon, hubble, kubearmor, k8s_audit */
extern const char *const event_kind_words[];       /* other, exec, exit, connect ... */
extern const char *const event_verdict_words[];    /* observed, alert, denied, killed, dropped */
extern const char *const event_class_words[];      /* critical, normal, low */
/* For filters: the same with "" in front, so that 0 is "any". */
extern const char *const event_source_filter[], *const event_kind_filter[], *const event_verdict_filter[];

extern const struct shape event_shape;             /* struct event; shape_init makes one that knows nothing */

#endif
