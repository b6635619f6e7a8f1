/* crun.c - see crun.h. */
#include "tests/support/crun.h"

#include "base/buf.h"
#include "base/str.h"
#include "wire/jsonw.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const char CGROUP[] = "/sys/fs/cgroup";
static const char *const BUSYBOX[] = { "/bin/busybox", "/usr/bin/busybox", "/bin/busybox.static", NULL };
static const char *const APPLETS[] = {
    "sh", "ls", "cat", "echo", "true", "sleep", "id", "cp", "mv", "ln", "mkdir", "rm", "chmod", "touch", "env", "nc",
    "wget", "httpd", "ps", "kill", "dd", "head", "tail", "grep", "seq", "usleep", "ip", "mount", "date", "timeout", NULL
};
static const char *const USUAL[] = { "CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE", NULL };
static const char *const ALL[] = {
    "CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_DAC_READ_SEARCH", "CAP_FOWNER", "CAP_FSETID", "CAP_KILL", "CAP_SETGID",
    "CAP_SETUID", "CAP_SETPCAP", "CAP_LINUX_IMMUTABLE", "CAP_NET_BIND_SERVICE", "CAP_NET_BROADCAST", "CAP_NET_ADMIN",
    "CAP_NET_RAW", "CAP_IPC_LOCK", "CAP_IPC_OWNER", "CAP_SYS_MODULE", "CAP_SYS_RAWIO", "CAP_SYS_CHROOT",
    "CAP_SYS_PTRACE", "CAP_SYS_PACCT", "CAP_SYS_ADMIN", "CAP_SYS_BOOT", "CAP_SYS_NICE", "CAP_SYS_RESOURCE",
    "CAP_SYS_TIME", "CAP_SYS_TTY_CONFIG", "CAP_MKNOD", "CAP_LEASE", "CAP_AUDIT_WRITE", "CAP_AUDIT_CONTROL",
    "CAP_SETFCAP", "CAP_MAC_OVERRIDE", "CAP_MAC_ADMIN", "CAP_SYSLOG", "CAP_WAKE_ALARM", "CAP_BLOCK_SUSPEND",
    "CAP_AUDIT_READ", "CAP_PERFMON", "CAP_BPF", "CAP_CHECKPOINT_RESTORE", NULL
};

static void die(const char *what, const char *why)
{
    fprintf(stderr, "tests: crun: %s: %s\n", what, why);
    abort();
}

static void make_folder(const char *path)
{
    if (mkdir(path, 0755) != 0 && errno != EEXIST)
        die(path, strerror(errno));
}

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
    (void)st;
    (void)flag;
    (void)ftw;
    (void)remove(path);
    return 0;
}

static void slurp(const char *path, char *out, size_t max)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, out, max - 1);

    if (fd >= 0)
        close(fd);
    out[n < 0 ? 0 : n] = '\0';
}

static void spill(const char *path, const char *text, size_t len)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

    if (fd < 0 || write(fd, text, len) != (ssize_t)len || close(fd) != 0)
        die(path, strerror(errno));
}

/* ---- programs ---------------------------------------------------------------------- */

