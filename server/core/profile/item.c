/* item.c - events and profiles as items, see item.h; back from items: build.c. */
#include "core/profile/item.h"

#include "base/str.h"
#include "core/profile/compile.h"
#include "wire/cidr.h"
#include "wire/msg/profile.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { WRITE_DEPTH = 4 };

/* ---- of an event ------------------------------------------------------------------------ */

static bool set_text(char out[ITEM_TEXT_MAX], const char *s)
{
    size_t n = strlen(s);

    if (n >= ITEM_TEXT_MAX)
        return false;
    memcpy(out, s, n + 1);
    return true;
}

int64_t event_weight(const struct event *event)
{
    return event->count < 1 ? 1 : event->count > EVENT_WEIGHT_MAX ? EVENT_WEIGHT_MAX : event->count;
}

static size_t item_user(const struct event *e, struct profile_item *out)
{
    if (e->process.uid < 0 || e->process.uid >= UINT32_MAX)
        return 0;
    out->part = PART_USER;
    out->parent[0] = '\0';
    snprintf(out->text, sizeof out->text, "%" PRId64, e->process.uid);
    return 1;
}

static size_t of_exec(const struct event *e, struct profile_item *out)
{
    const char *parent = e->process.parent_exe != NULL && e->process.parent_exe[0] == '/' ? e->process.parent_exe : "";

    for (size_t i = 0; i < e->n_tags; i++) {
        if (str_eq(e->tags[i], TAG_PROBE))
            return 0;                      /* the engine's doing, not the image's */
    }
    if (e->process.exe == NULL || e->process.exe[0] != '/')
        return item_user(e, out);
    out->part = PART_EXECUTABLE;
    if (!set_text(out->text, e->process.exe) || !set_text(out->parent, parent))
        return item_user(e, out);
    return 1 + item_user(e, out + 1);
}

static const char *protocol_word(const char *word)
{
    return word != NULL && str_eq_nocase(word, "udp") ? "udp" : "tcp";
}

static size_t of_listen(const struct event *e, struct profile_item *out)
{
    if (e->net.local_port <= 0 || e->net.local_port > 65535)
        return 0;
    out->part = PART_LISTEN;
    out->parent[0] = '\0';
    snprintf(out->text, sizeof out->text, "%s/%" PRId64, protocol_word(e->net.protocol), e->net.local_port);
    return 1;
}

/* The best name first: what stays when an address changes. */
static bool name_peer(const struct event_net *net, const char **kind, const char **who)
{
    static const char *const own[] = { "127.0.0.0/8", "::1", "0.0.0.0", "::" };
    struct cidr address, mine;

    *kind = net->remote_service != NULL ? "service" : net->remote_name != NULL ? "dns" : "cidr";
    *who = net->remote_service != NULL ? net->remote_service : net->remote_name != NULL ? net->remote_name : net->remote;
    if (net->remote_service != NULL || net->remote_name != NULL)
        return strpbrk(*who, " \t\r\n") == NULL;
    if (*who == NULL || !cidr_parse(*who, &address))
        return false;
    for (size_t i = 0; i < N_ITEMS(own); i++) {
        if (cidr_parse(own[i], &mine) && cidr_contains(&mine, &address))
            return false;
    }
    return true;
}

static size_t of_peer(const struct event_net *net, int part, int64_t port, struct profile_item *out)
{
    const char *kind, *who;

    if (!name_peer(net, &kind, &who))
        return 0;
    out->part = part;
    out->parent[0] = '\0';
    int n = port > 0 && port <= 65535 ? snprintf(out->text, sizeof out->text, "%s %s %s/%" PRId64, kind, who, protocol_word(net->protocol), port)
                                      : snprintf(out->text, sizeof out->text, "%s %s", kind, who);
    return n > 0 && (size_t)n < sizeof out->text;
}

static size_t of_accept(const struct event *e, struct profile_item *out)
{
    size_t n = of_listen(e, out);

    return n + of_peer(&e->net, PART_INGRESS, e->net.local_port, out + n);
}

