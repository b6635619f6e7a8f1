/* rules.h - the rules' own short forms: what is judged, and how to say so. */
#ifndef KEEP_CORE_CONFIG_RULES_H
#define KEEP_CORE_CONFIG_RULES_H

#include "core/config/config_internal.h"

struct judging_box { const struct box *b; const char *object; struct found *f; };

/* A rule about a setting: what is shown is "name: value". */
static inline void on(struct judging_box *j, const char *id, const struct setting *s, const char *what)
{
    rule_add(j->f, j->object, id, s->path != NULL ? s->at : j->b->at, s->path != NULL ? s->path : j->b->path, what);
}

/* A rule about something that is missing. */
static inline void absent(struct judging_box *j, const char *id, const char *what)
{
    rule_add(j->f, j->object, id, j->b->at, j->b->path, what);
}

static inline void undecided(struct judging_box *j, const char *id, const struct setting *s)
{
    rule_unknown(j->f, j->object, id, s->at, s->path, s->s);
}

void judge_host(struct judging_box *j);             /* rules_host.c: namespaces, mounts, devices, groups */
void judge_capabilities(struct judging_box *j);     /* rules_walls.c */
void judge_walls(struct judging_box *j);
void judge_running(struct judging_box *j);          /* rules_running.c: user, limits, ports, image, life */
void judge_environment(struct judging_box *j);      /* rules_secret.c */

#endif
