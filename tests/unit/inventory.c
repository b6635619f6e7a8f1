/* The inventory over state trees of our own making: each engine as its files are
 * documented, what is hostile in them, and what is to be sent. */
#include "agent/inventory/bolt.h"
#include "agent/inventory/inventory.h"
#include "agent/inventory/census.h"
#include "base/buf.h"
#include "base/str.h"
#include "base/time.h"
#include "wire/json.h"
#include "wire/msg/container.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define ID_A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define ID_B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define ID_C "cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc"
#define HEX_1 "1111111111111111111111111111111111111111111111111111111111111111"
#define HEX_2 "2222222222222222222222222222222222222222222222222222222222222222"

static char root[64], proc[80], cgroups[80];
static struct inventory_roots roots;
static struct arena arena;

/* ---- trees ------------------------------------------------------------------------------- */

static void make_folders(char *path)
{
    for (char *p = path + 1; (p = strchr(p, '/')) != NULL; p++) {
        *p = '\0';
        if (mkdir(path, 0755) != 0 && errno != EEXIST)
            fail_msg("%s: %s", path, strerror(errno));
        *p = '/';
    }
}

static void put_bytes(const char *name, const void *bytes, size_t len)
{
    char path[600];

    snprintf(path, sizeof path, "%s%s", root, name);
    make_folders(path);
    FILE *f = fopen(path, "w");
    if (f == NULL || fwrite(bytes, 1, len, f) != len || fclose(f) != 0)
        fail_msg("%s: %s", path, strerror(errno));
}

static void put(const char *name, const char *text)
{
    put_bytes(name, text, strlen(text));
}

static void put_link(const char *name, const char *to)
{
    char path[600];

    snprintf(path, sizeof path, "%s%s", root, name);
    make_folders(path);
    assert_int_equal(symlink(to, path), 0);
}

struct process { int pid, start; const char *cgroup, *capabilities, *net; int seccomp; };

static void put_process(const struct process *p)
{
    char name[128], text[512];

    snprintf(name, sizeof name, "/proc/%d/stat", p->pid);
    snprintf(text, sizeof text, "%d (a) b) S 1 1 1 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 %d 1000 10\n", p->pid, p->start);
    put(name, text);
    snprintf(name, sizeof name, "/proc/%d/cgroup", p->pid);
    snprintf(text, sizeof text, "0::%s\n", p->cgroup);
    put(name, text);
    snprintf(name, sizeof name, "/proc/%d/status", p->pid);
    snprintf(text, sizeof text, "Name:\ta\nUid:\t0\t0\t0\t0\nCapEff:\t%s\nCapBnd:\t%s\nNoNewPrivs:\t0\nSeccomp:\t%d\n", p->capabilities, p->capabilities,
             p->seccomp);
    put(name, text);
    static const char *const spaces[] = { "pid", "ipc", "user" };
    for (size_t i = 0; i < N_ITEMS(spaces); i++) {
        snprintf(name, sizeof name, "/proc/%d/ns/%s", p->pid, spaces[i]);
        snprintf(text, sizeof text, "%s:[%d]", spaces[i], i == 2 || p->pid == 1 ? 40 : 100 + p->pid);
        put_link(name, text);
    }
    snprintf(name, sizeof name, "/proc/%d/ns/net", p->pid);
    put_link(name, p->net);
}

static void put_ordinary(int pid, int start, const char *cgroup)
{
    put_process(&(struct process){ pid, start, cgroup, "00000000a80425fb", "net:[77]", 2 });
}

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
    (void)st, (void)flag, (void)ftw;
    return remove(path);
}

static int tree_open(void **state)
{
    (void)state;
    snprintf(root, sizeof root, "/tmp/keep-inventory-XXXXXX");
    assert_non_null(mkdtemp(root));
    snprintf(proc, sizeof proc, "%s/proc", root);
    snprintf(cgroups, sizeof cgroups, "%s/cgroup", root);
    roots = (struct inventory_roots){ .root = root, .proc = proc, .cgroup = cgroups };
    arena_init(&arena, INVENTORY_ARENA);
    put_process(&(struct process){ 1, 1, "/init.scope", "000001ffffffffff", "net:[40]", 0 });
    put("/proc/uptime", "1000.00 900.00\n");
    return 0;
}

static int tree_close(void **state)
{
    (void)state;
    arena_clear(&arena);
    return nftw(root, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static struct inventory scan(void)
{
    struct inventory found;
    struct err err = { 0 };

    if (inventory_scan(&roots, &arena, &found, &err) != 0)
        fail_msg("%s", err.msg);
    return found;
}

static const struct container *only(const struct inventory *found)
{
    if (found->n != 1)
        fail_msg("expected one container, found %zu", found->n);
    return &found->containers[0];
}

static bool has(const char *const *list, size_t n, const char *word)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(list[i], word) == 0)
            return true;
    return false;
}

