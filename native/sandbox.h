// What a process can take away from itself on Linux. Every function returns 0 or an errno value.
#pragma once

#include <sys/types.h>

namespace latchkey {

// Every thread of the process, now and later, and every child: no socket but a pair of AF_UNIX streams (EACCES), no
// io_uring (ENOSYS), no reaching into other processes (EPERM), no system call of another architecture (killed), no new
// privileges. Cannot be undone. Sockets already open stay open.
int DenyNetwork();

// The process is killed when its parent's thread ends. ESRCH when `parent` is no longer the parent: it had ended before.
int DieWithParent(pid_t parent);

// No core dump, and no process of the same user may trace it or read its memory.
int SetNotDumpable();

// The user at the other end of a connected Unix socket (SO_PEERCRED).
int PeerUid(int fd, uid_t* uid);

}  // namespace latchkey
