/* emit_internal.h - what the emit_*.c files share. */
#ifndef KEEP_CORE_PROFILE_EMIT_INTERNAL_H
#define KEEP_CORE_PROFILE_EMIT_INTERNAL_H

#include "core/profile/emit.h"
#include "wire/jsonw.h"

/* A comment of one line, "# ...", with the writer's text on one line whatever it holds. */
void emit_note(struct buf *out, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* The head of every document: what it was made of, and which parts it does not speak of
 * although the profile covers them; `parts` are those it does (a bit each). */
void emit_head(const struct emit_spec *spec, const char *what, unsigned parts, struct buf *out);

/* JSON text -> YAML, appended. */
int emit_yaml(struct arena *arena, struct buf *json, struct buf *out, struct err *err);

/* {"matchLabels":{"app":...}} */
void emit_app_selector(struct jsonw *w, const char *app);

/* namespace/workload taken apart; a star is NULL. */
struct emit_service { const char *namespace, *workload; };
int emit_service(const char *service, struct arena *arena, struct emit_service *out, struct err *err);

/* Somebody may come in who has no port to come to: an empty list of ports would mean all. */
static inline bool emit_has_no_port(const struct profile *p, const struct profile_peer *e)
{
    return e->n_ports == 0 && p->has_listens && p->n_listens == 0;
}

/* An address as a network: "10.0.0.1/32". */
const char *emit_cidr(const char *cidr, struct arena *arena);

int emit_networkpolicy(const struct emit_spec *spec, struct arena *arena, struct buf *out, struct err *err);
int emit_cilium(const struct emit_spec *spec, struct arena *arena, struct buf *out, struct err *err);
int emit_istio(const struct emit_spec *spec, struct arena *arena, struct buf *out, struct err *err);
int emit_falco(const struct emit_spec *spec, struct arena *arena, struct buf *out, struct err *err);
int emit_tetragon(const struct emit_spec *spec, struct arena *arena, struct buf *out, struct err *err);
int emit_seccomp(const struct emit_spec *spec, struct arena *arena, struct buf *out, struct err *err);
int emit_apparmor(const struct emit_spec *spec, struct arena *arena, struct buf *out, struct err *err);

#endif
