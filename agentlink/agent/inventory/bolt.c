/* bolt.c - see bolt.h. */
#include "agent/inventory/bolt.h"

#include "agent/inventory/census.h"
#include "base/str.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    PAGE_HEADER = 16, META_LEN = 64, ELEMENT = 16, BUCKET_HEADER = 16, FLAG_BRANCH = 1, FLAG_LEAF = 2, FLAG_BUCKET = 1,
    DEPTH_MAX = 24, OVERFLOW_MAX = 255, EACH_MAX = 1000, VALUE_MAX = 64 * 1024
};
static const uint32_t MAGIC = 0xED0CDAED, VERSION = 2;

/* A page, or one within a value. */
struct page {
    const unsigned char *bytes;
    size_t len;
    unsigned flags, n;
};

static uint32_t u16(const unsigned char *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8;
}

static uint32_t u32(const unsigned char *p)
{
    return u16(p) | u16(p + 2) << 16;
}

static uint64_t u64(const unsigned char *p)
{
    return (uint64_t)u32(p) | (uint64_t)u32(p + 4) << 32;
}

static uint64_t fnv(const unsigned char *p, size_t len)
{
    uint64_t hash = UINT64_C(14695981039346656037);

    for (size_t i = 0; i < len; i++)
        hash = (hash ^ p[i]) * UINT64_C(1099511628211);
    return hash;
}

/* ---- opening ------------------------------------------------------------------------------ */

static bool read_meta(int fd, off_t at, uint64_t *txid, struct bolt *out)
{
    unsigned char page[PAGE_HEADER + META_LEN];
    const unsigned char *m = page + PAGE_HEADER;

    if (pread(fd, page, sizeof page, at) != (ssize_t)sizeof page || u32(m) != MAGIC || u32(m + 4) != VERSION ||
        fnv(m, META_LEN - 8) != u64(m + META_LEN - 8))
        return false;
    uint32_t size = u32(m + 8);
    if (size < 1024 || size > 65536 || (size & (size - 1)) != 0 || u64(m + 48) < *txid)
        return false;
    *txid = u64(m + 48);
    out->page_size = size;
    out->root = u64(m + 16);
    return true;
}

bool bolt_open_fd(int fd, struct bolt *out)
{
    static const off_t sizes[] = { 4096, 8192, 16384, 65536 };
    struct bolt b = { .fd = fd };
    struct stat st;
    uint64_t txid = 0;
    bool found = read_meta(fd, 0, &txid, &b);

    /* The second one lies at the end of the first page, however long that is. */
    for (size_t i = 0; i < N_ITEMS(sizes); i++)
        found |= read_meta(fd, sizes[i], &txid, &b);
    if (!found || fstat(fd, &st) != 0)
        return false;
    b.n_pages = (uint64_t)st.st_size / b.page_size;
    *out = b;
    return true;
}

bool bolt_open(struct census *s, const char *path, struct bolt *out)
{
    int fd = census_open(s, path);

    if (fd < 0)
        return false;
    if (bolt_open_fd(fd, out))
        return true;
    census_problem(s, "%s: not a database of the known kind", path);
    close(fd);
    return false;
}

void bolt_close(struct bolt *b)
{
    close(b->fd);
}

/* ---- pages ----------------------------------------------------------------------------------- */

static bool look_at(const unsigned char *bytes, size_t len, struct page *out)
{
    if (len < PAGE_HEADER)
        return false;
    *out = (struct page){ bytes, len, u16(bytes + 8), u16(bytes + 10) };
    return (out->flags == FLAG_BRANCH || out->flags == FLAG_LEAF) && PAGE_HEADER + (size_t)out->n * ELEMENT <= len;
}

static bool load_page(const struct bolt *b, struct arena *arena, uint64_t id, struct page *out)
{
    unsigned char header[PAGE_HEADER];
    off_t at = (off_t)(id * b->page_size);

    if (id >= b->n_pages || pread(b->fd, header, sizeof header, at) != (ssize_t)sizeof header || u32(header + 12) > OVERFLOW_MAX)
        return false;
    size_t len = ((size_t)u32(header + 12) + 1) * b->page_size;
    unsigned char *bytes = arena_bytes(arena, len);
    if (bytes == NULL || u64(header) != id || pread(b->fd, bytes, len, at) != (ssize_t)len)
        return false;
    return look_at(bytes, len, out);
}

struct element {
    struct bytes key, value;
    bool is_bucket;
    uint64_t child;
};