static int run(const char *const *argv, const char *output)
{
    int status;
    pid_t pid = fork();

    if (pid < 0)
        die("fork", strerror(errno));
    if (pid == 0) {
        int in = open("/dev/null", O_RDONLY), out = open(output, O_WRONLY | O_CREAT | O_APPEND, 0644);
        dup2(in, 0);
        dup2(out, 1);
        dup2(out, 2);
        execvp(argv[0], (char *const *)(const void *)argv);
        _exit(127);
    }
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* crun --root DIR/run/crun WORDS... */
static int run_crun(struct crun *c, const char *const *words, const char *output)
{
    const char *argv[48] = { "crun", "--root" };
    char root[CRUN_PATH];
    size_t n = 3;

    snprintf(root, sizeof root, "%s/run/crun", c->dir);
    argv[2] = root;
    for (size_t i = 0; words[i] != NULL && n < 47; i++)
        argv[n++] = words[i];
    argv[n] = NULL;
    return run(argv, output);
}

static void must(struct crun *c, const char *const *words, const char *output)
{
    char text[2048];

    if (run_crun(c, words, output) != 0) {
        slurp(output, text, sizeof text);
        die(words[0], text);
    }
}

static void bundle_path(const struct crun *c, const char *id, const char *name, char out[CRUN_PATH])
{
    snprintf(out, CRUN_PATH, "%s/bundle/%s%s%s", c->dir, id, name[0] == '\0' ? "" : "/", name);
}

/* ---- the machine -------------------------------------------------------------------- */

static const char *find_busybox(void)
{
    for (size_t i = 0; BUSYBOX[i] != NULL; i++)
        if (access(BUSYBOX[i], X_OK) == 0)
            return BUSYBOX[i];
    return NULL;
}

static int enter_namespace(char *why, size_t max)
{
    if (unshare(CLONE_NEWNS) != 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0) {
        snprintf(why, max, "no mount namespace of its own: %s", strerror(errno));
        return -1;
    }
    if (mount("none", CGROUP, "cgroup2", 0, NULL) != 0 && errno != EBUSY) {
        snprintf(why, max, "cgroup v2 cannot be mounted: %s", strerror(errno));
        return -1;
    }
    return 0;
}

/* ---- bundles ----------------------------------------------------------------------- */

static void copy_program(const char *from, const char *to)
{
    char block[65536];
    int in = open(from, O_RDONLY | O_CLOEXEC), out = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755);

    if (in < 0 || out < 0)
        die(from, strerror(errno));
    for (ssize_t n; (n = read(in, block, sizeof block)) != 0;)
        if (n < 0 || write(out, block, (size_t)n) != n)
            die(to, strerror(errno));
    close(in);
    close(out);
}

static void make_rootfs(struct crun *c, const char *id)
{
    static const char *const folders[] = { "", "rootfs", "rootfs/bin", "rootfs/dev", "rootfs/proc", "rootfs/sys",
                                           "rootfs/tmp", "rootfs/etc", "rootfs/run", "rootfs/var", "rootfs/root", NULL };
    char path[CRUN_PATH];

    for (size_t i = 0; folders[i] != NULL; i++) {
        bundle_path(c, id, folders[i], path);
        make_folder(path);
    }
    bundle_path(c, id, "rootfs/tmp", path);
    chmod(path, 01777);
    bundle_path(c, id, "rootfs/etc/passwd", path);
    spill(path, "root:x:0:0::/root:/bin/sh\n", 26);
    bundle_path(c, id, "rootfs/bin/busybox", path);
    copy_program(find_busybox(), path);
    for (size_t i = 0; APPLETS[i] != NULL; i++) {
        char name[64];
        snprintf(name, sizeof name, "rootfs/bin/%s", APPLETS[i]);
        bundle_path(c, id, name, path);
        if (symlink("busybox", path) != 0)
            die(path, strerror(errno));
    }
}

static void write_texts(struct jsonw *w, const char *key, const char *const *texts)
{
    jsonw_key(w, key);
    jsonw_array(w);
    for (size_t i = 0; texts != NULL && texts[i] != NULL; i++)
        jsonw_str(w, texts[i]);
    jsonw_array_end(w);
}

/* Of all there are (in the order of their numbers) those that we may give: a machine
 * for tests may itself be a container. */
static const char *const *all_we_have(void)
{
    static const char *have[sizeof ALL / sizeof *ALL];
    char status[8192];
    size_t n = 0;

    slurp("/proc/self/status", status, sizeof status);
    const char *line = strstr(status, "CapPrm:");
    uint64_t bits = line != NULL ? strtoull(line + 7, NULL, 16) : 0;
    for (size_t i = 0; ALL[i] != NULL; i++)
        if ((bits >> i & 1) != 0)
            have[n++] = ALL[i];
    have[n] = NULL;
    return have;
}

