/* rules_walls.c - capabilities by what they grant, and the filters around a container. */
#include "core/config/rules.h"

#include <string.h>

/* "" : in the engines' default set, harmless enough. */
static const struct { const char *name, *rule; } capabilities[] = {
    { "ALL", "cap-code" }, { "SYS_ADMIN", "cap-code" }, { "SYS_MODULE", "cap-code" }, { "SYS_PTRACE", "cap-code" }, { "SYS_RAWIO", "cap-code" },
    { "DAC_READ_SEARCH", "cap-code" }, { "BPF", "cap-code" }, { "CHECKPOINT_RESTORE", "cap-code" }, { "MAC_ADMIN", "cap-code" },
    { "MAC_OVERRIDE", "cap-code" },
    { "NET_ADMIN", "cap-host" }, { "SYS_TIME", "cap-host" }, { "SYS_BOOT", "cap-host" }, { "AUDIT_CONTROL", "cap-host" }, { "PERFMON", "cap-host" },
    { "LINUX_IMMUTABLE", "cap-host" }, { "SYS_TTY_CONFIG", "cap-host" }, { "WAKE_ALARM", "cap-host" }, { "BLOCK_SUSPEND", "cap-host" },
    { "SYSLOG", "cap-disclosure" }, { "AUDIT_READ", "cap-disclosure" }, { "NET_BROADCAST", "cap-disclosure" }, { "SYS_PACCT", "cap-disclosure" },
    { "SYS_RESOURCE", "cap-availability" }, { "SYS_NICE", "cap-availability" }, { "IPC_LOCK", "cap-availability" }, { "IPC_OWNER", "cap-availability" },
    { "LEASE", "cap-availability" },
    { "NET_RAW", "" }, { "AUDIT_WRITE", "" }, { "CHOWN", "" }, { "DAC_OVERRIDE", "" }, { "FOWNER", "" }, { "FSETID", "" }, { "KILL", "" },
    { "MKNOD", "" }, { "NET_BIND_SERVICE", "" }, { "SETFCAP", "" }, { "SETGID", "" }, { "SETPCAP", "" }, { "SETUID", "" }, { "SYS_CHROOT", "" },
};

/* As the engines read it: any case, with or without CAP_. */
static const char *bare_name(const char *name)
{
    return (name[0] == 'C' || name[0] == 'c') && strncasecmp(name, "CAP_", 4) == 0 ? name + 4 : name;
}

static void judge_added(struct judging_box *j, const struct setting *s)
{
    if (is_unknown(s->s)) {
        undecided(j, "cap-code", s);
        return;
    }
    for (size_t i = 0; i < N_ITEMS(capabilities); i++) {
        if (!str_eq_nocase(bare_name(s->s), capabilities[i].name))
            continue;
        if (*capabilities[i].rule != '\0')
            on(j, capabilities[i].rule, s, arena_printf(j->f->arena, "capability %s", capabilities[i].name));
        return;
    }
    on(j, "cap-unknown", s, arena_printf(j->f->arena, "capability %s", s->s));
}

void judge_capabilities(struct judging_box *j)
{
    const struct box *b = j->b;
    bool all = false, unknown = false;

    for (size_t i = 0; i < b->cap_add.n; i++)
        judge_added(j, &b->cap_add.items[i]);
    for (size_t i = 0; i < b->cap_drop.n; i++) {
        all |= str_eq_nocase(bare_name(b->cap_drop.items[i].s), "ALL");
        unknown |= is_unknown(b->cap_drop.items[i].s);
    }
    if (!all && unknown)
        undecided(j, "cap-drop-all", &b->cap_drop.items[0]);
    else if (!all)
        absent(j, "cap-drop-all", "cap_drop lacks ALL");
}

/* "seccomp=unconfined", "seccomp:unconfined" (as it once was), "label=disable". */
static bool says(const char *option, const char *name, const char *value)
{
    size_t len = strlen(name);

    return strncmp(option, name, len) == 0 && (option[len] == '=' || option[len] == ':') && str_eq(option + len + 1, value);
}

void judge_walls(struct judging_box *j)
{
    static const struct { const char *name, *value, *id; } rows[] = {
        { "seccomp", "unconfined", "seccomp-unconfined" }, { "apparmor", "unconfined", "apparmor-unconfined" },
        { "label", "disable", "label-disabled" }, { "systempaths", "unconfined", "systempaths-unconfined" },
        { "unmask", "ALL", "systempaths-unconfined" }, { "unmask", "all", "systempaths-unconfined" },
    };
    const struct box *b = j->b;
    bool no_new_privileges = false;

    for (size_t i = 0; i < b->security_opt.n; i++) {
        const struct setting *s = &b->security_opt.items[i];
        if (is_unknown(s->s))
            undecided(j, "seccomp-unconfined", s);
        for (size_t k = 0; k < N_ITEMS(rows); k++) {
            if (says(s->s, rows[k].name, rows[k].value))
                on(j, rows[k].id, s, s->s);
        }
        no_new_privileges |= str_eq(s->s, "no-new-privileges") || says(s->s, "no-new-privileges", "true") || is_unknown(s->s);
    }
    if (!no_new_privileges)
        absent(j, "no-new-privileges", "no-new-privileges is not set");
}
