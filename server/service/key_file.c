/* key_file.c - see key_file.h. */
#include "service/key_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH_TEXT = 4200 };

static int path_of(const char *data_dir, const char *name, char out[PATH_TEXT], struct err *err)
{
    if (data_dir == NULL || snprintf(out, PATH_TEXT, "%s/%s", data_dir, name) >= PATH_TEXT - 32)
        return err_set(err, ERR_UNAVAILABLE, "there is no data folder to keep %s in", name);
    return 0;
}

int key_file_read(const char *data_dir, const char *name, struct privkey **out, struct err *err)
{
    char path[PATH_TEXT], pem[PEM_MAX];
    struct stat st;

    if (path_of(data_dir, name, path, err) != 0)
        return -1;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0 && errno == ENOENT)
        return *out = NULL, 0;
    if (fd < 0)
        return err_set(err, ERR_UNAVAILABLE, "%s: %s", name, strerror(errno));
    bool open_to_others = fstat(fd, &st) != 0 || (st.st_mode & 077) != 0;
    ssize_t n = read(fd, pem, sizeof pem);
    close(fd);
    int rc = open_to_others ? err_set(err, ERR_UNAVAILABLE, "%s: others may read it; its mode must be 0600", name)
           : n <= 0         ? err_set(err, ERR_UNAVAILABLE, "%s: cannot be read", name)
                            : privkey_from_pem(pem, (size_t)n, out, err);
    crypto_wipe(pem, sizeof pem);
    return rc;
}

static int write_all(int fd, const char *text, size_t len)
{
    while (len > 0) {
        ssize_t n = write(fd, text, len);
        if (n <= 0)
            return -1;
        text += n;
        len -= (size_t)n;
    }
    return fsync(fd);
}

/* The name itself must survive a power cut, too: a root may be signed for this key. */
static int sync_folder(const char *data_dir)
{
    int fd = open(data_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int rc = fd < 0 ? -1 : fsync(fd);

    if (fd >= 0)
        close(fd);
    return rc;
}

/* Under another name first, then linked: whoever comes second reads the first one's. */
static int make(const char *data_dir, const char *name, enum key_alg alg, struct err *err)
{
    char path[PATH_TEXT], tmp[PATH_TEXT + 32];
    struct privkey *key;
    struct buf pem;

    if (path_of(data_dir, name, path, err) != 0 || privkey_generate(alg, &key, err) != 0)
        return -1;
    buf_init(&pem, PEM_MAX);
    snprintf(tmp, sizeof tmp, "%s.%ld", path, (long)getpid());
    int rc = privkey_to_pem(key, &pem, err);
    int fd = rc == 0 ? open(tmp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600) : -1;
    if (rc == 0 && (fd < 0 || write_all(fd, pem.ptr, pem.len) != 0 || (link(tmp, path) != 0 && errno != EEXIST) ||
                    sync_folder(data_dir) != 0))
        rc = err_set(err, ERR_UNAVAILABLE, "%s: cannot be written: %s", name, strerror(errno));
    if (fd >= 0) {
        close(fd);
        unlink(tmp);
    }
    if (pem.ptr != NULL)
        crypto_wipe(pem.ptr, pem.len);
    buf_free(&pem);
    privkey_free(key);
    return rc;
}

int key_file_open(const char *data_dir, const char *name, enum key_alg alg, struct privkey **out, struct err *err)
{
    struct privkey *key = NULL;

    if (key_file_read(data_dir, name, &key, err) != 0 ||
        (key == NULL && (make(data_dir, name, alg, err) != 0 || key_file_read(data_dir, name, &key, err) != 0)))
        return -1;
    if (key == NULL)
        return err_set(err, ERR_UNAVAILABLE, "%s: it went away", name);
    *out = key;
    return 0;
}

int key_file_rename(const char *data_dir, const char *name, const char *to, struct err *err)
{
    char from_path[PATH_TEXT], to_path[PATH_TEXT];

    if (path_of(data_dir, name, from_path, err) != 0 || path_of(data_dir, to, to_path, err) != 0)
        return -1;
    if (rename(from_path, to_path) != 0 || sync_folder(data_dir) != 0)
        return err_set(err, ERR_UNAVAILABLE, "%s: cannot be renamed: %s", name, strerror(errno));
    return 0;
}