static void write_process(struct jsonw *w, const struct crun_spec *spec)
{
    static const char *const sets[] = { "bounding", "effective", "permitted", NULL };
    const char *const *capabilities = spec->is_privileged ? all_we_have() : spec->capabilities != NULL ? spec->capabilities : USUAL;

    jsonw_key(w, "process");
    jsonw_object(w);
    jsonw_kbool(w, "terminal", false);
    jsonw_key(w, "user");
    jsonw_object(w);
    jsonw_kint(w, "uid", spec->uid);
    jsonw_kint(w, "gid", spec->uid);
    jsonw_object_end(w);
    write_texts(w, "args", spec->argv);
    jsonw_key(w, "env");
    jsonw_array(w);
    jsonw_str(w, "PATH=/bin");
    for (size_t i = 0; spec->env != NULL && spec->env[i] != NULL; i++)
        jsonw_str(w, spec->env[i]);
    jsonw_array_end(w);
    jsonw_kstr(w, "cwd", "/");
    jsonw_kbool(w, "noNewPrivileges", !spec->is_privileged);
    jsonw_key(w, "capabilities");
    jsonw_object(w);
    for (size_t i = 0; sets[i] != NULL; i++)
        write_texts(w, sets[i], capabilities);
    jsonw_object_end(w);
    jsonw_object_end(w);
}

static void write_mount(struct jsonw *w, const char *destination, const char *type, const char *source,
                        const char *const *options)
{
    jsonw_object(w);
    jsonw_kstr(w, "destination", destination);
    jsonw_kstr(w, "type", type);
    jsonw_kstr(w, "source", source);
    write_texts(w, "options", options);
    jsonw_object_end(w);
}

static void write_bind(struct jsonw *w, const char *bind)
{
    static const char *const writable[] = { "rbind", "rw", NULL }, *const read_only[] = { "rbind", "ro", NULL };
    char text[512], *destination;

    snprintf(text, sizeof text, "%s", bind);
    bool ro = str_ends(text, ":ro");
    if (ro)
        text[strlen(text) - 3] = '\0';
    if ((destination = strchr(text, ':')) == NULL)
        die(bind, "not SOURCE:DESTINATION");
    *destination++ = '\0';
    write_mount(w, destination, "bind", text, ro ? read_only : writable);
}

static void write_mounts(struct jsonw *w, const struct crun_spec *spec)
{
    static const char *const safe[] = { "nosuid", "noexec", "nodev", NULL };
    static const char *const dev[] = { "nosuid", "mode=755", "size=65536k", NULL };

    jsonw_key(w, "mounts");
    jsonw_array(w);
    write_mount(w, "/proc", "proc", "proc", safe);
    write_mount(w, "/dev", "tmpfs", "tmpfs", dev);
    for (size_t i = 0; spec->binds != NULL && spec->binds[i] != NULL; i++)
        write_bind(w, spec->binds[i]);
    jsonw_array_end(w);
}

static void write_namespace(struct jsonw *w, const char *type, const char *path)
{
    jsonw_object(w);
    jsonw_kstr(w, "type", type);
    if (path != NULL)
        jsonw_kstr(w, "path", path);
    jsonw_object_end(w);
}

/* No `resources`: for a device filter crun wants to raise a limit, which takes a
 * capability that a container of tests may not have. */
static void write_linux(struct jsonw *w, const struct crun *c, const struct crun_spec *spec)
{
    static const char *const masked[] = { "/proc/kcore", "/proc/keys", NULL }, *const none[] = { NULL };
    char path[CRUN_PATH];

    snprintf(path, sizeof path, "%s/%s", c->parent, spec->id);
    jsonw_key(w, "linux");
    jsonw_object(w);
    jsonw_kstr(w, "cgroupsPath", path);
    jsonw_key(w, "namespaces");
    jsonw_array(w);
    write_namespace(w, "mount", NULL);
    write_namespace(w, "ipc", NULL);
    write_namespace(w, "uts", NULL);
    if (!spec->host_pid)
        write_namespace(w, "pid", NULL);
    if (!spec->host_network)
        write_namespace(w, "network", spec->netns);
    jsonw_array_end(w);
    write_texts(w, "maskedPaths", spec->is_privileged ? none : masked);
    jsonw_object_end(w);
}

