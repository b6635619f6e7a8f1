/* compile.c - see compile.h.
 *
 * Programs are in a hash table (open addressing, at most half full), because they are
 * asked for at every exec; of ports, peers and paths there are few, and they are
 * walked. */
#include "core/profile/compile.h"

#include "base/str.h"
#include "wire/cidr.h"
#include "wire/profile_doc.h"

#include <string.h>
#include <strings.h>

struct slot {
    uint32_t hash;
    uint32_t index;                      /* into the profile's list, from 1; 0: empty */
};

struct table {
    struct slot *slots;
    uint32_t mask;
};

struct peers {
    const struct profile_peer *items; size_t n;
    const struct cidr *nets;             /* of the same index; only of those that are networks */
};

struct profile_compiled {
    struct profile profile;
    struct table programs;
    struct peers egress, ingress;
    bool has_shell;
};

/* ---- copies: nothing of the caller's is kept ------------------------------------------- */

struct copier {
    struct arena *arena;
    bool failed;
};

static const char *copy_text(struct copier *c, const char *s)
{
    const char *copy = arena_strdup(c->arena, s);

    c->failed |= s != NULL && copy == NULL;
    return copy;
}

static void *copy_items(struct copier *c, const void *items, size_t n, size_t size)
{
    void *copy = arena_array(c->arena, n, size);

    c->failed |= copy == NULL;
    if (copy != NULL && n > 0)
        memcpy(copy, items, n * size);
    return copy;
}

static const char *const *copy_texts(struct copier *c, const char *const *items, size_t n)
{
    const char **copy = arena_array(c->arena, n, sizeof *copy);

    c->failed |= copy == NULL;
    for (size_t i = 0; !c->failed && i < n; i++)
        copy[i] = copy_text(c, items[i]);
    return copy;
}

static const struct profile_executable *copy_programs(struct copier *c, const struct profile *p)
{
    struct profile_executable *copy = copy_items(c, p->executables, p->n_executables, sizeof *copy);

    for (size_t i = 0; !c->failed && i < p->n_executables; i++) {
        copy[i].path = copy_text(c, copy[i].path);
        copy[i].sha256 = copy_text(c, copy[i].sha256);
        copy[i].parents = copy_texts(c, copy[i].parents, copy[i].n_parents);
    }
    return copy;
}

static const struct profile_peer *copy_peers(struct copier *c, const struct profile_peer *peers, size_t n)
{
    struct profile_peer *copy = copy_items(c, peers, n, sizeof *copy);

    for (size_t i = 0; !c->failed && i < n; i++) {
        copy[i].service = copy_text(c, copy[i].service);
        copy[i].cidr = copy_text(c, copy[i].cidr);
        copy[i].dns = copy_text(c, copy[i].dns);
        copy[i].ports = copy_items(c, copy[i].ports, copy[i].n_ports, sizeof *copy[i].ports);
    }
    return copy;
}

static void copy_profile(struct copier *c, const struct profile *p, struct profile *out)
{
    *out = *p;
    out->name = copy_text(c, p->name);
    out->repository = copy_text(c, p->repository);
    out->digest = copy_text(c, p->digest);
    out->executables = copy_programs(c, p);
    out->listens = copy_items(c, p->listens, p->n_listens, sizeof *p->listens);
    out->egress = copy_peers(c, p->egress, p->n_egress);
    out->ingress = copy_peers(c, p->ingress, p->n_ingress);
    out->writes = copy_texts(c, p->writes, p->n_writes);
    out->users = copy_items(c, p->users, p->n_users, sizeof *p->users);
    out->capabilities = copy_texts(c, p->capabilities, p->n_capabilities);
}

int profile_copy(const struct profile *p, struct arena *arena, struct profile *out, struct err *err)
{
    struct copier c = { arena, false };
    struct profile copy;

    copy_profile(&c, p, &copy);
    if (c.failed)
        return err_nomem(err);
    *out = copy;
    return 0;
}

/* ---- programs ------------------------------------------------------------------------------ */

/* FNV-1a: the table is small, its keys are approved by people. */
static uint32_t hash_of(const char *s)
{
    uint32_t h = 2166136261u;

    for (; *s != '\0'; s++)
        h = (h ^ (unsigned char)*s) * 16777619u;
    return h;
}

static bool table_make(struct table *t, const struct profile *p, struct arena *arena)
{
    uint32_t size = 8;

    while (size < 2 * p->n_executables)
        size *= 2;
    t->slots = arena_array(arena, size, sizeof *t->slots);
    if (t->slots == NULL)
        return false;
    t->mask = size - 1;
    for (uint32_t i = 0; i < p->n_executables; i++) {
        uint32_t h = hash_of(p->executables[i].path), at = h & t->mask;
        while (t->slots[at].index != 0)
            at = (at + 1) & t->mask;
        t->slots[at] = (struct slot){ h, i + 1 };
    }
    return true;
}

static const struct profile_executable *program_find(const struct profile_compiled *c, const char *path)
{
    const struct table *t = &c->programs;
    uint32_t h = hash_of(path);

    for (uint32_t at = h & t->mask; t->slots[at].index != 0; at = (at + 1) & t->mask) {
        const struct profile_executable *e = &c->profile.executables[t->slots[at].index - 1];
        if (t->slots[at].hash == h && strcmp(e->path, path) == 0)
            return e;
    }
    return NULL;
}

enum exec_answer profile_exec(const struct profile_compiled *c, const char *path, const char *sha256, const char *parent)
{
    const struct profile_executable *e = program_find(c, path);

