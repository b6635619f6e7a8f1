/* roles.h - the words for roles on the wire, in FIELD_WORD order. */
#ifndef KEEP_WIRE_MSG_ROLES_H
#define KEEP_WIRE_MSG_ROLES_H

extern const char *const user_role_words[];    /* viewer, analyst, policy, admin */
extern const char *const token_role_words[];   /* those, ci, admission, agent */

#endif
