// The program's own malloc and its relatives, which take the place of glibc's everywhere in the process (glibc manual, "Replacing
// malloc"): they count the calls of all threads while they are asked to and hand all of them to glibc's functions under their
// other names.
#include "AllocationCounter.h"

#include <errno.h>
#include <stdatomic.h>
#include <stddef.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif

static atomic_bool isCounting;
static atomic_long calls;

void allocation_counter_start(void) {
    atomic_store(&calls, 0);
    atomic_store(&isCounting, 1);
}

long allocation_counter_stop(void) {
    atomic_store(&isCounting, 0);
    return atomic_load(&calls);
}

#if defined(__GLIBC__) && !defined(SANITIZED)

extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);
extern void *__libc_memalign(size_t, size_t);

int allocation_counter_is_available(void) { return 1; }

static void count(void) {
    if (atomic_load_explicit(&isCounting, memory_order_relaxed)) atomic_fetch_add(&calls, 1);
}

void *malloc(size_t size) {
    count();
    return __libc_malloc(size);
}

void *calloc(size_t number, size_t size) {
    count();
    return __libc_calloc(number, size);
}

void *realloc(void *block, size_t size) {
    count();
    return __libc_realloc(block, size);
}

void *memalign(size_t alignment, size_t size) {
    count();
    return __libc_memalign(alignment, size);
}

void *aligned_alloc(size_t alignment, size_t size) {
    count();
    return __libc_memalign(alignment, size);
}

int posix_memalign(void **block, size_t alignment, size_t size) {
    if (alignment % sizeof(void *) != 0 || (alignment & (alignment - 1)) != 0) return EINVAL;
    count();
    void *result = __libc_memalign(alignment, size);
    if (result == NULL) return ENOMEM;
    *block = result;
    return 0;
}

#else

int allocation_counter_is_available(void) { return 0; }

#endif
