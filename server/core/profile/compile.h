/* compile.h - a profile made ready to be asked: hash sets, networks, patterns.
 *
 * Immutable once made; lives in its arena, copies everything it needs.  All questions
 * are pure and allocate nothing. */
#ifndef KEEP_CORE_PROFILE_COMPILE_H
#define KEEP_CORE_PROFILE_COMPILE_H

#include "base/arena.h"
#include "base/err.h"
#include "model/profile.h"

#include <stdbool.h>

struct profile_compiled;

/* ERR_INVALID (profile_check's), ERR_UNAVAILABLE (arena full). */
int profile_compile(const struct profile *p, struct arena *arena, struct profile_compiled **out, struct err *err);
const struct profile *profile_of(const struct profile_compiled *c);

enum exec_answer { EXEC_UNKNOWN = 0, EXEC_CONTENT, EXEC_PARENT, EXEC_ALLOWED };   /* not listed; another content; started by another */
enum exec_answer profile_exec(const struct profile_compiled *c, const char *path, const char *sha256, const char *parent);

/* Is any of its programs a shell? */
bool profile_has_shell(const struct profile_compiled *c);

/* Who is at the other end, as far as an event says; NULL and -1 are not known. */
struct peer_seen {
    const char *service, *dns, *address;
    int64_t port;
    int protocol;                        /* enum net_protocol */
};
bool profile_listen(const struct profile_compiled *c, int protocol, int64_t port);
bool profile_peer(const struct profile_compiled *c, enum profile_part egress_or_ingress, const struct peer_seen *peer);
bool profile_write(const struct profile_compiled *c, const char *path);
bool profile_user(const struct profile_compiled *c, int64_t uid);
bool profile_capability(const struct profile_compiled *c, const char *name);      /* with or without CAP_ */
bool profile_covers(const struct profile *p, enum profile_part part);

/* A star is any run without '/'; two stars as the last component, everything below. */
bool path_match(const char *pattern, const char *path);
/* "*.example.com": exactly one label in front.  ASCII case does not matter, nor a final dot. */
bool dns_match(const char *pattern, const char *name);

/* By the last component: sh, bash, busybox ...; and what else runs whatever it is told: python3.11, perl ... */
bool is_shell(const char *path);
bool is_interpreter(const char *path);

/* A deep copy. */
int profile_copy(const struct profile *p, struct arena *arena, struct profile *out, struct err *err);

#endif
