/* profile_init.c - see profile_init.h.
 *
 * An image says how it is started, which ports it offers, as whom it runs and where its
 * volumes are.  What it does not say - whom it talks to - is left to the developer, and
 * remarked: a part that is left out is not judged. */
#include "ctl/profile_init.h"

#include "core/profile/compile.h"
#include "wire/imageref.h"
#include "wire/json.h"
#include "wire/profile_doc.h"
#include "wire/report.h"

#include <stdlib.h>
#include <string.h>

enum { PROGRAMS_MAX = 256, PORTS_MAX = 64, VOLUMES_MAX = 64 };

struct draft {
    struct arena *arena;
    struct buf *out;                     /* remarks go in front of the document */
    struct profile_executable programs[PROGRAMS_MAX];
    struct profile_port ports[PORTS_MAX];
    const char *writes[VOLUMES_MAX];
    int64_t user;
    struct profile p;
    bool failed;
};

static void remark(struct draft *d, const char *text, const char *value)
{
    buf_puts(d->out, "# ");
    for (const char *s = text; *s != '\0'; s++) {
        if (*s != '%') {
            buf_putc(d->out, *s);
            continue;
        }
        for (const char *v = value; *v != '\0'; v++)
            buf_putc(d->out, (unsigned char)*v < 0x20 || *v == 0x7F ? '?' : *v);
    }
    buf_putc(d->out, '\n');
}

/* ---- programs --------------------------------------------------------------------------- */

static bool is_clean(const char *path)
{
    return path[0] == '/' && path[1] != '\0' && strstr(path, "//") == NULL && strstr(path, "/.") == NULL && strchr(path, '*') == NULL &&
           path[strlen(path) - 1] != '/' && strlen(path) <= PROFILE_PATH_MAX;
}

static void add_program(struct draft *d, const char *path)
{
    for (size_t i = 0; i < d->p.n_executables; i++) {
        if (str_eq(d->programs[i].path, path))
            return;
    }
    if (!is_clean(path) || d->p.n_executables == PROGRAMS_MAX)
        return;
    d->programs[d->p.n_executables++].path = path;
    d->p.executables = d->programs;
    d->p.has_executables = true;
}

static void read_command(struct draft *d, const struct json *config)
{
    const struct json *entry = json_get(config, "Entrypoint"), *cmd = json_get(config, "Cmd");
    const struct json *first = json_len(entry) > 0 ? entry : cmd;
    const char *program = json_len(first) > 0 ? json_str(json_at(first, 0), "") : "";

    if (program[0] == '/')
        add_program(d, program);
    else if (program[0] != '\0')
        remark(d, "It is started as %, found through PATH: add its path to executables.", program);
    else
        remark(d, "The image names no program to start.", "");
    size_t n = strlen(program);
    if (is_shell(program) || (n > 3 && strcmp(program + n - 3, ".sh") == 0))
        remark(d, "% is a shell or a script of one: the shell and what it starts belong into executables, too.", program);
}

/* Where a language puts its files are no programs; Go and Rust say the binary itself. */
static bool is_binary(const struct package *p)
{
    static const char *const folders[] = { "/bin/", "/sbin/", "/usr/bin/", "/usr/sbin/", "/usr/local/bin/", "/usr/local/sbin/", "/app/", "/opt/" };
    const char *base = p->path != NULL ? strrchr(p->path, '/') : NULL;

    if (base == NULL || strchr(base, '.') != NULL || p->ecosystem == NULL || (!str_eq(p->ecosystem, "Go") && !str_eq(p->ecosystem, "crates.io")))
        return false;
    for (size_t i = 0; i < N_ITEMS(folders); i++) {
        if (str_starts(p->path, folders[i]))
            return true;
    }
    return strchr(p->path + 1, '/') == NULL;       /* in the root folder, as in images made from scratch */
}

static int read_sbom(struct draft *d, struct bytes text, struct err *err)
{
    struct scan scan;

    if (report_parse(text.ptr, text.len, d->arena, &scan, err) != 0)
        return err_prefix(err, "--sbom");
    for (size_t i = 0; i < scan.n_packages; i++) {
        const char *path = scan.packages[i].path;
        if (path != NULL && path[0] != '/') {
            char *full = arena_printf(d->arena, "/%s", path);
            d->failed |= full == NULL;
            scan.packages[i].path = full;
        }
        if (!d->failed && is_binary(&scan.packages[i]))
            add_program(d, scan.packages[i].path);
    }
    return 0;
}

/* ---- ports, user, volumes -------------------------------------------------------------------- */

/* "8080/tcp" */
static void read_ports(struct draft *d, const struct json *config)
{
    const struct json *ports = json_get(config, "ExposedPorts");

    for (uint32_t i = 0; i < json_n_members(ports) && d->p.n_listens < PORTS_MAX; i++) {
        char *key = arena_strdup(d->arena, ports->members[i].key), *slash = key != NULL ? strchr(key, '/') : NULL;
        struct profile_port *port = &d->ports[d->p.n_listens];
        if (key == NULL) {
            d->failed = true;
            return;
        }
        port->protocol = slash != NULL && str_eq(slash, "/udp") ? NET_UDP : NET_TCP;
        if (slash != NULL)
            *slash = '\0';
        if (str_to_i64(key, 1, 65535, &port->port))
            d->p.n_listens++;
        else
            remark(d, "The exposed port % is not a number: left out.", key);
    }
    d->p.listens = d->ports;
    d->p.has_listens = d->p.n_listens > 0;
    if (!d->p.has_listens)
        remark(d, "The image exposes no port: add listens, [] if it has none.", "");
}

