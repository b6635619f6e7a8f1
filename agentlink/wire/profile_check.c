/* profile_check.c - what shapes cannot say of a profile, see profile_doc.h. */
#include "wire/profile_internal.h"

#include "base/str.h"
#include "base/time.h"
#include "wire/imageref.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PATH_TEXT = 96, DNS_MAX = 253, LABEL_MAX = 63, SERVICE_MAX = 253 };

__attribute__((format(printf, 3, 4)))
static void wrong(struct profile_critic *c, const char *what, const char *fmt, ...)
{
    char path[PATH_TEXT];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(path, sizeof path, fmt, ap);
    va_end(ap);
    c->n++;
    c->say(c->arg, path, what);
}

/* ---- single values: NULL, or what is wrong --------------------------------------- */

static bool has_control(const char *s)
{
    for (; *s != '\0'; s++) {
        if ((unsigned char)*s < 0x20 || *s == 0x7F)
            return true;
    }
    return false;
}

/* Absolute, each component a name: no "//", "/./", "/../", no slash at the end. */
static const char *check_path(const char *s)
{
    if (s == NULL || s[0] != '/')
        return "a path begins with a slash, as the container sees it";
    if (strlen(s) > PROFILE_PATH_MAX)
        return "a path has at most 1024 bytes";
    if (has_control(s))
        return "a path holds no control characters";
    for (const char *at = s; *at != '\0'; ) {
        size_t n = strcspn(at + 1, "/");
        if (n == 0 || (n == 1 && at[1] == '.') || (n == 2 && at[1] == '.' && at[2] == '.'))
            return "a path has no empty, \".\" or \"..\" component";
        at += 1 + n;
    }
    return NULL;
}

static const char *check_program(const char *s)
{
    const char *what = check_path(s);

    return what == NULL && strchr(s, '*') != NULL ? "programs are named one by one, without stars" : what;
}

static const char *check_pattern(const char *s)
{
    const char *what = check_path(s), *stars = what == NULL ? strstr(s, "**") : NULL;

    if (stars != NULL && (stars[-1] != '/' || stars[2] != '\0'))
        return "two stars stand only for all below a folder, as the last component";
    return what;
}

static bool is_hex(const char *s)
{
    return strlen(s) == 64 && strspn(s, "0123456789abcdef") == 64;
}

