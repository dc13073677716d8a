/* A disk that is slow to say "written": each sync takes so many microseconds more, ONECARD_SYNC_US. Preloaded by bench/waits.py. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <time.h>

static void wait_for_the_disk(void) {
    const char *microseconds = getenv("ONECARD_SYNC_US");
    struct timespec rest = {0, microseconds ? atol(microseconds) * 1000 : 0};
    while (nanosleep(&rest, &rest)) {
    }
}

#define SLOW(function)                                                     \
    int function(int file) {                                               \
        static int (*real)(int);                                           \
        if (!real) real = (int (*)(int))dlsym(RTLD_NEXT, #function);       \
        wait_for_the_disk();                                               \
        return real(file);                                                 \
    }

SLOW(fsync)
SLOW(fdatasync)