#define OCI(annotations) "{\"ociVersion\":\"1.0.2\",\"process\":{\"args\":[\"/srv/web\",\"--port\",\"\"],\"user\":{\"uid\":101,\"gid\":102}," \
    "\"noNewPrivileges\":true,\"apparmorProfile\":\"cri-containerd.apparmor.d\",\"capabilities\":{\"effective\":[\"CAP_NET_BIND_SERVICE\"]}}," \
    "\"root\":{\"path\":\"rootfs\",\"readonly\":true},\"mounts\":[{\"destination\":\"/proc\",\"type\":\"proc\",\"source\":\"proc\"}," \
    "{\"destination\":\"/etc/hosts\",\"type\":\"bind\",\"source\":\"/var/lib/hosts\",\"options\":[\"rbind\",\"ro\"]}]," \
    "\"annotations\":{" annotations "},\"linux\":{\"cgroupsPath\":\"/kubepods/pod1/" ID_A "\",\"maskedPaths\":[\"/proc/kcore\"]," \
    "\"seccomp\":{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"syscalls\":[{\"names\":[\"read\"],\"action\":\"SCMP_ACT_ALLOW\"}]}," \
    "\"namespaces\":[{\"type\":\"pid\"},{\"type\":\"network\",\"path\":\"/proc/2/ns/net\"},{\"type\":\"ipc\"}]}}"

#define TASK "/run/containerd/io.containerd.runtime.v2.task/"

/* ---- each engine --------------------------------------------------------------------------- */

static void put_cri_container(void)
{
    put(TASK "k8s.io/" ID_A "/config.json",
        OCI("\"io.kubernetes.cri.container-type\":\"container\",\"io.kubernetes.cri.container-name\":\"web\","
            "\"io.kubernetes.cri.image-name\":\"shop.example/web:1.2@sha256:" HEX_1 "\",\"io.kubernetes.cri.sandbox-id\":\"" ID_B "\","
            "\"io.kubernetes.cri.sandbox-name\":\"web-7d4b9c6f5d-x2x4z\",\"io.kubernetes.cri.sandbox-namespace\":\"shop\","
            "\"io.kubernetes.cri.sandbox-uid\":\"u-1\""));
    put(TASK "k8s.io/" ID_A "/init.pid", "200");
    put(TASK "k8s.io/" ID_A "/shim-binary-path", "/usr/bin/containerd-shim-runc-v2");
    put_ordinary(200, 5000, "/kubepods.slice/cri-containerd-" ID_A ".scope");
}

static void put_cri_pod(const char *shim)
{
    put(TASK "k8s.io/" ID_B "/config.json", OCI("\"io.kubernetes.cri.container-type\":\"sandbox\",\"io.kubernetes.cri.sandbox-id\":\"" ID_B "\""));
    put(TASK "k8s.io/" ID_B "/init.pid", "199");
    put(TASK "k8s.io/" ID_B "/shim-binary-path", shim);
    put_ordinary(199, 4000, "/kubepods.slice/cri-containerd-" ID_B ".scope");
}

static void a_container_of_kubernetes_is_read_from_containerd(void **state)
{
    (void)state;
    put_cri_container();
    put_cri_pod("/usr/bin/containerd-shim-runc-v2");
    struct inventory found = scan();
    const struct container *c = only(&found);              /* the pod's own is no workload */
    assert_string_equal(c->engine, "containerd");
    assert_string_equal(c->image, "shop.example/web:1.2@sha256:" HEX_1);
    assert_string_equal(c->digest, "sha256:" HEX_1);
    assert_string_equal(c->pod, "web-7d4b9c6f5d-x2x4z");
    assert_string_equal(c->workload, "web");
    assert_string_equal(c->namespace, "shop");
    assert_int_equal(c->pid, 200);
    assert_int_equal(c->user_id, 101);
    assert_int_equal(c->n_command, 3);
    assert_string_equal(c->command[2], "''");
    assert_string_equal(c->capabilities[0], "NET_BIND_SERVICE");
    assert_true(c->is_read_only && c->no_new_privileges);
    assert_false(c->is_privileged);
    assert_string_equal(c->seccomp, "custom");
    assert_string_equal(c->apparmor, "cri-containerd.apparmor.d");
    assert_string_equal(c->runtime, "runc");
    assert_string_equal(c->sandbox, "");
    assert_int_equal(c->n_mounts, 1);
    assert_string_equal(c->mounts[0].source, "/var/lib/hosts");
    assert_false(c->host_network || c->host_pid || c->host_ipc || c->has_user_namespace);
    assert_string_equal(c->cgroup, "/kubepods.slice/cri-containerd-" ID_A ".scope");
}

