/* profile.c - profile documents, whoever wrote them.
 *
 * What parses prints as a document that parses to the same profile; its JSON for nodes
 * decodes to the same, too; it compiles, and what it names it allows; and every other
 * language it is written in is well-formed. */
#include "base/str.h"
#include "core/drift.h"
#include "core/profile/diff.h"
#include "core/profile/emit.h"
#include "wire/msg/profile.h"
#include "wire/profile_doc.h"
#include "wire/yaml.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { INPUT_MAX = 16 * 1024, ARENA = 64 << 20 };

static void insist(bool truth)
{
    if (!truth)
        abort();
}

static void encode(const struct profile *p, struct buf *b)
{
    buf_init(b, 8 << 20);
    shape_encode(&profile_shape, p, b);
    insist(!b->failed);
}

static void same(const struct profile *a, const struct profile *b)
{
    struct buf x, y;

    encode(a, &x);
    encode(b, &y);
    insist(x.len == y.len && memcmp(x.ptr, y.ptr, x.len) == 0);
    buf_free(&x);
    buf_free(&y);
}

/* A protocol of "any" is written out and read as tcp where ports are listened on: the
 * first print has made it that already. */
static void prints_and_reads_back(const struct profile *p, struct arena *arena)
{
    struct err err = { 0 };
    struct profile again;
    struct buf b;

    buf_init(&b, 8 << 20);
    insist(profile_doc_print(p, arena, &b, &err) == 0);
    if (b.len <= PROFILE_DOC_MAX) {
        insist(profile_doc_parse(b.ptr, b.len, arena, NULL, &again, &err) == 0);
        same(p, &again);
    }
    buf_free(&b);
}

static void travels_to_nodes(const struct profile *p, struct arena *arena)
{
    struct err err = { 0 };
    struct profile there;
    struct json doc;
    struct buf b;

    encode(p, &b);
    shape_init(&profile_shape, &there);
    insist(json_parse(arena, b.ptr, b.len, NULL, &doc, &err) == 0);
    insist(shape_decode(&profile_shape, &doc, arena, &there, NULL, &err) == 0);
    insist(profile_check(&there, &err) == 0);
    same(p, &there);
    buf_free(&b);
}

static void allows_what_it_names(const struct profile *p, struct arena *arena)
{
    struct profile_compiled *c;
    struct err err = { 0 };

    insist(profile_compile(p, arena, &c, &err) == 0);
    for (size_t i = 0; i < p->n_executables; i++) {
        const struct profile_executable *e = &p->executables[i];
        insist(profile_exec(c, e->path, e->sha256, e->n_parents > 0 ? e->parents[0] : NULL) == EXEC_ALLOWED);
    }
    for (size_t i = 0; i < p->n_listens; i++)
        insist(profile_listen(c, p->listens[i].protocol, p->listens[i].port));
    for (size_t i = 0; i < p->n_users; i++)
        insist(profile_user(c, p->users[i]));
    for (size_t i = 0; i < p->n_capabilities; i++)
        insist(profile_capability(c, p->capabilities[i]));
    for (size_t i = 0; i < p->n_egress; i++) {
        const struct profile_peer *e = &p->egress[i];
        struct peer_seen seen = { e->service, e->dns, NULL, e->n_ports > 0 ? e->ports[0] : 1, e->protocol };
        if (e->kind == PEER_SERVICE)
            insist(profile_peer(c, PART_EGRESS, &seen));
    }
}

static void speaks_other_languages(const struct profile *p, struct arena *arena)
{
    const struct emit_spec spec = { p, NULL, NULL };
    struct err err = { 0 };
    struct json doc;
    struct buf b;

    for (size_t i = 0; i < n_emitters; i++) {
        buf_init(&b, 32 << 20);
        insist(profile_emit(&emitters[i], &spec, arena, &b, &err) == 0);
        if (str_starts(emitters[i].media, "application/yaml"))
            insist(yaml_parse(arena, b.ptr, b.len, NULL, &doc, &err) == 0);
        else if (str_eq(emitters[i].media, "application/json"))
            insist(json_parse(arena, b.ptr, b.len, NULL, &doc, &err) == 0);
        insist(str_is_utf8(b.ptr, b.len));
        buf_free(&b);
    }
}

/* Items of a profile are understood, and cover themselves. */
static void is_made_of_items(const struct profile *p, struct arena *arena)
{
    struct profile_item *items;
    struct err err = { 0 };
    struct item_parts parts;
    size_t n;

    insist(items_of_profile(p, arena, &items, &n, &err) == 0);
    for (size_t i = 0; i < n; i++) {
        if (item_parse(items[i].part, items[i].text, items[i].parent, &parts) && parts.kind != PEER_DNS)
            insist(item_covers(&parts, &parts));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct complaints all;
    struct arena arena;
    struct err err = { 0 };
    struct profile p;

    if (size > INPUT_MAX)
        return 0;
    arena_init(&arena, ARENA);
    all = (struct complaints){ .arena = &arena };
    if (profile_doc_parse(data, size, &arena, &all, &p, &err) != 0) {
        insist(err.msg[0] != '\0');
    } else {
        prints_and_reads_back(&p, &arena);
        travels_to_nodes(&p, &arena);
        allows_what_it_names(&p, &arena);
        is_made_of_items(&p, &arena);
        speaks_other_languages(&p, &arena);
    }
    arena_clear(&arena);
    return 0;
}
