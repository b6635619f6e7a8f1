/* facts_cache.c - see facts_cache.h. */
#include "service/facts_cache.h"

#include "service/judge_image.h"
#include "store/exception.h"
#include "store/image.h"
#include "wire/imageref.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum { CONNECTIONS_MAX = 64, ENTRIES = 512, ENTRIES_USED = 256, KEPT_BYTES = 16 << 20, REFERENCE_MAX = 512 };

struct entry {
    const char *reference;               /* NULL: free */
    const char *digest;
    bool by_tag, is_known, with_aliases;
    struct image_facts facts;
};

/* Of one connection; touched only by the thread that has it. */
struct kept_facts {
    struct db *db;
    uint64_t version;
    struct arena arena;
    struct exception *exceptions; size_t n_exceptions;
    bool has_exceptions, is_full;
    size_t n;
    struct entry entries[ENTRIES];
    struct facts_cache *cache;
};

struct facts_cache {
    pthread_mutex_t lock;                /* of the list, not of what it names */
    struct kept_facts *list[CONNECTIONS_MAX];
    atomic_llong hits, misses;
};

int facts_cache_new(struct facts_cache **out, struct err *err)
{
    struct facts_cache *c = calloc(1, sizeof *c);

    if (c == NULL)
        return err_nomem(err);
    pthread_mutex_init(&c->lock, NULL);
    *out = c;
    return 0;
}

void facts_cache_free(struct facts_cache *c)
{
    if (c == NULL)
        return;
    for (size_t i = 0; i < CONNECTIONS_MAX && c->list[i] != NULL; i++) {
        arena_clear(&c->list[i]->arena);
        free(c->list[i]);
    }
    pthread_mutex_destroy(&c->lock);
    free(c);
}

void facts_cache_counts(const struct facts_cache *c, int64_t *hits, int64_t *misses)
{
    *hits = atomic_load(&c->hits);
    *misses = atomic_load(&c->misses);
}

static struct kept_facts *kept_new(struct facts_cache *c, struct db *db)
{
    struct kept_facts *k = calloc(1, sizeof *k);

    if (k == NULL)
        return NULL;
    arena_init(&k->arena, KEPT_BYTES);
    k->db = db;
    k->cache = c;
    k->version = UINT64_MAX;
    return k;
}

static struct kept_facts *kept_of(struct facts_cache *c, struct db *db)
{
    struct kept_facts *found = NULL;
    size_t i;

    pthread_mutex_lock(&c->lock);
    for (i = 0; i < CONNECTIONS_MAX && c->list[i] != NULL && found == NULL; i++)
        found = c->list[i]->db == db ? c->list[i] : NULL;
    if (found == NULL && i < CONNECTIONS_MAX)
        found = c->list[i] = kept_new(c, db);
    pthread_mutex_unlock(&c->lock);
    return found;
}

static void forget(struct kept_facts *k)
{
    arena_reset(&k->arena);
    memset(k->entries, 0, sizeof k->entries);
    k->n = 0;
    k->exceptions = NULL;
    k->n_exceptions = 0;
    k->has_exceptions = k->is_full = false;
}

void facts_cache_enter(struct facts_cache *c, struct db *db, const struct freshness_limits *limits, int64_t now_ms,
                       struct arena *arena, struct facts_source *out)
{
    uint64_t version;

    *out = (struct facts_source){ .db = db, .limits = *limits, .now_ms = now_ms, .arena = arena };
    if (c == NULL || !db_data_version(db, &version))
        return;
    struct kept_facts *k = kept_of(c, db);
    if (k != NULL && k->version != version) {
        forget(k);
        k->version = version;
    }
    out->kept = k;
}

/* Ones that have ended meanwhile are told apart when they are asked (core/tally.h). */
int facts_exceptions(struct facts_source *s, const struct exception **out, size_t *n, struct err *err)
{
    struct kept_facts *k = s->kept;
    struct err full = { 0 };
    struct exception *list;

    if (k != NULL && !k->has_exceptions &&
        exception_list_active(s->db, s->now_ms, &k->arena, &k->exceptions, &k->n_exceptions, &full) == 0)
        k->has_exceptions = true;
    if (k != NULL && k->has_exceptions) {
        *out = k->exceptions;
        *n = k->n_exceptions;
        return 0;
    }
    if (exception_list_active(s->db, s->now_ms, s->arena, &list, n, err) != 0)
        return -1;
    *out = list;
    return 0;
}

