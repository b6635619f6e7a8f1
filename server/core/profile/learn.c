/* learn.c - see learn.h. */
#include "core/profile/learn.h"

#include "base/time.h"
#include "wire/msg/profile.h"

#include <stdlib.h>
#include <string.h>

const char *const doubt_words[] = { "alert", "not-in-image", "first-hour", "one-container", "shell", "world-wide", NULL };
const char *const doubt_sentences[] = {
    "an event that showed it raised an alert", "the program is not in the image", "it was seen only in the first hour of the image",
    "it was seen in one container only", "it is a shell", "it is an address anywhere in the world, without a name", NULL,
};

/* ---- several images as one ------------------------------------------------------------- */

static int by_item(const void *a, const void *b)
{
    const struct observation *x = a, *y = b;
    int order = x->part != y->part ? x->part - y->part : strcmp(x->item, y->item);

    return order != 0 ? order : strcmp(x->parent, y->parent);
}

/* The union of two lists of hashes of 4 bytes. */
static bool add_hashes(struct bytes *to, struct bytes more, size_t max, struct arena *arena)
{
    unsigned char *all = arena_bytes(arena, to->len + more.len + 1);
    size_t len = to->len;

    if (all == NULL)
        return false;
    if (len > 0)
        memcpy(all, to->ptr, len);
    for (size_t i = 0; i + 4 <= more.len && len < 4 * max; i += 4) {
        bool known = false;
        for (size_t k = 0; k < len && !known; k += 4)
            known = memcmp(all + k, more.ptr + i, 4) == 0;
        if (!known) {
            memcpy(all + len, more.ptr + i, 4);
            len += 4;
        }
    }
    *to = (struct bytes){ all, len };
    return true;
}

static bool join(struct observation *to, const struct observation *more, struct arena *arena)
{
    to->n += more->n;
    to->n_hours = to->n_hours > more->n_hours ? to->n_hours : more->n_hours;
    to->first_ms = to->first_ms < more->first_ms ? to->first_ms : more->first_ms;
    to->last_ms = to->last_ms > more->last_ms ? to->last_ms : more->last_ms;
    if (more->doubt[0] != '\0')
        to->doubt = to->doubt[0] == '\0' ? more->doubt : arena_printf(arena, "%s %s", to->doubt, more->doubt);
    if (to->doubt == NULL || !add_hashes(&to->containers, more->containers, OBSERVED_CONTAINERS_MAX, arena) ||
        !add_hashes(&to->nodes, more->nodes, OBSERVED_NODES_MAX, arena))
        return false;
    to->n_containers = (int64_t)(to->containers.len / 4);
    to->n_nodes = (int64_t)(to->nodes.len / 4);
    return true;
}

int observations_merge(const struct observation *list, size_t n, struct arena *arena, struct observation **out, size_t *n_out,
                       struct err *err)
{
    struct observation *all = arena_array(arena, n + 1, sizeof *all);
    size_t kept = 0;

    if (all == NULL)
        return err_nomem(err);
    if (n > 0)
        memcpy(all, list, n * sizeof *all);
    if (n > 1)
        qsort(all, n, sizeof *all, by_item);
    for (size_t i = 0; i < n; i++) {
        if (kept == 0 || by_item(&all[kept - 1], &all[i]) != 0)
            all[kept++] = all[i];
        else if (!join(&all[kept - 1], &all[i], arena))
            return err_nomem(err);
    }
    *out = all;
    *n_out = kept;
    return 0;
}

/* ---- doubts ------------------------------------------------------------------------------- */

static bool has_word(const char *words, const char *word)
{
    size_t n = strlen(word);

    for (const char *at = words; *at != '\0'; at += strcspn(at, " "), at += *at == ' ') {
        if (strcspn(at, " ") == n && memcmp(at, word, n) == 0)
            return true;
    }
    return false;
}

static bool in_image(const struct image_files *files, const char *path)
{
    for (size_t i = 0; i < files->n; i++) {
        if (str_eq(files->paths[i], path))
            return true;
    }
    return false;
}

static bool is_world(const struct observation *o)
{
    struct item_parts parts;

    return (o->part == PART_EGRESS || o->part == PART_INGRESS) && item_parse(o->part, o->item, "", &parts) && parts.kind == PEER_CIDR &&
           cidr_is_public(&parts.net);
}

static unsigned doubts_of(const struct observation *o, int64_t image_first_ms, const struct image_files *files)
{
    bool program = o->part == PART_EXECUTABLE, absent = program && files != NULL && files->is_complete && !in_image(files, o->item);
    unsigned doubts = 0;

    doubts |= has_word(o->doubt, OBSERVED_RAISED) ? DOUBT_ALERT : 0;
    doubts |= has_word(o->doubt, OBSERVED_NOT_IN_IMAGE) || absent ? DOUBT_NOT_IN_IMAGE : 0;
    doubts |= o->last_ms < image_first_ms + MS_HOUR ? DOUBT_FIRST_HOUR : 0;
    doubts |= o->n_containers < 2 ? DOUBT_ONE : 0;
    doubts |= program && is_shell(o->item) ? DOUBT_SHELL : 0;
    doubts |= is_world(o) ? DOUBT_WORLD : 0;
    return doubts;
}

