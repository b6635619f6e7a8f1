/* paths.c - what a path of the host means to whoever may reach it. */
#include "core/config/box.h"

#include "base/str.h"

#include <string.h>

const char *path_clean(struct arena *a, const char *path)
{
    char *out = arena_bytes(a, strlen(path) + 2);
    size_t n = 0;

    if (out == NULL)
        return NULL;
    for (const char *p = path; *p != '\0';) {
        size_t len = strcspn(p, "/");
        if (len == 2 && memcmp(p, "..", 2) == 0 && *path == '/') {
            while (n > 0 && out[n - 1] != '/')
                n--;
            n -= n > 0;
        } else if (len > 0 && !(len == 1 && *p == '.' && (n > 0 || *path == '/'))) {
            if (n > 0 || *path == '/')
                out[n++] = '/';
            memcpy(out + n, p, len);
            n += len;
        }
        p += len;
        p += *p == '/';
    }
    if (n == 0)
        out[n++] = *path == '/' ? '/' : '.';
    out[n] = '\0';
    return str_eq(out, "/var/run") || str_starts(out, "/var/run/") ? out + strlen("/var") : out;
}

/* ---- sockets of container engines ----------------------------------------------------------- */

static const char *const sockets[] = {
    "/run/docker.sock", "/run/podman/podman.sock", "/run/containerd/containerd.sock", "/run/crio/crio.sock", "/run/cri-dockerd.sock",
    "/run/k3s/containerd/containerd.sock", "/run/k0s/containerd.sock", "/run/dockershim.sock", "/run/buildkit/buildkitd.sock",
    "/run/docker/containerd/containerd.sock", "/var/snap/docker/common/run/docker.sock", "/run/user/1000/docker.sock",
    "/run/user/1000/podman/podman.sock", "/run/snapd.socket", "/run/libvirt/libvirt-sock", "/run/lxd.socket",
    "/var/lib/lxd/unix.socket", "/var/snap/lxd/common/lxd/unix.socket",
};
static const char *const socket_names[] = {
    "docker.sock", "podman.sock", "containerd.sock", "crio.sock", "cri-dockerd.sock", "dockershim.sock", "buildkitd.sock",
    "docker_engine",
};

bool path_names_socket(const char *clean)
{
    const char *slash = strrchr(clean, '/'), *pipe = strrchr(clean, '\\');
    const char *name = slash != NULL ? slash + 1 : pipe != NULL ? pipe + 1 : clean;

    for (size_t i = 0; i < N_ITEMS(socket_names); i++) {
        if (str_eq(name, socket_names[i]))
            return true;
    }
    return false;
}

bool path_is_socket(const char *clean)
{
    size_t len = strlen(clean);

    if (path_names_socket(clean))
        return true;
    if (*clean != '/')
        return false;
    for (size_t i = 0; i < N_ITEMS(sockets); i++) {
        if (len == 1 || (strncmp(sockets[i], clean, len) == 0 && (sockets[i][len] == '/' || sockets[i][len] == '\0')))
            return true;
    }
    /* Where /var/run is a link, /var holds what the link leads to only by its own name. */
    return str_eq(clean, "/var");
}

/* ---- other places ------------------------------------------------------------------------------ */

/* The first row that holds decides; `under` counts everything below, too. */
static const struct { const char *path; bool under; enum path_weight weight; } places[] = {
    { "/etc/localtime", false, PATH_ORDINARY }, { "/etc/timezone", false, PATH_ORDINARY }, { "/etc/hosts", false, PATH_ORDINARY },
    { "/etc/hostname", false, PATH_ORDINARY }, { "/etc/resolv.conf", false, PATH_ORDINARY }, { "/etc/machine-id", false, PATH_ORDINARY },
    { "/etc/os-release", false, PATH_ORDINARY }, { "/etc/ssl/certs", true, PATH_ORDINARY }, { "/etc/ca-certificates", true, PATH_ORDINARY },
    { "/usr/share/zoneinfo", true, PATH_ORDINARY }, { "/usr/share/ca-certificates", true, PATH_ORDINARY },
    { "/dev/shm", true, PATH_ORDINARY }, { "/dev/null", false, PATH_ORDINARY }, { "/dev/urandom", false, PATH_ORDINARY },
    { "/dev/log", false, PATH_ORDINARY }, { "/tmp/.X11-unix", true, PATH_SENSITIVE },
    { "/", false, PATH_ROOT }, { "/etc", true, PATH_ROOT }, { "/root", true, PATH_ROOT }, { "/boot", true, PATH_ROOT },
    { "/dev", true, PATH_ROOT }, { "/proc", true, PATH_ROOT }, { "/sys", true, PATH_ROOT }, { "/bin", true, PATH_ROOT },
    { "/sbin", true, PATH_ROOT }, { "/lib", true, PATH_ROOT }, { "/lib64", true, PATH_ROOT }, { "/usr", true, PATH_ROOT },
    { "/run", false, PATH_ROOT }, { "/run/systemd", true, PATH_ROOT }, { "/run/dbus", true, PATH_ROOT }, { "/var", false, PATH_ROOT },
    { "/var/lib", false, PATH_ROOT }, { "/var/lib/docker", true, PATH_ROOT }, { "/var/lib/containerd", true, PATH_ROOT },
    { "/var/lib/containers", true, PATH_ROOT }, { "/var/lib/kubelet", true, PATH_ROOT }, { "/var/lib/rancher", true, PATH_ROOT },
    { "/var/lib/etcd", true, PATH_ROOT }, { "/var/spool/cron", true, PATH_ROOT }, { "/home", false, PATH_ROOT },
    { "/var/log", true, PATH_SENSITIVE }, { "/opt", false, PATH_SENSITIVE }, { "/srv", false, PATH_SENSITIVE },
    { "/mnt", false, PATH_SENSITIVE }, { "/media", false, PATH_SENSITIVE }, { "~", false, PATH_SENSITIVE },
};
/* Credentials, wherever the home directory is. */
static const char *const private_names[] = {
    "/.ssh", "/.aws", "/.kube", "/.docker", "/.gnupg", "/.config/gcloud", "/.azure", "/.netrc", "/.git-credentials",
};

static bool holds_private(const char *clean)
{
    for (size_t i = 0; i < N_ITEMS(private_names); i++) {
        const char *at = strstr(clean, private_names[i]);
        size_t len = strlen(private_names[i]);
        if (at != NULL && (at[len] == '\0' || at[len] == '/'))
            return true;
    }
    return false;
}

enum path_weight path_weight(const char *clean)
{
    for (size_t i = 0; i < N_ITEMS(places); i++) {
        size_t len = strlen(places[i].path);
        if (str_eq(clean, places[i].path) ||
            (places[i].under && strncmp(clean, places[i].path, len) == 0 && clean[len] == '/'))
            return places[i].weight;
    }
    return holds_private(clean) ? PATH_SENSITIVE : PATH_ORDINARY;
}
