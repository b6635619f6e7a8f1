/* item.h - one thing an image does, as text: what is counted, learned and compared.
 *
 *     executable  /usr/bin/convert            (parent: /shop)
 *     listen      tcp/8080
 *     egress      service shop/catalogue tcp/5432 | dns api.example.com tcp/443 | cidr 10.1.2.3 udp/53
 *     ingress     the same, with its own port
 *     write       /var/log/app.log; where names are made by chance, the folder and two stars
 *     user        1000
 *     capability  NET_BIND_SERVICE */
#ifndef KEEP_CORE_PROFILE_ITEM_H
#define KEEP_CORE_PROFILE_ITEM_H

#include "base/arena.h"
#include "base/err.h"
#include "model/event.h"
#include "model/profile.h"
#include "wire/cidr.h"

#include <stdbool.h>
#include <stddef.h>

enum { ITEM_TEXT_MAX = 320, ITEMS_PER_EVENT = 3, EVENT_WEIGHT_MAX = 1000000 };

struct profile_item {
    int part;                            /* enum profile_part */
    char text[ITEM_TEXT_MAX], parent[ITEM_TEXT_MAX];
};

/* What an event shows; how many of out are filled.  What is too long for an item, or
 * says nothing (loopback, devices), is none. */
size_t items_of_event(const struct event *event, struct profile_item out[ITEMS_PER_EVENT]);

/* How many it counts as: 1 to EVENT_WEIGHT_MAX, whatever it says of itself, so that sums
 * of what strangers send do not overflow. */
int64_t event_weight(const struct event *event);

/* Does the source say that the program is no file of the image: run from memory, or
 * written after the container had started?  By tag, rule or path. */
enum program_origin { ORIGIN_UNKNOWN = 0, ORIGIN_WRITTEN, ORIGIN_MEMORY };
enum program_origin event_origin(const struct event *event);

/* The items of a profile, one per port of a peer; in the arena.  -1: arena full. */
int items_of_profile(const struct profile *p, struct arena *arena, struct profile_item **out, size_t *n, struct err *err);

/* An item taken apart. */
struct item_parts {
    int part, kind, protocol;            /* kind: of a peer; protocol: of peers and ports */
    int64_t number;                      /* port or user; 0 of a peer: any port */
    struct cidr net;                     /* of a peer that is a network */
    char key[ITEM_TEXT_MAX];             /* path, the peer's name, a capability */
    const char *parent;                  /* borrowed; "" none */
};
/* False: no item of that part. */
bool item_parse(int part, const char *text, const char *parent, struct item_parts *out);

/* Is what was seen allowed by the other, an item of a profile?  A parent that is not known
 * is not held against it.  Peers were seen under their best name only. */
bool item_covers(const struct item_parts *allowed, const struct item_parts *seen);

/* Builds a profile from items. */
struct item_builder;
struct item_builder *item_builder_new(struct arena *arena);              /* NULL: arena full */
/* ERR_INVALID: no such item; ERR_TOO_LARGE; ERR_UNAVAILABLE. */
int item_builder_add(struct item_builder *b, int part, const char *text, const char *parent, struct err *err);
/* Writes the lists into *p: items of one peer are joined, parents gathered; a part is
 * covered when covers says so (a bit per enum profile_part).  Sorted, nothing twice. */
int item_builder_done(struct item_builder *b, unsigned covers, struct profile *p, struct err *err);

/* The parts a profile covers, a bit each. */
unsigned profile_parts(const struct profile *p);

#endif
