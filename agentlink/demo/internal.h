/* internal.h - what the demo's own files share: who is who on the server. */
#ifndef KEEP_DEMO_INTERNAL_H
#define KEEP_DEMO_INTERNAL_H

#include "base/crypto.h"
#include "client/http.h"
#include "demo/seed.h"

struct seeder {
    const struct seed_config *config;
    const struct fleet *fleet;
    struct arena *arena;
    struct http_client *admin;
    struct privkey *pipeline_key, *registry_key;       /* P-256, Ed25519 */
    const char *pipeline_token, *registry_token, *sandbox_token, *agent_token;
};

/* Sends a JSON body as the administrator; `member` of the answer, or "" without one. */
int seed_post(struct seeder *s, const char *target, struct buf *body, const char *member, const char **out, struct err *err);

/* Keys and tokens; then everything around the scans: users, what runs, exceptions. */
int seed_identities(struct seeder *s, struct err *err);
int seed_surroundings(struct seeder *s, struct err *err);

/* Every scan, signed and sent, a few at a time; in order for each image. */
int seed_scans(struct seeder *s, size_t *uploads, struct err *err);

#endif
