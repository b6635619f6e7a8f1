/* update_internal.h - what the parts of an update share; only for update*.c. */
#ifndef KEEP_AGENT_UPDATE_INTERNAL_H
#define KEEP_AGENT_UPDATE_INTERNAL_H

#include "agent/update.h"

enum { UPDATE_ETAG_TEXT = 96, UPDATE_FOLDER_TEXT = 48 };

struct update {
    struct update_config config;         /* its texts are ours */
    int dir;
    struct arena root_arena;             /* the trusted root */
    struct trust_root root;
    struct trust_floor floor;
    struct arena applied_arena;          /* the bundle in force */
    struct trust_bundle applied;         /* version 0: none */
    int64_t applied_ms;
    char applied_folder[UPDATE_FOLDER_TEXT], etag[UPDATE_ETAG_TEXT];
    int64_t roots_asked_ms;              /* of the clock; 0: not yet */
    char problem[320];
};

/* update_disk.c: the state folder. */
int disk_load(struct update *u, struct err *err);              /* root (must be there), floor, what is in force */
int disk_keep_root(struct update *u, const void *envelope, size_t len, struct err *err);
int disk_keep_floor(struct update *u, const struct trust_floor *floor, struct err *err);
/* Writes the files beside what is in force; `folder` is the name they have. */
int disk_prepare(struct update *u, const struct trust_bundle *b, struct bytes envelope, struct bytes files, const char *etag,
                 char folder[UPDATE_FOLDER_TEXT], struct err *err);
int disk_switch(struct update *u, const char *folder, struct err *err);     /* puts it in force */
void disk_clean(struct update *u);                             /* removes what is not in force */
int disk_read_applied(const struct update *u, const char *name, size_t max, struct arena *arena, struct bytes *out,
                      struct err *err);
int disk_load_applied(struct update *u, struct err *err);

/* A failpoint; see update_config.at. */
int update_at(const struct update *u, const char *step, struct err *err);

#endif
