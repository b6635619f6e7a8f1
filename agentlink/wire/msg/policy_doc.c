/* policy_doc.c - see policy_doc.h. */
#include "wire/msg/policy_doc.h"

#define AT(member) offsetof(struct policy_doc, member)
static const struct field fields[] = {
    { "name",       FIELD_TEXT, FIELD_REQUIRED, AT(name), 0, 1, 63, NULL, NULL, "Identity." },
    { "version",    FIELD_INT, FIELD_REQUIRED, AT(version), 0, 1, INT64_MAX, NULL, NULL, "Counts from 1." },
    { "title",      FIELD_TEXT, 0, AT(title), 0, 0, 200, NULL, NULL, "What it is about." },
    { "enabled",    FIELD_BOOL, FIELD_REQUIRED, AT(enabled), 0, 0, 0, NULL, NULL, "Whether it takes part in verdicts." },
    { "shipped",    FIELD_BOOL, FIELD_REQUIRED, AT(shipped), 0, 0, 0, NULL, NULL, "Whether it came with Keep." },
    { "mode",       FIELD_TEXT, 0, AT(mode), 0, 0, 32, NULL, NULL, "What it does when a rule fails." },
    { "kind",       FIELD_TEXT, 0, AT(kind), 0, 0, 64, NULL, NULL, "Policy, ValidatingAdmissionPolicy or ValidatingPolicy." },
    { "note",       FIELD_TEXT, 0, AT(note), 0, 0, 500, NULL, NULL, "What a reader should know, such as that nothing binds it." },
    { "stages",     FIELD_TEXTS, 0, AT(stages), AT(n_stages), 0, 16, NULL, NULL, "Where it is asked." },
    { "rules",      FIELD_INT, 0, AT(rules), 0, 0, INT64_MAX, NULL, NULL, "How many rules it has." },
    { "updated_at", FIELD_TIME, 0, AT(updated_ms), 0, 0, 0, NULL, NULL, "When it was last changed." },
    { "updated_by", FIELD_TEXT, 0, AT(updated_by), 0, 0, 200, NULL, NULL, "By whom." },
    { "document_digest", FIELD_DIGEST, 0, AT(document_digest), 0, 0, 0, NULL, NULL, "SHA-256 of the document." },
    { "document",   FIELD_TEXT, 0, AT(document), 0, 0, POLICY_DOCUMENT_MAX, NULL, NULL, "YAML or JSON as it came." },
};
#undef AT
const struct shape policy_doc_shape = { "policy", sizeof(struct policy_doc), fields, N_ITEMS(fields), false };

static const struct field list_fields[] = { PAGE_FIELDS(policy_doc_shape) };
const struct shape policy_doc_list_shape = { "policy_list", sizeof(struct page), list_fields, N_ITEMS(list_fields), false };

#define AT(member) offsetof(struct policy_version, member)
static const struct field version_fields[] = {
    { "version",  FIELD_INT, FIELD_REQUIRED, AT(version), 0, 1, INT64_MAX, NULL, NULL, "Counts from 1." },
    { "at",       FIELD_TIME, FIELD_REQUIRED, AT(at_ms), 0, 0, 0, NULL, NULL, "When it was written." },
    { "author",   FIELD_TEXT, FIELD_REQUIRED, AT(author), 0, 0, 200, NULL, NULL, "By whom." },
    { "document", FIELD_TEXT, FIELD_REQUIRED, AT(document), 0, 0, POLICY_DOCUMENT_MAX, NULL, NULL, "As it came." },
};
#undef AT
static const struct shape version_shape = { "policy_version", sizeof(struct policy_version), version_fields,
                                            N_ITEMS(version_fields), false };
static const struct field version_list_fields[] = { PAGE_FIELDS(version_shape) };
const struct shape policy_version_list_shape = { "policy_version_list", sizeof(struct page), version_list_fields,
                                                 N_ITEMS(version_list_fields), false };
