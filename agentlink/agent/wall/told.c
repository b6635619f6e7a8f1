/* told.c - what the kernel told, as an event; see internal.h.
 *
 * The kernel folds what repeats itself; count says how many an event stands for.
 * The same denial again and again is worse than once: 10 are an error, 100 critical. */
#include "agent/wall/internal.h"
#include "base/str.h"
#include "base/time.h"
#include "agent/wall/built.h"

#ifdef KEEP_WALL_BUILT
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

enum { SEVERITY_CRITICAL = 2, SEVERITY_ERROR = 3, SEVERITY_WARNING = 4, SEVERITY_INFO = 6 };

static const struct why_info {
    const char *rule, *tag, *words;
} whys[WHY_N] = {
    [WHY_NONE] = { NULL, NULL, NULL },
    [WHY_PROGRAM] = { "wall.program", "not_listed", "the profile does not name this program" },
    [WHY_NOWHERE] = { "wall.program", "no_file", "the program has no path: memory, or a detached mount" },
    [WHY_DELETED] = { "wall.program", "deleted", "the program's file was deleted" },
    [WHY_LONG] = { "wall.program", "path_too_long", "the program's path is longer or deeper than rules can be" },
    [WHY_MOUNTS] = { "wall.program", "other_mounts", "another mount namespace than the container's" },
    [WHY_PARENT] = { "wall.parent", "not_by_this_parent", "the profile does not let this program be started by that one" },
    [WHY_CONTENT] = { "wall.content", "other_content", "the file is not the one whose sha256 the profile gives" },
    [WHY_PORT] = { "wall.port", "not_listed", "the profile does not name this port" },
    [WHY_PROTOCOL] = { "wall.protocol", "other_protocol", "where peers are judged: another protocol than TCP or UDP, or a raw socket" },
    [WHY_PEER] = { "wall.peer", "not_listed", "the profile does not name this peer" },
};

static const struct kind_info {
    int kind;
    const char *direction;
} kinds[] = {
    [RAW_EXEC] = { EVENT_EXEC, NULL }, [RAW_EXIT] = { EVENT_EXIT, NULL }, [RAW_LISTEN] = { EVENT_LISTEN, "in" },
    [RAW_CONNECT] = { EVENT_CONNECT, "out" }, [RAW_ACCEPT] = { EVENT_ACCEPT, "in" }, [RAW_BIND] = { EVENT_LISTEN, "in" },
    [RAW_INBOUND] = { EVENT_ACCEPT, "in" },
};

static const int verdicts[] = {
    [RAW_OBSERVED] = VERDICT_OBSERVED, [RAW_ALERT] = VERDICT_ALERT, [RAW_DENIED] = VERDICT_DENIED, [RAW_KILLED] = VERDICT_KILLED,
};

static uint64_t hash_add(uint64_t h, const void *p, size_t n)      /* FNV-1a */
{
    for (size_t i = 0; i < n; i++)
        h = (h ^ ((const unsigned char *)p)[i]) * UINT64_C(1099511628211);
    return h;
}

/* Times this was denied within the last hour. */
static uint64_t repeat_count(struct wall *w, uint64_t key, uint64_t n)
{
    struct repeat *r = &w->repeats[key % REPEATS];
    int64_t now = time_monotonic_ms();
    if (r->key != key || now - r->last_ms > MS_HOUR)
        *r = (struct repeat){ .key = key };
    r->last_ms = now;
    return r->count += n;
}

static int severity_of(struct wall *w, const struct raw_head *h, const char *path, uint16_t port)
{
    if (h->verdict == RAW_OBSERVED)
        return SEVERITY_INFO;
    uint64_t key = hash_add(UINT64_C(14695981039346656037), &h->cgroup, sizeof h->cgroup);
    key = hash_add(hash_add(key, path, strlen(path)), &port, sizeof port);
    uint64_t n = repeat_count(w, hash_add(key, &h->kind, sizeof h->kind), h->count);
    return n >= 100 ? SEVERITY_CRITICAL : n >= 10 ? SEVERITY_ERROR : SEVERITY_WARNING;
}