static void what_another_engine_was_told_is_no_claim_of_kubernetes(void **state)
{
    (void)state;
    /* docker run --annotation io.kubernetes.cri.container-type=sandbox: must not hide it */
    put("/var/lib/docker/containers/" ID_A "/config.v2.json",
        "{\"ID\":\"" ID_A "\",\"Name\":\"/miner\",\"Image\":\"sha256:" HEX_2 "\",\"State\":{\"Running\":true,\"Pid\":200,\"StartedAt\":\"2026-01-02T03:04:05.6Z\"},"
        "\"Config\":{\"Image\":\"evil/miner\",\"Labels\":{\"com.docker.compose.service\":\"batch\",\"a\":\"b\"}}}");
    put("/var/lib/docker/containers/" ID_A "/hostconfig.json", "{\"Privileged\":true,\"Runtime\":\"runc\"}");
    put("/var/lib/docker/image/overlay2/repositories.json",
        "{\"Repositories\":{\"evil/miner\":{\"evil/miner:latest\":\"sha256:" HEX_2 "\",\"evil/miner@sha256:" HEX_1 "\":\"sha256:" HEX_2 "\"}}}");
    put(TASK "moby/" ID_A "/config.json", OCI("\"io.kubernetes.cri.container-type\":\"sandbox\",\"io.kubernetes.cri.image-name\":\"good/image@sha256:" HEX_2 "\""));
    put(TASK "moby/" ID_A "/init.pid", "200");
    put("/run/docker/runtime-runc/moby/" ID_A "/state.json", "{\"id\":\"" ID_A "\",\"init_process_pid\":200,\"init_process_start\":5000}");
    put_ordinary(200, 5000, "/system.slice/docker-" ID_A ".scope");
    struct inventory found = scan();
    const struct container *c = only(&found);
    assert_string_equal(c->engine, "docker");
    assert_string_equal(c->name, "miner");
    assert_string_equal(c->image, "evil/miner");
    assert_string_equal(c->image_id, "sha256:" HEX_2);
    assert_string_equal(c->digest, "sha256:" HEX_1);
    assert_string_equal(c->service, "batch");
    assert_true(c->is_privileged);
    assert_true(has(c->labels, c->n_labels, "a=b"));
    assert_int_equal(c->started_ms % 1000, 600);
    assert_int_equal(c->n_command, 3);                     /* from containerd's view of it */
}

static void put_storage(const char *id, const char *manager, const char *more)
{
    char name[300];
    struct buf b;

    buf_init(&b, 1 << 16);
    buf_printf(&b, "{\"process\":{\"args\":[\"/run\"],\"user\":{\"uid\":5}},\"annotations\":{\"io.container.manager\":\"%s\"%s},"
                   "\"linux\":{\"cgroupsPath\":\"machine.slice:libpod:%s\",\"namespaces\":[{\"type\":\"pid\"}]}}", manager, more, id);
    snprintf(name, sizeof name, "/run/containers/storage/overlay-containers/%s/userdata/config.json", id);
    put(name, b.ptr);
    buf_free(&b);
}

static void put_lists(void)
{
    put("/var/lib/containers/storage/overlay-containers/containers.json",
        "[{\"id\":\"" ID_A "\",\"names\":[\"web\"],\"image\":\"" HEX_2 "\",\"metadata\":\"{\\\"image-name\\\":\\\"quay.io/acme/web:7\\\",\\\"name\\\":\\\"web\\\"}\"}]");
    put("/var/lib/containers/storage/overlay-images/images.json",
        "[{\"id\":\"" HEX_1 "\",\"digest\":\"sha256:" HEX_2 "\"},{\"id\":\"" HEX_2 "\",\"digest\":\"sha256:" HEX_1 "\",\"names\":[\"quay.io/acme/web:7\"]}]");
    put("/run/crun/" ID_A "/status", "{\"pid\":200,\"process-start-time\":5000,\"cgroup-path\":\"/machine.slice/libpod-" ID_A ".scope\",\"created\":\"2026-01-02T03:04:05Z\"}");
    put_ordinary(200, 5000, "/machine.slice/libpod-" ID_A ".scope");
}

static void podman_is_read_from_its_storage_and_crun(void **state)
{
    (void)state;
    put_storage(ID_A, "libpod", ",\"io.kubernetes.cri-o.ImageName\":\"a/lie\"");
    put_lists();
    struct inventory found = scan();
    const struct container *c = only(&found);
    assert_string_equal(c->engine, "podman");
    assert_string_equal(c->runtime, "crun");
    assert_string_equal(c->name, "web");
    assert_string_equal(c->image, "quay.io/acme/web:7");
    assert_string_equal(c->digest, "sha256:" HEX_1);
    assert_string_equal(c->image_id, "sha256:" HEX_2);
    assert_true(c->host_ipc == false && c->host_network == false);        /* the kernel's word, not the configuration's */
}

static void crio_is_read_from_its_annotations(void **state)
{
    (void)state;
    put_storage(ID_A, "cri-o", ",\"io.kubernetes.cri-o.ImageName\":\"quay.io/acme/web:7\",\"io.kubernetes.cri-o.ContainerType\":\"container\","
                "\"io.kubernetes.container.name\":\"web\",\"io.kubernetes.pod.name\":\"db-0\",\"io.kubernetes.pod.namespace\":\"shop\","
                "\"io.kubernetes.cri-o.SandboxID\":\"" ID_B "\"");
    put_storage(ID_B, "cri-o", ",\"io.kubernetes.cri-o.ContainerType\":\"sandbox\",\"io.kubernetes.cri-o.RuntimeHandler\":\"kata\","
                "\"io.kubernetes.cri-o.Labels\":\"{\\\"keep/sensitive\\\":\\\"true\\\"}\"");
    put_lists();
    struct inventory found = scan();
    const struct container *c = only(&found);
    assert_string_equal(c->engine, "cri-o");
    assert_string_equal(c->workload, "db");
    assert_string_equal(c->digest, "sha256:" HEX_1);
    assert_string_equal(c->sandbox, "kata");               /* the pod's */
    assert_true(has(c->labels, c->n_labels, "keep/sensitive=true"));
}

