/* event_view.h - a stored event as the API shows it. */
#ifndef KEEP_SERVICE_EVENT_VIEW_H
#define KEEP_SERVICE_EVENT_VIEW_H

#include "store/event.h"
#include "wire/msg/alert.h"

/* Borrows from the row. */
void event_entry_of(const struct event_shown *e, struct event_entry *out);

#endif
