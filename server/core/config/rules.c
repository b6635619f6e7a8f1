/* rules.c - what a container's settings may not be: the table, and how a rule speaks.
 *
 * High and critical rules fail a check, the others warn.  A rule whose value is not
 * known makes the check unknown where it would have failed. */
#include "core/config/rules.h"

#include "model/image.h"
#include "model/severity.h"

#include <string.h>

const struct config_rule config_rules[] = {
    /* ---- the host is open ---- */
    { "privileged", SEVERITY_CRITICAL, "Privileged container", "has every capability, every device and no filter: it is root on the host",
      "Remove it; add the one capability or device that is needed." },
    { "engine-socket", SEVERITY_CRITICAL, "Container engine's socket", "whoever talks to the engine can start a privileged container; mounting it read-only does not help",
      "Do not mount it. If it must be, put a proxy in between that lets through only the calls needed." },
    { "host-path-root", SEVERITY_CRITICAL, "Host directory that is root-equivalent", "writing there is owning the host",
      "Mount only the directory that is needed, read-only, or use a named volume." },
    { "host-path-sensitive", SEVERITY_MEDIUM, "Sensitive host directory", "it holds credentials, logs or settings of the host",
      "Mount only the file that is needed, read-only." },
    { "host-network", SEVERITY_HIGH, "Host's network", "sees and binds the host's ports and reaches services that listen on localhost only",
      "Use a network of its own and publish the ports that are needed." },
    { "host-pid", SEVERITY_HIGH, "Host's processes", "sees every process of the host, its environment and open files", "Remove pid: host." },
    { "host-ipc", SEVERITY_HIGH, "Host's shared memory", "can read and write the shared memory of the host's processes", "Remove ipc: host." },
    { "host-uts", SEVERITY_MEDIUM, "Host's name", "can change the host's name", "Remove uts: host." },
    { "host-userns", SEVERITY_MEDIUM, "User namespace switched off", "root in the container is root on the host even where users are remapped", "Remove userns: host." },
    { "host-cgroup", SEVERITY_MEDIUM, "Host's control groups", "sees the host's control groups", "Use cgroup: private." },
    { "device-host", SEVERITY_CRITICAL, "Raw memory or disk of the host", "the device gives the whole host away", "Remove it." },
    { "device", SEVERITY_MEDIUM, "Device of the host", "the driver behind it is within reach", "Keep only devices that are needed, without write access where possible." },
    { "device-rule", SEVERITY_HIGH, "Any device", "the rule allows devices that are not named", "Allow single devices by number." },
    { "propagation-shared", SEVERITY_HIGH, "Shared mount propagation", "what the container mounts appears on the host", "Use rprivate (the default) or rslave." },
    { "group-privileged", SEVERITY_HIGH, "Group that is as good as root", "its members own the engine's socket, disks or password hashes", "Remove the group." },
    /* ---- walls taken down ---- */
    { "cap-code", SEVERITY_CRITICAL, "Capability to run code on the host", "it can load kernel code, mount, trace or write past permissions",
      "Remove it; there is nearly always a smaller one, or none." },
    { "cap-host", SEVERITY_HIGH, "Capability that reaches the host", "it changes the host's network, clock, audit or access rules", "Remove it, or give the container a namespace of its own for it." },
    { "cap-disclosure", SEVERITY_MEDIUM, "Capability that discloses", "it reads what others send or what the kernel logs", "Remove it." },
    { "cap-availability", SEVERITY_MEDIUM, "Capability that can starve others", "it raises limits and priorities", "Remove it; set limits instead." },
    { "cap-unknown", SEVERITY_MEDIUM, "Unknown capability", "no kernel knows it by this name", "Correct the name." },
    { "cap-drop-all", SEVERITY_MEDIUM, "Capabilities are not dropped", "it keeps the engine's default set, which few programs need",
      "cap_drop: [ALL], then cap_add what is needed." },
    { "no-new-privileges", SEVERITY_MEDIUM, "Privileges can be gained", "set-user-ID programs can raise them", "security_opt: [\"no-new-privileges:true\"]" },
    { "seccomp-unconfined", SEVERITY_HIGH, "No system call filter", "every system call of the kernel is within reach", "Remove it, or name a profile." },
    { "apparmor-unconfined", SEVERITY_HIGH, "No AppArmor profile", "the engine's default profile is switched off", "Remove it, or name a profile." },
    { "label-disabled", SEVERITY_MEDIUM, "SELinux separation switched off", "nothing keeps it from the host's files by label", "Use :z or :Z on the mounts instead." },
    { "systempaths-unconfined", SEVERITY_HIGH, "/proc and /sys are not masked", "kernel settings can be read and written", "Remove it." },
    /* ---- who and how ---- */
    { "user-root", SEVERITY_MEDIUM, "Runs as root", "root in the container is root on the host after an escape", "user: a number other than 0." },
    { "user-unset", SEVERITY_LOW, "User left to the image", "many images run as root unless told otherwise", "user: a number other than 0." },
    { "read-only-root", SEVERITY_LOW, "Writable root file system", "an intruder can change programs", "read_only: true, and tmpfs for what must be written." },
    { "memory-limit", SEVERITY_MEDIUM, "No memory limit", "it can take all memory of the host", "Set a limit (mem_limit, deploy.resources.limits.memory, --memory)." },
    { "cpu-limit", SEVERITY_LOW, "No CPU limit", "it can take all CPUs of the host", "Set a limit (cpus, --cpus)." },
    { "pids-limit", SEVERITY_LOW, "No limit of processes", "a fork bomb takes the host down", "Set a limit (pids_limit, --pids-limit)." },
    { "oom-protected", SEVERITY_MEDIUM, "Spared when memory runs out", "the host's own processes are killed first", "Remove it." },
    { "tmpfs-exec", SEVERITY_LOW, "Programs can be run from tmpfs", "exec or suid is switched on for scratch space", "Leave out exec and suid." },
    { "env-secret", SEVERITY_HIGH, "Credential in the environment", "everybody who may look at the container or the file sees it", "Use a secret (a file), or ${VAR} without default." },
    { "log-none", SEVERITY_MEDIUM, "No logs", "nothing is left to look at after an incident", "Remove the driver none." },
    { "mounts-from", SEVERITY_LOW, "Mounts of another container", "what is mounted is decided elsewhere", "Name the volumes." },
    { "build-privileged", SEVERITY_HIGH, "Privileged build", "the build's steps run as root on the host", "Remove it." },
    /* ---- reachable ---- */
    { "port-all-interfaces", SEVERITY_MEDIUM, "Port on all interfaces", "it is reachable from every network of the host, past the host's firewall",
      "Bind to an address: 127.0.0.1:8080:80." },
    { "port-privileged", SEVERITY_LOW, "Port below 1024", "it takes the place of a service of the host", "Publish a higher port behind a proxy." },
    /* ---- the image ---- */
    { "image-tag", SEVERITY_MEDIUM, "Image without a fixed tag", "tomorrow it is another image", "Name a version, better a digest." },
    { "image-digest", SEVERITY_LOW, "Image without a digest", "a tag can move between check and start", "Name the digest: image@sha256:..." },
    /* ---- keeping it up ---- */
    { "healthcheck", SEVERITY_NEGLIGIBLE, "Health check switched off", "nobody notices when it hangs", "Leave the image's check on, or write one." },
    /* ---- what could not be read ---- */
    { "incomplete", SEVERITY_HIGH, "Not everything could be read", "what is not here cannot be judged", "Give the missing file, too." },
    { "unreadable", SEVERITY_HIGH, "Not as the tool expects it", "a value is of a wrong type", "Correct it." },
};
const size_t n_config_rules = N_ITEMS(config_rules);

