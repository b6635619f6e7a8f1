/* admission.h - Kubernetes asks before something runs; what is asked, and the answer.
 *
 * AdmissionReview admission.k8s.io/v1 and v1beta1, ImageReview
 * imagepolicy.k8s.io/v1alpha1.  Pure: bytes were parsed elsewhere, facts are
 * looked up elsewhere, the time is handed in.  The input is hostile: everything
 * may be missing or of another type; what comes out obeys what the API server
 * checks, whatever went in:
 *
 *   - the uid is the one that was asked with, the version the one asked in; never
 *     a patch;
 *   - a refusal has code 403, reason Forbidden and one message with all reasons;
 *   - warnings have at most 120 characters, no control characters, and fewer than
 *     4,096 characters in all;
 *   - audit annotations have qualified names of at most 63 characters.
 *
 * Judged are creations and updates of whatever bears pods (core/workload.h), for
 * a Pod also its sub-resources except those that carry no pod or only its status.
 * An update is judged when it changes containers (of a Pod: any list of them; of
 * a controller: anything of its template's pod); labels, finalizers, status and
 * the like must always be possible.  A Pod is refused; a controller is warned
 * about, because its pods will be asked about themselves, unless the server is
 * set to refuse controllers too. */
#ifndef KEEP_CORE_ADMISSION_H
#define KEEP_CORE_ADMISSION_H

#include "core/policy.h"
#include "core/workload.h"

/* The annotation, on the object or its pod template, whose text is the reason to
 * let it pass although it was refused; counts only where the server allows it. */
#define ADMISSION_BREAK_GLASS "keep.example/break-glass"
/* The same in an ImageReview: only keys with ".image-policy.k8s.io/" get there. */
#define ADMISSION_BREAK_GLASS_IMAGE "keep.image-policy.k8s.io/break-glass"

enum {
    ADMISSION_WARNING_MAX = 120,         /* characters of a warning */
    ADMISSION_WARNINGS_MAX = 4000,       /* characters of all of them */
    ADMISSION_MESSAGE_MAX = 16 * 1024,   /* bytes of the message of a refusal */
    ADMISSION_DIGESTS_MAX = 50,          /* annotations digest-N */
};

/* Why a review is not judged.  The first value is the safe one. */
enum admission_skip {
    ADMISSION_JUDGED = 0,
    ADMISSION_OPERATION,                 /* DELETE, CONNECT */
    ADMISSION_SUBRESOURCE,               /* exec, status ... */
    ADMISSION_NAMESPACE,                 /* excluded by the server's settings */
    ADMISSION_NO_PODS,                   /* a Service, a ConfigMap ... */
    ADMISSION_UNCHANGED,                 /* an update that leaves the containers alone */
    ADMISSION_SKIP_N
};
extern const char *const admission_skip_words[];

struct admission_review {
    const char *kind, *api_version;      /* as they must be answered; static texts */
    const char *uid;                     /* "": none was given */
    const char *operation, *object_kind, *name, *namespace, *username, *sub_resource;   /* never NULL */
    bool dry_run;
    const struct json *request;
    const struct json *object, *old_object;     /* NULL: none, or JSON null */
    enum admission_skip skip;
    struct workload workload;            /* while judged; spec NULL in an ImageReview */
    const struct json *image_spec;       /* of an ImageReview, else NULL */
};

/* Excluded namespaces: names or patterns with *. */
struct admission_scope { const char *const *excluded; size_t n_excluded; };

/* Reads a review.  Borrows from doc; what is new lives in the arena.  ERR_INVALID
 * (all complaints with paths; `all` may be NULL) when it is none: other kind or
 * version, no request, a member of the request of another type than Kubernetes
 * declares.  What the object is made of is never a reason to fail. */
int admission_read(const struct json *doc, const struct admission_scope *scope, struct arena *arena,
                   struct complaints *all, struct admission_review *out, struct err *err);
int image_review_read(const struct json *doc, const struct admission_scope *scope, struct arena *arena,
                      struct complaints *all, struct admission_review *out, struct err *err);

/* An image of the workload: once for each reference, however many containers run it. */
struct admission_image {
    const char *container;               /* "app", "app, sidecar", "a, b, c and 7 more" */
    const char *reference;               /* as written; "" when it is no text */
    const char *digest;                  /* written in it, or what it was resolved to; NULL: neither */
    bool by_tag;                         /* resolved as last seen with its tag */
    bool is_known;                       /* Keep has heard of it */
};

/* In the order of first use.  -1: arena full. */
int admission_images(const struct admission_review *review, struct arena *arena, struct admission_image **out, size_t *n,
                     struct err *err);

/* The reason to break the glass, or NULL. */
const char *admission_break_glass(const struct admission_review *review);

enum admission_outcome {
    ADMISSION_DENIED = 0, ADMISSION_WARNED, ADMISSION_ALLOWED, ADMISSION_GLASS_BROKEN, ADMISSION_UNTOUCHED, ADMISSION_OUTCOME_N
};
/* Their words: admission_outcome_words, wire/msg/admission.h. */

/* What is decided over. */
struct admission_case {
    const struct admission_review *review;
    const struct reason *reasons; size_t n_reasons;       /* of all policies, worst first */
    const struct reason *audited; size_t n_audited;       /* what policies in mode audit found */
    const struct verdict_annotation *annotations; size_t n_annotations;     /* what policies want to be recorded */
    int decision;                        /* enum decision */
    int64_t policy_version;
    const struct admission_image *images; size_t n_images;
    bool refuse_controllers, may_break_glass, refuse_nothing;
};

struct admission_note { const char *key, *value; };       /* an audit annotation */

struct admission_answer {
    enum admission_outcome outcome;
    bool allowed;
    const char *message;                 /* of a refusal, or of one that break-glass turned; NULL */
    const char *break_glass;             /* its reason; NULL */
    const char *const *warnings; size_t n_warnings;
    const struct admission_note *notes; size_t n_notes;
};

/* Pure; lives in the arena.  -1: arena full. */
int admission_decide(const struct admission_case *in, struct arena *arena, struct admission_answer *out, struct err *err);

/* Appends the review that is the answer; check b->failed at the end. */
void admission_write(const struct admission_review *review, const struct admission_answer *answer, struct buf *b);

/* Two lists of reasons, each worst first, as one.  -1: arena full. */
int reasons_merge(const struct reason *a, size_t n_a, const struct reason *b, size_t n_b, struct arena *arena,
                  const struct reason **out, struct err *err);

#endif