static size_t of_connect(const struct event *e, struct profile_item *out)
{
    return str_eq(e->net.direction, "in") ? of_accept(e, out) : of_peer(&e->net, PART_EGRESS, e->net.remote_port, out);
}

/* A name made by chance: a number, a long run of hex, digits in the middle. */
static bool is_chance(const char *s, size_t n)
{
    size_t digits = 0, hex = strspn(s, "0123456789abcdef-");

    for (size_t i = 0; i < n; i++)
        digits += s[i] >= '0' && s[i] <= '9';
    return digits >= 3 || digits >= n || (n >= 16 && hex >= n) || n > 40;
}

static bool is_scratch(const char *path)
{
    return str_starts(path, "/tmp/") || str_starts(path, "/var/tmp/") || str_starts(path, "/run/") || str_starts(path, "/var/run/");
}

/* The path itself; from the first component made by chance on, the folder. */
static size_t of_write(const struct event *e, struct profile_item *out)
{
    const char *path = e->file.path;
    size_t len = 0, depth = 0;

    if (path == NULL || path[0] != '/' || str_starts(path, "/dev/") || str_starts(path, "/proc/") || strchr(path, '*') != NULL)
        return 0;
    for (const char *at = path; depth < WRITE_DEPTH && *at != '\0'; depth++) {
        size_t n = strcspn(at + 1, "/");
        if (is_chance(at + 1, n) || (at[1 + n] == '\0' && is_scratch(path)))
            break;
        at += 1 + n;
        len = (size_t)(at - path);
    }
    out->part = PART_WRITE;
    out->parent[0] = '\0';
    if (path[len] == '\0' || len == 0)
        return set_text(out->text, path);  /* in the root folder everything has its own name */
    int n = snprintf(out->text, sizeof out->text, "%.*s/**", (int)len, path);
    return n > 0 && (size_t)n < sizeof out->text;
}

static size_t of_capability(const struct event *e, struct profile_item *out)
{
    const char *name = e->capability;

    if (name == NULL)
        return 0;
    out->part = PART_CAPABILITY;
    out->parent[0] = '\0';
    return set_text(out->text, str_starts(name, "CAP_") ? name + 4 : name);
}

size_t items_of_event(const struct event *event, struct profile_item out[ITEMS_PER_EVENT])
{
    typedef size_t of_fn(const struct event *, struct profile_item *);
    static of_fn *const of[EVENT_KIND_N] = {
        [EVENT_EXEC] = of_exec, [EVENT_CONNECT] = of_connect, [EVENT_LISTEN] = of_listen, [EVENT_ACCEPT] = of_accept,
        [EVENT_FILE_WRITE] = of_write, [EVENT_CAPABILITY] = of_capability,
    };

    if (event->kind < 0 || event->kind >= EVENT_KIND_N || of[event->kind] == NULL)
        return 0;
    return of[event->kind](event, out);
}

/* ---- where a program came from ---------------------------------------------------------- */

enum program_origin event_origin(const struct event *e)
{
    static const struct { const char *word; enum program_origin origin; } words[] = {
        { TAG_FILELESS, ORIGIN_MEMORY }, { TAG_NOT_IN_IMAGE, ORIGIN_WRITTEN },
        { "Fileless execution via memfd_create", ORIGIN_MEMORY },            /* Falco */
        { "Drop and execute new binary in container", ORIGIN_WRITTEN },
        { "fileless_execution", ORIGIN_MEMORY }, { "dropped_executable", ORIGIN_WRITTEN },      /* Tracee */
        { "Fileless execution detected", ORIGIN_MEMORY }, { "New executable dropped", ORIGIN_WRITTEN },
    };
    const char *exe = e->process.exe;

    if (exe != NULL && (str_starts(exe, "memfd:") || str_starts(exe, "/memfd:") || str_starts(exe, "/dev/shm/")))
        return ORIGIN_MEMORY;
    for (size_t i = 0; i < N_ITEMS(words); i++) {
        if (str_eq(e->rule, words[i].word))
            return words[i].origin;
        for (size_t k = 0; k < e->n_tags; k++) {
            if (str_eq(e->tags[k], words[i].word))
                return words[i].origin;
        }
    }
    return ORIGIN_UNKNOWN;
}

