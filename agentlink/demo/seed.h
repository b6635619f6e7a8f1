/* seed.h - fills a running server with the demo fleet, through its public API. */
#ifndef KEEP_DEMO_SEED_H
#define KEEP_DEMO_SEED_H

#include "base/err.h"
#include "demo/fleet.h"

struct seed_config {
    const char *url, *token;                   /* of an administrator */
    const char *keys_dir;                      /* the demo signers' keys go here; NULL: nowhere */
    bool show_progress;
};

struct seed_result { size_t uploads; int64_t took_ms; };

int seed_fleet(const struct seed_config *config, const struct fleet *fleet, struct arena *arena,
               struct seed_result *out, struct err *err);

#endif