static void runc_alone_is_found(void **state)
{
    (void)state;
    put("/run/runc/job/state.json", "{\"id\":\"job\",\"init_process_pid\":200,\"init_process_start\":5000,\"created\":\"2026-01-02T03:04:05Z\","
                                    "\"config\":{\"labels\":[\"bundle=/srv/job\"]}}");
    put("/srv/job/config.json", OCI("\"org.opencontainers.image.ref.name\":\"shop.example/job:3\""));
    put_ordinary(200, 5000, "/jobs/x");
    struct inventory found = scan();
    const struct container *c = only(&found);
    assert_string_equal(c->engine, "runc");
    assert_string_equal(c->image, "shop.example/job:3");
    assert_null(c->digest);
    assert_true(has(c->unknown, c->n_unknown, "image"));
}

/* ---- sandboxes -------------------------------------------------------------------------------- */

static void a_sandbox_is_recognised_however_it_shows(void **state)
{
    static const struct { const char *shim, *folder, *sandbox; } rows[] = {
        { "/usr/bin/containerd-shim-runsc-v1", NULL, "gvisor" }, { "/opt/kata/bin/containerd-shim-kata-v2", NULL, "kata" },
        { "/usr/bin/containerd-shim-aws-firecracker", NULL, "firecracker" }, { "/usr/bin/containerd-shim-runc-v2", "/run/vc/sbs/" ID_B "/x", "kata" },
        { "/usr/bin/containerd-shim-runc-v2", "/run/runsc/" ID_B "_sandbox:" ID_B ".state", "gvisor" },
        { "/usr/bin/containerd-shim-runc-v2", "/run/vc/firecracker/" ID_B "/x", "firecracker" },
    };

    for (size_t i = 0; i < N_ITEMS(rows); i++) {
        tree_close(state);
        tree_open(state);
        put_cri_container();
        put_cri_pod(rows[i].shim);
        if (rows[i].folder != NULL)
            put(rows[i].folder, "");
        struct inventory found = scan();
        if (strcmp(only(&found)->sandbox, rows[i].sandbox) != 0)
            fail_msg("%s %s: expected %s, got \"%s\"", rows[i].shim, rows[i].folder != NULL ? rows[i].folder : "", rows[i].sandbox, only(&found)->sandbox);
    }
}

/* The process that is seen is the sandbox itself. */
static void what_holds_in_a_sandbox_says_its_configuration(void **state)
{
    (void)state;
    put_cri_container();
    put_cri_pod("/usr/bin/containerd-shim-runsc-v1");
    put("/proc/200/status", "Uid:\t0\nCapEff:\t000001ffffffffff\nCapBnd:\t000001ffffffffff\nSeccomp:\t0\n");
    struct inventory found = scan();
    const struct container *c = only(&found);
    assert_string_equal(c->sandbox, "gvisor");
    assert_string_equal(c->seccomp, "custom");
    assert_int_equal(c->user_id, 101);
    assert_false(c->is_privileged || c->host_network || c->host_pid);
}

static void a_file_named_after_it_is_no_sandbox_of_another(void **state)
{
    (void)state;
    put_cri_container();
    put("/run/runsc/" ID_C ".state", "");
    struct inventory found = scan();
    assert_string_equal(only(&found)->sandbox, "");
}

/* ---- processes ----------------------------------------------------------------------------------- */

static void a_reused_pid_is_not_taken_for_it(void **state)
{
    (void)state;
    put("/run/runc/job/state.json", "{\"id\":\"job\",\"init_process_pid\":200,\"init_process_start\":5000}");
    put_ordinary(200, 6000, "/jobs/job");                  /* the same number, started later */
    assert_int_equal(scan().n, 0);
    put(TASK "k8s.io/" ID_C "/config.json", OCI(""));
    put(TASK "k8s.io/" ID_C "/init.pid", "200");           /* no start noted: its cgroup tells */
    assert_int_equal(scan().n, 0);
}

static void what_has_ended_is_not_listed(void **state)
{
    (void)state;
    put("/run/runc/job/state.json", "{\"id\":\"job\",\"init_process_pid\":200,\"init_process_start\":5000}");
    assert_int_equal(scan().n, 0);
    put("/proc/200/stat", "200 (a) Z 1 1 1 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 5000 1000 10\n");
    assert_int_equal(scan().n, 0);
}

