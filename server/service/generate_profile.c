/* generate_profile.c - GET /v1/profiles/{id}/generated: a profile in another's language. */
#include "service/profiles.h"

#include "core/profile/emit.h"
#include "wire/profile_doc.h"

#include <string.h>

enum { GENERATED_MAX = 8 << 20 };

/* Names go into documents of others: what a Kubernetes name may hold, and no more. */
static int check_name_of(const char *key, const char *text, struct err *err)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._";

    if (text == NULL || (text[0] != '\0' && strlen(text) <= 63 && strspn(text, allowed) == strlen(text)))
        return 0;
    return err_set(err, ERR_INVALID, "query.%s: 1 to 63 letters, digits, '-', '.' and '_'", key);
}

static int known_names(const char *as, struct err *err)
{
    struct buf names;

    buf_init(&names, 400);
    buf_puts(&names, "profile");
    for (size_t i = 0; i < n_emitters; i++)
        buf_printf(&names, ", %s", emitters[i].name);
    err_set(err, ERR_INVALID, "query.as: \"%.32s\" is none of: %s", as, names.ptr != NULL ? names.ptr : "");
    buf_free(&names);
    return -1;
}

static int write_document(struct call *c, const struct profile *p, struct buf *out, struct err *err)
{
    const struct profile_generate_query *q = c->query;
    const struct emit_spec spec = { p, q->namespace, q->workload };
    const struct emitter *e = emitter_find(q->as);

    if (e == NULL && !str_eq(q->as, "profile"))
        return known_names(q->as, err);
    c->answer_type = e != NULL ? e->media : "application/yaml";
    return e != NULL ? profile_emit(e, &spec, c->arena, out, err) : profile_doc_print(p, c->arena, out, err);
}

int profile_generate(struct call *c, const void *in, void *out, struct err *err)
{
    const struct profile_generate_query *q = c->query;
    const struct profile *p;
    struct profile_state s;
    struct buf b;

    (void)in, (void)out;
    if (check_name_of("namespace", q->namespace, err) != 0 || check_name_of("workload", q->workload, err) != 0 ||
        profile_state_load(c, c->path[0], &s, err) != 0 || profile_source_asked(&s, q->source, &p, err) != 0)
        return -1;
    buf_init(&b, GENERATED_MAX);
    int rc = write_document(c, p, &b, err);
    char *text = rc == 0 ? arena_strndup(c->arena, b.ptr, b.len) : NULL;
    c->answer = (struct bytes){ (const unsigned char *)text, b.len };
    buf_free(&b);
    return rc == 0 && text == NULL ? err_nomem(err) : rc;
}
