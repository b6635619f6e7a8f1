/* exception.c - see exception.h. */
#include "wire/msg/exception.h"

const char *const exception_state_words[] = { "", "active", "expired", "revoked", NULL };

#define AT(member) offsetof(struct exception, member)
#define EXCEPTION_FIELDS \
    { "id",            FIELD_TEXT, FIELD_REQUIRED, AT(id), 0, 1, 64, NULL, NULL, "Identity." }, \
    { "vulnerability", FIELD_TEXT, 0, AT(vulnerability), 0, 1, 128, NULL, NULL, "What is accepted: a vulnerability," }, \
    { "rule",          FIELD_TEXT, 0, AT(rule), 0, 1, 200, NULL, NULL, "or a rule, policy/validation." }, \
    { "repository",    FIELD_TEXT, 0, AT(repository), 0, 1, 512, NULL, NULL, "Only in repositories of this pattern." }, \
    { "digest",        FIELD_DIGEST, 0, AT(digest), 0, 0, 0, NULL, NULL, "Only for this image." }, \
    { "package",       FIELD_TEXT, 0, AT(package), 0, 1, 512, NULL, NULL, \
      "Only in this package: name, name@version or purl." }, \
    { "namespace",     FIELD_TEXT, 0, AT(namespace), 0, 1, 253, NULL, NULL, "Only where it runs in this namespace." }, \
    { "reason",        FIELD_TEXT, FIELD_REQUIRED, AT(reason), 0, 1, 2000, NULL, NULL, "Why." }, \
    { "owner",         FIELD_TEXT, FIELD_REQUIRED, AT(owner), 0, 1, 200, NULL, NULL, "Who answers for it." }, \
    { "source",        FIELD_TEXT, FIELD_REQUIRED, AT(source), 0, 1, 16, NULL, NULL, "manual or openvex." }, \
    { "vex_status",    FIELD_TEXT, 0, AT(vex_status), 0, 0, 32, NULL, NULL, "not_affected or fixed." }, \
    { "justification", FIELD_TEXT, 0, AT(justification), 0, 0, 128, NULL, NULL, "OpenVEX justification." }, \
    { "created_at",    FIELD_TIME, 0, AT(created_ms), 0, 0, 0, NULL, NULL, "When it was made." }, \
    { "created_by",    FIELD_TEXT, 0, AT(created_by), 0, 0, 200, NULL, NULL, "Who made it." }, \
    { "expires_at",    FIELD_TIME, FIELD_REQUIRED, AT(expires_ms), 0, 0, 0, NULL, NULL, "When it ends." }, \
    { "revoked_at",    FIELD_TIME, 0, AT(revoked_ms), 0, 0, 0, NULL, NULL, "When it was taken back." }, \
    { "state",         FIELD_TEXT, 0, AT(state), 0, 0, 16, NULL, NULL, "active, expired or revoked." }

static const struct field fields[] = { EXCEPTION_FIELDS };
const struct shape exception_shape = { "exception", sizeof(struct exception), fields, N_ITEMS(fields), false };

static const struct field detail_fields[] = {
    EXCEPTION_FIELDS,
    { "applies_to", FIELD_INT, FIELD_REQUIRED, AT(applies_to), 0, 0, INT64_MAX, NULL, NULL, "Images in its scope now." },
};
#undef AT
const struct shape exception_detail_shape = { "exception_detail", sizeof(struct exception), detail_fields,
                                              N_ITEMS(detail_fields), false };

static const struct field list_fields[] = { PAGE_FIELDS(exception_shape) };
const struct shape exception_list_shape = { "exception_list", sizeof(struct page), list_fields,
                                            N_ITEMS(list_fields), false };

#define AT(member) offsetof(struct exception_new, member)
static const struct field new_fields[] = {
    { "vulnerability", FIELD_TEXT, 0, AT(vulnerability), 0, 3, 128, NULL, NULL, "This or rule." },
    { "rule",          FIELD_TEXT, 0, AT(rule), 0, 3, 200, NULL, NULL, "policy/validation; this or vulnerability." },
    { "repository",    FIELD_TEXT, 0, AT(repository), 0, 1, 512, NULL, NULL, "Only in repositories of this pattern." },
    { "digest",        FIELD_DIGEST, 0, AT(digest), 0, 0, 0, NULL, NULL, "Only for this image." },
    { "package",       FIELD_TEXT, 0, AT(package), 0, 1, 512, NULL, NULL,
      "Only in this package: name, name@version or purl." },
    { "namespace",     FIELD_TEXT, 0, AT(namespace), 0, 1, 253, NULL, NULL, "Only where it runs in this namespace." },
    { "reason",        FIELD_TEXT, FIELD_REQUIRED, AT(reason), 0, 10, 2000, NULL, NULL,
      "Why, in at least 10 characters." },
    { "owner",         FIELD_TEXT, FIELD_REQUIRED, AT(owner), 0, 1, 200, NULL, NULL, "Who answers for it." },
    { "expires_at",    FIELD_TIME, 0, AT(expires_ms), 0, 0, 0, NULL, NULL, "When it ends; this or expires_in." },
    { "expires_in",    FIELD_TEXT, 0, AT(expires_in), 0, 2, 16, NULL, NULL, "Like 30d; this or expires_at." },
};
#undef AT
const struct shape exception_new_shape = { "exception_new", sizeof(struct exception_new), new_fields,
                                           N_ITEMS(new_fields), false };