static void the_kernel_tells_what_no_file_does(void **state)
{
    (void)state;
    put("/run/runc/job/state.json", "{\"id\":\"job\",\"init_process_pid\":200,\"init_process_start\":5000}");
    put_process(&(struct process){ 200, 5000, "/jobs/job", "000001ffffffffff", "net:[40]", 0 });
    put("/proc/200/cmdline", "/bin/job");
    struct inventory found = scan();
    const struct container *c = only(&found);
    assert_true(c->is_privileged);
    assert_true(c->host_network);
    assert_false(c->host_pid);
    assert_string_equal(c->seccomp, "unconfined");
    assert_string_equal(c->command[0], "/bin/job");
    assert_true(has(c->unknown, c->n_unknown, "config"));
    int64_t expected = time_now_ms() - 1000000 + 5000 * 1000 / sysconf(_SC_CLK_TCK);
    assert_in_range(c->started_ms - expected + 5000, 0, 10000);
    assert_ptr_equal(inventory_by_pid(&found, &roots, 200), c);
}

/* ---- hostile files --------------------------------------------------------------------------------- */

static void what_is_hostile_costs_what_it_would_have_told(void **state)
{
    static char deep[20000];

    (void)state;
    memset(deep, '[', sizeof deep - 1);
    put("/run/runc/deep/state.json", deep);
    put("/run/runc/cut/state.json", "{\"id\":\"cut\",\"init_process_pid\":2");
    put("/run/runc/other/state.json", "{\"id\":\"another\",\"init_process_pid\":200,\"init_process_start\":5000}");
    put("/run/runc/.hidden/state.json", "{\"id\":\".hidden\",\"init_process_pid\":200,\"init_process_start\":5000}");
    put("/run/runc/bad name/state.json", "{\"id\":\"bad name\",\"init_process_pid\":200,\"init_process_start\":5000}");
    put("/run/runc/ok/state.json", "{\"id\":\"ok\",\"init_process_pid\":200,\"init_process_start\":5000,\"config\":{\"labels\":[\"bundle=/srv\",7]}}");
    put("/srv/config.json", "{\"process\":{\"args\":\"text\",\"user\":[],\"capabilities\":{\"effective\":[1,null,\"CAP_KILL\"]}},\"mounts\":{},"
                            "\"annotations\":{\"a=b\":\"c\",\"\":\"d\",\"e\":\"\xc3\xa9\\u0000\"},\"linux\":[]}");
    put_ordinary(200, 5000, "/jobs/ok");
    struct inventory found = scan();
    const struct container *c = only(&found);
    assert_string_equal(c->id, "ok");
    assert_int_equal(c->n_capabilities, 1);
    assert_int_equal(c->n_labels, 1);
    assert_string_equal(c->labels[0], "e=\xc3\xa9\xef\xbf\xbd");
    for (size_t i = 0; i < found.n_engines; i++)
        if (strcmp(found.engines[i].name, "runc") == 0)
            assert_true(found.engines[i].problem[0] != '\0');
}

static void links_do_not_lead_out_of_the_root(void **state)
{
    char path[200];

    (void)state;
    put("/run/runc/ok/state.json", "{\"id\":\"ok\",\"init_process_pid\":200,\"init_process_start\":5000,\"config\":{\"labels\":[\"bundle=/srv\"]}}");
    put_link("/srv/config.json", "/etc/passwd");           /* of the root: not there */
    put_ordinary(200, 5000, "/jobs/ok");
    struct inventory found = scan();
    assert_true(has(only(&found)->unknown, only(&found)->n_unknown, "config"));
    snprintf(path, sizeof path, "%s/srv/config.json", root);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(mkfifo(path, 0600), 0);               /* must not be waited for */
    found = scan();
    assert_int_equal(found.n, 1);
}

static void what_is_too_long_is_cut_between_characters(void **state)
{
    struct buf b;

    (void)state;
    buf_init(&b, 1 << 20);
    buf_puts(&b, "{\"process\":{\"args\":[");
    for (int i = 0; i < 500; i++)
        buf_printf(&b, "%s\"%0300d\"", i > 0 ? "," : "", i);
    buf_puts(&b, "]},\"annotations\":{\"keep/image\":\"a");
    for (int i = 0; i < 400; i++)
        buf_puts(&b, "\xc3\xa9");
    buf_puts(&b, "\"");
    for (int i = 0; i < 500; i++)
        buf_printf(&b, ",\"k%d\":\"v\"", i);
    buf_puts(&b, "}}");
    put("/run/crun/big/config.json", b.ptr);
    buf_free(&b);
    put("/run/crun/big/status", "{\"pid\":200,\"process-start-time\":5000}");
    put_ordinary(200, 5000, "/jobs/big");
    struct inventory found = scan();
    const struct container *c = only(&found);
    assert_int_equal(c->n_command, CONTAINER_WORDS_MAX);
    assert_int_equal(strlen(c->command[0]), CONTAINER_WORD_MAX);
    assert_int_equal(strlen(c->image), CONTAINER_TEXT_MAX - 1);            /* one byte, then pairs */
    assert_int_equal(c->n_labels, CONTAINER_LABELS_MAX);
    assert_true(str_is_utf8(c->image, strlen(c->image)));
}

