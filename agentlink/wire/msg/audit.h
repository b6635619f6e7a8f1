/* audit.h - messages about the audit log. */
#ifndef KEEP_WIRE_MSG_AUDIT_H
#define KEEP_WIRE_MSG_AUDIT_H

#include "wire/msg/page.h"

/* A record with its parts; `record` shape reads the stored bytes. */
struct audit_item {
    int64_t seq, at_ms;
    const char *actor, *actor_name, *role, *from, *action, *object_kind, *object_id, *request_id;
    const struct json *before, *after;
    const char *leaf;                /* hex; not part of the record itself */
};

struct audit_query {
    struct page_query page;
    const char *actor, *kind, *object, *action;
    int64_t before;                  /* seq; 0: from the newest */
};

extern const struct shape audit_record_shape;      /* struct audit_item without leaf */
extern const struct shape audit_list_shape;        /* struct page of struct audit_item */
extern const struct shape audit_query_shape;

#endif