    if (e == NULL)
        return EXEC_UNKNOWN;
    if (e->sha256 != NULL && sha256 != NULL && !str_eq(e->sha256, sha256))
        return EXEC_CONTENT;
    if (e->n_parents == 0 || parent == NULL)
        return EXEC_ALLOWED;
    for (size_t i = 0; i < e->n_parents; i++) {
        if (str_eq(e->parents[i], parent))
            return EXEC_ALLOWED;
    }
    return EXEC_PARENT;
}

bool profile_has_shell(const struct profile_compiled *c)
{
    return c->has_shell;
}

/* ---- ports and peers -------------------------------------------------------------------------- */

bool profile_listen(const struct profile_compiled *c, int protocol, int64_t port)
{
    for (size_t i = 0; i < c->profile.n_listens; i++) {
        const struct profile_port *l = &c->profile.listens[i];
        /* What is not known of an event is not held against it. */
        if (l->port == port && (l->protocol == protocol || l->protocol == NET_ANY || protocol == NET_ANY))
            return true;
    }
    return false;
}

static bool peers_make(struct peers *out, const struct profile_peer *items, size_t n, struct arena *arena)
{
    struct cidr *nets = arena_array(arena, n, sizeof *nets);

    if (nets == NULL)
        return false;
    for (size_t i = 0; i < n; i++) {
        if (items[i].kind == PEER_CIDR)
            (void)cidr_parse(items[i].cidr, &nets[i]);             /* profile_check has seen it */
    }
    *out = (struct peers){ items, n, nets };
    return true;
}

static bool part_matches(const char *pattern, size_t n_pattern, const char *s, size_t n)
{
    return (n_pattern == 1 && *pattern == '*') || (n_pattern == n && memcmp(pattern, s, n) == 0);
}

static bool service_match(const char *pattern, const char *service)
{
    const char *p = strchr(pattern, '/'), *s = strchr(service, '/');

    if (p == NULL || s == NULL)
        return false;
    return part_matches(pattern, (size_t)(p - pattern), service, (size_t)(s - service)) &&
           part_matches(p + 1, strlen(p + 1), s + 1, strlen(s + 1));
}

static bool port_matches(const struct profile_peer *e, const struct peer_seen *peer)
{
    if (e->protocol != NET_ANY && peer->protocol != NET_ANY && e->protocol != peer->protocol)
        return false;
    if (e->n_ports == 0 || peer->port < 0)
        return true;
    for (size_t i = 0; i < e->n_ports; i++) {
        if (e->ports[i] == peer->port)
            return true;
    }
    return false;
}

bool profile_peer(const struct profile_compiled *c, enum profile_part part, const struct peer_seen *peer)
{
    const struct peers *peers = part == PART_INGRESS ? &c->ingress : &c->egress;
    struct cidr address;
    bool has_address = peer->address != NULL && cidr_parse(peer->address, &address);

    for (size_t i = 0; i < peers->n; i++) {
        const struct profile_peer *e = &peers->items[i];
        bool is = e->kind == PEER_SERVICE ? peer->service != NULL && service_match(e->service, peer->service) :
                  e->kind == PEER_DNS ? peer->dns != NULL && dns_match(e->dns, peer->dns) :
                  e->kind == PEER_CIDR ? has_address && cidr_contains(&peers->nets[i], &address) : false;
        if (is && port_matches(e, peer))
            return true;
    }
    return false;
}

/* ---- the rest ------------------------------------------------------------------------------------- */

bool profile_write(const struct profile_compiled *c, const char *path)
{
    for (size_t i = 0; i < c->profile.n_writes; i++) {
        if (path_match(c->profile.writes[i], path))
            return true;
    }
    return false;
}

bool profile_user(const struct profile_compiled *c, int64_t uid)
{
    for (size_t i = 0; i < c->profile.n_users; i++) {
        if (c->profile.users[i] == uid)
            return true;
    }
    return false;
}

bool profile_capability(const struct profile_compiled *c, const char *name)
{
    const char *plain = strncasecmp(name, "CAP_", 4) == 0 ? name + 4 : name;

    for (size_t i = 0; i < c->profile.n_capabilities; i++) {
        if (str_eq_nocase(c->profile.capabilities[i], plain))
            return true;
    }
    return false;
}

bool profile_covers(const struct profile *p, enum profile_part part)
{
    switch (part) {
    case PART_EXECUTABLE: return p->has_executables;
    case PART_LISTEN:     return p->has_listens;
    case PART_EGRESS:     return p->has_egress;
    case PART_INGRESS:    return p->has_ingress;
    case PART_WRITE:      return p->has_writes;
    case PART_USER:       return p->has_users;
    case PART_CAPABILITY: return p->has_capabilities;
    case PROFILE_PART_N:  break;
    }
    return false;
}

const struct profile *profile_of(const struct profile_compiled *c)
{
    return &c->profile;
}

int profile_compile(const struct profile *p, struct arena *arena, struct profile_compiled **out, struct err *err)
{
    struct profile_compiled *c = arena_alloc(arena, sizeof *c);

    if (c == NULL)
        return err_nomem(err);
    if (profile_check(p, err) != 0 || profile_copy(p, arena, &c->profile, err) != 0)
        return -1;
    if (!table_make(&c->programs, &c->profile, arena) ||
        !peers_make(&c->egress, c->profile.egress, c->profile.n_egress, arena) ||
        !peers_make(&c->ingress, c->profile.ingress, c->profile.n_ingress, arena))
        return err_nomem(err);
    for (size_t i = 0; i < c->profile.n_executables; i++)
        c->has_shell |= is_shell(c->profile.executables[i].path);
    *out = c;
    return 0;
}