static void what_is_found_is_what_the_server_takes(void **state)
{
    struct container back;
    struct json doc;
    struct err err = { 0 };
    struct buf b, again;

    what_is_too_long_is_cut_between_characters(state);
    struct inventory found = scan();
    buf_init(&b, 1 << 20);
    buf_init(&again, 1 << 20);
    shape_encode(&container_shape, only(&found), &b);
    assert_int_equal(json_parse(&arena, b.ptr, b.len, NULL, &doc, &err), 0);
    shape_init(&container_shape, &back);
    if (shape_decode(&container_shape, &doc, &arena, &back, NULL, &err) != 0)
        fail_msg("%s", err.msg);
    shape_encode(&container_shape, &back, &again);
    assert_string_equal(b.ptr, again.ptr);
    buf_free(&b);
    buf_free(&again);
}

/* ---- names ---------------------------------------------------------------------------------------------- */

static void a_cgroup_names_its_container(void **state)
{
    static const struct { const char *cgroup, *id; } rows[] = {
        { "/system.slice/docker-" ID_A ".scope", ID_A }, { "/docker/" ID_A, ID_A }, { "0::/docker/" ID_A "\n", ID_A },
        { "/kubepods.slice/kubepods-pod1.slice/cri-containerd-" ID_A ".scope", ID_A }, { "/kubepods/besteffort/pod1/" ID_A "/inner", ID_A },
        { "/kubepods.slice/x:cri-containerd:" ID_A, ID_A }, { "/machine.slice/libpod-" ID_A ".scope/container", ID_A },
        { "/kubepods/" ID_B "/crio-" ID_A ".scope", ID_A }, { "/user.slice", NULL }, { "/x/a" ID_A, NULL }, { "", NULL },
        { "/x/" ID_A "0", NULL },
    };
    char id[CONTAINER_ID_MAX + 1];

    (void)state;
    for (size_t i = 0; i < N_ITEMS(rows); i++) {
        bool found = cgroup_container_id(rows[i].cgroup, id);
        if (found != (rows[i].id != NULL) || (found && strcmp(id, rows[i].id) != 0))
            fail_msg("%s: %s", rows[i].cgroup, found ? id : "none");
    }
}

static void a_pod_names_its_workload(void **state)
{
    static const struct { const char *pod, *workload; } rows[] = {
        { "web-7d4b9c6f5d-x2x4z", "web" }, { "web-shop-7d4b9c6f5d-x2x4z", "web-shop" }, { "db-0", "db" }, { "agent-x2x4z", "agent" },
        { "alone", "alone" }, { "my-pod", "my-pod" }, { "coredns-668d6bf9bc-q5zkw", "coredns" }, { "kube-proxy-abcde", "kube-proxy-abcde" },
        { "etcd-master", "etcd-master" }, { "-0", "-0" }, { "", "" },
    };
    char out[CONTAINER_TEXT_MAX];

    (void)state;
    for (size_t i = 0; i < N_ITEMS(rows); i++) {
        pod_workload(rows[i].pod, out);
        assert_string_equal(out, rows[i].workload);
    }
}

static void a_prefix_finds_only_what_is_alone(void **state)
{
    struct container list[3] = { { .id = ID_A }, { .id = "bbbbbbbbbbbb1" }, { .id = "bbbbbbbbbbbb2" } };
    const struct inventory inventory = { .containers = list, .n = 3 };

    (void)state;
    assert_ptr_equal(inventory_by_id(&inventory, "aaaaaaaaaaaa"), &list[0]);
    assert_null(inventory_by_id(&inventory, "aaaa"));
    assert_null(inventory_by_id(&inventory, "bbbbbbbbbbbb"));
    assert_ptr_equal(inventory_by_id(&inventory, "bbbbbbbbbbbb2"), &list[2]);
    assert_null(inventory_by_id(&inventory, "cccccccccccc"));
}

/* ---- containerd's database ---------------------------------------------------------------------------------- */

static void put_le(unsigned char *p, uint64_t v, size_t n)
{
    for (size_t i = 0; i < n; i++)
        p[i] = (unsigned char)(v >> (8 * i));
}

/* A leaf page of elements in order; a value with bucket != 0 is a bucket with that root. */
struct leaf { const char *key, *value; uint64_t bucket; };

static size_t make_leaf(unsigned char *page, uint64_t id, const struct leaf *items, size_t n)
{
    size_t at = 16 + n * 16;

    put_le(page, id, 8);
    put_le(page + 8, 2, 2);
    put_le(page + 10, n, 2);
    for (size_t i = 0; i < n; i++) {
        unsigned char *e = page + 16 + i * 16;
        size_t key = strlen(items[i].key), value = items[i].bucket != 0 ? 16 : strlen(items[i].value);
        put_le(e, items[i].bucket != 0, 4);
        put_le(e + 4, at - (16 + i * 16), 4);
        put_le(e + 8, key, 4);
        put_le(e + 12, value, 4);
        memcpy(page + at, items[i].key, key);
        if (items[i].bucket != 0)
            put_le(page + at + key, items[i].bucket, 8);
        else
            memcpy(page + at + key, items[i].value, value);
        at += key + value;
    }
    return at;
}