/* ---- of a profile -------------------------------------------------------------------------- */

struct items {
    struct profile_item *items;
    size_t n, max;
};

static size_t count_peers(const struct profile_peer *peers, size_t n)
{
    size_t sum = 0;

    for (size_t i = 0; i < n; i++)
        sum += peers[i].n_ports > 0 ? peers[i].n_ports : 1;
    return sum;
}

static struct profile_item *next_item(struct items *list, int part)
{
    struct profile_item *item = &list->items[list->n];

    if (list->n < list->max)
        list->n++;
    item->part = part;
    item->parent[0] = item->text[0] = '\0';
    return item;
}

static void put_executables(const struct profile *p, struct items *list)
{
    for (size_t i = 0; i < p->n_executables; i++) {
        const struct profile_executable *e = &p->executables[i];
        for (size_t k = 0; k < (e->n_parents > 0 ? e->n_parents : 1); k++) {
            struct profile_item *item = next_item(list, PART_EXECUTABLE);
            (void)set_text(item->text, e->path);
            (void)set_text(item->parent, e->n_parents > 0 ? e->parents[k] : "");
        }
    }
}

static void put_peer(const struct profile_peer *e, int64_t port, struct profile_item *item)
{
    static const char *const kinds[] = { "", "service", "cidr", "dns" };
    const char *who = e->service != NULL ? e->service : e->cidr != NULL ? e->cidr : e->dns;
    const char *protocol = net_protocol_words[e->protocol];

    if (port > 0)
        snprintf(item->text, sizeof item->text, "%s %s %s/%" PRId64, kinds[e->kind], who, protocol, port);
    else
        snprintf(item->text, sizeof item->text, "%s %s", kinds[e->kind], who);
}

static void put_peers(const struct profile_peer *peers, size_t n, int part, struct items *list)
{
    for (size_t i = 0; i < n; i++) {
        if (peers[i].n_ports == 0)
            put_peer(&peers[i], 0, next_item(list, part));
        for (size_t k = 0; k < peers[i].n_ports; k++)
            put_peer(&peers[i], peers[i].ports[k], next_item(list, part));
    }
}

static void put_rest(const struct profile *p, struct items *list)
{
    for (size_t i = 0; i < p->n_listens; i++) {
        struct profile_item *item = next_item(list, PART_LISTEN);
        int protocol = p->listens[i].protocol == NET_ANY ? NET_TCP : p->listens[i].protocol;
        snprintf(item->text, sizeof item->text, "%s/%" PRId64, net_protocol_words[protocol], p->listens[i].port);
    }
    for (size_t i = 0; i < p->n_writes; i++)
        (void)set_text(next_item(list, PART_WRITE)->text, p->writes[i]);
    for (size_t i = 0; i < p->n_users; i++)
        snprintf(next_item(list, PART_USER)->text, ITEM_TEXT_MAX, "%" PRId64, p->users[i]);
    for (size_t i = 0; i < p->n_capabilities; i++)
        (void)set_text(next_item(list, PART_CAPABILITY)->text, p->capabilities[i]);
}

int items_of_profile(const struct profile *p, struct arena *arena, struct profile_item **out, size_t *n, struct err *err)
{
    size_t max = p->n_listens + p->n_writes + p->n_users + p->n_capabilities + count_peers(p->egress, p->n_egress) +
                 count_peers(p->ingress, p->n_ingress);

    for (size_t i = 0; i < p->n_executables; i++)
        max += p->executables[i].n_parents > 0 ? p->executables[i].n_parents : 1;
    struct items list = { arena_array(arena, max + 1, sizeof *list.items), 0, max };
    if (list.items == NULL)
        return err_nomem(err);
    put_executables(p, &list);
    put_peers(p->egress, p->n_egress, PART_EGRESS, &list);
    put_peers(p->ingress, p->n_ingress, PART_INGRESS, &list);
    put_rest(p, &list);
    *out = list.items;
    *n = list.n;
    return 0;
}