static void read_user(struct draft *d, const struct json *config)
{
    const char *user = json_get_str(config, "User", "");
    char *number = arena_strndup(d->arena, user, strcspn(user, ":"));

    if (number == NULL) {
        d->failed = true;
    } else if (number[0] == '\0' || str_eq(number, "root")) {
        d->user = 0;
        d->p.n_users = 1;
        remark(d, "It runs as root: a user of its own would be a wall that costs nothing.", "");
    } else if (str_to_i64(number, 0, UINT32_MAX - 1, &d->user)) {
        d->p.n_users = 1;
    } else {
        remark(d, "It runs as user %: add its number to users.", number);
    }
    d->p.users = &d->user;
    d->p.has_users = d->p.n_users > 0;
}

static void read_volumes(struct draft *d, const struct json *config)
{
    const struct json *volumes = json_get(config, "Volumes");

    for (uint32_t i = 0; i < json_n_members(volumes) && d->p.n_writes < VOLUMES_MAX; i++) {
        if (!is_clean(volumes->members[i].key))
            continue;
        char *pattern = arena_printf(d->arena, "%s/**", volumes->members[i].key);
        d->failed |= pattern == NULL;
        d->writes[d->p.n_writes++] = pattern;
    }
    d->p.writes = d->writes;
    d->p.has_writes = d->p.n_writes > 0;
    if (!d->p.has_writes)
        remark(d, "The image has no volumes: add writes, [] if it writes nothing.", "");
}

/* ---- the image ----------------------------------------------------------------------------------- */

/* What docker inspect prints is a list; a configuration of OCI writes "config" small. */
static const struct json *config_of(const struct json *doc)
{
    const struct json *image = json_len(doc) > 0 ? json_at(doc, 0) : doc;
    const struct json *config = json_get(image, "config");

    if (config == NULL)
        config = json_get(image, "Config");
    return config != NULL ? config : image;
}

static const char *named_by(const struct json *doc)
{
    const struct json *image = json_len(doc) > 0 ? json_at(doc, 0) : doc, *digests = json_get(image, "RepoDigests"), *tags = json_get(image, "RepoTags");

    return json_len(digests) > 0 ? json_str(json_at(digests, 0), NULL) : json_len(tags) > 0 ? json_str(json_at(tags, 0), NULL) : NULL;
}

static int name_image(struct draft *d, const char *image, struct err *err)
{
    struct imageref ref;

    if (image == NULL)
        return err_set(err, ERR_INVALID, "the image is not named: give --image REPOSITORY");
    if (imageref_parse(d->arena, image, &ref, err) != 0)
        return err_prefix(err, "--image");
    if (ref.is_id)
        return err_set(err, ERR_INVALID, "--image: expected a repository, not an image id");
    d->p.repository = imageref_name(d->arena, &ref);
    const char *slash = strrchr(ref.repository, '/');
    const char *last = slash != NULL ? slash + 1 : ref.repository;
    char *name = arena_strndup(d->arena, last, strnlen(last, 63));
    if (name == NULL || d->p.repository == NULL)
        return err_nomem(err);
    for (char *s = name; *s != '\0'; s++)
        *s = *s == '_' ? '-' : *s;
    while (*name == '-' || *name == '.')
        name++;
    for (size_t n = strlen(name); n > 0 && (name[n - 1] == '-' || name[n - 1] == '.'); n--)
        name[n - 1] = '\0';
    d->p.name = *name != '\0' ? name : "image";
    return 0;
}

int profile_init(const struct profile_init_spec *spec, struct arena *arena, struct buf *out, struct err *err)
{
    struct draft *d = arena_alloc(arena, sizeof *d);
    struct json doc = { .type = JSON_NULL };

    if (d == NULL)
        return err_nomem(err);
    *d = (struct draft){ .arena = arena, .out = out, .p = { .lease_s = PROFILE_LEASE_DEFAULT_S, .mode = PROFILE_DISCOVER } };
    if (spec->config.len > 0 && json_parse(arena, spec->config.ptr, spec->config.len, NULL, &doc, err) != 0)
        return err_prefix(err, "--config");
    if (name_image(d, spec->image != NULL ? spec->image : named_by(&doc), err) != 0)
        return -1;
    remark(d, "A draft of what % may do.  What is left out is not judged; an empty list allows nothing.", d->p.repository);
    if (spec->config.len > 0) {
        const struct json *config = config_of(&doc);
        read_command(d, config);
        read_ports(d, config);
        read_user(d, config);
        read_volumes(d, config);
    }
    if (spec->sbom.len > 0 && read_sbom(d, spec->sbom, err) != 0)
        return -1;
    remark(d, "No image says whom it talks to: add egress and ingress, like - {service: shop/payments, ports: [443]}.", "");
    if (d->failed)
        return err_nomem(err);
    return profile_check(&d->p, err) != 0 ? -1 : profile_doc_print(&d->p, arena, out, err);
}
