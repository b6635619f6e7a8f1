/* session.c - see session.h. */
#include "wire/msg/session.h"

static const struct field login_fields[] = {
    { "link", FIELD_TEXT, FIELD_REQUIRED, offsetof(struct login, link), 0, 1, 256, NULL, NULL,
      "The one-time login link's text, keep_lnk_..." },
};
const struct shape login_shape = { "login", sizeof(struct login), login_fields, N_ITEMS(login_fields), false };

static const struct field user_fields[] = {
    { "id",   FIELD_TEXT, FIELD_REQUIRED, offsetof(struct session_user, id), 0, 0, 64, NULL, NULL, "User or token." },
    { "name", FIELD_TEXT, FIELD_REQUIRED, offsetof(struct session_user, name), 0, 0, 200, NULL, NULL, "Its name." },
    { "role", FIELD_TEXT, FIELD_REQUIRED, offsetof(struct session_user, role), 0, 0, 16, NULL, NULL, "What it may do." },
};
static const struct shape session_user_shape = { "session_user", sizeof(struct session_user), user_fields,
                                                 N_ITEMS(user_fields), false };

static const struct field info_fields[] = {
    { "user", FIELD_OBJECT, FIELD_REQUIRED, offsetof(struct session_info, user), 0, 0, 0, &session_user_shape, NULL,
      "Who is asking." },
    { "csrf", FIELD_TEXT, 0, offsetof(struct session_info, csrf), 0, 0, 128, NULL, NULL,
      "To be sent as X-Keep-CSRF with every write of this session." },
    { "expires_at", FIELD_TIME, 0, offsetof(struct session_info, expires_ms), 0, 0, 0, NULL, NULL,
      "When it ends in any case." },
};
const struct shape session_info_shape = { "session_info", sizeof(struct session_info), info_fields,
                                          N_ITEMS(info_fields), false };
