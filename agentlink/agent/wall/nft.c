/* nft.c - ports and peers by nftables, where cgroup programs cannot be attached; see
 * internal.h.
 *
 * One table per container, in the container's own network.  A network that is the
 * host's, or that two containers share, is never touched: rules there would be
 * everybody's.  A network is found through the container's first process, checked
 * against a pid that was used again, and kept open while our table is in it, so that
 * the table can be taken out when its container is gone. */
#include "agent/wall/internal.h"
#include "agent/wall/nft.h"
#include "agent/wall/nft_rules.h"
#include "base/buf.h"
#include "base/crypto.h"
#include "base/str.h"
#include "base/time.h"
#include "agent/wall/built.h"

#ifdef KEEP_WALL_BUILT
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { RENEW_AT_ONCE = 4, NETWORKS_MAX = 8192 };

enum place { PLACE_OWN = 0, PLACE_UNKNOWN, PLACE_HOST, PLACE_SHARED, PLACE_FAILED };

struct box_net {                         /* a container's network */
    uint64_t id;                         /* 0 not known */
    enum place place;
    int fd;                              /* while our table is in it; -1 */
    bool is_clean;                       /* what somebody before us left there is gone */
    uint8_t hash[SHA256_LEN];            /* of the text that is in force */
    int64_t at_ms;                       /* when it was loaded */
};

struct nft {
    struct nft_helper helper;
    uint64_t ours, first;                /* networks of the agent, and of pid 1 */
    bool is_off;
    char why[WALL_WHY_MAX];              /* what failed last */
};

/* ---- networks -------------------------------------------------------------- */

/* 0: not known. */
static uint64_t network_of(const char *pid)
{
    char path[64];
    struct stat st;
    snprintf(path, sizeof path, "/proc/%.20s/ns/net", pid);
    return stat(path, &st) == 0 ? (uint64_t)st.st_ino : 0;
}