/* ---- images: by digest, else as last seen with the tag ---------------------------------- */

/* 1 found, 0 not, -1 error. */
static int find_image(struct facts_source *s, struct arena *arena, const struct imageref *ref, struct entry *e, int64_t *id, struct err *err)
{
    struct image found;

    if (ref->digest != NULL) {
        e->digest = ref->digest;
        int rc = image_find(s->db, ref->digest, &s->limits, s->now_ms, arena, &found, err);
        *id = rc == 1 ? found.id : 0;
        return rc;
    }
    const char *name = imageref_name(arena, ref);
    if (name == NULL)
        return err_nomem(err);
    e->by_tag = true;
    return ref->tag != NULL ? image_find_by_tag(s->db, name, ref->tag, id, err) : 0;
}

static int load(struct facts_source *s, struct arena *arena, const char *reference, bool with_aliases, struct entry *out, struct err *err)
{
    struct entry e = { .reference = arena_strdup(arena, reference), .with_aliases = with_aliases };
    struct err ignored = { 0 };
    struct imageref ref;
    int64_t id;

    if (e.reference == NULL)
        return err_nomem(err);
    if (imageref_parse(arena, reference, &ref, &ignored) != 0) {
        *out = e;
        return ignored.kind == ERR_UNAVAILABLE ? err_nomem(err) : 0;
    }
    int rc = find_image(s, arena, &ref, &e, &id, err);
    if (rc < 0 || (rc == 1 && facts_load(s->db, id, &s->limits, s->now_ms, with_aliases, arena, &e.facts, err) != 0))
        return -1;
    e.is_known = rc == 1;
    if (e.is_known && e.digest == NULL)
        e.digest = e.facts.image.digest;
    *out = e;
    return 0;
}

/* Where the reference stands, or the free place where it belongs. */
static struct entry *place_of(struct kept_facts *k, const char *reference, bool with_aliases)
{
    uint64_t h = UINT64_C(14695981039346656037);

    for (const char *p = reference; *p != '\0'; p++)
        h = (h ^ (unsigned char)*p) * UINT64_C(1099511628211);
    for (size_t i = h % ENTRIES;; i = (i + 1) % ENTRIES) {
        struct entry *e = &k->entries[i];
        if (e->reference == NULL || (e->with_aliases == with_aliases && strcmp(e->reference, reference) == 0))
            return e;
    }
}

/* The kept entry, loaded when it was not there; NULL when there is no room for it. */
static struct entry *keep(struct facts_source *s, const char *reference, bool with_aliases)
{
    struct kept_facts *k = s->kept;
    struct err full = { 0 };

    if (k == NULL || strlen(reference) > REFERENCE_MAX)
        return NULL;
    struct entry *e = place_of(k, reference, with_aliases);
    atomic_fetch_add(e->reference != NULL ? &k->cache->hits : &k->cache->misses, 1);
    if (e->reference != NULL)
        return e;
    if (k->is_full || k->n >= ENTRIES_USED)
        return NULL;
    if (load(s, &k->arena, reference, with_aliases, e, &full) != 0) {
        k->is_full = true;
        return NULL;
    }
    k->n++;
    return e;
}

int facts_image_of(struct facts_source *s, bool with_aliases, struct admission_image *image, struct image_facts **facts,
                   struct err *err)
{
    struct entry *e = keep(s, image->reference, with_aliases), own;

    if (e == NULL && load(s, s->arena, image->reference, with_aliases, e = &own, err) != 0)
        return -1;
    image->digest = e->digest;
    image->by_tag = e->by_tag;
    image->is_known = e->is_known;
    if (!e->is_known)
        return 0;
    struct image_facts *copy = arena_alloc(s->arena, sizeof *copy);
    struct image_finding *findings = arena_array(s->arena, e->facts.n_findings, sizeof *findings);
    if (copy == NULL || findings == NULL)
        return err_nomem(err);
    *copy = e->facts;
    if (copy->n_findings > 0)
        memcpy(findings, e->facts.findings, copy->n_findings * sizeof *findings);
    copy->findings = findings;
    copy->image.freshness = (int)freshness_decide(&copy->image, &s->limits, s->now_ms);
    *facts = copy;
    return 0;
}