static void make_meta(unsigned char *page, uint64_t id, uint64_t root_page, uint64_t txid)
{
    uint64_t hash = UINT64_C(14695981039346656037);
    unsigned char *m = page + 16;

    put_le(page, id, 8);
    put_le(page + 8, 4, 2);
    put_le(m, 0xED0CDAED, 4);
    put_le(m + 4, 2, 4);
    put_le(m + 8, 4096, 4);
    put_le(m + 16, root_page, 8);
    put_le(m + 48, txid, 8);
    for (int i = 0; i < 56; i++)
        hash = (hash ^ m[i]) * UINT64_C(1099511628211);
    put_le(m + 56, hash, 8);
}

/* v1 / k8s.io / {containers / ID / {image, labels/, runtime/{name}}, images / NAME / target / digest}; a branch page
 * stands over the containers. */
enum { PAGES = 16 };
static void make_database(unsigned char db[PAGES * 4096])
{
    memset(db, 0, PAGES * 4096);
    make_meta(db, 0, 15, 1);                               /* older: leads nowhere */
    make_meta(db + 4096, 1, 2, 2);
    make_leaf(db + 2 * 4096, 2, (struct leaf[]){ { "v1", NULL, 3 } }, 1);
    make_leaf(db + 3 * 4096, 3, (struct leaf[]){ { "k8s.io", NULL, 4 } }, 1);
    make_leaf(db + 4 * 4096, 4, (struct leaf[]){ { "containers", NULL, 5 }, { "images", NULL, 9 } }, 2);
    unsigned char *branch = db + 5 * 4096;
    put_le(branch, 5, 8);
    put_le(branch + 8, 1, 2);
    put_le(branch + 10, 1, 2);
    put_le(branch + 16, 16, 4);
    put_le(branch + 20, strlen(ID_A), 4);
    put_le(branch + 24, 6, 8);
    memcpy(branch + 32, ID_A, strlen(ID_A));
    make_leaf(db + 6 * 4096, 6, (struct leaf[]){ { ID_A, NULL, 7 } }, 1);
    make_leaf(db + 7 * 4096, 7, (struct leaf[]){ { "image", "shop.example/web:1.2", 0 }, { "labels", NULL, 8 }, { "runtime", NULL, 12 } }, 3);
    make_leaf(db + 8 * 4096, 8, (struct leaf[]){ { "app", "web", 0 }, { "keep/sensitive", "true", 0 } }, 2);
    make_leaf(db + 9 * 4096, 9, (struct leaf[]){ { "shop.example/web:1.2", NULL, 10 } }, 1);
    make_leaf(db + 10 * 4096, 10, (struct leaf[]){ { "target", NULL, 11 } }, 1);
    make_leaf(db + 11 * 4096, 11, (struct leaf[]){ { "digest", "sha256:" HEX_2, 0 } }, 1);
    make_leaf(db + 12 * 4096, 12, (struct leaf[]){ { "name", "io.containerd.runsc.v1", 0 } }, 1);
}

static const char META[] = "/var/lib/containerd/io.containerd.metadata.v1.bolt/meta.db";

static void containerd_knows_the_digest_of_a_name(void **state)
{
    static unsigned char db[PAGES * 4096];

    (void)state;
    make_database(db);
    put_bytes(META, db, sizeof db);
    put(TASK "k8s.io/" ID_A "/config.json", OCI("\"io.kubernetes.cri.container-type\":\"container\",\"io.kubernetes.cri.image-name\":\"shop.example/web:1.2\""));
    put(TASK "k8s.io/" ID_A "/init.pid", "200");
    put_ordinary(200, 5000, "/kubepods.slice/cri-containerd-" ID_A ".scope");
    struct inventory found = scan();
    const struct container *c = only(&found);
    assert_string_equal(c->digest, "sha256:" HEX_2);
    assert_string_equal(c->sandbox, "gvisor");
    assert_true(has(c->labels, c->n_labels, "keep/sensitive=true"));
}

/* Any byte wrong, any length: another answer or none, but an end. */
static void a_broken_database_is_survived(void **state)
{
    static unsigned char db[PAGES * 4096];

    (void)state;
    put(TASK "k8s.io/" ID_A "/config.json", OCI("\"io.kubernetes.cri.image-name\":\"shop.example/web:1.2\""));
    put(TASK "k8s.io/" ID_A "/init.pid", "200");
    put_ordinary(200, 5000, "/kubepods.slice/cri-containerd-" ID_A ".scope");
    for (unsigned i = 0; i < 300; i++) {
        make_database(db);
        unsigned page = 2 + i % 11, at = i < 150 ? i / 11 * 2 % 64 : i % 64;
        db[page * 4096 + at] ^= (unsigned char)(1 + i * 37);
        put_bytes(META, db, i % 5 == 0 ? (size_t)i * 200 : sizeof db);
        arena_reset(&arena);
        assert_int_equal(scan().n, 1);
    }
}

/* ---- differences ------------------------------------------------------------------------------------------------ */

static struct container made(const char *id, const char *image)
{
    return (struct container){ .id = id, .name = id, .image = image, .engine = "crun", .namespace = "", .pod = "", .pod_uid = "", .workload = "",
                               .service = "", .seccomp = "", .apparmor = "", .runtime = "", .sandbox = "", .cgroup = "", .started_ms = 1000 };
}

