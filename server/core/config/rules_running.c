/* rules_running.c - as whom it runs, how much it may take, where it listens, what it is. */
#include "core/config/rules.h"

#include "wire/imageref.h"

#include <string.h>

static void judge_user(struct judging_box *j)
{
    const struct setting *s = &j->b->user;
    size_t len = s->s != NULL ? strcspn(s->s, ":") : 0;

    if (is_unknown(s->s))
        undecided(j, "user-root", s);
    else if (len == 0)
        absent(j, "user-unset", "no user is set");
    else if ((len == 4 && memcmp(s->s, "root", 4) == 0) || strspn(s->s, "0") == len)
        on(j, "user-root", s, arena_printf(j->f->arena, "user %s", s->s));
}

static bool is_limited(const struct setting *s)
{
    return s->s != NULL && *s->s != '\0' && !str_eq(s->s, "0") && !str_starts(s->s, "-");
}

static void judge_limits(struct judging_box *j)
{
    const struct box *b = j->b;
    const struct { const char *id, *what; const struct setting *s; } rows[] = {
        { "memory-limit", "no limit of memory", &b->memory }, { "cpu-limit", "no limit of CPU", &b->cpus },
        { "pids-limit", "no limit of processes", &b->pids },
    };

    for (size_t i = 0; i < N_ITEMS(rows); i++) {
        if (is_unknown(rows[i].s->s))
            undecided(j, rows[i].id, rows[i].s);
        else if (!is_limited(rows[i].s))
            on(j, rows[i].id, rows[i].s, rows[i].what);
    }
    if (is_yes(b->oom_kill_disable.s))
        on(j, "oom-protected", &b->oom_kill_disable, "oom_kill_disable");
    else if (b->oom_score.s != NULL && *b->oom_score.s == '-')
        on(j, "oom-protected", &b->oom_score, arena_printf(j->f->arena, "oom_score_adj %s", b->oom_score.s));
    if (is_unknown(b->read_only.s))
        undecided(j, "read-only-root", &b->read_only);
    else if (!is_yes(b->read_only.s))
        on(j, "read-only-root", &b->read_only, "the root file system is writable");
}

static void judge_port(struct judging_box *j, const struct port *p)
{
    const char *spec = arena_printf(j->f->arena, "%s%s%s%s%s", p->ip, *p->ip != '\0' ? ":" : "", p->host, *p->host != '\0' ? ":" : "", p->container);
    struct setting s = { spec, p->path, p->at };
    bool all = *p->ip == '\0' || str_eq(p->ip, "0.0.0.0") || str_eq(p->ip, "::") || str_eq(p->ip, "[::]");
    char digits[8];
    size_t len = strcspn(p->host, "-");
    int64_t number = 0;

    if (spec == NULL) {
        j->f->failed = true;
        return;
    }
    /* ${X} in front may be "127.0.0.1:80" just as well as "80". */
    if (is_unknown(p->ip) || (*p->ip == '\0' && is_unknown(p->host)) || is_unknown(p->container)) {
        undecided(j, "port-all-interfaces", &s);
        return;
    }
    if (all)
        on(j, "port-all-interfaces", &s, arena_printf(j->f->arena, "port %s", spec));
    if (len == 0 || len >= sizeof digits)
        return;
    memcpy(digits, p->host, len);
    digits[len] = '\0';
    if (str_to_i64(digits, 1, 1023, &number))
        on(j, "port-privileged", &s, arena_printf(j->f->arena, "port %s of the host", digits));
}

static void judge_image_name(struct judging_box *j)
{
    const struct setting *s = &j->b->image;
    struct imageref ref;
    struct err err = { 0 };

    if (s->s == NULL || j->b->has_build)
        return;
    if (is_unknown(s->s)) {
        /* With a digest behind it, whatever the variable is, the content is fixed. */
        if (strstr(s->s, "@sha256:") == NULL || is_unknown(strstr(s->s, "@sha256:")))
            undecided(j, "image-tag", s);
        return;
    }
    if (imageref_parse(j->f->arena, s->s, &ref, &err) != 0) {
        on(j, "unreadable", s, arena_printf(j->f->arena, "image %.200s is no reference (%s)", s->s, err.msg));
        return;
    }
    if (ref.digest != NULL || ref.is_id)
        return;
    if (ref.tag == NULL || ref.tag_implied || str_eq(ref.tag, "latest"))
        on(j, "image-tag", s, arena_printf(j->f->arena, "image %s", s->s));
    else
        on(j, "image-digest", s, arena_printf(j->f->arena, "image %s", s->s));
}

void judge_running(struct judging_box *j)
{
    const struct box *b = j->b;

    judge_user(j);
    judge_limits(j);
    for (size_t i = 0; i < b->n_ports && !j->f->failed; i++)
        judge_port(j, &b->ports[i]);
    judge_image_name(j);
    if (str_eq(b->log_driver.s, "none"))
        on(j, "log-none", &b->log_driver, "log driver none");
    if (str_eq(b->health.s, "none"))
        on(j, "healthcheck", &b->health, "no health check");
}
