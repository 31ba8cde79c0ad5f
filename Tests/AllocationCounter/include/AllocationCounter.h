#ifndef ALLOCATION_COUNTER_H
#define ALLOCATION_COUNTER_H

/// Whether allocations can be counted here: with glibc, and not where a sanitizer has an allocator of its own.
int allocation_counter_is_available(void);

/// Begins to count the calls of malloc and its relatives on all threads of the process.
void allocation_counter_start(void);

/// Ends counting; the number of calls since the start.
long allocation_counter_stop(void);

#endif
