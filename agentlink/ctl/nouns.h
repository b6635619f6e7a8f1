/* nouns.h - the rows of each noun's file, and bodies that rows elsewhere use. */
#ifndef KEEP_CTL_NOUNS_H
#define KEEP_CTL_NOUNS_H

#include "ctl/ctl.h"

extern const struct ctl_commands login_commands, scan_commands, image_commands, fleet_commands, evidence_commands;
extern const struct ctl_commands people_commands, policy_commands, vex_commands, declare_commands, tool_commands, k8s_commands,
                                 check_commands, opa_commands, policy_try_commands, policy_change_commands, profile_commands, profile_make_commands;
extern const struct ctl_commands node_commands;
extern const struct ctl_commands trust_commands;
extern const struct ctl_commands container_commands;

extern const struct ctl_commands alert_commands;

int audit_record(struct ctl *c);

/* REPOSITORY[@sha256:...], or an id -> what routes know a profile by; 0, or an exit code. */
int profile_id_of(struct ctl *c, const char *text, const char **out);

/* Short forms for rows of struct ctl_command's first member. */
#define ROW(name, args, min, max, summary, options, details) \
    { name, args, min, max, summary, options, sizeof(options) / sizeof *(options), NULL, details }
#define PLAIN(name, args, min, max, summary) { name, args, min, max, summary, NULL, 0, NULL, NULL }

#endif