static void write_annotations(struct jsonw *w, const char *const *annotations)
{
    jsonw_key(w, "annotations");
    jsonw_object(w);
    for (size_t i = 0; annotations != NULL && annotations[i] != NULL; i++) {
        char key[256];
        const char *value = strchr(annotations[i], '=');
        snprintf(key, sizeof key, "%.*s", (int)(value - annotations[i]), annotations[i]);
        jsonw_kstr(w, key, value + 1);
    }
    jsonw_object_end(w);
}

static void write_config(struct crun *c, const struct crun_spec *spec)
{
    struct buf b;
    struct jsonw w;
    char path[CRUN_PATH];

    buf_init(&b, 1024 * 1024);
    jsonw_init(&w, &b);
    jsonw_object(&w);
    jsonw_kstr(&w, "ociVersion", "1.0.0");
    write_process(&w, spec);
    jsonw_key(&w, "root");
    jsonw_object(&w);
    jsonw_kstr(&w, "path", "rootfs");
    jsonw_kbool(&w, "readonly", spec->is_read_only);
    jsonw_object_end(&w);
    jsonw_kstr(&w, "hostname", spec->id);
    write_mounts(&w, spec);
    write_annotations(&w, spec->annotations);
    write_linux(&w, c, spec);
    jsonw_object_end(&w);
    bundle_path(c, spec->id, "config.json", path);
    if (b.failed)
        die(path, "too large");
    spill(path, b.ptr, b.len);
    buf_free(&b);
}

/* ---- their lives ---------------------------------------------------------------------- */

static int create(struct crun *c, const struct crun_spec *spec, char output[CRUN_PATH])
{
    char bundle[CRUN_PATH];
    const char *const words[] = { "create", "--bundle", bundle, spec->id, NULL };

    if (c->n_ids == CRUN_IDS_MAX)
        die(spec->id, "too many containers");
    make_rootfs(c, spec->id);
    write_config(c, spec);
    snprintf(c->ids[c->n_ids++], sizeof c->ids[0], "%s", spec->id);
    bundle_path(c, spec->id, "", bundle);
    bundle_path(c, spec->id, "output", output);
    return run_crun(c, words, output);
}

void crun_create(struct crun *c, const struct crun_spec *spec)
{
    char output[CRUN_PATH], text[2048];

    if (create(c, spec, output) != 0) {
        slurp(output, text, sizeof text);
        die(spec->id, text);
    }
}

void crun_start(struct crun *c, const char *id)
{
    char output[CRUN_PATH];

    bundle_path(c, id, "output", output);
    must(c, (const char *const[]){ "start", id, NULL }, output);
}

void crun_run(struct crun *c, const struct crun_spec *spec)
{
    crun_create(c, spec);
    crun_start(c, spec->id);
}

int crun_exec(struct crun *c, const char *id, const char *const *argv, char *out, size_t max)
{
    const char *words[32] = { "exec", id };
    char output[CRUN_PATH];
    size_t n = 2;

    for (size_t i = 0; argv[i] != NULL && n < 31; i++)
        words[n++] = argv[i];
    words[n] = NULL;
    bundle_path(c, id, "exec", output);
    (void)unlink(output);
    int code = run_crun(c, words, output);
    if (out != NULL)
        slurp(output, out, max);
    return code;
}

void crun_kill(struct crun *c, const char *id, int sig)
{
    pid_t pid = crun_pid(c, id);

    if (pid > 0)
        (void)kill(pid, sig);
}

/* A child of nobody in here: its parent has reaped it, or it is a zombie. */
bool crun_is_alive(struct crun *c, const char *id)
{
    char path[64], text[512];
    pid_t pid = crun_pid(c, id);

    snprintf(path, sizeof path, "/proc/%ld/stat", (long)pid);
    slurp(path, text, sizeof text);
    const char *state = strrchr(text, ')');
    return pid > 0 && state != NULL && state[2] != 'Z' && state[2] != 'X';
}

void crun_delete(struct crun *c, const char *id)
{
    char path[CRUN_PATH];

    snprintf(path, sizeof path, "%s/probe", c->dir);
    (void)run_crun(c, (const char *const[]){ "delete", "--force", id, NULL }, path);
    bundle_path(c, id, "", path);
    (void)nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
    for (size_t i = 0; i < c->n_ids; i++)
        if (strcmp(c->ids[i], id) == 0)
            memmove(c->ids[i], c->ids[c->n_ids - 1], sizeof c->ids[0]), c->n_ids--;
}

