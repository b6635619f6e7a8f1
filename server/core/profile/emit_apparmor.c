/* emit_apparmor.c - an AppArmor profile (apparmor.d(5)). */
#include "core/profile/emit_internal.h"

#include "base/str.h"

#include <string.h>

enum { PARTS = 1 << PART_EXECUTABLE | 1 << PART_WRITE | 1 << PART_CAPABILITY };

/* Paths are patterns there: what would mean something else is escaped; a star means the
 * same as in ours. */
static void put_path(struct buf *out, const char *path)
{
    buf_putc(out, '"');
    for (; *path != '\0'; path++) {
        if (strchr("\\\"?[]{}^,@", *path) != NULL)
            buf_putc(out, '\\');
        buf_putc(out, *path);
    }
    buf_putc(out, '"');
}

static void put_programs(const struct profile *p, struct buf *out)
{
    buf_puts(out, "\n  # programs\n");
    if (!p->has_executables)
        buf_puts(out, "  /** ix,\n");
    for (size_t i = 0; i < p->n_executables; i++) {
        buf_puts(out, "  ");
        put_path(out, p->executables[i].path);
        buf_puts(out, " ix,\n");
    }
}

static void put_files(const struct profile *p, struct buf *out)
{
    buf_puts(out, "\n  # files\n  / r,\n  /** rm,\n");
    if (!p->has_writes) {
        buf_puts(out, "  /** wlk,\n");
        return;
    }
    buf_puts(out, "  /dev/{null,zero,full,tty,ptmx} rw,\n  /dev/pts/* rw,\n  /proc/self/** w,\n");
    for (size_t i = 0; i < p->n_writes; i++) {
        buf_puts(out, "  ");
        put_path(out, p->writes[i]);
        buf_puts(out, " rwlk,\n");
    }
}

static void put_network(const struct profile *p, struct buf *out)
{
    bool none = p->has_listens && p->n_listens == 0 && p->has_egress && p->n_egress == 0;

    buf_puts(out, "\n  # network\n");
    buf_puts(out, none ? "  network unix,\n  network netlink,\n" : "  network,\n");
}

static void put_capabilities(const struct profile *p, struct buf *out)
{
    buf_puts(out, "\n  # capabilities\n");
    if (!p->has_capabilities)
        buf_puts(out, "  capability,\n");
    for (size_t i = 0; i < p->n_capabilities; i++) {
        buf_puts(out, "  capability ");
        for (const char *s = p->capabilities[i]; *s != '\0'; s++)
            buf_putc(out, (char)(*s >= 'A' && *s <= 'Z' ? *s - 'A' + 'a' : *s));
        buf_puts(out, ",\n");
    }
}

int emit_apparmor(const struct emit_spec *spec, struct arena *arena, struct buf *out, struct err *err)
{
    const struct profile *p = spec->profile;

    (void)arena, (void)err;
    emit_head(spec, "AppArmor profile", PARTS, out);
    emit_note(out, "Load it with apparmor_parser on every node, and name it localhost/keep-%s in the pod's securityContext.", p->name);
    emit_note(out, "It knows neither peers nor ports: the network is closed only when the profile allows none at all.");
    emit_note(out, "Parents and content (sha256) of programs are not compared; all files may be read.");
    buf_puts(out, "\n#include <tunables/global>\n\n");
    buf_printf(out, "profile keep-%s flags=(attach_disconnected,mediate_deleted) {\n", p->name);
    put_programs(p, out);
    put_files(p, out);
    put_network(p, out);
    put_capabilities(p, out);
    buf_puts(out, "\n  # what a container never needs\n  deny mount,\n  deny umount,\n  deny pivot_root,\n"
                  "  deny /proc/sys/kernel/** wklx,\n  deny /proc/sysrq-trigger rwklx,\n  deny /proc/kcore rwklx,\n  deny /sys/firmware/** rwklx,\n"
                  "\n  signal (send,receive) peer=@{profile_name},\n  signal (receive) peer=unconfined,\n  ptrace (trace,read) peer=@{profile_name},\n"
                  "  unix,\n}\n");
    return 0;
}
