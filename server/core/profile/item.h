/* item.h - one thing an image does, as text: what is counted, learned and compared.
 *
 *     executable  /usr/bin/convert            (parent: /shop)
 *     listen      tcp/8080
 *     egress      service shop/catalogue tcp/5432 | dns api.example.com tcp/443 | cidr 10.1.2.3 udp/53
 *     ingress     the same, with its own port
 *     write       a folder and two stars: files have names by chance
 *     user        1000
 *     capability  NET_BIND_SERVICE */
#ifndef KEEP_CORE_PROFILE_ITEM_H
#define KEEP_CORE_PROFILE_ITEM_H

#include "base/arena.h"
#include "base/err.h"
#include "model/event.h"
#include "model/profile.h"

#include <stdbool.h>
#include <stddef.h>

enum { ITEM_TEXT_MAX = 320, ITEMS_PER_EVENT = 3 };

struct profile_item {
    int part;                            /* enum profile_part */
    char text[ITEM_TEXT_MAX], parent[ITEM_TEXT_MAX];
};

/* What an event shows; how many of out are filled.  What is too long for an item, or
 * says nothing (loopback, devices), is none. */
size_t items_of_event(const struct event *event, struct profile_item out[ITEMS_PER_EVENT]);

/* The items of a profile, one per port of a peer; in the arena.  -1: arena full. */
int items_of_profile(const struct profile *p, struct arena *arena, struct profile_item **out, size_t *n, struct err *err);

/* Adds an item to a profile whose lists are growable (item_builder).  ERR_INVALID: no such item. */
struct item_builder;
struct item_builder *item_builder_new(struct arena *arena);              /* NULL: arena full */
int item_builder_add(struct item_builder *b, int part, const char *text, const char *parent, struct err *err);
/* Writes the lists into *p: items of one peer are joined, parents gathered; a part is
 * covered when covers says so (a bit per enum profile_part).  Sorted, nothing twice. */
int item_builder_done(struct item_builder *b, unsigned covers, struct profile *p, struct err *err);

#endif
