/* allowance.c - see allowance.h. */
#include "wire/msg/allowance.h"

#define AT(member) offsetof(struct allowance, member)
static const struct field fields[] = {
    { "pattern",    FIELD_TEXT, FIELD_REQUIRED, AT(pattern), 0, 1, 512, NULL, NULL, "Pattern of repositories." },
    { "reason",     FIELD_TEXT, FIELD_REQUIRED, AT(reason), 0, 1, 1000, NULL, NULL, "Why." },
    { "created_at", FIELD_TIME, 0, AT(created_ms), 0, 0, 0, NULL, NULL, "When it was given." },
    { "created_by", FIELD_TEXT, 0, AT(created_by), 0, 0, 200, NULL, NULL, "Who gave it." },
    { "expires_at", FIELD_TIME, FIELD_REQUIRED, AT(expires_ms), 0, 0, 0, NULL, NULL, "When it ends." },
    { "state",      FIELD_TEXT, 0, AT(state), 0, 0, 16, NULL, NULL, "active or expired." },
};
#undef AT
const struct shape allowance_shape = { "unsigned_allowance", sizeof(struct allowance), fields, N_ITEMS(fields), false };

static const struct field list_fields[] = { PAGE_FIELDS(allowance_shape) };
const struct shape allowance_list_shape = { "unsigned_allowance_list", sizeof(struct page), list_fields,
                                            N_ITEMS(list_fields), false };

#define AT(member) offsetof(struct allowance_new, member)
static const struct field new_fields[] = {
    { "pattern",    FIELD_TEXT, FIELD_REQUIRED, AT(pattern), 0, 1, 512, NULL, NULL, "Pattern of repositories." },
    { "reason",     FIELD_TEXT, FIELD_REQUIRED, AT(reason), 0, 10, 1000, NULL, NULL, "Why, in at least 10 characters." },
    { "expires_in", FIELD_TEXT, 0, AT(expires_in), 0, 2, 16, NULL, NULL, "Like 30d; this or expires_at." },
    { "expires_at", FIELD_TIME, 0, AT(expires_ms), 0, 0, 0, NULL, NULL, "When it ends; this or expires_in." },
};
#undef AT
const struct shape allowance_new_shape = { "unsigned_allowance_new", sizeof(struct allowance_new), new_fields,
                                           N_ITEMS(new_fields), false };

static const struct field which_fields[] = {
    { "pattern", FIELD_TEXT, 0, offsetof(struct allowance_which, pattern), 0, 1, 512, NULL, NULL,
      "The pattern, when it has slashes; the path then ends in /-" },
};
const struct shape allowance_which_shape = { "unsigned_allowance_which", sizeof(struct allowance_which), which_fields,
                                             N_ITEMS(which_fields), false };