void event_tell(struct wall *w, struct event *e, const struct box *b)
{
    if (b) {
        e->container = (struct event_container){ b->c.id, b->c.name, b->c.image, b->c.digest, b->c.runtime };
        e->place = (struct event_place){ b->c.namespace, b->c.pod, b->c.pod_uid, b->c.workload, b->c.service };
    }
    w->n_told++;
    if (w->on_event)
        w->on_event(w->on_event_arg, e);
}

static struct event event_of(const struct wall *w, const struct raw_head *h)
{
    return (struct event){
        .at_ms = (int64_t)(h->at_ns / 1000000u) + w->clock_offset_ms, .source = SOURCE_AGENT, .kind = kinds[h->kind].kind,
        .verdict = verdicts[h->verdict], .rule = whys[h->why].rule, .message = whys[h->why].words, .count = (int64_t)h->count,
        .process = { .name = h->comm[0] ? h->comm : NULL, .pid = h->pid ? (int64_t)h->pid : -1, .ppid = h->ppid ? (int64_t)h->ppid : -1,
                     .uid = h->uid == UINT32_MAX ? -1 : (int64_t)h->uid, .auid = -1 },
        .net = { .local_port = -1, .remote_port = -1 },
    };
}

/* Programs only, and of these only those that the profile does not name. */
static const char *origin_tag(const struct raw_head *h, const struct box *b, const char *exe)
{
    if (h->kind != RAW_EXEC || h->why == WHY_NONE || h->why == WHY_PARENT || !exe)
        return NULL;
    if (str_starts(exe, "/memfd:"))
        return TAG_FILELESS;
    return h->changed || (b && origin_is_upper(b->c.pid, exe)) ? TAG_NOT_IN_IMAGE : NULL;
}

static size_t tags_of(const struct raw_head *h, const struct box *b, const char *exe, const char *tags[4])
{
    const char *origin = origin_tag(h, b, exe);
    size_t n = 0;
    tags[n++] = "keep_wall";
    if (whys[h->why].tag)
        tags[n++] = whys[h->why].tag;
    if (h->changed)
        tags[n++] = "changed_since_start";
    if (origin)
        tags[n++] = origin;
    return n;
}

/* Arguments as one line: what separates them becomes a blank, what is not text '?'. */
static void args_join(const struct raw_exec *r, char out[ARGS_MAX + 1])
{
    size_t n = r->args_len < ARGS_MAX ? r->args_len : ARGS_MAX;
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)r->args[i];
        out[i] = c == '\0' ? ' ' : c < 0x20 || c == 0x7f ? '?' : (char)c;
    }
    while (n > 0 && out[n - 1] == ' ')
        n--;
    out[n] = '\0';
    for (size_t i = 0; i < n;) {                           /* a character may have been cut */
        size_t one = str_utf8_len(out + i, n - i);
        if (one == 0)
            out[i] = '?';
        i += one ? one : 1;
    }
}

/* Paths are bytes; events are text. */
static const char *path_text(char *path)
{
    size_t n = strnlen(path, ROOM_PATH - 1);
    path[n] = '\0';
    for (size_t i = 0; i < n;) {
        size_t one = str_utf8_len(path + i, n - i);
        if (one == 0)
            path[i] = '?';
        i += one ? one : 1;
    }
    return n ? path : NULL;
}

static void exec_tell(struct wall *w, struct raw_exec *r, const struct box *b)
{
    struct event e = event_of(w, &r->h);
    char args[ARGS_MAX + 1], exit_text[64];
    const char *tags[4];

    args_join(r, args);
    e.process.exe = path_text(r->path);
    e.process.parent_exe = path_text(r->launcher);
    e.process.args = args[0] ? args : NULL;
    e.tags = tags;
    e.n_tags = tags_of(&r->h, b, e.process.exe, tags);
    e.severity = severity_of(w, &r->h, e.process.exe ? e.process.exe : "", 0);
    if (r->h.kind == RAW_EXIT) {
        int status = (int)r->status;
        if (WIFSIGNALED(status))
            snprintf(exit_text, sizeof exit_text, "ended by signal %d", WTERMSIG(status));
        else
            snprintf(exit_text, sizeof exit_text, "ended with status %d", WEXITSTATUS(status));
        e.message = exit_text;
    }
    event_tell(w, &e, b);
}