static const char *check_dns(const char *s)
{
    const char *at = str_starts(s, "*.") ? s + 2 : s;

    if (strlen(s) > DNS_MAX || *at == '\0')
        return "a DNS name has 1 to 253 characters";
    for (size_t n; *at != '\0'; at += n + (at[n] == '.')) {
        n = strcspn(at, ".");
        if (n == 0 || n > LABEL_MAX || at[0] == '-' || (at[n] == '.' && at[n + 1] == '\0') ||
            strspn(at, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") < n)
            return "not a DNS name; a star stands only for its whole first label";
    }
    return NULL;
}

static bool is_service_name(const char *s, size_t n)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._";

    return n > 0 && ((n == 1 && *s == '*') || strspn(s, allowed) >= n);
}

static const char *check_service(const char *s)
{
    const char *slash = strchr(s, '/');

    if (slash == NULL || strlen(s) > SERVICE_MAX || !is_service_name(s, (size_t)(slash - s)) ||
        !is_service_name(slash + 1, strlen(slash + 1)))
        return "expected namespace/workload; either may be a star";
    return NULL;
}

static const char *check_cidr(const char *s)
{
    struct cidr net;

    return cidr_parse(s, &net) ? NULL : "expected an address, or a network like 10.0.0.0/8 whose host bits are zero";
}

/* linux/capability.h, without CAP_ */
static bool is_capability(const char *s)
{
    static const char *const names[] = {
        "AUDIT_CONTROL", "AUDIT_READ", "AUDIT_WRITE", "BLOCK_SUSPEND", "BPF", "CHECKPOINT_RESTORE", "CHOWN", "DAC_OVERRIDE",
        "DAC_READ_SEARCH", "FOWNER", "FSETID", "IPC_LOCK", "IPC_OWNER", "KILL", "LEASE", "LINUX_IMMUTABLE", "MAC_ADMIN", "MAC_OVERRIDE",
        "MKNOD", "NET_ADMIN", "NET_BIND_SERVICE", "NET_BROADCAST", "NET_RAW", "PERFMON", "SETFCAP", "SETGID", "SETPCAP", "SETUID",
        "SYSLOG", "SYS_ADMIN", "SYS_BOOT", "SYS_CHROOT", "SYS_MODULE", "SYS_NICE", "SYS_PACCT", "SYS_PTRACE", "SYS_RAWIO",
        "SYS_RESOURCE", "SYS_TIME", "SYS_TTY_CONFIG", "WAKE_ALARM",
    };

    for (size_t i = 0; i < N_ITEMS(names); i++) {
        if (str_eq(names[i], s))
            return true;
    }
    return false;
}

/* ---- lists --------------------------------------------------------------------------- */

struct key {
    const char *text;
    size_t index;
};

static int by_text(const void *a, const void *b)
{
    const struct key *x = a, *y = b;
    int order = strcmp(x->text, y->text);

    return order != 0 ? order : (x->index > y->index) - (x->index < y->index);
}

/* The same text twice is a slip.  NULL texts are complained of elsewhere. */
static void check_twice(struct profile_critic *c, struct key *keys, size_t n, const char *part)
{
    if (n > 1)
        qsort(keys, n, sizeof *keys, by_text);
    for (size_t i = 1; i < n; i++) {
        if (str_eq(keys[i].text, keys[i - 1].text))
            wrong(c, "the same is listed before", "%s[%zu]", part, keys[i].index);
    }
}

static void check_texts(struct profile_critic *c, const char *part, const char *const *items, size_t n, const char *(*check)(const char *))
{
    struct key *keys = calloc(n + 1, sizeof *keys);

    if (keys == NULL) {
        c->no_memory = true;
        return;
    }
    for (size_t i = 0; i < n; i++) {
        const char *what = check(items[i]);
        if (what != NULL)
            wrong(c, what, "%s[%zu]", part, i);
        keys[i] = (struct key){ items[i], i };
    }
    check_twice(c, keys, n, part);
    free(keys);
}

static const char *check_capability(const char *s)
{
    return is_capability(s) ? NULL : "not a capability of Linux (written like NET_BIND_SERVICE)";
}

static void check_executables(const struct profile *p, struct profile_critic *c)
{
    struct key *keys = calloc(p->n_executables + 1, sizeof *keys);

    if (keys == NULL) {
        c->no_memory = true;
        return;
    }
    for (size_t i = 0; i < p->n_executables; i++) {
        const struct profile_executable *e = &p->executables[i];
        const char *what = check_program(e->path);
        if (what != NULL)
            wrong(c, what, "executables[%zu].path", i);
        if (e->sha256 != NULL && !is_hex(e->sha256))
            wrong(c, "expected 64 lower-case hex digits", "executables[%zu].sha256", i);
        for (size_t k = 0; k < e->n_parents; k++) {
            if ((what = check_program(e->parents[k])) != NULL)
                wrong(c, what, "executables[%zu].parents[%zu]", i, k);
        }
        keys[i] = (struct key){ e->path != NULL ? e->path : "", i };
    }
    check_twice(c, keys, p->n_executables, "executables");
    free(keys);
}

static void check_listens(const struct profile *p, struct profile_critic *c)
{
    unsigned char seen[NET_PROTOCOL_N][65536 / 8] = { { 0 } };

    for (size_t i = 0; i < p->n_listens; i++) {
        const struct profile_port *l = &p->listens[i];
        if (l->port < 1 || l->port > 65535 || l->protocol < 0 || l->protocol >= NET_PROTOCOL_N) {
            wrong(c, "a port is 1 to 65535", "listens[%zu].port", i);
            continue;
        }
        unsigned char *byte = &seen[l->protocol][l->port / 8], bit = (unsigned char)(1u << l->port % 8);
        if ((*byte & bit) != 0)
            wrong(c, "the same is listed before", "listens[%zu]", i);
        *byte |= bit;
    }
}

static void check_peers(struct profile_critic *c, const char *part, const struct profile_peer *peers, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const struct profile_peer *e = &peers[i];
        const struct { const char *key, *text; int kind; const char *(*check)(const char *); } kinds[] = {
            { "service", e->service, PEER_SERVICE, check_service }, { "cidr", e->cidr, PEER_CIDR, check_cidr },
            { "dns", e->dns, PEER_DNS, check_dns },
        };
        int given = 0;
        for (size_t k = 0; k < N_ITEMS(kinds); k++) {
            const char *what = kinds[k].text != NULL ? kinds[k].check(kinds[k].text) : NULL;
            if (what != NULL)
                wrong(c, what, "%s[%zu].%s", part, i, kinds[k].key);
            given += kinds[k].text != NULL;
            if (kinds[k].text != NULL && e->kind != kinds[k].kind)
                given = 9;
        }
        if (given != 1)
            wrong(c, "exactly one of service, cidr and dns names a peer", "%s[%zu]", part, i);
        for (size_t k = 0; k < e->n_ports; k++) {
            if (e->ports[k] < 1 || e->ports[k] > 65535)
                wrong(c, "a port is 1 to 65535", "%s[%zu].ports[%zu]", part, i, k);
        }
    }
}

