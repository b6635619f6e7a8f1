/* crun.h - real containers for tests: crun, with busybox as the only program.
 *
 * crun does not run where cgroup v1 controllers are mounted, so crun_open moves
 * the whole test program (and what it starts from then on) into a mount namespace
 * of its own in which /sys/fs/cgroup is cgroup v2.  Everything lies in one folder:
 *
 *   DIR/run/crun/ID/{status,config.json}   crun's state: DIR is a root for inventory
 *   DIR/bundle/ID/{config.json,rootfs}     a file system per container
 *   DIR/bundle/ID/output                   what it printed
 *
 * Whatever goes wrong after crun_open ends the test program. */
#ifndef KEEP_TESTS_CRUN_H
#define KEEP_TESTS_CRUN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { CRUN_PATH = 192, CRUN_IDS_MAX = 128 };

struct crun {
    char dir[64];
    char parent[64];                     /* cgroup all its containers are below: "/keep-test-4711" */
    char ids[CRUN_IDS_MAX][72];
    size_t n_ids;
};

/* Lists end with NULL and may be NULL. */
struct crun_spec {
    const char *id;
    const char *const *argv;             /* {"/bin/sleep", "600", NULL} */
    const char *const *env;              /* "NAME=value"; PATH is there */
    const char *const *annotations;      /* "key=value" */
    const char *const *capabilities;     /* "CAP_KILL"; NULL: AUDIT_WRITE, KILL, NET_BIND_SERVICE */
    const char *const *binds;            /* "/source:/destination" or "/source:/destination:ro" */
    const char *netns;                   /* path of a network namespace to join */
    long uid;
    bool is_privileged;                  /* all capabilities, no masked paths */
    bool host_network, host_pid, is_read_only;
};

/* 0, or -1 with the reason why there are no containers on this machine: print it
 * as one line and skip. */
int crun_open(struct crun *c, char *why, size_t max);
void crun_close(struct crun *c);         /* kills and removes all */

/* Made, but its program not yet started; the cgroup exists and holds its first
 * process from here on. */
void crun_create(struct crun *c, const struct crun_spec *spec);
void crun_start(struct crun *c, const char *id);
void crun_run(struct crun *c, const struct crun_spec *spec);      /* both */

/* Runs a program in it and waits: its exit code, 128 + signal.  What it prints on
 * both outputs goes to out (may be NULL). */
int crun_exec(struct crun *c, const char *id, const char *const *argv, char *out, size_t max);

void crun_kill(struct crun *c, const char *id, int sig);          /* its first process */
bool crun_is_alive(struct crun *c, const char *id);
void crun_delete(struct crun *c, const char *id);                 /* kills what is left */

pid_t crun_pid(struct crun *c, const char *id);                   /* on the host */
void crun_cgroup(struct crun *c, const char *id, char *out, size_t max);  /* "/keep-test-4711/ID", below /sys/fs/cgroup */
uint64_t crun_cgroup_id(struct crun *c, const char *id);          /* as bpf_get_current_cgroup_id says */
void crun_rootfs(struct crun *c, const char *id, char *out, size_t max);
void crun_output(struct crun *c, const char *id, char *out, size_t max);

#endif