static const struct config_rule *rule_named(const char *id)
{
    for (size_t i = 0; i < n_config_rules; i++) {
        if (str_eq(config_rules[i].id, id))
            return &config_rules[i];
    }
    return NULL;
}

static void add(struct found *f, const char *object, const char *id, uint32_t at, const char *path, const char *message, bool unknown)
{
    const struct config_rule *rule = rule_named(id);

    if (rule == NULL || message == NULL) {
        f->failed = true;
        return;
    }
    int effect = rule->severity < SEVERITY_HIGH ? DECISION_WARN : unknown ? DECISION_UNKNOWN : DECISION_FAIL;
    found_add(f, at, (struct check_reason){ .object = object, .policy = "configuration", .rule = rule->id, .severity = rule->severity,
                                             .effect = effect, .message = message, .path = path, .remediation = rule->remediation });
}

void rule_add(struct found *f, const char *object, const char *id, uint32_t at, const char *path, const char *what)
{
    const struct config_rule *rule = rule_named(id);

    what = plain(f->arena, what);
    add(f, object, id, at, path, rule != NULL ? arena_printf(f->arena, "%s: %s", what, rule->what) : NULL, false);
}

void rule_unknown(struct found *f, const char *object, const char *id, uint32_t at, const char *path, const char *text)
{
    const struct config_rule *rule = rule_named(id);
    const char *shown = plain(f->arena, text);

    add(f, object, id, at, path,
        rule != NULL && shown != NULL ? arena_printf(f->arena, "cannot be judged (%s): %s has no value here", rule->title, shown) : NULL, true);
}

void rule_gap(struct found *f, const struct config_gap *gap)
{
    add(f, "", "incomplete", gap->at, gap->path, gap->message, true);
}
