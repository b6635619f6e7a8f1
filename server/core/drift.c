/* drift.c - see drift.h.  One rule is one function; a table says which are asked of
 * which kind of event. */
#include "core/drift.h"

#include "base/str.h"
#include "core/profile/item.h"
#include "wire/cidr.h"
#include "wire/msg/profile.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* syslog's severities, as events have them */
enum { SEV_CRITICAL = 2, SEV_ERROR = 3, SEV_WARNING = 4 };

struct judge {
    const struct profile_compiled *compiled;
    const struct profile *profile;
    const struct event *event;
    const struct image_files *files;
    struct drift_finding *out;
    size_t n;
};

/* ---- text of bounded length ------------------------------------------------------------ */

/* Cuts a text that may have been truncated in the middle of a character. */
static void trim_utf8(char *s)
{
    size_t n = strlen(s), whole = 0;

    for (size_t len; whole < n; whole += len) {
        if ((len = str_utf8_len(s + whole, n - whole)) == 0)
            break;
    }
    s[whole] = '\0';
}

__attribute__((format(printf, 3, 4)))
static void put(char *out, size_t size, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(out, size, fmt, ap);
    va_end(ap);
    trim_utf8(out);
}

/* "a, b, c and 12 more": as many as fit. */
static void put_item(char *out, const char *item, size_t i, size_t n)
{
    size_t at = strlen(out), room = DRIFT_TEXT_MAX - at, more = sizeof " and 18446744073709551615 more";

    if (str_ends(out, " more"))
        return;
    if (strlen(item) + 2 + more < room)
        put(out + at, room, "%s%s", i > 0 ? ", " : "", item);
    else
        put(out + at, room, "%s%zu more", i > 0 ? " and " : "", n - i);
}

static struct drift_finding *add(struct judge *j, enum drift_rule rule, int severity)
{
    if (j->n >= DRIFT_MAX)
        return NULL;
    struct drift_finding *f = &j->out[j->n++];
    f->rule = (int)rule;
    f->severity = severity;
    f->subject[0] = f->message[0] = f->expected[0] = '\0';
    return f;
}

static bool has_tag(const struct event *e, const char *tag)
{
    for (size_t i = 0; i < e->n_tags; i++) {
        if (str_eq(e->tags[i], tag))
            return true;
    }
    return false;
}

/* ---- programs ---------------------------------------------------------------------------- */

static void expect_programs(const struct judge *j, char *out)
{
    const struct profile *p = j->profile;

    for (size_t i = 0; i < p->n_executables; i++)
        put_item(out, p->executables[i].path, i, p->n_executables);
    if (p->n_executables == 0)
        put(out, DRIFT_TEXT_MAX, "no program at all");
}

