/* event_decode.c - what an event costs: foreign text to struct event to our JSON, and ours
 * back, against jansson's tree of the same lines in the same run.
 *
 *   build/release/tests/bench/event_decode [SECONDS] [FILE OF LINES...] */
#include "tests/support/jansson_apart.h"

#include "base/str.h"
#include "wire/event/event.h"
#include "wire/msg/event.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { LINES_MAX = 4096 };

struct lines {
    const char *name;
    struct bytes rows[LINES_MAX];
    size_t n, bytes;
};

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void add(struct lines *l, const char *text, size_t len)
{
    char *copy = l->n < LINES_MAX ? malloc(len + 1) : NULL;

    if (copy == NULL)
        return;
    memcpy(copy, text, len);
    copy[len] = '\0';
    l->rows[l->n++] = (struct bytes){ (unsigned char *)copy, len };
    l->bytes += len;
}

/* ---- lines of the usual size of each source, of our own making --------------------------------- */

#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static void make_falco(struct lines *l)
{
    char text[4096];

    for (int i = 0; i < 200; i++) {
        int n = snprintf(text, sizeof text,
            "{\"hostname\":\"node-%d\",\"output\":\"13:44:05.478445995: Notice A shell was spawned in a container with an attached terminal (user=root user_loginuid=-1 "
            "k8s.ns=shop k8s.pod=web-%d container=ee97d9c4186f shell=sh parent=runc cmdline=sh -c clear; (bash || ash || sh) terminal=34816 container_id=ee97d9c4186f "
            "image=docker.io/acme/web)\",\"priority\":\"Notice\",\"rule\":\"Terminal shell in container\",\"source\":\"syscall\",\"tags\":[\"container\",\"mitre_execution\",\"shell\"],"
            "\"time\":\"2026-05-25T13:44:05.478445995Z\",\"output_fields\":{\"container.id\":\"ee97d9c4186f\",\"container.image.repository\":\"docker.io/acme/web\","
            "\"container.image.tag\":\"1.%d\",\"container.name\":\"web\",\"evt.time\":1685022245478445995,\"evt.type\":\"execve\",\"evt.arg.flags\":\"EXE_WRITABLE\","
            "\"k8s.ns.name\":\"shop\",\"k8s.pod.name\":\"web-%d\",\"proc.cmdline\":\"sh -c clear; (bash || ash || sh)\",\"proc.exepath\":\"/bin/sh\",\"proc.name\":\"sh\","
            "\"proc.pname\":\"runc\",\"proc.aname[2]\":\"containerd-shim\",\"proc.tty\":34816,\"user.loginuid\":-1,\"user.name\":\"root\",\"user.uid\":0}}", i, i, i, i);
        add(l, text, (size_t)n);
    }
}

static void make_tetragon(struct lines *l)
{
    static const char process[] =
        "{\"exec_id\":\"a2luZC1jb250cm9sLXBsYW5lOjMyMDY2OTEyNDkyMTA4MToyMDk3ODM=\",\"pid\":%d,\"uid\":0,\"cwd\":\"/\",\"binary\":\"/usr/bin/curl\",\"arguments\":"
        "\"-s https://payments.shop/\",\"flags\":\"execve rootcwd clone\",\"start_time\":\"2026-06-26T11:23:43.774969054Z\",\"auid\":4294967295,\"pod\":{\"namespace\":\"shop\","
        "\"name\":\"web-7c966b5d85-42jwx\",\"container\":{\"id\":\"containerd://" ID "\",\"name\":\"web\",\"image\":{\"id\":\"docker.io/acme/web@sha256:" ID "\",\"name\":"
        "\"docker.io/acme/web:1.2\"},\"start_time\":\"2026-06-26T11:11:01Z\",\"pid\":37},\"pod_labels\":{\"app.kubernetes.io/name\":\"web\",\"class\":\"front\"},\"workload\":"
        "\"web\"},\"docker\":\"0123456789abcdef0123456789abcde\",\"parent_exec_id\":\"a2luZC1jb250cm9sLXBsYW5lOjMyMDY2MDM3OTEzODY1MzoyMDk3NTE=\",\"refcnt\":1,\"tid\":%d}";
    char text[8192], one[2048], two[2048];

    for (int i = 0; i < 200; i++) {
        snprintf(one, sizeof one, process, 1000 + i, 1000 + i);
        snprintf(two, sizeof two, process, 999, 999);
        int n = snprintf(text, sizeof text, "{\"process_kprobe\":{\"process\":%s,\"parent\":%s,\"function_name\":\"tcp_connect\",\"args\":[{\"sock_arg\":{\"family\":\"AF_INET\",\"type\":"
            "\"SOCK_STREAM\",\"protocol\":\"IPPROTO_TCP\",\"saddr\":\"10.0.0.%d\",\"daddr\":\"10.96.0.1\",\"sport\":43210,\"dport\":443}}],\"action\":\"KPROBE_ACTION_POST\","
            "\"policy_name\":\"connect\"},\"node_name\":\"node-1\",\"time\":\"2026-06-26T11:23:49.019160599Z\"}", one, two, i % 250);
        add(l, text, (size_t)n);
    }
}