static struct inventory_delta diff(const struct inventory_track *track, struct container *list, size_t n)
{
    const struct inventory now = { .containers = list, .n = n };
    struct inventory_delta delta;
    struct err err = { 0 };

    assert_int_equal(inventory_diff(track, &now, &arena, &delta, &err), 0);
    return delta;
}

static void only_what_differs_is_sent(void **state)
{
    struct container first[] = { made("a", "1"), made("b", "1"), made("c", "1") }, second[] = { made("b", "2"), made("c", "1"), made("d", "1") };
    struct inventory_track track = { 0 };
    struct err err = { 0 };

    (void)state;
    struct inventory_delta delta = diff(&track, first, 3);
    assert_int_equal(delta.base, 0);
    assert_int_equal(delta.n_containers, 3);
    assert_int_equal(inventory_acknowledge(&track, &delta, &err), 0);
    first[1].started_ms = 2000;                            /* reckoned from a clock that was set */
    delta = diff(&track, first, 3);
    assert_true(delta.is_empty);
    delta = diff(&track, second, 3);
    assert_int_equal(delta.base, 1);
    assert_int_equal(delta.generation, 2);
    assert_int_equal(delta.n_containers, 2);
    assert_string_equal(delta.containers[0].id, "b");
    assert_int_equal(delta.n_gone, 1);
    assert_string_equal(delta.gone[0], "a");
    delta = diff(&track, second, 3);                       /* the answer was lost: the same again */
    assert_int_equal(delta.base, 1);
    inventory_forget(&track);
    delta = diff(&track, second, 3);
    assert_int_equal(delta.base, 0);
    assert_int_equal(delta.n_containers, 3);
    delta = diff(&track, NULL, 0);
    assert_false(delta.is_empty);                          /* that there is nothing is said once */
}

static void many_are_sent_in_portions(void **state)
{
    enum { N = 600 };
    static char ids[N][8];
    static struct container list[N];
    struct inventory_track track = { 0 };
    struct inventory_delta delta = { .has_more = true };
    struct err err = { 0 };
    size_t sent = 0, messages = 0;

    (void)state;
    for (size_t i = 0; i < N; i++) {
        snprintf(ids[i], sizeof ids[i], "%05zu", i);
        list[i] = made(ids[i], "1");
    }
    for (; delta.has_more; messages++) {
        delta = diff(&track, list, N);
        sent += delta.n_containers;
        assert_int_equal(delta.n_gone, 0);
        assert_int_equal(inventory_acknowledge(&track, &delta, &err), 0);
    }
    assert_int_equal(sent, N);
    assert_int_equal(messages, 3);
    delta = diff(&track, list, N);
    assert_true(delta.is_empty);
    inventory_track_clear(&track);
}

static void five_hundred_are_scanned_within_a_second(void **state)
{
    char name[300], cgroup[200];

    (void)state;
    for (int i = 0; i < 500; i++) {
        snprintf(name, sizeof name, TASK "k8s.io/%064d/config.json", i);
        put(name, OCI("\"io.kubernetes.cri.container-type\":\"container\",\"io.kubernetes.cri.image-name\":\"shop.example/web:1.2\""));
        snprintf(name, sizeof name, TASK "k8s.io/%064d/init.pid", i);
        snprintf(cgroup, sizeof cgroup, "%d", 1000 + i);
        put(name, cgroup);
        snprintf(cgroup, sizeof cgroup, "/kubepods.slice/cri-containerd-%064d.scope", i);
        put_ordinary(1000 + i, 5000 + i, cgroup);
    }
    int64_t from = time_monotonic_ms();
    assert_int_equal(scan().n, 500);
    int64_t took = time_monotonic_ms() - from;
    print_message("500 containers: %lld ms, %zu KiB\n", (long long)took, arena.used / 1024);
    assert_in_range(took, 0, 5000);
}

#define T(f) cmocka_unit_test_setup_teardown(f, tree_open, tree_close)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        T(a_container_of_kubernetes_is_read_from_containerd), T(what_another_engine_was_told_is_no_claim_of_kubernetes),
        T(podman_is_read_from_its_storage_and_crun), T(crio_is_read_from_its_annotations), T(runc_alone_is_found),
        T(a_sandbox_is_recognised_however_it_shows), T(what_holds_in_a_sandbox_says_its_configuration),
        T(a_file_named_after_it_is_no_sandbox_of_another), T(a_reused_pid_is_not_taken_for_it),
        T(what_has_ended_is_not_listed), T(the_kernel_tells_what_no_file_does), T(what_is_hostile_costs_what_it_would_have_told),
        T(links_do_not_lead_out_of_the_root), T(what_is_too_long_is_cut_between_characters), T(what_is_found_is_what_the_server_takes),
        T(a_cgroup_names_its_container), T(a_pod_names_its_workload), T(a_prefix_finds_only_what_is_alone),
        T(containerd_knows_the_digest_of_a_name), T(a_broken_database_is_survived), T(only_what_differs_is_sent),
        T(many_are_sent_in_portions), T(five_hundred_are_scanned_within_a_second),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
