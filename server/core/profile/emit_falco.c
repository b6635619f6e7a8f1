/* emit_falco.c - Falco rules: a list and a rule per part that the profile covers.
 *
 * Falco's conditions are a language within YAML: what stands in them is written plain
 * when it is plain and in quotes otherwise; what holds a quote itself is left out, and
 * said. */
#include "core/profile/emit_internal.h"

#include "base/str.h"

#include <inttypes.h>
#include <string.h>

enum { TEXT_MAX_BYTES = 4 << 20, CONDITION_MAX = 1 << 20,
       PARTS = 1 << PART_EXECUTABLE | 1 << PART_LISTEN | 1 << PART_EGRESS | 1 << PART_WRITE | 1 << PART_USER };

struct falco {
    const struct emit_spec *spec;
    const struct profile *p;
    struct jsonw w;
    struct buf *notes;
    struct buf text;                     /* the condition being written */
};

static bool put_literal(struct falco *f, const char *s)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./-";

    if (strpbrk(s, "\"\\'") != NULL) {
        emit_note(f->notes, "Left out, because Falco cannot quote it: %s", s);
        return false;
    }
    if (strspn(s, plain) == strlen(s))
        buf_puts(&f->text, s);
    else
        buf_printf(&f->text, "\"%s\"", s);
    return true;
}

/* "a, b, c": what stands between the brackets of `in (...)`. */
static void put_between(struct falco *f, size_t *n, const char *s)
{
    size_t before = f->text.len;

    if (*n > 0)
        buf_puts(&f->text, ", ");
    if (put_literal(f, s))
        (*n)++;
    else if (!f->text.failed)
        f->text.len = before, f->text.ptr[before] = '\0';
}

static void begin(struct falco *f)
{
    buf_clear(&f->text);
    buf_puts(&f->text, "keep_image_container and ");
}

static void put_rule(struct falco *f, const char *what, const char *desc, const char *output, const char *priority)
{
    jsonw_object(&f->w);
    jsonw_key(&f->w, "rule");
    struct buf name;
    buf_init(&name, 4096);
    buf_printf(&name, "Keep %s: %s", f->p->name, what);
    jsonw_str(&f->w, name.ptr != NULL ? name.ptr : what);
    buf_free(&name);
    jsonw_kstr(&f->w, "desc", desc);
    jsonw_key(&f->w, "condition");
    jsonw_strn(&f->w, f->text.ptr, f->text.len);
    jsonw_kstr(&f->w, "output", output);
    jsonw_kstr(&f->w, "priority", priority);
    jsonw_key(&f->w, "tags");
    jsonw_array(&f->w);
    jsonw_str(&f->w, "keep");
    jsonw_str(&f->w, "drift");
    jsonw_array_end(&f->w);
    jsonw_object_end(&f->w);
}

/* containerd says docker.io/acme/shop, Docker acme/shop, or shop of library/shop */
static void put_container(struct falco *f)
{
    const char *repository = f->p->repository;
    size_t n = 0;

    buf_clear(&f->text);
    buf_puts(&f->text, "container.id != host and container.image.repository in (");
    put_between(f, &n, repository);
    if (str_starts(repository, "docker.io/"))
        put_between(f, &n, repository + strlen("docker.io/"));
    if (str_starts(repository, "docker.io/library/"))
        put_between(f, &n, repository + strlen("docker.io/library/"));
    buf_putc(&f->text, ')');
    if (f->p->digest != NULL)
        buf_printf(&f->text, " and container.image.digest = \"%s\"", f->p->digest);
    jsonw_object(&f->w);
    jsonw_kstr(&f->w, "macro", "keep_image_container");
    jsonw_key(&f->w, "condition");
    jsonw_strn(&f->w, f->text.ptr, f->text.len);
    jsonw_object_end(&f->w);
}

static void put_programs(struct falco *f)
{
    size_t n = 0;

    begin(f);
    buf_puts(&f->text, "evt.type in (execve, execveat) and not proc.exepath in (");
    for (size_t i = 0; i < f->p->n_executables; i++)
        put_between(f, &n, f->p->executables[i].path);
    buf_putc(&f->text, ')');
    if (n == 0) {
        begin(f);
        buf_puts(&f->text, "evt.type in (execve, execveat)");
    }
    put_rule(f, "unexpected program", "A program runs that the profile does not name.",
             "Unexpected program (exe=%proc.exepath parent=%proc.pexepath cmdline=%proc.cmdline user=%user.name container=%container.id image=%container.image.repository)",
             "ERROR");
}

static void put_parents(struct falco *f)
{
    for (size_t i = 0; i < f->p->n_executables; i++) {
        const struct profile_executable *e = &f->p->executables[i];
        size_t n = 0;
        if (e->n_parents == 0)
            continue;
        begin(f);
        buf_puts(&f->text, "evt.type in (execve, execveat) and proc.exepath = ");
        if (!put_literal(f, e->path))
            continue;
        buf_puts(&f->text, " and not proc.pexepath in (");
        for (size_t k = 0; k < e->n_parents; k++)
            put_between(f, &n, e->parents[k]);
        buf_putc(&f->text, ')');
        if (n == 0)
            continue;
        struct buf what;
        buf_init(&what, 4096);
        buf_printf(&what, "unexpected parent of %s", e->path);
        put_rule(f, what.ptr, "A program of the profile is started by another than the profile says.",
                 "Unexpected parent (exe=%proc.exepath parent=%proc.pexepath cmdline=%proc.cmdline container=%container.id)", "WARNING");
        buf_free(&what);
    }
}