static void make_hubble(struct lines *l)
{
    char text[4096];

    for (int i = 0; i < 200; i++) {
        int n = snprintf(text, sizeof text,
            "{\"flow\":{\"time\":\"2026-05-25T13:44:05.478445995Z\",\"uuid\":\"u-%d\",\"verdict\":\"FORWARDED\",\"ethernet\":{\"source\":\"aa:bb:cc:dd:ee:ff\",\"destination\":"
            "\"aa:bb:cc:dd:ee:00\"},\"IP\":{\"source\":\"10.0.1.%d\",\"destination\":\"10.0.2.7\",\"ipVersion\":\"IPv4\"},\"l4\":{\"TCP\":{\"source_port\":43210,\"destination_port\":"
            "8080,\"flags\":{\"SYN\":true}}},\"source\":{\"ID\":3,\"identity\":1001,\"namespace\":\"shop\",\"labels\":[\"k8s:app=web\",\"k8s:io.kubernetes.pod.namespace=shop\"],"
            "\"pod_name\":\"web-7c966b5d85-42jwx\",\"workloads\":[{\"name\":\"web\",\"kind\":\"Deployment\"}]},\"destination\":{\"ID\":4,\"identity\":1002,\"namespace\":\"shop\","
            "\"labels\":[\"k8s:app=payments\"],\"pod_name\":\"payments-0\"},\"Type\":\"L3_L4\",\"node_name\":\"node-1\",\"event_type\":{\"type\":4,\"sub_type\":3},"
            "\"traffic_direction\":\"EGRESS\",\"trace_observation_point\":\"TO_ENDPOINT\",\"is_reply\":false,\"Summary\":\"TCP Flags: SYN\"},\"node_name\":\"node-1\",\"time\":"
            "\"2026-05-25T13:44:05.478445995Z\"}", i, i % 250);
        add(l, text, (size_t)n);
    }
}

static void read_folder_file(struct lines *l, const char *path)
{
    static char line[1 << 20];
    FILE *in = fopen(path, "re");

    while (in != NULL && fgets(line, sizeof line, in) != NULL)
        add(l, line, strlen(line));
    if (in != NULL)
        fclose(in);
}

/* ---- the readers ------------------------------------------------------------------------------- */

static struct arena arena;
static struct buf ours = { .max = 1 << 20 };
static size_t sink;

static void by_jansson(struct bytes b)
{
    json_t *v = json_loadb((const char *)b.ptr, b.len, 0, NULL);

    sink += json_object_size(v);
    json_decref(v);
}

static void by_parse(struct bytes b)
{
    struct json doc;
    struct err err;

    arena_reset(&arena);
    sink += event_parse(b.ptr, b.len, &arena, &doc, &err) == 0 ? doc.n : 0;
}

static void by_decode(struct bytes b)
{
    const struct event *events;
    struct err err;
    size_t n = 0;

    arena_reset(&arena);
    if (event_decode_all(EVENT_SOURCE_N, b.ptr, b.len, &arena, &events, &n, &err) != 0)
        exit(1);
    sink += n;
}

static void by_whole(struct bytes b)
{
    const struct event *events;
    struct err err;
    size_t n = 0;

    arena_reset(&arena);
    if (event_decode_all(EVENT_SOURCE_N, b.ptr, b.len, &arena, &events, &n, &err) != 0)
        exit(1);
    buf_clear(&ours);
    for (size_t i = 0; i < n; i++)
        sink += (size_t)event_encode(&events[i], &ours, &err);
    sink += ours.len;
}

static double measure(const struct lines *l, void (*run)(struct bytes), double seconds)
{
    double best = 1e9;

    for (int round = 0; round < 5; round++) {
        double start = now(), took;
        size_t done = 0;
        do {
            for (size_t i = 0; i < l->n; i++)
                run(l->rows[i]);
            done += l->n;
            took = now() - start;
        } while (took < seconds / 5);
        if (took / (double)done < best)
            best = took / (double)done;
    }
    return best * 1e6;
}

static void report(const struct lines *l, double seconds)
{
    static struct lines own;
    struct err err;

    if (l->n == 0)
        return;
    own.n = own.bytes = 0;
    for (size_t i = 0; i < l->n; i++) {
        const struct event *events;
        size_t n = 0;
        arena_reset(&arena);
        if (event_decode_all(EVENT_SOURCE_N, l->rows[i].ptr, l->rows[i].len, &arena, &events, &n, &err) != 0 || n == 0)
            continue;
        buf_clear(&ours);
        event_encode(&events[0], &ours, &err);
        add(&own, ours.ptr, ours.len);
    }
    double tree = measure(l, by_jansson, seconds), parse = measure(l, by_parse, seconds), event = measure(l, by_decode, seconds);
    double whole = measure(l, by_whole, seconds), back = measure(&own, by_decode, seconds), back_tree = measure(&own, by_jansson, seconds);
    printf("%-9s %5zu bytes | jansson's tree %6.2f us | parse %5.2f us | event %5.2f us (%.1f times faster) | and written %5.2f us | "
           "ours %4zu bytes: jansson %5.2f us, event %5.2f us (%.1f)\n",
           l->name, l->bytes / l->n, tree, parse, event, tree / event, whole, own.bytes / own.n, back_tree, back, back_tree / back);
    for (size_t i = 0; i < own.n; i++)
        free((void *)(uintptr_t)own.rows[i].ptr);
}

int main(int argc, char **argv)
{
    static const struct { const char *name; void (*make)(struct lines *); } made[] = {
        { "falco", make_falco }, { "tetragon", make_tetragon }, { "hubble", make_hubble },
    };
    static struct lines l;
    double seconds = argc > 1 ? strtod(argv[1], NULL) : 0.5;

    arena_init(&arena, (size_t)64 << 20);
    for (size_t i = 0; i < N_ITEMS(made); i++) {
        l = (struct lines){ .name = made[i].name };
        made[i].make(&l);
        report(&l, seconds);
    }
    for (int i = 2; i < argc; i++) {
        l = (struct lines){ .name = "sample" };
        read_folder_file(&l, argv[i]);
        report(&l, seconds);
    }
    return sink == 0;
}
