/* user.c - see user.h. */
#include "wire/msg/user.h"
#include "wire/msg/roles.h"

#define AT(member) offsetof(struct user, member)
static const struct field user_fields[] = {
    { "id",            FIELD_TEXT, FIELD_REQUIRED, AT(id), 0, 1, 64, NULL, NULL, "Identity; never changes." },
    { "name",          FIELD_TEXT, FIELD_REQUIRED, AT(name), 0, 1, 100, NULL, NULL, "Unique name." },
    { "role",          FIELD_TEXT, FIELD_REQUIRED, AT(role), 0, 1, 16, NULL, NULL, "viewer, analyst, policy or admin." },
    { "created_at",    FIELD_TIME, 0, AT(created_ms), 0, 0, 0, NULL, NULL, "When the user was made." },
    { "created_by",    FIELD_TEXT, 0, AT(created_by), 0, 0, 200, NULL, NULL, "Who made the user." },
    { "disabled_at",   FIELD_TIME, 0, AT(disabled_ms), 0, 0, 0, NULL, NULL, "Since when the user may not log in." },
    { "last_login_at", FIELD_TIME, 0, AT(last_login_ms), 0, 0, 0, NULL, NULL, "When a login link was last used." },
};
#undef AT
const struct shape user_shape = { "user", sizeof(struct user), user_fields, N_ITEMS(user_fields), false };

static const struct field list_fields[] = { PAGE_FIELDS(user_shape) };
const struct shape user_list_shape = { "user_list", sizeof(struct page), list_fields, N_ITEMS(list_fields), false };

static const struct field new_fields[] = {
    { "name", FIELD_TEXT, FIELD_REQUIRED, offsetof(struct user_new, name), 0, 1, 100, NULL, NULL, "Unique name." },
    { "role", FIELD_WORD, FIELD_REQUIRED, offsetof(struct user_new, role), 0, 0, 0, NULL, user_role_words,
      "What the user may do." },
};
const struct shape user_new_shape = { "user_new", sizeof(struct user_new), new_fields, N_ITEMS(new_fields), false };

static const struct field change_fields[] = {
    { "name", FIELD_TEXT, 0, offsetof(struct user_change, name), 0, 1, 100, NULL, NULL, "A new name." },
    { "role", FIELD_WORD, 0, offsetof(struct user_change, role), 0, 0, 0, NULL, user_role_words, "A new role." },
    { "enabled", FIELD_BOOL, 0, offsetof(struct user_change, enabled), 0, 0, 0, NULL, NULL,
      "true lets a disabled user in again." },
};
const struct shape user_change_shape = { "user_change", sizeof(struct user_change), change_fields,
                                         N_ITEMS(change_fields), false };

static const struct field link_fields[] = {
    { "link_path", FIELD_TEXT, FIELD_REQUIRED, offsetof(struct login_link_made, link_path), 0, 1, 256, NULL, NULL,
      "Path and fragment to open in a browser; works once." },
    { "expires_at", FIELD_TIME, FIELD_REQUIRED, offsetof(struct login_link_made, expires_ms), 0, 0, 0, NULL, NULL,
      "When the link stops working." },
};
const struct shape login_link_made_shape = { "login_link_made", sizeof(struct login_link_made), link_fields,
                                             N_ITEMS(link_fields), false };