/* ---- where it is -------------------------------------------------------------------- */

pid_t crun_pid(struct crun *c, const char *id)
{
    char path[CRUN_PATH], text[4096];

    snprintf(path, sizeof path, "%s/run/crun/%s/status", c->dir, id);
    slurp(path, text, sizeof text);
    const char *pid = strstr(text, "\"pid\":");
    return pid == NULL ? 0 : (pid_t)strtol(pid + 6, NULL, 10);
}

void crun_cgroup(struct crun *c, const char *id, char *out, size_t max)
{
    snprintf(out, max, "%s/%s", c->parent, id);
}

uint64_t crun_cgroup_id(struct crun *c, const char *id)
{
    char path[CRUN_PATH];
    struct stat st;

    snprintf(path, sizeof path, "%s%s/%s", CGROUP, c->parent, id);
    if (stat(path, &st) != 0)
        die(path, strerror(errno));
    return st.st_ino;
}

void crun_rootfs(struct crun *c, const char *id, char *out, size_t max)
{
    char path[CRUN_PATH];

    bundle_path(c, id, "rootfs", path);
    snprintf(out, max, "%s", path);
}

void crun_output(struct crun *c, const char *id, char *out, size_t max)
{
    char path[CRUN_PATH];

    bundle_path(c, id, "output", path);
    slurp(path, out, max);
}

/* ---- open, close -------------------------------------------------------------------- */

/* The first container says whether there can be others. */
static int try_one(struct crun *c, char *why, size_t max)
{
    static const char *const argv[] = { "/bin/true", NULL };
    struct crun_spec spec = { .id = "probe", .argv = argv };
    char output[CRUN_PATH], text[512];
    int code = create(c, &spec, output);

    slurp(output, text, sizeof text);
    text[strcspn(text, "\n")] = '\0';
    if (code != 0)
        snprintf(why, max, "crun makes no container: %s", text);
    crun_delete(c, "probe");
    return code == 0 ? 0 : -1;
}

static int check_crun(struct crun *c, char *why, size_t max)
{
    static const char *const version[] = { "--version", NULL };
    char output[CRUN_PATH];

    if (find_busybox() == NULL) {
        snprintf(why, max, "no statically linked busybox");
        return -1;
    }
    snprintf(output, sizeof output, "%s/probe", c->dir);
    if (run_crun(c, version, output) != 0) {
        snprintf(why, max, "no crun");
        return -1;
    }
    return 0;
}

int crun_open(struct crun *c, char *why, size_t max)
{
    char path[CRUN_PATH];

    memset(c, 0, sizeof *c);
    snprintf(c->dir, sizeof c->dir, "/tmp/keep-crun-XXXXXX");
    if (geteuid() != 0) {
        snprintf(why, max, "not root");
        return -1;
    }
    if (mkdtemp(c->dir) == NULL)
        die(c->dir, strerror(errno));
    snprintf(c->parent, sizeof c->parent, "/keep-test-%ld", (long)getpid());
    for (const char *const *f = (const char *const[]){ "run", "run/crun", "bundle", NULL }; *f != NULL; f++) {
        snprintf(path, sizeof path, "%s/%s", c->dir, *f);
        make_folder(path);
    }
    if (check_crun(c, why, max) == 0 && enter_namespace(why, max) == 0 && try_one(c, why, max) == 0)
        return 0;
    (void)nftw(c->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    return -1;
}

void crun_close(struct crun *c)
{
    char path[CRUN_PATH];

    while (c->n_ids > 0)
        crun_delete(c, c->ids[c->n_ids - 1]);
    snprintf(path, sizeof path, "%s%s", CGROUP, c->parent);
    for (int i = 0; i < 100 && rmdir(path) != 0 && errno == EBUSY; i++)
        nanosleep(&(struct timespec){ 0, 10000000 }, NULL);
    (void)nftw(c->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}
