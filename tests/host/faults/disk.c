/* A disk that fails when it is told to: preloaded into a process, over what it writes, syncs, cuts off and reads.

   ONECARD_DISK names a control file (below; shared, so that a test can count, arm and heal at any moment),
   ONECARD_DISK_NAME what the path of a file must contain to be on this disk. Calls on such files are counted;
   the one whose number is `at` goes wrong. Built and driven by disk.py, which has the same layout. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { WRITE = 1, SYNC = 2, TRUNCATE = 4, READ = 8, OPEN = 16, LIES = 32 };    /* what is counted; LIES: a sync does nothing */
enum { FAIL = 0, TEAR = 1, CUT = 2 };                                          /* what happens */

static struct control {
    int64_t count, at, kinds, how, error, for_ever, seed, given;
} *control;                                                   /* `given`: faults so far */

struct unsynced {                                             /* a write the disk may not have yet, if CUT is armed */
    struct unsynced *before;
    char path[256];
    off_t offset, size_before;
    size_t size, old_size;
    char *data, *old;
};
static struct unsynced *newest;
static const char *name;
static uint64_t state;

#define REAL(function) ((typeof(&function))dlsym(RTLD_NEXT, #function))

__attribute__((constructor)) static void begin(void) {
    const char *path = getenv("ONECARD_DISK");
    name = getenv("ONECARD_DISK_NAME");
    int file = path && name ? open(path, O_RDWR) : -1;
    if (file < 0) return;
    void *memory = mmap(NULL, sizeof *control, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    close(file);
    if (memory != MAP_FAILED) control = memory;
}

static int is_ours(int file, char *path, size_t size) {
    char link[32];
    if (!control || !control->at) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t length = readlink(link, path, size - 1);
    path[length < 0 ? 0 : length] = 0;
    return strstr(path, name) != NULL;
}

static unsigned chance(void) {                                /* xorshift; seed 0: always 0, nothing is kept */
    state ^= state << 13, state ^= state >> 7, state ^= state << 17;
    return (unsigned)(state >> 32);
}

/* The power goes: of what was written since the last sync, the disk has any part, in pieces of a sector. */
static void cut(void) {
    struct unsynced *one, *oldest = NULL;
    state = control->seed;
    for (one = newest; one; one = one->before) {              /* back to what was synced ... */
        int file = open(one->path, O_RDWR);
        if (REAL(pwrite64)(file, one->old, one->old_size, one->offset) < 0 || REAL(ftruncate64)(file, one->size_before)) _exit(90);
        close(file);
    }
    for (one = newest; one; one = newest) newest = one->before, one->before = oldest, oldest = one;
    for (one = oldest; one; one = one->before) {              /* ... and some of it again, in order */
        int file = open(one->path, O_RDWR), is_whole = chance() & 1;
        for (size_t start = 0; start < one->size; start += 512) {
            size_t size = one->size - start < 512 ? one->size - start : 512;
            if ((is_whole || !(chance() & 3)) && state && REAL(pwrite64)(file, one->data + start, size, one->offset + start) < 0) _exit(90);
        }
        close(file);
    }
    _exit(77);
}

static void remember(const char *path, const void *data, size_t size, int file, off_t offset) {
    struct stat found;
    struct unsynced *one = calloc(1, sizeof *one);
    if (!one || fstat(file, &found) || strlen(path) >= sizeof one->path) _exit(91);
    strcpy(one->path, path);
    one->offset = offset, one->size = size, one->size_before = found.st_size;
    one->data = memcpy(malloc(size), data, size), one->old = malloc(size);
    ssize_t old = REAL(pread64)(file, one->old, size, offset);
    one->old_size = old < 0 ? 0 : old, one->before = newest, newest = one;
}

static void forget(const char *path) {
    for (struct unsynced **place = &newest; *place;)
        if (strcmp((*place)->path, path)) place = &(*place)->before;
        else { struct unsynced *one = *place; *place = one->before; free(one->data), free(one->old), free(one); }
}

/* Count a call; 1: it goes wrong now. */
static int goes_wrong(int kind) {
    if (!(control->kinds & kind)) return 0;
    int64_t count = __sync_add_and_fetch(&control->count, 1);
    if (count != control->at && !(control->for_ever && count > control->at)) return 0;
    __sync_add_and_fetch(&control->given, 1);
    if (control->how == CUT) cut();
    return 1;
}

static ssize_t written(int file, const void *data, size_t size, off_t offset, int is_at) {
    char path[4096];
    if (!is_ours(file, path, sizeof path)) return is_at ? REAL(pwrite64)(file, data, size, offset) : REAL(write)(file, data, size);
    if (!is_at) offset = lseek(file, 0, fcntl(file, F_GETFL) & O_APPEND ? SEEK_END : SEEK_CUR);
    if (control->how == CUT) remember(path, data, size, file, offset);
    if (!goes_wrong(WRITE)) return is_at ? REAL(pwrite64)(file, data, size, offset) : REAL(write)(file, data, size);
    /* A full disk takes what fits, a torn write what the heads had reached. */
    if (control->how == TEAR || control->error == ENOSPC)
        if (REAL(pwrite64)(file, data, size * (control->seed & 3) / 4, offset) < 0) _exit(90);
    if (control->how == TEAR) _exit(77);
    errno = control->error;
    return -1;
}

#define FAULTY(type, function, kind, arguments, call)                                    \
    type function arguments {                                                            \
        char path[4096];                                                                 \
        if (!is_ours(file, path, sizeof path)) return REAL(function) call;               \
        if (goes_wrong(kind)) {                                                          \
            if (control->how == TEAR) _exit(77);                                         \
            errno = control->error;                                                      \
            return -1;                                                                   \
        }                                                                                \
        if (kind == SYNC && !(control->kinds & LIES)) forget(path);                                                  \
        return REAL(function) call;                                                      \
    }

FAULTY(int, fdatasync, SYNC, (int file), (file))
FAULTY(int, fsync, SYNC, (int file), (file))
FAULTY(int, ftruncate64, TRUNCATE, (int file, off64_t size), (file, size))
FAULTY(int, ftruncate, TRUNCATE, (int file, off_t size), (file, size))
FAULTY(ssize_t, pread64, READ, (int file, void *data, size_t size, off64_t offset), (file, data, size, offset))

ssize_t pwrite64(int file, const void *data, size_t size, off64_t offset) { return written(file, data, size, offset, 1); }
ssize_t pwrite(int file, const void *data, size_t size, off_t offset) { return written(file, data, size, offset, 1); }
ssize_t write(int file, const void *data, size_t size) { return written(file, data, size, 0, 0); }

/* Opening for writing: what a read-only file system refuses. */
int open64(const char *path, int flags, ...) {
    va_list more;
    va_start(more, flags);
    mode_t mode = flags & O_CREAT ? va_arg(more, mode_t) : 0;
    va_end(more);
    if (control && control->at && strstr(path, name) && (flags & O_ACCMODE) != O_RDONLY && goes_wrong(OPEN)) {
        errno = control->error;
        return -1;
    }
    return REAL(open64)(path, flags, mode);
}
