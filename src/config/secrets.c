#include "config/secrets_int.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"

/* Far more than a password may have, far less than a file given by mistake. */
enum { LONGEST_SECRET = 64 * 1024 };

void
secret_free(char *secret)
{
    if (secret == NULL)
        return;
    explicit_bzero(secret, strlen(secret));
    g_free(secret);
}

static void
warn_if_exposed(int fd, const char *path)
{
    struct stat status;
    if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode) && (status.st_mode & S_IROTH) != 0)
        log_warning("config",
                    log_msg("everybody on this host may read a file with a secret; chmod 600 it"),
                    log_str("file", path));
}

/* The file's bytes, NUL-terminated; NULL with errno set. */
static char *
read_all(int fd)
{
    g_autofree char *bytes = g_malloc0(LONGEST_SECRET + 1);
    size_t length = 0;
    for (;;) {
        ssize_t got = read(fd, bytes + length, LONGEST_SECRET + 1 - length);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return NULL;
        if (got == 0)
            break;
        length += (size_t)got;
        if (length > LONGEST_SECRET) {
            errno = EFBIG;
            return NULL;
        }
    }
    /* Not by strlen: a NUL inside is refused, not silently cut at. */
    if (memchr(bytes, '\0', length) != NULL) {
        errno = EINVAL;
        return NULL;
    }
    bytes[length] = '\0';
    return g_steal_pointer(&bytes);
}

static char *
from_file(const char *key_path, const char *path, struct problems *problems)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    char *secret = NULL;
    if (fd >= 0) {
        secret = read_all(fd);
        int saved_errno = errno;
        if (secret != NULL)
            warn_if_exposed(fd, path);
        close(fd);
        errno = saved_errno;
    }
    if (secret == NULL) {
        problems_add_at(problems, key_path, "cannot read \"%s\": %s", path, g_strerror(errno));
        return NULL;
    }
    size_t length = strlen(secret);
    if (length > 0 && secret[length - 1] == '\n')
        secret[--length] = '\0';
    if (length > 0 && secret[length - 1] == '\r')
        secret[--length] = '\0';
    return secret;
}

char *
secret_resolve(const char *key_path, const char *variable, const char *file,
               struct problems *problems)
{
    if (variable != NULL) {
        const char *value = g_getenv(variable);
        if (value != NULL)
            return g_strdup(value);
        g_autofree char *path = g_strconcat(key_path, "_env", NULL);
        problems_add_at(problems, path, "environment variable %s is not set; export it", variable);
        return NULL;
    }
    if (file == NULL)
        return NULL;
    g_autofree char *path = g_strconcat(key_path, "_file", NULL);
    return from_file(path, file, problems);
}