#define AT(member) offsetof(struct exception_query, member)
static const struct field query_fields[] = {
    PAGE_QUERY_FIELDS(AT(page)),
    { "state",           FIELD_WORD, 0, AT(state), 0, 0, 0, NULL, exception_state_words, "Only these." },
    { "expiring_within", FIELD_TEXT, 0, AT(expiring_within), 0, 2, 16, NULL, NULL, "Active ones that end within, like 7d." },
    { "vulnerability",   FIELD_TEXT, 0, AT(vulnerability), 0, 1, 128, NULL, NULL, "Only for this vulnerability." },
    { "rule",            FIELD_TEXT, 0, AT(rule), 0, 1, 200, NULL, NULL, "Only for this rule." },
    { "owner",           FIELD_TEXT, 0, AT(owner), 0, 1, 200, NULL, NULL, "Only of this owner." },
};
#undef AT
const struct shape exception_query_shape = { "exception_query", sizeof(struct exception_query), query_fields,
                                             N_ITEMS(query_fields), false };

static const struct field vex_in_fields[] = {
    { "owner", FIELD_TEXT, 0, offsetof(struct vex_in_query, owner), 0, 1, 200, NULL, NULL,
      "Who answers for it; absent: the document's author." },
    { "expires_in", FIELD_TEXT, 0, offsetof(struct vex_in_query, expires_in), 0, 2, 16, NULL, NULL,
      "How long the exceptions hold; 90d when absent." },
};
const struct shape vex_in_query_shape = { "vex_in_query", sizeof(struct vex_in_query), vex_in_fields,
                                          N_ITEMS(vex_in_fields), false };

static const struct field vex_out_fields[] = {
    { "repository", FIELD_TEXT, 0, offsetof(struct vex_out_query, repository), 0, 1, 512, NULL, NULL,
      "Pattern of repositories; this or digest." },
    { "digest", FIELD_DIGEST, 0, offsetof(struct vex_out_query, digest), 0, 0, 0, NULL, NULL,
      "One image; this or repository." },
};
const struct shape vex_out_query_shape = { "vex_out_query", sizeof(struct vex_out_query), vex_out_fields,
                                           N_ITEMS(vex_out_fields), false };

static const struct field unmatched_fields[] = {
    { "vulnerability", FIELD_TEXT, FIELD_REQUIRED, offsetof(struct vex_unmatched, vulnerability), 0, 1, 256, NULL, NULL,
      "As the document names it." },
    { "product", FIELD_TEXT, FIELD_REQUIRED, offsetof(struct vex_unmatched, product), 0, 0, 2048, NULL, NULL,
      "As the document names it." },
};
static const struct shape unmatched_shape = { "vex_unmatched", sizeof(struct vex_unmatched), unmatched_fields,
                                              N_ITEMS(unmatched_fields), false };

#define AT(member) offsetof(struct vex_taken, member)
static const struct field taken_fields[] = {
    { "statements", FIELD_INT, FIELD_REQUIRED, AT(statements), 0, 0, INT64_MAX, NULL, NULL, "Statements read." },
    { "exceptions", FIELD_TEXTS, FIELD_REQUIRED, AT(exceptions), AT(n_exceptions), 0, VEX_EXCEPTIONS_MAX, NULL, NULL,
      "Exceptions made of them." },
    { "matched",    FIELD_INT, FIELD_REQUIRED, AT(matched), 0, 0, INT64_MAX, NULL, NULL,
      "Of those, how many concern an image known now." },
    { "unmatched",  FIELD_LIST, FIELD_REQUIRED, AT(unmatched), AT(n_unmatched), 0, VEX_EXCEPTIONS_MAX, &unmatched_shape,
      NULL, "Products that concern no image known now." },
};
#undef AT
const struct shape vex_taken_shape = { "vex_taken", sizeof(struct vex_taken), taken_fields, N_ITEMS(taken_fields), false };