static void put_listens(struct falco *f)
{
    begin(f);
    buf_puts(&f->text, "evt.type = listen");
    for (size_t i = 0; i < f->p->n_listens; i++)
        buf_printf(&f->text, "%s%" PRId64 "%s", i == 0 ? " and not fd.sport in (" : ", ", f->p->listens[i].port, i + 1 == f->p->n_listens ? ")" : "");
    put_rule(f, "unexpected port", "It listens on a port that the profile does not name.",
             "Unexpected port (port=%fd.sport exe=%proc.exepath container=%container.id image=%container.image.repository)", "ERROR");
}

/* With a peer that only a cluster can name, every connection to it would be a false alarm. */
static void put_egress(struct falco *f)
{
    size_t nets = 0, names = 0;

    for (size_t i = 0; i < f->p->n_egress; i++) {
        if (f->p->egress[i].kind == PEER_SERVICE) {
            emit_note(f->notes, "No rule for connections: Falco does not know services, and %s is one.", f->p->egress[i].service);
            return;
        }
    }
    begin(f);
    buf_puts(&f->text, "evt.type = connect and fd.typechar in (4, 6) and not fd.sip in (127.0.0.1, \"::1\")");
    for (size_t i = 0; i < f->p->n_egress; i++) {
        if (f->p->egress[i].kind == PEER_CIDR)
            buf_printf(&f->text, "%s\"%s\"", nets++ == 0 ? " and not fd.snet in (" : ", ", f->p->egress[i].cidr);
    }
    buf_puts(&f->text, nets > 0 ? ")" : "");
    for (size_t i = 0; i < f->p->n_egress; i++) {
        if (f->p->egress[i].kind == PEER_DNS && !str_starts(f->p->egress[i].dns, "*."))
            buf_printf(&f->text, "%s\"%s\"", names++ == 0 ? " and not fd.sip.name in (" : ", ", f->p->egress[i].dns);
        else if (f->p->egress[i].kind == PEER_DNS)
            emit_note(f->notes, "Falco resolves whole names only: connections to %s will be reported.", f->p->egress[i].dns);
    }
    buf_puts(&f->text, names > 0 ? ")" : "");
    put_rule(f, "unexpected peer", "It connects to somebody whom the profile does not name; ports are not looked at.",
             "Unexpected peer (to=%fd.sip:%fd.sport exe=%proc.exepath container=%container.id image=%container.image.repository)", "ERROR");
}

static void put_write(struct falco *f, const char *pattern)
{
    size_t before = f->text.len;

    buf_puts(&f->text, " and not fd.name ");
    buf_puts(&f->text, strchr(pattern, '*') != NULL ? "glob " : "= ");
    if (!put_literal(f, pattern) && !f->text.failed)
        f->text.len = before, f->text.ptr[before] = '\0';
}

static void put_writes(struct falco *f)
{
    begin(f);
    buf_puts(&f->text, "evt.type in (open, openat, openat2, creat) and evt.is_open_write = true and fd.typechar = 'f' and not fd.name startswith /dev/ and not fd.name startswith /proc/");
    for (size_t i = 0; i < f->p->n_writes; i++)
        put_write(f, f->p->writes[i]);
    put_rule(f, "unexpected write", "A file is opened for writing where the profile does not name it.",
             "Unexpected write (file=%fd.name exe=%proc.exepath container=%container.id image=%container.image.repository)", "WARNING");
}

static void put_users(struct falco *f)
{
    begin(f);
    buf_puts(&f->text, "evt.type in (execve, execveat)");
    for (size_t i = 0; i < f->p->n_users; i++)
        buf_printf(&f->text, "%s%" PRId64 "%s", i == 0 ? " and not user.uid in (" : ", ", f->p->users[i], i + 1 == f->p->n_users ? ")" : "");
    put_rule(f, "unexpected user", "A program runs as a user whom the profile does not name.",
             "Unexpected user (uid=%user.uid exe=%proc.exepath container=%container.id image=%container.image.repository)", "WARNING");
}

int emit_falco(const struct emit_spec *spec, struct arena *arena, struct buf *out, struct err *err)
{
    struct falco f = { .spec = spec, .p = spec->profile, .notes = out };
    struct buf json;

    emit_head(spec, "Falco rules", PARTS, out);
    emit_note(out, "They report, they deny nothing.  Content of programs (sha256) is not compared.");
    buf_init(&json, TEXT_MAX_BYTES);
    buf_init(&f.text, CONDITION_MAX);
    jsonw_init(&f.w, &json);
    jsonw_array(&f.w);
    put_container(&f);
    if (f.p->has_executables)
        put_programs(&f), put_parents(&f);
    if (f.p->has_listens)
        put_listens(&f);
    if (f.p->has_egress)
        put_egress(&f);
    if (f.p->has_writes)
        put_writes(&f);
    if (f.p->has_users)
        put_users(&f);
    jsonw_array_end(&f.w);
    int rc = f.text.failed ? err_nomem(err) : emit_yaml(arena, &json, out, err);
    buf_free(&f.text);
    buf_free(&json);
    return rc;
}
