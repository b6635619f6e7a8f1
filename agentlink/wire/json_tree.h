/* json_tree.h - how trees of struct json are built; for the readers of JSON and
 * YAML only.  Values wait on a stack until their container closes; then they are
 * copied into the arena at their exact number. */
#ifndef KEEP_WIRE_JSON_TREE_H
#define KEEP_WIRE_JSON_TREE_H

#include "wire/json.h"

/* Finished children of containers that are still open. */
struct json_stack {
    struct json_member *items;     /* malloc'ed */
    size_t n, cap;
};

void json_stack_free(struct json_stack *s);

/* A new zeroed slot on top, or NULL: no memory, or more than the arena still
 * allows (what waits here is about to be copied there). */
struct json_member *json_push(struct json_stack *s, const struct arena *arena);

bool json_same_key(const struct json_member *a, const struct json_member *b);

enum json_made { JSON_MADE = 0, JSON_NO_MEMORY, JSON_DUPLICATE, JSON_FLOOD };

/* Sets v's type, n and children from the n members given.  Of
 * duplicate keys the last wins when they are allowed; else, and when too many
 * keys share their hash, *at is the index of the offender. */
enum json_made json_make_object(struct arena *arena, const struct json_member *members, uint32_t n, bool duplicates,
                                struct json *v, uint32_t *at);

/* The same for a list: keys are not looked at. */
enum json_made json_make_array(struct arena *arena, const struct json_member *members, uint32_t n, struct json *v);

#endif
