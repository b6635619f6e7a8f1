/* policy_files.h - files of policies, and of cases that try them. */
#ifndef KEEP_CTL_POLICY_FILES_H
#define KEEP_CTL_POLICY_FILES_H

#include "core/policy.h"
#include "ctl/documents.h"

/* The documents of a file, values unread, each one policy.  A ValidatingAdmissionPolicy
 * and its bindings are one policy: such a file is not cut.  "-": standard input. */
int policy_documents(struct arena *arena, const char *file, struct documents *out, struct err *err);

/* A policy of a file, compiled. */
struct policy_file {
    const char *file, *name;
    struct bytes text;
    const struct policy *policy;
};
struct policy_files { struct policy_file *items; size_t n; };

/* Adds the policies of a file.  A name without a file is that of a policy that comes with
 * Keep.  ERR_INVALID with file and line. */
int policy_files_read(struct arena *arena, const char *file, struct policy_files *out, struct err *err);

/* Adds the policy of a text, which must live as long. */
int policy_files_add(struct arena *arena, const char *name, const char *text, struct policy_files *out, struct err *err);

enum { CASE_FILES_MAX = 4096 };

/* Adds a file; of a folder all files beneath whose names end in cases.yaml or cases.yml,
 * by name.  Links to folders are not followed.  The list has room for CASE_FILES_MAX. */
int case_files_find(struct arena *arena, const char *path, const char **list, size_t *n, struct err *err);

#endif