static int share(int64_t is, int64_t of, int points)
{
    return of <= 0 || is >= of ? points : (int)(points * is / of);
}

static int confidence_of(const struct observation *o, const struct learn_rules *rules)
{
    return share(o->n_containers, rules->containers, 40) + share(o->n_nodes, 2, 20) + share(o->n_hours, rules->span_ms / MS_HOUR, 40);
}

/* "PART TEXT" is any parent, "PART TEXT < PARENT" that one. */
static bool names_item(const char *said, const struct observation *o)
{
    const char *part = profile_part_words[o->part];
    size_t n_part = strlen(part), n_item = strlen(o->item);

    if (strncmp(said, part, n_part) != 0 || said[n_part] != ' ' || strncmp(said + n_part + 1, o->item, n_item) != 0)
        return false;
    const char *rest = said + n_part + 1 + n_item;
    return *rest == '\0' || (str_starts(rest, " < ") && str_eq(rest + 3, o->parent));
}

static bool is_said(const struct observation *o, const char *const *accept, size_t n_accept)
{
    for (size_t i = 0; i < n_accept; i++) {
        if (names_item(accept[i], o))
            return true;
    }
    return false;
}

int learn_judge(const struct observation *list, size_t n, const struct learn_rules *rules, const struct image_files *files,
                const char *const *accept, size_t n_accept, struct arena *arena, struct learned_item **out, struct err *err)
{
    struct learned_item *items = arena_array(arena, n + 1, sizeof *items);
    int64_t first_ms = INT64_MAX - MS_HOUR;

    if (items == NULL)
        return err_nomem(err);
    for (size_t i = 0; i < n; i++)
        first_ms = list[i].first_ms < first_ms ? list[i].first_ms : first_ms;
    for (size_t i = 0; i < n; i++) {
        items[i].seen = &list[i];
        items[i].doubts = doubts_of(&list[i], first_ms, files);
        items[i].confidence = confidence_of(&list[i], rules);
        items[i].is_accepted = items[i].doubts == 0 || is_said(&list[i], accept, n_accept);
    }
    *out = items;
    return 0;
}

const char *learn_unknown(const struct learned_item *items, size_t n, const char *const *accept, size_t n_accept)
{
    for (size_t i = 0; i < n_accept; i++) {
        bool found = false;
        for (size_t k = 0; k < n && !found; k++)
            found = names_item(accept[i], items[k].seen);
        if (!found)
            return accept[i];
    }
    return NULL;
}

int learn_profile(const struct learned_item *items, size_t n, struct arena *arena, struct profile *p, struct err *err)
{
    struct item_builder *b = item_builder_new(arena);
    unsigned covers = 0;

    if (b == NULL)
        return err_nomem(err);
    for (size_t i = 0; i < n; i++) {
        const struct observation *o = items[i].seen;
        covers |= 1u << o->part;
        if (items[i].is_accepted && item_builder_add(b, o->part, o->item, o->parent, err) != 0)
            return -1;
    }
    return item_builder_done(b, covers, p, err);
}

/* ---- two profiles as one ---------------------------------------------------------------------- */

static int add_all(struct item_builder *b, const struct profile *p, struct arena *arena, struct err *err)
{
    struct profile_item *items;
    size_t n;

    if (items_of_profile(p, arena, &items, &n, err) != 0)
        return -1;
    for (size_t i = 0; i < n; i++) {
        if (profile_covers(p, (enum profile_part)items[i].part) &&
            item_builder_add(b, items[i].part, items[i].text, items[i].parent, err) != 0)
            return -1;
    }
    return 0;
}

static const char *hash_in(const struct profile *p, const char *path)
{
    for (size_t i = 0; i < p->n_executables; i++) {
        if (str_eq(p->executables[i].path, path))
            return p->executables[i].sha256;
    }
    return NULL;
}

int profile_merge(const struct profile *a, const struct profile *b, struct arena *arena, struct profile *out, struct err *err)
{
    struct item_builder *builder = item_builder_new(arena);
    struct profile merged = *a;

    if (builder == NULL)
        return err_nomem(err);
    if (add_all(builder, a, arena, err) != 0 || add_all(builder, b, arena, err) != 0 ||
        item_builder_done(builder, profile_parts(a) | profile_parts(b), &merged, err) != 0)
        return -1;
    struct profile_executable *list = arena_array(arena, merged.n_executables + 1, sizeof *list);
    if (list == NULL)
        return err_nomem(err);
    for (size_t i = 0; i < merged.n_executables; i++) {
        list[i] = merged.executables[i];
        list[i].sha256 = hash_in(a, list[i].path);
    }
    merged.executables = list;
    *out = merged;
    return 0;
}
