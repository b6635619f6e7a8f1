/* audit.c - see audit.h. */
#include "wire/msg/audit.h"

#define AT(member) offsetof(struct audit_item, member)
#define RECORD_FIELDS \
    { "seq",         FIELD_INT, FIELD_REQUIRED, AT(seq), 0, 1, INT64_MAX, NULL, NULL, "Counts from 1 without gaps." }, \
    { "at",          FIELD_TIME, FIELD_REQUIRED, AT(at_ms), 0, 0, 0, NULL, NULL, "When." }, \
    { "actor",       FIELD_TEXT, FIELD_REQUIRED, AT(actor), 0, 0, 256, NULL, NULL, "Id of the user or token." }, \
    { "actor_name",  FIELD_TEXT, FIELD_REQUIRED, AT(actor_name), 0, 0, 256, NULL, NULL, "Its name then." }, \
    { "role",        FIELD_TEXT, FIELD_REQUIRED, AT(role), 0, 0, 32, NULL, NULL, "Its role then." }, \
    { "from",        FIELD_TEXT, FIELD_REQUIRED, AT(from), 0, 0, 128, NULL, NULL, "Address it came from." }, \
    { "action",      FIELD_TEXT, FIELD_REQUIRED, AT(action), 0, 0, 64, NULL, NULL, "What was done." }, \
    { "object_kind", FIELD_TEXT, FIELD_REQUIRED, AT(object_kind), 0, 0, 64, NULL, NULL, "To what kind of thing." }, \
    { "object_id",   FIELD_TEXT, FIELD_REQUIRED, AT(object_id), 0, 0, 1024, NULL, NULL, "To which one." }, \
    { "before",      FIELD_ANY, 0, AT(before), 0, 0, 0, NULL, NULL, "The thing before." }, \
    { "after",       FIELD_ANY, 0, AT(after), 0, 0, 0, NULL, NULL, "The thing after." }, \
    { "request_id",  FIELD_TEXT, FIELD_REQUIRED, AT(request_id), 0, 0, 128, NULL, NULL, "Of the request that did it." }

static const struct field record_fields[] = { RECORD_FIELDS };
const struct shape audit_record_shape = { "audit_record", sizeof(struct audit_item), record_fields,
                                          N_ITEMS(record_fields), false };

static const struct field item_fields[] = {
    RECORD_FIELDS,
    { "leaf", FIELD_TEXT, FIELD_REQUIRED, AT(leaf), 0, 0, 64, NULL, NULL, "RFC 6962 leaf hash of the record, hex." },
};
#undef AT
static const struct shape item_shape = { "audit_item", sizeof(struct audit_item), item_fields,
                                         N_ITEMS(item_fields), false };
static const struct field list_fields[] = { PAGE_FIELDS(item_shape) };
const struct shape audit_list_shape = { "audit_list", sizeof(struct page), list_fields, N_ITEMS(list_fields), false };

#define AT(member) offsetof(struct audit_query, member)
static const struct field query_fields[] = {
    PAGE_QUERY_FIELDS(AT(page)),
    { "actor",  FIELD_TEXT, 0, AT(actor), 0, 1, 256, NULL, NULL, "Only what this user or token did." },
    { "kind",   FIELD_TEXT, 0, AT(kind), 0, 1, 64, NULL, NULL, "Only about this kind of thing." },
    { "object", FIELD_TEXT, 0, AT(object), 0, 1, 1024, NULL, NULL, "Only about this one; needs kind." },
    { "action", FIELD_TEXT, 0, AT(action), 0, 1, 64, NULL, NULL, "Only this action." },
    { "before", FIELD_INT, 0, AT(before), 0, 1, INT64_MAX, NULL, NULL, "Only records older than this seq." },
};
#undef AT
const struct shape audit_query_shape = { "audit_query", sizeof(struct audit_query), query_fields,
                                         N_ITEMS(query_fields), false };
