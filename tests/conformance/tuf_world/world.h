/* world.h - the other side of a scenario: who holds which keys, and documents made of
 * what a step says.  Numbers of keys are per role; times are days from a fixed one. */
#ifndef KEEP_TESTS_TUF_WORLD_H
#define KEEP_TESTS_TUF_WORLD_H

#include "base/base64.h"
#include "base/time.h"
#include "wire/envelope.h"
#include "wire/json.h"
#include "wire/trust.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WORLD_KEYS = 24, WORLD_SIGNERS = SIGNATURES_MAX };
#define WORLD_DAY0 (INT64_C(1893456000000))         /* 2030-01-01 */
#define WORLD_FOREVER_DAYS 3000

struct key_list {
    size_t n;
    int key[WORLD_KEYS];
};

struct published_root {
    int64_t version, expires_ms;
    struct key_list root, bundle;
    int64_t root_threshold, bundle_threshold;
};

struct world {
    struct arena *arena;
    struct privkey *root_keys[WORLD_KEYS], *bundle_keys[WORLD_KEYS];
    struct published_root root;          /* the newest that was published */
};

static inline int64_t world_ms(double days)
{
    return WORLD_DAY0 + (int64_t)(days * (double)MS_DAY);
}

static inline void world_open(struct world *w, struct arena *arena)
{
    struct err err = { 0 };

    *w = (struct world){ .arena = arena };
    for (size_t i = 0; i < WORLD_KEYS; i++)
        if (privkey_generate(KEY_ED25519, &w->root_keys[i], &err) != 0 || privkey_generate(KEY_ED25519, &w->bundle_keys[i], &err) != 0)
            abort();
}

static inline void world_close(struct world *w)
{
    for (size_t i = 0; i < WORLD_KEYS; i++) {
        privkey_free(w->root_keys[i]);
        privkey_free(w->bundle_keys[i]);
    }
}

/* A list of numbers; anything else leaves it as it was. */
static inline void world_list(const struct json *v, struct key_list *list)
{
    if (!json_is(v, JSON_ARRAY))
        return;
    list->n = 0;
    for (uint32_t i = 0; i < json_len(v) && i < WORLD_KEYS; i++)
        list->key[list->n++] = (int)(json_int(json_at(v, i), 0) % WORLD_KEYS);
}

static inline bool world_has(const struct key_list *list, int key)
{
    for (size_t i = 0; i < list->n; i++)
        if (list->key[i] == key)
            return true;
    return false;
}

static inline void world_add(struct key_list *list, int key)
{
    if (list->n < WORLD_KEYS && !world_has(list, key))
        list->key[list->n++] = key;
}

/* An envelope by these keys; without any, one with a signature of somebody unknown is
 * what comes nearest to an unsigned document, and an empty list is said as it is. */
static inline struct bytes world_sign(struct world *w, const char *type, struct bytes payload, struct privkey *const *keys,
                                      const struct key_list *by)
{
    const struct privkey *list[WORLD_SIGNERS];
    struct err err = { 0 };
    struct buf out;
    size_t n = 0;

    for (size_t i = 0; i < by->n && n < WORLD_SIGNERS; i++)
        list[n++] = keys[by->key[i]];
    if (n == 0)
        list[n++] = keys[WORLD_KEYS - 1];
    buf_init(&out, 1 << 20);
    if (envelope_sign(w->arena, type, payload, list, n, &out, &err) != 0)
        abort();
    char *text = arena_strndup(w->arena, out.ptr, out.len);
    if (by->n == 0)
        snprintf(strstr(text, "\"signatures\":"), 20, "\"signatures\":[]}");
    buf_free(&out);
    return (struct bytes){ (unsigned char *)text, strlen(text) };
}

static inline void world_role(struct buf *b, const char *name, struct privkey *const *keys, const struct key_list *list, int64_t threshold)
{
    buf_printf(b, "\"%s\":{\"keyids\":[", name);
    for (size_t i = 0; i < list->n; i++)
        buf_printf(b, "%s\"%s\"", i > 0 ? "," : "", privkey_public(keys[list->key[i]])->fingerprint);
    buf_printf(b, "],\"threshold\":%lld}", (long long)threshold);
}

static inline void world_keys(struct world *w, struct buf *b, struct privkey *const *keys, const struct key_list *list, bool *comma)
{
    for (size_t i = 0; i < list->n; i++) {
        const uint8_t *raw = pubkey_ed25519(privkey_public(keys[list->key[i]]));
        char text[64];
        bool again = false;
        for (size_t j = 0; j < i; j++)
            again = again || list->key[j] == list->key[i];
        if (again)
            continue;
        base64_encode(raw, 32, BASE64_STD, text);
        buf_printf(b, "%s\"%s\":{\"alg\":\"ed25519\",\"pub\":\"%s\"}", *comma ? "," : "",
                   privkey_public(keys[list->key[i]])->fingerprint, text);
        *comma = true;
    }
    (void)w;
}

/* The document, even one no honest tool would write. */
static inline struct bytes world_root(struct world *w, const struct published_root *r, const struct key_list *by)
{
    char expires[TIME_TEXT];
    bool comma = false;
    struct buf b;

    time_format(r->expires_ms, expires);
    buf_init(&b, 1 << 18);
    buf_printf(&b, "{\"_type\":\"root\",\"version\":%lld,\"expires\":\"%s\",\"keys\":{", (long long)r->version, expires);
    world_keys(w, &b, w->root_keys, &r->root, &comma);
    world_keys(w, &b, w->bundle_keys, &r->bundle, &comma);
    buf_puts(&b, "},\"roles\":{");
    world_role(&b, "root", w->root_keys, &r->root, r->root_threshold);
    buf_putc(&b, ',');
    world_role(&b, "bundle", w->bundle_keys, &r->bundle, r->bundle_threshold);
    buf_puts(&b, "}}");
    struct bytes out = world_sign(w, TRUST_ROOT_TYPE, (struct bytes){ (unsigned char *)b.ptr, b.len }, w->root_keys, by);
    buf_free(&b);
    return out;
}

#endif
