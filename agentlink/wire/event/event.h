/* event.h - events of Falco, Tracee, Tetragon, Hubble, KubeArmor and the Kubernetes
 * audit log, and our own, as struct event.
 *
 * Foreign formats change with every release and are written by programs that pass
 * on whatever an attacker called his file: a member of an unexpected type counts
 * as absent, unknown members are stepped over, text that is not UTF-8 (raw bytes,
 * lone surrogates, raw control characters) is mended with U+FFFD before it is
 * refused, texts are cut to their bounds.  So an event is lost only when it is not
 * JSON, too long, or not recognisable as its source's.
 *
 * Pure; everything returned lives in the arena. */
#ifndef KEEP_WIRE_EVENT_EVENT_H
#define KEEP_WIRE_EVENT_EVENT_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "model/event.h"
#include "wire/json.h"

enum { EVENT_TEXT_IN_MAX = 8 * 1024 * 1024, EVENTS_PER_TEXT_MAX = 5000 };   /* bytes of one text; events of one list */

/* EVENT_SOURCE_N as a source: find out by the members. */

/* An event that knows nothing: count 1, severity 6, kind other, verdict observed. */
void event_init(struct event *out);

/* One event of a text (a line, a body).  0: *out is it; 1: well-formed, but carries
 * none (an empty list, a stop message); -1: ERR_INVALID (not JSON, not of that
 * source, a list of several), ERR_TOO_LARGE, ERR_UNAVAILABLE (arena). */
int event_decode(enum event_source source, const void *text, size_t len, struct arena *arena, struct event *out,
                 struct err *err);

/* All events of a text: one, or the items of a Kubernetes EventList.  An item that
 * cannot be mapped fails the whole. */
int event_decode_all(enum event_source source, const void *text, size_t len, struct arena *arena,
                     const struct event **out, size_t *n, struct err *err);

/* As above, of a value that is parsed already (event_parse, or an item of ours). */
int event_from_json(enum event_source source, const struct json *doc, struct arena *arena, struct event *out,
                    struct err *err);

/* Reads a foreign text leniently, as said above.  A prefix before the first '{' (the
 * time and tag of syslog or of a container log; at most 512 bytes, no brace) is
 * stepped over, and so is white space around. */
int event_parse(const void *text, size_t len, struct arena *arena, struct json *out, struct err *err);

/* Whose event that is, by its members alone; EVENT_SOURCE_N: nobody's we know. */
enum event_source event_source_detect(const struct json *doc);

/* Appends the event as one line of our JSON (no newline), at most EVENT_JSON_MAX
 * bytes: one that would be longer loses more of its texts and is marked is_cut. */
int event_encode(const struct event *event, struct buf *out, struct err *err);

/* Denied, killed, dropped, lost or severity 0..3: critical; observed and severity
 * 6..7: low; the rest normal. */
enum event_class event_class_of(const struct event *event);

#endif