static void address_text(const u8 a[16], char out[INET6_ADDRSTRLEN])
{
    static const u8 mapped[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };
    bool is_v4 = memcmp(a, mapped, sizeof mapped) == 0;
    if (!inet_ntop(is_v4 ? AF_INET : AF_INET6, is_v4 ? a + 12 : a, out, INET6_ADDRSTRLEN))
        out[0] = '\0';
}

static bool is_set(const u8 a[16])
{
    static const u8 none[16], none4[16] = { [10] = 0xff, [11] = 0xff };
    return memcmp(a, none, 16) != 0 && memcmp(a, none4, 16) != 0;
}

static void net_tell(struct wall *w, struct raw_net *r, const struct box *b)
{
    struct event e = event_of(w, &r->h);
    char local[INET6_ADDRSTRLEN], remote[INET6_ADDRSTRLEN];
    const char *tags[4];
    char number[8];

    snprintf(number, sizeof number, "%u", r->protocol);
    address_text(r->local, local);
    address_text(r->remote, remote);
    e.process.exe = path_text(r->path.at);
    e.net = (struct event_net){
        .protocol = r->protocol == IPPROTO_TCP ? "tcp" : r->protocol == IPPROTO_UDP ? "udp" : number, .direction = kinds[r->h.kind].direction,
        .local = is_set(r->local) ? local : NULL, .remote = is_set(r->remote) ? remote : NULL,
        .local_port = r->local_port ? (int64_t)r->local_port : -1, .remote_port = r->remote_port ? (int64_t)r->remote_port : -1,
    };
    e.tags = tags;
    e.n_tags = tags_of(&r->h, b, e.process.exe, tags);
    e.severity = severity_of(w, &r->h, is_set(r->remote) ? remote : "", r->h.kind == RAW_CONNECT ? r->remote_port : r->local_port);
    event_tell(w, &e, b);
}

void raw_tell(struct wall *w, const void *raw, size_t len)
{
    union {
        struct raw_head h;
        struct raw_exec exec;
        struct raw_net net;
    } r;
    if (len < sizeof r.h || len > sizeof r)
        return;
    memcpy(&r, raw, len);
    r.h.comm[sizeof r.h.comm - 1] = '\0';
    if (r.h.kind >= N_ITEMS(kinds) || r.h.kind == 0 || r.h.verdict >= N_ITEMS(verdicts) || r.h.why >= WHY_N)
        return;
    const struct box *b = box_find(w, r.h.cgroup);
    if (b && b->profile && r.h.why == WHY_CONTENT)
        contents_verify(w, b);           /* it may have been read too early; the next try counts */
    if (r.h.kind <= RAW_EXIT)
        exec_tell(w, &r.exec, b);
    else
        net_tell(w, &r.net, b);
}

/* The ring was full: said once a second at most, with how many. */
void drops_tell(struct wall *w)
{
    struct wall_stats s;
    int64_t now = time_monotonic_ms();
    if (now - w->told_ms < MS_SECOND)
        return;
    stats_read(w, &s);
    if (s.dropped == w->told_dropped)
        return;
    struct event e = {
        .at_ms = now + w->clock_offset_ms, .source = SOURCE_AGENT, .kind = EVENT_DROP, .verdict = VERDICT_DROPPED,
        .severity = SEVERITY_WARNING, .rule = "wall.drop", .message = "the kernel's ring was full",
        .count = (int64_t)(s.dropped - w->told_dropped), .process = { .pid = -1, .ppid = -1, .uid = -1, .auid = -1 },
        .net = { .local_port = -1, .remote_port = -1 },
    };
    w->told_dropped = s.dropped;
    w->told_ms = now;
    event_tell(w, &e, NULL);
}
#endif