static void check_head(const struct profile *p, struct profile_critic *c)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyz0123456789-.";
    size_t n = p->name != NULL ? strlen(p->name) : 0;

    if (n == 0 || n > LABEL_MAX || strspn(p->name, allowed) != n || strchr("-.", p->name[0]) != NULL || strchr("-.", p->name[n - 1]) != NULL)
        wrong(c, "1 to 63 of a-z, 0-9, - and ., a letter or digit at both ends", "name");
    if (p->repository == NULL || p->repository[0] == '\0' || strlen(p->repository) > IMAGEREF_REPOSITORY_MAX + 64 || has_control(p->repository))
        wrong(c, "a repository is expected", "repository");
    if (p->digest != NULL && !digest_is_valid(p->digest))
        wrong(c, "expected sha256: and 64 lower-case hex digits", "digest");
    if (p->lease_s != 0 && (p->lease_s < PROFILE_LEASE_MIN_S || p->lease_s > PROFILE_LEASE_MAX_S))
        wrong(c, "a lease is 5s to 24h", "lease");
}

void profile_criticise(const struct profile *p, struct profile_critic *c)
{
    check_head(p, c);
    check_executables(p, c);
    check_listens(p, c);
    check_peers(c, "egress", p->egress, p->n_egress);
    check_peers(c, "ingress", p->ingress, p->n_ingress);
    check_texts(c, "writes", p->writes, p->n_writes, check_pattern);
    check_texts(c, "capabilities", p->capabilities, p->n_capabilities, check_capability);
    for (size_t i = 0; i < p->n_users; i++) {
        if (p->users[i] < 0 || p->users[i] >= UINT32_MAX)
            wrong(c, "a user id is 0 to 4294967294", "users[%zu]", i);
    }
}

static void keep_first(void *arg, const char *path, const char *what)
{
    struct err *err = arg;

    if (err->msg[0] == '\0')
        err_set(err, ERR_INVALID, "$.%s: %s", path, what);
}

int profile_check(const struct profile *p, struct err *err)
{
    struct err first = { .kind = ERR_INVALID };
    struct profile_critic critic = { keep_first, &first, 0, false };

    profile_criticise(p, &critic);
    if (critic.no_memory)
        return err_nomem(err);
    if (critic.n == 0)
        return 0;
    *err = first;
    return -1;
}
