/* roles.c - see roles.h. */
#include "wire/msg/roles.h"

#include <stddef.h>

const char *const user_role_words[] = { "", "viewer", "analyst", "policy", "admin", NULL };
const char *const token_role_words[] = { "", "viewer", "analyst", "policy", "admin", "ci", "admission", "agent", NULL };
