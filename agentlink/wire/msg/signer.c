/* signer.c - see signer.h. */
#include "wire/msg/signer.h"

const char *const statement_words[] = { "vulnerability", "sbom", "vex", "provenance", "report", "profile", NULL };

#define AT(member) offsetof(struct signer, member)
static const struct field fields[] = {
    { "id",           FIELD_TEXT, FIELD_REQUIRED, AT(id), 0, 64, 64, NULL, NULL, "SHA-256 of the key's SPKI, hex." },
    { "name",         FIELD_TEXT, FIELD_REQUIRED, AT(name), 0, 1, 100, NULL, NULL, "Unique name." },
    { "algorithm",    FIELD_TEXT, FIELD_REQUIRED, AT(algorithm), 0, 1, 32, NULL, NULL, "ed25519 or ecdsa-p256." },
    { "public_key",   FIELD_TEXT, FIELD_REQUIRED, AT(public_key), 0, 1, 8192, NULL, NULL, "PEM." },
    { "repositories", FIELD_TEXTS, 0, AT(repositories), AT(n_repositories), 0, SIGNER_REPOSITORIES_MAX, NULL, NULL,
      "Patterns of the repositories it may speak of; empty: all." },
    { "statements",   FIELD_TEXTS, 0, AT(statements), AT(n_statements), 0, SIGNER_STATEMENTS_MAX, NULL, NULL,
      "What it may state; empty: everything." },
    { "not_before",   FIELD_TIME, 0, AT(not_before_ms), 0, 0, 0, NULL, NULL, "Signatures count from here." },
    { "not_after",    FIELD_TIME, 0, AT(not_after_ms), 0, 0, 0, NULL, NULL, "And up to here; absent: no end." },
    { "created_at",   FIELD_TIME, 0, AT(created_ms), 0, 0, 0, NULL, NULL, "When it was registered." },
    { "created_by",   FIELD_TEXT, 0, AT(created_by), 0, 0, 200, NULL, NULL, "Who registered it." },
    { "revoked_at",   FIELD_TIME, 0, AT(revoked_ms), 0, 0, 0, NULL, NULL, "When it was revoked." },
    { "state",        FIELD_TEXT, 0, AT(state), 0, 0, 16, NULL, NULL, "valid, not_yet, expired or revoked." },
};
#undef AT
const struct shape signer_shape = { "signer", sizeof(struct signer), fields, N_ITEMS(fields), false };

static const struct field list_fields[] = { PAGE_FIELDS(signer_shape) };
const struct shape signer_list_shape = { "signer_list", sizeof(struct page), list_fields, N_ITEMS(list_fields), false };

#define AT(member) offsetof(struct signer_new, member)
static const struct field new_fields[] = {
    { "name",         FIELD_TEXT, FIELD_REQUIRED, AT(name), 0, 1, 100, NULL, NULL, "Unique name." },
    { "public_key",   FIELD_TEXT, FIELD_REQUIRED, AT(public_key), 0, 1, 8192, NULL, NULL,
      "One PEM block PUBLIC KEY: Ed25519 or ECDSA P-256." },
    { "repositories", FIELD_TEXTS, 0, AT(repositories), AT(n_repositories), 0, SIGNER_REPOSITORIES_MAX, NULL, NULL,
      "Patterns of repositories; absent: all." },
    { "statements",   FIELD_TEXTS, 0, AT(statements), AT(n_statements), 0, SIGNER_STATEMENTS_MAX, NULL, NULL,
      "Of vulnerability, sbom, vex, provenance, report, profile; absent: all." },
    { "not_before",   FIELD_TIME, 0, AT(not_before_ms), 0, 0, 0, NULL, NULL, "Absent: now." },
    { "not_after",    FIELD_TIME, 0, AT(not_after_ms), 0, 0, 0, NULL, NULL, "Absent: no end." },
};
#undef AT
const struct shape signer_new_shape = { "signer_new", sizeof(struct signer_new), new_fields, N_ITEMS(new_fields), false };
