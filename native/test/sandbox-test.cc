// What a process can take away from itself, each tried in a child so that the test itself keeps everything.
#include "../sandbox.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <thread>

#include "check.h"

namespace {

// The exit status of `body`, or 1000 + signal.
template <typename Body>
int InChild(Body body) {
  const pid_t child = fork();
  if (child == 0) _exit(body());
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

bool Denied(int family, int type) { return socket(family, type, 0) == -1 && errno == EACCES; }

TEST("the network is denied to every thread and child, and so is every socket but a pair of streams") {
  CHECK(InChild([] {
          int ready[2];
          int go[2];
          if (pipe(ready) != 0 || pipe(go) != 0) return 1;
          bool denied_in_thread = false;
          std::thread other([&] {
            char c;
            if (write(ready[1], "r", 1) != 1 || read(go[0], &c, 1) != 1) return;
            denied_in_thread = Denied(AF_INET, SOCK_STREAM);
          });
          char c;
          if (read(ready[0], &c, 1) != 1) return 2;
          if (latchkey::DenyNetwork() != 0) return 3;
          if (write(go[1], "g", 1) != 1) return 4;
          other.join();
          if (!denied_in_thread) return 5;
          if (!Denied(AF_INET, SOCK_STREAM) || !Denied(AF_INET6, SOCK_DGRAM) || !Denied(AF_NETLINK, SOCK_RAW)) return 6;
          if (!Denied(AF_PACKET, SOCK_RAW) || !Denied(40 /* AF_VSOCK */, SOCK_STREAM)) return 7;
          int pair[2];
          if (socketpair(AF_TIPC, SOCK_STREAM, 0, pair) != -1 || errno != EACCES) return 8;
          if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) != 0) return 9;
          if (!Denied(AF_UNIX, SOCK_STREAM) || !Denied(AF_UNIX, SOCK_DGRAM)) return 10;
          for (const int type : {int{SOCK_DGRAM}, int{SOCK_SEQPACKET}, SOCK_DGRAM | SOCK_CLOEXEC}) {
            if (socketpair(AF_UNIX, type, 0, pair) != -1 || errno != EACCES) return 14;
          }
          if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) != 0) return 15;
          // Joined for ever: not even its own end can be turned elsewhere.
          sockaddr_un elsewhere = {};
          elsewhere.sun_family = AF_UNIX;
          elsewhere.sun_path[1] = 'x';
          if (connect(pair[0], reinterpret_cast<sockaddr*>(&elsewhere), sizeof elsewhere) != -1) return 16;
          if (syscall(SYS_ptrace, 16 /* ATTACH */, getppid(), 0, 0) != -1 || errno != EPERM) return 17;
          if (syscall(SYS_process_vm_readv, getppid(), nullptr, 0, nullptr, 0, 0) != -1 || errno != EPERM) return 18;
          if (syscall(SYS_pidfd_getfd, 0, 0, 0) != -1 || errno != EPERM) return 19;
          if (syscall(SYS_io_uring_setup, 1, nullptr) != -1 || errno != ENOSYS) return 11;
          if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1) return 12;
          if (InChild([] { return Denied(AF_INET, SOCK_STREAM) ? 0 : 1; }) != 0) return 13;
          // A second time is harmless.
          return latchkey::DenyNetwork();
        }) == 0);
}

#if defined(__x86_64__)
TEST("x32 calls are refused and 32-bit ones kill") {
  CHECK(InChild([] {
          if (latchkey::DenyNetwork() != 0) return 1;
          return syscall(0x40000000 + SYS_socket, AF_INET, SOCK_STREAM, 0) == -1 && errno == ENOSYS ? 0 : 2;
        }) == 0);
  const int status = InChild([] {
    if (latchkey::DenyNetwork() != 0) return 1;
    long result = 20;  // getpid by the 32-bit gate
    asm volatile("int $0x80" : "+a"(result) : : "memory");
    return 2;
  });
  // A kernel without 32-bit support faults on the gate itself.
  CHECK(status == 1000 + SIGSYS || status == 1000 + SIGSEGV);
}
#endif

TEST("a child dies with its parent") {
  int life[2];
  CHECK(pipe(life) == 0);
  const pid_t parent = fork();
  if (parent == 0) {
    const pid_t self = getpid();
    int ready[2];
    if (pipe(ready) != 0) _exit(1);
    if (fork() == 0) {
      const int failed = latchkey::DieWithParent(self);
      if (write(ready[1], failed == 0 ? "y" : "n", 1) != 1) _exit(1);
      // The write end of `life` closes only when this process ends.
      for (;;) pause();
    }
    char c = 0;
    _exit(read(ready[0], &c, 1) == 1 && c == 'y' ? 0 : 1);
  }
  close(life[1]);
  int status = 0;
  waitpid(parent, &status, 0);
  CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  char c;
  CHECK(read(life[0], &c, 1) == 0);
  close(life[0]);
  CHECK(InChild([] { return latchkey::DieWithParent(1 << 22) == ESRCH ? 0 : 1; }) == 0);
}

TEST("a process can hide its memory") {
  CHECK(InChild([] {
          if (latchkey::SetNotDumpable() != 0) return 1;
          return prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0 ? 0 : 2;
        }) == 0);
}

TEST("the user at the other end is known for Unix sockets only") {
  int pair[2];
  CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
  uid_t uid = 12345;
  CHECK(latchkey::PeerUid(pair[0], &uid) == 0 && uid == getuid());
  close(pair[0]);
  close(pair[1]);
  CHECK(latchkey::PeerUid(pair[0], &uid) == EBADF);
  const int file = open("/dev/null", O_RDONLY);
  CHECK(latchkey::PeerUid(file, &uid) == ENOTSOCK);
  close(file);
  const int internet = socket(AF_INET, SOCK_STREAM, 0);
  if (internet >= 0) {
    CHECK(latchkey::PeerUid(internet, &uid) != 0);
    close(internet);
  }
}

}  // namespace
