#define _GNU_SOURCE
#include "CSpawn.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

const short cspawn_setsid = POSIX_SPAWN_SETSID;

int cspawn_close_from(posix_spawn_file_actions_t *actions, int lowest) {
    return posix_spawn_file_actions_addclosefrom_np(actions, lowest);
}

int cspawn_pipe(int ends[2]) { return pipe2(ends, O_CLOEXEC); }

int cspawn_process_descriptor(pid_t process) { return (int)syscall(SYS_pidfd_open, process, 0); }

void cspawn_kill(int process_descriptor) { syscall(SYS_pidfd_send_signal, process_descriptor, SIGKILL, NULL, 0); }