/* When the process began, in ticks since boot: field 22 of stat, the 20th after the name. */
static int64_t ticks_of(int64_t pid)
{
    char path[64], text[1024];
    int64_t ticks = 0;
    snprintf(path, sizeof path, "/proc/%lld/stat", (long long)pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd >= 0 ? read(fd, text, sizeof text - 1) : -1;
    if (fd >= 0)
        close(fd);
    text[n > 0 ? n : 0] = '\0';
    char *at = strrchr(text, ')');
    for (int i = 0; at && i < 20; i++)
        at = strchr(at + 1, ' ');
    if (!at)
        return 0;
    at[1 + strcspn(at + 1, " ")] = '\0';
    return str_to_i64(at + 1, 0, INT64_MAX, &ticks) ? ticks : 0;
}

/* The network of the container's first process, and of no other one that got its pid:
 * the process that is held by pidfd is the one that began when it should, and it was
 * alive after its network was opened. */
static int network_open(const struct container *c)
{
    char path[64];
    int fd = -1, pidfd = c->pid > 0 ? (int)syscall(SYS_pidfd_open, (pid_t)c->pid, 0) : -1;
    if (pidfd < 0)
        return -1;
    if (c->start_ticks <= 0 || ticks_of(c->pid) == c->start_ticks) {
        snprintf(path, sizeof path, "/proc/%lld/ns/net", (long long)c->pid);
        fd = open(path, O_RDONLY | O_CLOEXEC);
    }
    struct pollfd ended = { pidfd, POLLIN, 0 };
    if (fd >= 0 && poll(&ended, 1, 0) != 0) {
        close(fd);
        fd = -1;
    }
    close(pidfd);
    return fd;
}

/* ---- one container --------------------------------------------------------- */

static const char *text_wanted(const struct wall *w, const struct box *b)
{
    return w->nft->is_off || !b->profile ? NULL : b->profile->nft;
}

/* Whether our table was in it or not: it is not now. */
static int table_remove(struct wall *w, int fd, struct err *err)
{
    if (nft_helper_run(&w->nft->helper, fd, nft_rules_none, strlen(nft_rules_none), err) == 0 || err->kind == ERR_NOT_FOUND)
        return 0;
    snprintf(w->nft->why, sizeof w->nft->why, "%.190s", err->msg);
    return -1;
}

static void table_drop(struct wall *w, struct box *b)
{
    struct err ignored = { 0 };
    if (b->net->fd < 0)
        return;
    (void)table_remove(w, b->net->fd, &ignored);
    close(b->net->fd);
    b->net->fd = -1;
}

static void failed(struct wall *w, struct box *b, const char *why)
{
    b->net->place = PLACE_FAILED;
    snprintf(w->nft->why, sizeof w->nft->why, "%.64s: %.120s", b->c.id, why);
}

/* Loaded anew when the text is another one, or is_due. */
static void table_load(struct wall *w, struct box *b, const char *text, bool is_due)
{
    struct err err = { 0 };
    uint8_t hash[SHA256_LEN];
    struct box_net *n = b->net;
    size_t len = strlen(text);

    sha256(text, len, hash);
    if (n->fd >= 0 && !is_due && memcmp(hash, n->hash, sizeof hash) == 0)
        return;
    int fd = n->fd >= 0 ? n->fd : network_open(&b->c);
    if (fd < 0) {
        failed(w, b, "its network cannot be opened");
    } else if (nft_helper_run(&w->nft->helper, fd, text, len, &err) != 0) {
        failed(w, b, err.msg);
        if (n->fd < 0)
            close(fd);
    } else {
        n->fd = fd;
        n->place = PLACE_OWN;
        n->is_clean = true;
        n->at_ms = time_monotonic_ms();
        memcpy(n->hash, hash, sizeof hash);
    }
    deadman_beat(w);                     /* many containers take their time */
}

/* What an agent before us left in a network that is to have nothing. */
static void table_clean(struct wall *w, struct box *b)
{
    struct err ignored = { 0 };
    int fd = !b->net->is_clean && w->now ? network_open(&b->c) : -1;
    if (fd < 0)
        return;
    b->net->is_clean = table_remove(w, fd, &ignored) == 0;
    close(fd);
    deadman_beat(w);
}

/* How many containers are in this network. */
static size_t sharers(const struct wall *w, uint64_t id)
{
    size_t n = 0;
    for (size_t i = 0; i < w->n_boxes; i++)
        n += w->boxes[i].net && w->boxes[i].net->id == id;
    return n;
}

static void box_settle(struct wall *w, struct box *b)
{
    struct box_net *n = b->net;
    const char *text = text_wanted(w, b);
    bool is_host = n->id != 0 && (n->id == w->nft->ours || n->id == w->nft->first);

    n->place = n->id == 0 ? PLACE_UNKNOWN : is_host ? PLACE_HOST : sharers(w, n->id) > 1 ? PLACE_SHARED : PLACE_OWN;
    if (n->place == PLACE_OWN && text) {
        table_load(w, b, text, false);
        return;
    }
    table_drop(w, b);
    if (n->place == PLACE_OWN || n->place == PLACE_SHARED)
        table_clean(w, b);
}

static void network_settle(struct wall *w, uint64_t id)
{
    for (size_t i = 0; id != 0 && i < w->n_boxes; i++) {
        if (w->boxes[i].net && w->boxes[i].net->id == id)
            box_settle(w, &w->boxes[i]);
    }
}

/* ---- as the walls turn ----------------------------------------------------- */

void nft_box(struct wall *w, struct box *b)
{
    char pid[24];
    if (!w->nft)
        return;
    if (!b->net && !(b->net = calloc(1, sizeof *b->net)))
        return;
    if (b->net->id == 0) {
        *b->net = (struct box_net){ .fd = -1 };
        snprintf(pid, sizeof pid, "%lld", (long long)b->c.pid);
        b->net->id = b->c.pid > 0 ? network_of(pid) : 0;
    }
    w->nft->is_off = wall_is_off(w);
    if (b->net->id != 0)
        network_settle(w, b->net->id);
    else
        box_settle(w, b);
}

/* Added again under the same cgroup: the network stays, when the process is the same. */
void nft_inherit(struct wall *w, struct box *from, struct box *to)
{
    if (from->net && from->c.pid == to->c.pid) {
        to->net = from->net;
        from->net = NULL;
    } else {
        nft_forget(w, from);
    }
}

void nft_forget(struct wall *w, struct box *b)
{
    if (!b->net)
        return;
    uint64_t id = b->net->id;
    if (w->nft)
        table_drop(w, b);
    else if (b->net->fd >= 0)
        close(b->net->fd);
    free(b->net);
    b->net = NULL;
    if (w->nft)
        network_settle(w, id);           /* who shared it may have it alone now */
}

void nft_all(struct wall *w)
{
    if (!w->nft)
        return;
    w->nft->is_off = wall_is_off(w);
    for (size_t i = 0; i < w->n_boxes; i++) {
        if (w->boxes[i].net)
            box_settle(w, &w->boxes[i]);
    }
}

/* The switch, and rules that would lapse: they are loaded anew at a third of their lease. */
void nft_turn(struct wall *w)
{
    int64_t now = time_monotonic_ms();
    int n_renewed = 0;
    if (!w->nft)
        return;
    if (w->nft->is_off != wall_is_off(w))
        nft_all(w);
    for (size_t i = 0; i < w->n_boxes && n_renewed < RENEW_AT_ONCE; i++) {
        struct box *b = &w->boxes[i];
        const char *text = b->net && b->net->fd >= 0 ? text_wanted(w, b) : NULL;
        int64_t lease_ms = text ? nft_lease_s(&b->profile->rules) * 1000 : 0;
        if (lease_ms <= 0 || now - b->net->at_ms < lease_ms / 3)
            continue;
        b->net->at_ms = now;             /* one that fails does not keep the others waiting */
        table_load(w, b, text, true);
        n_renewed++;
    }
}

int64_t nft_lease_s(const struct wall_rules *r)
{
    return r->set.flags & SET_CLOSED ? 0 : (int64_t)(r->set.lease_ns / 1000000000u);
}

int nft_compile(const struct wall *w, const struct profile *p, struct arena *a, struct loaded *l, struct err *err)
{
    struct arena apart;
    struct buf text;
    if (!w->nft)
        return 0;
    arena_init(&apart, 16 << 20);
    buf_init(&text, NFT_TEXT_MAX + 1);
    int r = nft_rules_write(p, nft_lease_s(&l->rules), &apart, &text, err);
    if (r == 0 && text.len > 0 && !(l->nft = arena_strndup(a, text.ptr, text.len)))
        r = err_nomem(err);
    buf_free(&text);
    arena_clear(&apart);
    return r;
}

/* ---- open, close, status --------------------------------------------------- */

void nft_open(struct wall *w)
{
    struct err err = { 0 };
    struct nft *n = w->set.no_network || w->status.network ? NULL : calloc(1, sizeof *n);
    const char *why = w->status.network ? "" : w->set.no_network || w->set.refuse & WALL_REFUSE_NFT ? "not wanted by the settings" : NULL;

    if (!why && n && nft_helper_open(&n->helper, &err) == 0) {
        n->ours = network_of("self");
        n->first = network_of("1");
        w->nft = n;
        w->status.nftables = true;
        return;
    }
    free(n);
    snprintf(w->status.nftables_why, sizeof w->status.nftables_why, "%.190s", why ? why : err.msg);
}

void nft_close(struct wall *w, bool keep)
{
    if (!w->nft)
        return;
    for (size_t i = 0; !keep && i < w->n_boxes; i++) {
        if (w->boxes[i].net)
            table_drop(w, &w->boxes[i]);
    }
    nft_helper_close(&w->nft->helper);
    free(w->nft);
    w->nft = NULL;
}

void nft_status(const struct wall *w, struct wall_status *out)
{
    static const char *const words[] = {
        [PLACE_OWN] = "", [PLACE_UNKNOWN] = "its first process is not known", [PLACE_HOST] = "it shares the host's network, which is not touched",
        [PLACE_SHARED] = "it shares another container's network, which is not touched", [PLACE_FAILED] = "",
    };
    for (size_t i = 0; w->nft && i < w->n_boxes; i++) {
        const struct box *b = &w->boxes[i];
        if (!b->profile || !b->profile->nft || !b->net)
            continue;
        out->n_nftables += b->net->fd >= 0;
        out->n_nftables_not += b->net->fd < 0 && !w->nft->is_off;
        if (b->net->fd < 0 && words[b->net->place][0])
            snprintf(out->nftables_not, sizeof out->nftables_not, "%.64s: %s", b->c.id, words[b->net->place]);
        else if (b->net->place == PLACE_FAILED)
            snprintf(out->nftables_not, sizeof out->nftables_not, "%.190s", w->nft->why);
    }
}

/* ---- without an agent ------------------------------------------------------ */

static bool is_new(uint64_t *seen, size_t *n, uint64_t id)
{
    for (size_t i = 0; i < *n; i++) {
        if (seen[i] == id)
            return false;
    }
    if (id == 0 || *n >= NETWORKS_MAX)
        return false;
    seen[(*n)++] = id;
    return true;
}

static int network_clear(struct nft_helper *h, const char *pid, struct err *err)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%.20s/ns/net", pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return 0;                        /* gone since */
    int r = nft_helper_run(h, fd, nft_rules_none, strlen(nft_rules_none), err);
    close(fd);
    return r != 0 && err->kind != ERR_NOT_FOUND ? -1 : 0;
}

/* Every network that a process is in, but for the host's and ours. */
int nft_clear_all(struct err *err)
{
    struct nft_helper h = { 0 };
    struct err why = { 0 };
    uint64_t *seen = calloc(NETWORKS_MAX, sizeof *seen);
    DIR *proc = opendir("/proc");
    size_t n = 0;
    int r = 0;

    if (seen && proc && nft_helper_open(&h, &why) == 0) {         /* else no rules were ever loaded here */
        (void)is_new(seen, &n, network_of("self"));
        (void)is_new(seen, &n, network_of("1"));
        for (struct dirent *e; (e = readdir(proc)) != NULL;) {
            if (isdigit((unsigned char)e->d_name[0]) && is_new(seen, &n, network_of(e->d_name)) && network_clear(&h, e->d_name, &why) != 0)
                r = err_set(err, ERR_UNAVAILABLE, "rules of nftables stay: %.180s", why.msg);
        }
    }
    nft_helper_close(&h);
    if (proc)
        closedir(proc);
    free(seen);
    return r;
}
#endif
