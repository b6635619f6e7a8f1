/* wall_nets.h (tests) - containers a, b and c with a network of their own each, which
 * meet at a bridge in a fourth; the machine's own network is not touched. */
#ifndef KEEP_TESTS_FLOW_WALL_NETS_H
#define KEEP_TESTS_FLOW_WALL_NETS_H

#include "tests/flow/wall.h"

#define DIGEST_B "sha256:2222222222222222222222222222222222222222222222222222222222222222"
static const char *const names[] = { "hub", "a", "b", "c" };

static int shell(const char *format, ...) __attribute__((format(printf, 1, 2)));
__attribute__((unused)) static int shell(const char *format, ...)
{
    char line[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    return system(line);
}

__attribute__((unused)) static void netns_name(const char *which, char out[64])
{
    snprintf(out, 64, "keepw%ld%s", (long)getpid(), which);
}

__attribute__((unused)) static void nets_down(void)
{
    char ns[64];
    for (size_t i = 0; i < N_ITEMS(names); i++) {
        netns_name(names[i], ns);
        (void)shell("ip netns del %s 2>/dev/null", ns);
    }
}

__attribute__((unused)) static bool nets_up(void)
{
    char hub[64], ns[64];
    netns_name("hub", hub);
    if (shell("ip netns add %s 2>/dev/null && ip -n %s link add name br0 type bridge && ip -n %s link set br0 up && ip -n %s link set lo up", hub, hub, hub, hub) != 0)
        return false;
    for (size_t i = 1; i < N_ITEMS(names); i++) {
        netns_name(names[i], ns);
        if (shell("ip netns add %s && ip -n %s link add name v%s type veth peer name eth0 netns %s && ip -n %s link set v%s master br0 up && "
                  "ip -n %s addr add 10.77.0.%zu/24 dev eth0 && ip -n %s addr add fd77::%zu/64 dev eth0 nodad && "
                  "ip -n %s link set eth0 up && ip -n %s link set lo up",
                  ns, hub, names[i], ns, hub, names[i], ns, i, ns, i, ns, ns) != 0)
            return false;
    }
    return true;
}

/* B's server is there before the profile is: what is judged is who reaches it. */
__attribute__((unused)) static void box_net(const char *id, const char *digest)
{
    static const char *const server[] = { "/bin/inside", "listen", "::", "12345", NULL };
    char ns[64], path[128];
    netns_name(id, ns);
    snprintf(path, sizeof path, "/run/netns/%s", ns);
    struct crun_spec spec = { .argv = server, .netns = path };
    box_create(id, &spec);
    crun_start(&g.c, id);
    usleep(100000);
    if (digest)
        box_known(id, digest);
}

__attribute__((unused)) static void dial_is(const char *from, const char *ip, const char *port, const char *expected)
{
    char out[256], want[256];
    INSIDE(from, out, "dial", ip, port);
    snprintf(want, sizeof want, "dial: %s\n", expected);
    if (strcmp(out, want) != 0)
        fail_msg("%s -> %s:%s: %s, expected %s", from, ip, port, out, expected);
}

#endif
