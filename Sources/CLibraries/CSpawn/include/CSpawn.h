#ifndef CSPAWN_H
#define CSPAWN_H

#include <spawn.h>

/// What glibc declares only under `_GNU_SOURCE`, which Swift's importer does not define.

/// `POSIX_SPAWN_SETSID`: the child starts a session of its own.
extern const short cspawn_setsid;

/// Every descriptor from `lowest` on is closed in the child.
int cspawn_close_from(posix_spawn_file_actions_t *actions, int lowest);

/// `pipe2` with `O_CLOEXEC`: no other thread's child can inherit an end in between.
int cspawn_pipe(int ends[2]);

/// A descriptor that stands for a process, whoever may get its number later; -1 where the kernel has none (before 5.3).
int cspawn_process_descriptor(pid_t process);

/// Ends the process that a descriptor stands for.
void cspawn_kill(int process_descriptor);

#endif