static int by_path(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bool image_has(const struct image_files *files, const char *path)
{
    return files->n > 0 && bsearch(&path, files->paths, files->n, sizeof *files->paths, by_path) != NULL;
}

/* The source saw it being written, or the image's list of files is whole and lacks it. */
static void judge_origin(struct judge *j)
{
    const struct event *e = j->event;
    enum program_origin origin = event_origin(e);
    bool fileless = origin == ORIGIN_MEMORY, written = origin == ORIGIN_WRITTEN;
    bool absent = j->files != NULL && j->files->is_complete && !image_has(j->files, e->process.exe);
    struct drift_finding *f;

    if (!j->profile->has_executables || (!fileless && !written && !absent) || (f = add(j, DRIFT_NOT_IN_IMAGE, SEV_CRITICAL)) == NULL)
        return;
    put(f->subject, sizeof f->subject, "%s", e->process.exe);
    put(f->message, sizeof f->message, fileless ? "%s runs from memory, not from a file of the image" :
        written ? "%s was written after the container had started, and runs" : "%s runs, and the image does not contain it", e->process.exe);
    put(f->expected, sizeof f->expected, "only programs that the image contains");
}

static bool is_scratch(const char *path)
{
    return str_starts(path, "/tmp/") || str_starts(path, "/var/tmp/") || str_starts(path, "/dev/") || str_starts(path, "/run/");
}

static void unknown_program(struct judge *j)
{
    const char *path = j->event->process.exe;
    bool shell = is_shell(path) && !profile_has_shell(j->compiled);
    struct drift_finding *f = add(j, shell ? DRIFT_SHELL : DRIFT_EXECUTABLE, shell || is_scratch(path) ? SEV_ERROR : SEV_WARNING);

    if (f == NULL)
        return;
    put(f->subject, sizeof f->subject, "%s", path);
    put(f->message, sizeof f->message, shell ? "a shell, %s, runs in a container whose profile has none" :
                                               "%s runs, which is not a program of the profile", path);
    expect_programs(j, f->expected);
}

static void other_content(struct judge *j)
{
    const char *path = j->event->process.exe;
    struct drift_finding *f = add(j, DRIFT_EXECUTABLE, SEV_CRITICAL);

    if (f == NULL)
        return;
    put(f->subject, sizeof f->subject, "%s", path);
    put(f->message, sizeof f->message, "%s runs with another content than the profile says", path);
    for (size_t i = 0; i < j->profile->n_executables; i++) {
        const struct profile_executable *x = &j->profile->executables[i];
        if (str_eq(x->path, path))
            put(f->expected, sizeof f->expected, "sha256 %s, found %s", x->sha256, j->event->process.sha256);
    }
}

static void other_parent(struct judge *j)
{
    const char *path = j->event->process.exe, *parent = j->event->process.parent_exe;
    struct drift_finding *f = add(j, DRIFT_EXECUTABLE, SEV_WARNING);

    if (f == NULL)
        return;
    put(f->subject, sizeof f->subject, "%s started by %s", path, parent);
    put(f->message, sizeof f->message, "%s is started by %s, which the profile does not let start it", path, parent);
    for (size_t i = 0; i < j->profile->n_executables; i++) {
        const struct profile_executable *x = &j->profile->executables[i];
        for (size_t k = 0; str_eq(x->path, path) && k < x->n_parents; k++)
            put_item(f->expected, x->parents[k], k, x->n_parents);
    }
}

static void judge_program(struct judge *j)
{
    static void (*const rules[])(struct judge *) = {
        [EXEC_UNKNOWN] = unknown_program, [EXEC_CONTENT] = other_content, [EXEC_PARENT] = other_parent, [EXEC_ALLOWED] = NULL,
    };
    const struct event_process *p = &j->event->process;

    if (p->exe == NULL)
        return;
    judge_origin(j);
    if (!j->profile->has_executables || has_tag(j->event, TAG_PROBE))
        return;
    enum exec_answer answer = profile_exec(j->compiled, p->exe, p->sha256, p->parent_exe);
    if (rules[answer] != NULL)
        rules[answer](j);
}

static void judge_user(struct judge *j)
{
    int64_t uid = j->event->process.uid;
    char item[24];
    struct drift_finding *f;

    if (!j->profile->has_users || uid < 0 || profile_user(j->compiled, uid) || (f = add(j, DRIFT_USER, uid == 0 ? SEV_ERROR : SEV_WARNING)) == NULL)
        return;
    put(f->subject, sizeof f->subject, "%" PRId64, uid);
    put(f->message, sizeof f->message, "%s runs as user %" PRId64 "%s", j->event->process.exe != NULL ? j->event->process.exe : "a program", uid,
        uid == 0 ? ", root" : "");
    for (size_t i = 0; i < j->profile->n_users; i++) {
        put(item, sizeof item, "%" PRId64, j->profile->users[i]);
        put_item(f->expected, item, i, j->profile->n_users);
    }
}

/* ---- network ---------------------------------------------------------------------------------- */

static int protocol_of(const char *word)
{
    return word == NULL ? NET_ANY : str_eq_nocase(word, "tcp") ? NET_TCP : str_eq_nocase(word, "udp") ? NET_UDP : NET_ANY;
}

static void judge_port(struct judge *j)
{
    const struct event_net *net = &j->event->net;
    int protocol = protocol_of(net->protocol);
    struct drift_finding *f;
    char item[24];

    if (!j->profile->has_listens || net->local_port <= 0 || profile_listen(j->compiled, protocol, net->local_port) ||
        (f = add(j, DRIFT_PORT, SEV_ERROR)) == NULL)
        return;
    const char *word = net_protocol_words[protocol == NET_ANY ? NET_TCP : protocol];
    put(f->subject, sizeof f->subject, "%s/%" PRId64, word, net->local_port);
    put(f->message, sizeof f->message, "it listens on %s/%" PRId64 ", a port the profile does not name", word, net->local_port);
    for (size_t i = 0; i < j->profile->n_listens; i++) {
        const struct profile_port *l = &j->profile->listens[i];
        put(item, sizeof item, "%s/%" PRId64, net_protocol_words[l->protocol], l->port);
        put_item(f->expected, item, i, j->profile->n_listens);
    }
    if (j->profile->n_listens == 0)
        put(f->expected, sizeof f->expected, "no listening port at all");
}

static void expect_peers(const struct profile_peer *peers, size_t n, char *out)
{
    char item[320];

    for (size_t i = 0; i < n; i++) {
        const char *who = peers[i].service != NULL ? peers[i].service : peers[i].cidr != NULL ? peers[i].cidr : peers[i].dns;
        if (peers[i].n_ports > 0)
            put(item, sizeof item, "%s port %" PRId64 "%s", who, peers[i].ports[0], peers[i].n_ports > 1 ? " ..." : "");
        else
            put(item, sizeof item, "%s", who);
        put_item(out, item, i, n);
    }
    if (n == 0)
        put(out, DRIFT_TEXT_MAX, "nobody at all");
}

/* Talking to oneself is nobody's business, and without an address there is no peer. */
static bool is_nobody(const struct peer_seen *peer)
{
    static const char *const own[] = { "127.0.0.0/8", "::1", "0.0.0.0", "::" };
    struct cidr address, net;

    if (peer->service != NULL || peer->dns != NULL)
        return false;
    if (peer->address == NULL || !cidr_parse(peer->address, &address))
        return true;
    for (size_t i = 0; i < N_ITEMS(own); i++) {
        if (cidr_parse(own[i], &net) && cidr_contains(&net, &address))
            return true;
    }
    return false;
}

static void put_peer(const struct peer_seen *peer, struct drift_finding *f)
{
    const char *who = peer->service != NULL ? peer->service : peer->dns != NULL ? peer->dns : peer->address;

    if (peer->port > 0)
        put(f->subject, sizeof f->subject, "%s port %" PRId64, who, peer->port);
    else
        put(f->subject, sizeof f->subject, "%s", who);
}

static void judge_egress(struct judge *j)
{
    const struct event_net *net = &j->event->net;
    struct peer_seen peer = { net->remote_service, net->remote_name, net->remote, net->remote_port, protocol_of(net->protocol) };
    struct drift_finding *f;

    if (!j->profile->has_egress || is_nobody(&peer) || profile_peer(j->compiled, PART_EGRESS, &peer) ||
        (f = add(j, DRIFT_PEER, SEV_ERROR)) == NULL)
        return;
    put_peer(&peer, f);
    put(f->message, sizeof f->message, "it connects to %s, a peer the profile does not name", f->subject);
    expect_peers(j->profile->egress, j->profile->n_egress, f->expected);
}

static void judge_ingress(struct judge *j)
{
    const struct event_net *net = &j->event->net;
    struct peer_seen peer = { net->remote_service, net->remote_name, net->remote, net->local_port, protocol_of(net->protocol) };
    struct drift_finding *f;

    if (!j->profile->has_ingress || is_nobody(&peer) || profile_peer(j->compiled, PART_INGRESS, &peer) ||
        (f = add(j, DRIFT_INGRESS, SEV_WARNING)) == NULL)
        return;
    peer.port = -1;
    put_peer(&peer, f);
    put(f->message, sizeof f->message, "%s connects to it, whom the profile does not name", f->subject);
    expect_peers(j->profile->ingress, j->profile->n_ingress, f->expected);
}

/* A flow as others saw it says itself which way it went. */
static void judge_flow(struct judge *j)
{
    if (str_eq(j->event->net.direction, "in")) {
        judge_port(j);
        judge_ingress(j);
    } else {
        judge_egress(j);
    }
}

/* ---- files and rights ------------------------------------------------------------------------------ */

static bool is_device(const char *path)
{
    static const char *const paths[] = { "/dev/null", "/dev/zero", "/dev/full", "/dev/tty", "/dev/stdout", "/dev/stderr", "/dev/ptmx" };

    for (size_t i = 0; i < N_ITEMS(paths); i++) {
        if (str_eq(path, paths[i]))
            return true;
    }
    return str_starts(path, "/dev/pts/") || str_starts(path, "/dev/fd/") || str_starts(path, "/proc/self/") || path[0] != '/';
}

static bool is_system(const char *path)
{
    static const char *const below[] = { "/bin/", "/sbin/", "/usr/", "/lib", "/etc/", "/boot/", "/root/.ssh/", "/proc/", "/sys/" };

    for (size_t i = 0; i < N_ITEMS(below); i++) {
        if (str_starts(path, below[i]))
            return true;
    }
    return false;
}

static void judge_write(struct judge *j)
{
    const char *path = j->event->file.path;
    struct drift_finding *f;

    if (!j->profile->has_writes || path == NULL || is_device(path) || profile_write(j->compiled, path) ||
        (f = add(j, DRIFT_WRITE, is_system(path) ? SEV_ERROR : SEV_WARNING)) == NULL)
        return;
    put(f->subject, sizeof f->subject, "%s", path);
    put(f->message, sizeof f->message, "%s is written to, a path the profile does not name", path);
    for (size_t i = 0; i < j->profile->n_writes; i++)
        put_item(f->expected, j->profile->writes[i], i, j->profile->n_writes);
    if (j->profile->n_writes == 0)
        put(f->expected, sizeof f->expected, "no write at all");
}

static void judge_capability(struct judge *j)
{
    const char *name = j->event->capability;
    struct drift_finding *f;

    if (!j->profile->has_capabilities || name == NULL || profile_capability(j->compiled, name) ||
        (f = add(j, DRIFT_CAPABILITY, SEV_ERROR)) == NULL)
        return;
    put(f->subject, sizeof f->subject, "%s", name);
    put(f->message, sizeof f->message, "the capability %s is used, which the profile does not grant", name);
    for (size_t i = 0; i < j->profile->n_capabilities; i++)
        put_item(f->expected, j->profile->capabilities[i], i, j->profile->n_capabilities);
    if (j->profile->n_capabilities == 0)
        put(f->expected, sizeof f->expected, "no capability at all");
}

/* ---- all together --------------------------------------------------------------------------------------- */

enum { RULES_MAX = 2 };
typedef void rule_fn(struct judge *);
static rule_fn *const rules_of[EVENT_KIND_N][RULES_MAX] = {
    [EVENT_EXEC] = { judge_program, judge_user },
    [EVENT_CONNECT] = { judge_flow },
    [EVENT_LISTEN] = { judge_port },
    [EVENT_ACCEPT] = { judge_port, judge_ingress },
    [EVENT_FILE_WRITE] = { judge_write },
    [EVENT_CAPABILITY] = { judge_capability },
};

static int by_severity(const void *a, const void *b)
{
    const struct drift_finding *x = a, *y = b;

    return x->severity != y->severity ? x->severity - y->severity : x->rule - y->rule;
}

size_t drift_decide(const struct profile_compiled *profile, const struct event *event, const struct image_files *files,
                    struct drift_finding out[DRIFT_MAX])
{
    struct judge j = { profile, profile_of(profile), event, files, out, 0 };

    if (event->kind < 0 || event->kind >= EVENT_KIND_N)
        return 0;
    for (size_t i = 0; i < RULES_MAX && rules_of[event->kind][i] != NULL; i++)
        rules_of[event->kind][i](&j);
    if (j.n > 1)
        qsort(out, j.n, sizeof *out, by_severity);
    return j.n;
}
