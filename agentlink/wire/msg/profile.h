/* profile.h - profiles as messages: what bundles carry and the store keeps, and what
 * the routes of profiles take and answer.
 *
 * In JSON a part that is judged says so itself ("covers_executables": true); a list
 * without it is not judged. */
#ifndef KEEP_WIRE_MSG_PROFILE_H
#define KEEP_WIRE_MSG_PROFILE_H

#include "model/page.h"
#include "model/profile.h"
#include "wire/msg/page.h"
#include "wire/shape.h"

extern const char *const profile_source_words[];   /* "declared", "learned", "enforced" */
extern const char *const profile_mode_words[];     /* "discover", "monitor", "protect" */
extern const char *const profile_on_loss_words[];  /* "open", "closed" */
extern const char *const profile_part_words[];     /* "executable", "listen", "egress", "ingress", "write", "user", "capability" */
extern const char *const net_protocol_words[];     /* "any", "tcp", "udp" */
extern const char *const drift_rule_words[];       /* of enum drift_rule: "", "unexpected-executable", ... */

/* struct profile.  What decodes still needs profile_check (wire/profile_doc.h). */
extern const struct shape profile_shape;

/* The file profiles.json of a bundle: {"profiles": [profile...]}. */
struct profile_set {
    const struct profile *profiles; size_t n_profiles;
};
extern const struct shape profile_set_shape;
enum { PROFILE_SET_MAX = 4096 };

/* ---- routes of people ---------------------------------------------------------------- */

/* One version of a declared, learned or enforced profile. */
struct profile_version {
    const char *profile_id;              /* by which routes know (repository, digest) */
    int source;                          /* enum profile_source */
    int64_t version;
    int mode;
    int64_t created_ms;
    const char *created_by, *reason;     /* reason NULL: not said */
    const char *signer, *evidence;       /* signer's id; NULL: unsigned */
    const char *document;                /* JSON of struct profile */
};
extern const struct shape profile_version_shape, profile_version_list_shape;     /* the list: struct page */

struct profile_summary {
    const char *id, *repository, *digest;    /* digest NULL: every image of the repository */
    int mode;                            /* of what is enforced; PROFILE_MODE_N: nothing is */
    int64_t declared, learned, enforced; /* versions, 0 none */
    bool is_pending;                     /* declared, but this is not what was approved last */
    int64_t changed_ms;
    const char *const *covers; size_t n_covers;          /* parts that are judged */
    const char *const *not_covered; size_t n_not_covered;
};
extern const struct shape profile_summary_list_shape;    /* struct page */

struct profile_query {
    struct page_query page;
    const char *q;                       /* beginning of the repository */
    int mode;                            /* index of the words, 0 any */
    bool pending;
};
extern const struct shape profile_query_shape;

struct promotion_check_answer { const char *rule; bool is_met; const char *text; };
struct promotion_answer {
    int from, to;                        /* enum profile_mode */
    bool is_ready;
    const struct promotion_check_answer *checks; size_t n_checks;
};
extern const struct shape promotion_answer_shape;

struct profile_detail {
    struct profile_summary summary;
    const struct profile_version *declared, *learned, *enforced;     /* NULL none */
    const struct promotion_answer *promotion;                        /* to the next mode; NULL: there is none */
    int64_t observed, doubted;           /* things seen; of these, in doubt and not allowed */
};
extern const struct shape profile_detail_shape;

struct observation_answer {
    int part;
    const char *item, *parent;           /* parent NULL none */
    int64_t n, containers, nodes, hours, first_ms, last_ms, confidence;
    const char *const *doubts; size_t n_doubts;
    bool is_accepted;
};
struct observations_answer {
    const struct observation_answer *items; size_t n_items;
};
extern const struct shape observations_answer_shape;

struct profile_diff_row {
    int part;
    const char *item, *parent;
    int declared, observed, enforced;    /* enum diff_cell of the server's core */
    int64_t n, last_ms;
    const char *const *doubts; size_t n_doubts;
    const char *note;
};
struct profile_diff_answer {
    const struct profile_diff_row *rows; size_t n_rows;
    const char *const *not_covered; size_t n_not_covered;    /* parts that what is enforced does not judge */
};
extern const struct shape profile_diff_shape;

struct learned_answer {
    const struct profile_version *profile;
    const struct observation_answer *doubted; size_t n_doubted;      /* left out: for a person to accept */
};
extern const struct shape learned_answer_shape;

struct departure_answer {
    const char *rule, *subject, *message, *expected;
    int64_t severity, n, first_ms, last_ms;
    const char *const *workloads; size_t n_workloads;                /* "cluster/namespace/workload", the first few */
};
struct simulation_answer {
    int64_t examined, allowed, departing;                            /* events */
    bool is_complete;                                                /* false: there were more events than were looked at */
    const struct departure_answer *departures; size_t n_departures;
};
extern const struct shape simulation_answer_shape;

struct profile_learn_in { const char *image, *reason; };
struct profile_approve_in {
    int source;                          /* words: "declared", "learned", "both" */
    int64_t version;                     /* of the source as it was looked at; 0: whatever is current */
    const char *const *accept; size_t n_accept;
    const char *reason;
};
struct profile_mode_in { int mode; bool force; const char *reason; };
extern const struct shape profile_learn_in_shape, profile_approve_in_shape, profile_mode_in_shape;
enum { APPROVE_DECLARED = 0, APPROVE_LEARNED, APPROVE_BOTH };

/* source: PROFILE_FROM_... */
enum { PROFILE_FROM_ENFORCED = 0, PROFILE_FROM_DECLARED, PROFILE_FROM_LEARNED };
struct profile_simulate_query { int source; int64_t hours; };
struct profile_generate_query { const char *as; int source; const char *namespace, *workload; };
extern const struct shape profile_simulate_query_shape, profile_generate_query_shape;

#endif
