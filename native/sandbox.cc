// The seccomp filter, written as classic BPF: see seccomp(2) and the kernel's seccomp_filter.rst.
#include "sandbox.h"

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <iterator>

namespace latchkey {

namespace {

#if defined(__x86_64__)
constexpr unsigned kArchitecture = AUDIT_ARCH_X86_64;
#elif defined(__aarch64__) && defined(__AARCH64EL__)
constexpr unsigned kArchitecture = AUDIT_ARCH_AARCH64;
#else
#error "The filter knows x86-64 and little-endian aarch64 only"
#endif

constexpr sock_filter Load(size_t offset) {
  return BPF_STMT(BPF_LD | BPF_W | BPF_ABS, static_cast<unsigned>(offset));
}
constexpr sock_filter Return(unsigned action) { return BPF_STMT(BPF_RET | BPF_K, action); }
// `yes` and `no` count the instructions to skip.
constexpr sock_filter IfEqual(unsigned value, unsigned char yes, unsigned char no) {
  return BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, yes, no);
}

}  // namespace

int DenyNetwork() {
  sock_filter code[] = {
      Load(offsetof(seccomp_data, arch)),
      IfEqual(kArchitecture, 1, 0),
      Return(SECCOMP_RET_KILL_PROCESS),
      Load(offsetof(seccomp_data, nr)),
#if defined(__x86_64__)
      // The x32 numbers reach the same calls by another name.
      BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, 0x40000000U, 0, 1),
      Return(SECCOMP_RET_ERRNO | ENOSYS),
#endif
      IfEqual(SYS_io_uring_setup, 0, 1),
      Return(SECCOMP_RET_ERRNO | ENOSYS),
      // Another program of this user that still has the network must not become its hands.
      IfEqual(SYS_ptrace, 3, 0),
      IfEqual(SYS_process_vm_readv, 2, 0),
      IfEqual(SYS_process_vm_writev, 1, 0),
      IfEqual(SYS_pidfd_getfd, 0, 1),
      Return(SECCOMP_RET_ERRNO | EPERM),
      // Unix sockets reach control sockets, the system bus and abstract names, each of which can reach the network.
      IfEqual(SYS_socket, 0, 1),
      Return(SECCOMP_RET_ERRNO | EACCES),
      IfEqual(SYS_socketpair, 1, 0),
      Return(SECCOMP_RET_ALLOW),
      // A pair of streams is joined for ever and is what a child's pipes are made of; a datagram one could be joined anew.
      // The kernel takes both arguments as int: the low half decides, and both architectures are little-endian.
      Load(offsetof(seccomp_data, args[0])),
      IfEqual(AF_UNIX, 1, 0),
      Return(SECCOMP_RET_ERRNO | EACCES),
      Load(offsetof(seccomp_data, args[1])),
      BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 0xf),
      IfEqual(SOCK_STREAM, 0, 1),
      Return(SECCOMP_RET_ALLOW),
      Return(SECCOMP_RET_ERRNO | EACCES),
  };
  const sock_fprog program = {static_cast<unsigned short>(std::size(code)), code};
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return errno;
  const long result = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program);
  if (result < 0) return errno;
  // A positive result names a thread that could not be put under the filter; then no thread was.
  return result == 0 ? 0 : EBUSY;
}

int DieWithParent(pid_t parent) {
  if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0) return errno;
  return getppid() == parent ? 0 : ESRCH;
}

int SetNotDumpable() { return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0 ? 0 : errno; }

int PeerUid(int fd, uid_t* uid) {
  ucred peer = {};
  socklen_t size = sizeof peer;
  if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) return errno;
  // On a socket without a peer (TCP, a listener of another kind) the kernel fills in nobody.
  if (size != sizeof peer || peer.pid <= 0) return ENOTCONN;
  *uid = peer.uid;
  return 0;
}

}  // namespace latchkey