static bool element_at(const struct page *p, unsigned i, struct element *out)
{
    size_t at = PAGE_HEADER + (size_t)i * ELEMENT;
    const unsigned char *e = p->bytes + at;
    bool leaf = p->flags == FLAG_LEAF;
    uint64_t key = at + (leaf ? u32(e + 4) : u32(e));
    uint64_t key_len = leaf ? u32(e + 8) : u32(e + 4), value_len = leaf ? u32(e + 12) : 0;

    if (key + key_len + value_len > p->len)
        return false;
    *out = (struct element){
        .key = { p->bytes + key, (size_t)key_len }, .value = { p->bytes + key + key_len, (size_t)value_len },
        .is_bucket = leaf && (u32(e) & FLAG_BUCKET) != 0, .child = leaf ? 0 : u64(e + 8),
    };
    return true;
}

static int compare(struct bytes a, const char *key)
{
    size_t len = strlen(key), n = a.len < len ? a.len : len;
    int order = memcmp(a.ptr, key, n);

    return order != 0 ? order : a.len < len ? -1 : a.len > len;
}

/* The last element that is not behind the key. */
static bool search(const struct page *p, const char *key, struct element *out)
{
    unsigned low = 0, high = p->n;

    while (low < high) {
        unsigned middle = low + (high - low) / 2;
        if (!element_at(p, middle, out))
            return false;
        if (compare(out->key, key) <= 0)
            low = middle + 1;
        else
            high = middle;
    }
    return p->n > 0 && element_at(p, low > 0 ? low - 1 : 0, out);
}

/* ---- buckets ---------------------------------------------------------------------------------- */

static bool find(const struct bolt *b, struct arena *arena, struct page p, const char *key, struct element *out)
{
    for (int depth = 0; p.flags == FLAG_BRANCH; depth++)
        if (depth == DEPTH_MAX || !search(&p, key, out) || !load_page(b, arena, out->child, &p))
            return false;
    return search(&p, key, out) && compare(out->key, key) == 0;
}

static bool enter(const struct bolt *b, struct arena *arena, const struct element *e, struct page *out)
{
    if (!e->is_bucket || e->value.len < BUCKET_HEADER)
        return false;
    uint64_t root = u64(e->value.ptr);
    return root != 0 ? load_page(b, arena, root, out)
                     : look_at(e->value.ptr + BUCKET_HEADER, e->value.len - BUCKET_HEADER, out);
}

static const char *text_of(struct arena *arena, struct bytes b)
{
    return b.len <= VALUE_MAX && str_is_utf8((const char *)b.ptr, b.len) ? arena_strndup(arena, (const char *)b.ptr, b.len) : NULL;
}

const char *bolt_text(const struct bolt *b, struct arena *arena, const char *const *path)
{
    struct element e = { 0 };
    struct page p;
    size_t i = 0;

    if (!load_page(b, arena, b->root, &p))
        return NULL;
    for (; path[i] != NULL; i++)
        if ((i > 0 && !enter(b, arena, &e, &p)) || !find(b, arena, p, path[i], &e))
            return NULL;
    return i == 0 || e.is_bucket ? NULL : text_of(arena, e.value);
}

static void each_of(const struct bolt *b, struct arena *arena, const struct page *p, int depth, size_t *left,
                    void (*each)(void *data, const char *key, const char *value), void *data)
{
    struct element e;
    struct page child;

    for (unsigned i = 0; i < p->n && *left > 0 && element_at(p, i, &e); i++, (*left)--) {
        if (p->flags == FLAG_BRANCH) {
            if (depth < DEPTH_MAX && load_page(b, arena, e.child, &child))
                each_of(b, arena, &child, depth + 1, left, each, data);
            continue;
        }
        const char *key = e.is_bucket ? NULL : text_of(arena, e.key), *value = key == NULL ? NULL : text_of(arena, e.value);
        if (value != NULL)
            each(data, key, value);
    }
}

void bolt_each(const struct bolt *b, struct arena *arena, const char *const *path,
               void (*each)(void *data, const char *key, const char *value), void *data)
{
    struct element e = { 0 };
    struct page p;
    size_t left = EACH_MAX;

    if (!load_page(b, arena, b->root, &p))
        return;
    for (size_t i = 0; path[i] != NULL; i++)
        if (!find(b, arena, p, path[i], &e) || !enter(b, arena, &e, &p))
            return;
    each_of(b, arena, &p, 0, &left, each, data);
}
