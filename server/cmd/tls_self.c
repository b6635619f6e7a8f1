/* tls_self.c - see tls_self.h. */
#include "cmd/tls_self.h"

#include "base/crypto.h"
#include "base/str.h"
#include "base/time.h"
#include "base/x509.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CA_MS      (730 * MS_DAY)
#define SERVER_MS  (90 * MS_DAY)
#define OVERLAP_MS (30 * MS_DAY)
#define SKEW_MS    MS_HOUR                /* others' clocks may be behind */

enum { FILE_MAX = 64 << 10, PATH_TEXT = 1024 };

/* ---- files ------------------------------------------------------------------------ */

struct place { char path[PATH_TEXT]; };

static struct place place_of(const char *dir, const char *name)
{
    struct place p;

    snprintf(p.path, sizeof p.path, "%s/%s", dir, name);
    return p;
}

/* *text is NULL when there is no such file. */
static int read_file(const char *dir, const char *name, struct arena *arena, char **text, struct err *err)
{
    struct place p = place_of(dir, name);
    int fd = open(p.path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

    *text = NULL;
    if (fd < 0)
        return errno == ENOENT ? 0 : err_set(err, ERR_INVALID, "%s: %s", p.path, strerror(errno));
    char *to = arena_alloc(arena, FILE_MAX + 1);
    ssize_t n = to != NULL ? read(fd, to, FILE_MAX) : 0;
    close(fd);
    if (to == NULL)
        return err_nomem(err);
    if (n <= 0 || n == FILE_MAX)
        return err_set(err, ERR_INVALID, "%s: empty, too long or unreadable", p.path);
    *text = to;
    return 0;
}

static bool write_all(int fd, const char *text, size_t len)
{
    for (size_t at = 0; at < len;) {
        ssize_t n = write(fd, text + at, len - at);
        if (n <= 0)
            return false;
        at += (size_t)n;
    }
    return fsync(fd) == 0;
}

static int write_file(const char *dir, const char *name, const char *text, size_t len, struct err *err)
{
    struct place to = place_of(dir, name), tmp;
    size_t n = strlen(to.path);

    if (n + 5 > sizeof tmp.path)
        return err_set(err, ERR_INVALID, "%s: the path is too long", dir);
    memcpy(tmp.path, to.path, n);
    memcpy(tmp.path + n, ".new", 5);
    unlink(tmp.path);
    int fd = open(tmp.path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    bool ok = fd >= 0 && write_all(fd, text, len);
    int why = errno;
    if (fd >= 0)
        close(fd);
    if (!ok || rename(tmp.path, to.path) != 0)
        return err_set(err, ERR_UNAVAILABLE, "%s: %s", to.path, strerror(ok ? errno : why));
    int dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dir_fd >= 0) {
        fsync(dir_fd);
        close(dir_fd);
    }
    return 0;
}

/* ---- one round ------------------------------------------------------------------------ */

struct round {
    const struct tls_self *t;
    struct arena *arena;
    int64_t now_ms;
    char *ca, *next, *old, *server;          /* as they lie there; NULL: not there */
    bool changed;
};

static int read_all(struct round *r, struct err *err)
{
    const struct { const char *name; char **to; } files[] = {
        { "ca.pem", &r->ca }, { "ca-next.pem", &r->next }, { "ca-old.pem", &r->old }, { "server.pem", &r->server },
    };

    for (size_t i = 0; i < N_ITEMS(files); i++) {
        if (read_file(r->t->dir, files[i].name, r->arena, files[i].to, err) != 0)
            return -1;
    }
    return 0;
}

static int store(struct round *r, const char *name, struct buf *text, char **to, struct err *err)
{
    int rc = text->failed ? err_nomem(err) : write_file(r->t->dir, name, text->ptr, text->len, err);

    if (rc == 0 && (*to = arena_strndup(r->arena, text->ptr, text->len)) == NULL)
        rc = err_nomem(err);
    if (text->ptr != NULL)
        crypto_wipe(text->ptr, text->len);
    buf_free(text);
    return rc;
}

static int make_ca(struct round *r, const char *name, char **to, struct err *err)
{
    char common[64], day[TIME_TEXT];
    struct buf b;

    time_format(r->now_ms, day);
    snprintf(common, sizeof common, "Keep webhook CA %.10s", day);
    buf_init(&b, FILE_MAX);
    if (x509_make_ca(common, r->now_ms - SKEW_MS, r->now_ms + CA_MS, &b, err) != 0)
        return buf_free(&b), -1;
    return store(r, name, &b, to, err);
}

/* The part of its life that is over, in thirds; 3 and more: it has ended, or is unreadable. */
static int64_t thirds_over(const char *pem, int64_t now_ms)
{
    struct x509_facts f;
    struct err ignored = { 0 };

    if (x509_read(pem, &f, &ignored) != 0 || f.until_ms <= f.from_ms)
        return 3;
    return (now_ms - f.from_ms) * 3 / (f.until_ms - f.from_ms);
}

static int64_t age_of(const char *pem, int64_t now_ms)
{
    struct x509_facts f;
    struct err ignored = { 0 };

    return x509_read(pem, &f, &ignored) == 0 ? now_ms - f.from_ms : OVERLAP_MS;
}

/* The next one takes over.  The old certificate is put aside first: after a crash in
 * between, it is in the bundle twice and nothing is lost. */
static int switch_ca(struct round *r, struct err *err)
{
    struct place from = place_of(r->t->dir, "ca-next.pem"), to = place_of(r->t->dir, "ca.pem");
    struct buf b;

    buf_init(&b, FILE_MAX);
    if (x509_certificate(r->ca, &b, err) != 0)
        return buf_free(&b), -1;
    if (store(r, "ca-old.pem", &b, &r->old, err) != 0)
        return -1;
    if (rename(from.path, to.path) != 0)
        return err_set(err, ERR_UNAVAILABLE, "%s: %s", to.path, strerror(errno));
    r->ca = r->next;
    r->next = NULL;
    return 0;
}

static int ensure_ca(struct round *r, struct err *err)
{
    if (r->ca == NULL)
        return make_ca(r, "ca.pem", &r->ca, err);
    int64_t over = thirds_over(r->ca, r->now_ms);
    if (over >= 2 && r->next == NULL && make_ca(r, "ca-next.pem", &r->next, err) != 0)
        return -1;
    bool announced = r->next != NULL && age_of(r->next, r->now_ms) >= OVERLAP_MS + SKEW_MS;
    return announced || over >= 3 ? switch_ca(r, err) : 0;
}

static int ensure_server(struct round *r, struct err *err)
{
    struct x509_facts ca;
    struct buf b;

    if (r->server != NULL && thirds_over(r->server, r->now_ms) < 2 && x509_is_issued(r->server, r->ca) &&
        x509_has_names(r->server, r->t->names, r->t->n))
        return 0;
    if (x509_read(r->ca, &ca, err) != 0)
        return -1;
    int64_t until = r->now_ms + SERVER_MS;
    buf_init(&b, FILE_MAX);
    if (x509_issue(r->ca, r->t->names, r->t->n, r->now_ms - SKEW_MS, until < ca.until_ms ? until : ca.until_ms, &b, err) != 0)
        return buf_free(&b), -1;
    r->changed = true;
    return store(r, "server.pem", &b, &r->server, err);
}

static int ensure_bundle(struct round *r, struct err *err)
{
    const char *const list[] = { r->ca, r->next, r->old };
    char *have;
    struct buf b;

    buf_init(&b, FILE_MAX);
    for (size_t i = 0; i < N_ITEMS(list); i++) {
        if (list[i] != NULL && thirds_over(list[i], r->now_ms) < 3 && x509_certificate(list[i], &b, err) != 0)
            return buf_free(&b), -1;
    }
    int rc = b.failed ? err_nomem(err) : read_file(r->t->dir, "bundle.pem", r->arena, &have, err);
    if (rc == 0 && !str_eq(have, b.ptr))
        rc = write_file(r->t->dir, "bundle.pem", b.ptr, b.len, err);
    buf_free(&b);
    return rc;
}

int tls_self_ensure(const struct tls_self *t, int64_t now_ms, bool *changed, struct err *err)
{
    struct arena arena;
    struct round r = { .t = t, .arena = &arena, .now_ms = now_ms };

    if (mkdir(t->dir, 0700) != 0 && errno != EEXIST)
        return err_set(err, ERR_INVALID, "%s: %s", t->dir, strerror(errno));
    arena_init(&arena, 2 << 20);
    /* The bundle before the certificate: whoever reads it meets the CA of what is served. */
    int rc = read_all(&r, err) != 0 || ensure_ca(&r, err) != 0 || ensure_bundle(&r, err) != 0 || ensure_server(&r, err) != 0 ? -1 : 0;
    char *const secrets[] = { r.ca, r.next, r.server };
    for (size_t i = 0; i < N_ITEMS(secrets); i++) {
        if (secrets[i] != NULL)
            crypto_wipe(secrets[i], strlen(secrets[i]));
    }
    arena_clear(&arena);
    if (rc == 0)
        *changed = r.changed;
    return rc;
}

int tls_self_bundle(const char *dir, struct arena *arena, const char **pem, struct err *err)
{
    char *text;

    if (read_file(dir, "bundle.pem", arena, &text, err) != 0)
        return -1;
    if (text == NULL)
        return err_set(err, ERR_NOT_FOUND, "%s/bundle.pem is not there; set tls.self_managed and start the server once", dir);
    *pem = text;
    return 0;
}

int tls_self_names(const char *text, struct arena *arena, const char *const **names, size_t *n, struct err *err)
{
    const char **list = arena_array(arena, X509_NAMES_MAX, sizeof *list);
    size_t count = 0;

    if (list == NULL)
        return err_nomem(err);
    for (const char *s = text + strspn(text, ", "); *s != '\0'; s += strspn(s, ", ")) {
        size_t len = strcspn(s, ", ");
        if (count == X509_NAMES_MAX)
            return err_set(err, ERR_INVALID, "tls.self_managed: more than %d names", X509_NAMES_MAX);
        list[count] = arena_strndup(arena, s, len);
        if (list[count] == NULL)
            return err_nomem(err);
        if (!x509_is_name(list[count]))
            return err_set(err, ERR_INVALID, "tls.self_managed: %.100s is no host name or address", list[count]);
        count++;
        s += len;
    }
    if (count == 0)
        return err_set(err, ERR_INVALID, "tls.self_managed: no name");
    *names = list;
    *n = count;
    return 0;
}
