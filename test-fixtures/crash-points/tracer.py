"""Runs programs and stops at every system call by which they change the world outside themselves.

    python3 tracer.py plan.json    (what a plan holds and what is reported: trace.ts beside this file)

At each such call, before it takes effect and just after, everything stands still, and what is on the disk then is kept, as
three crashes leave it. `kill`: as it is, because the kernel keeps what killed programs wrote. `cut`: the power went, and the
disk kept nothing but what was synced. `torn`: all names as they are, but of contents only what was synced. Or, with `kill`
in the plan: runs at full speed and kills at one named call. ptrace and seccomp alone; no library, no root.
"""

import ctypes
import errno
import hashlib
import json
import os
import re
import signal
import stat
import struct
import sys
import time

libc = ctypes.CDLL(None, use_errno=True)
libc.ptrace.argtypes = [ctypes.c_long] * 4
libc.ptrace.restype = ctypes.c_long

CONT, SYSCALL, GETEVENTMSG, SEIZE, INTERRUPT, LISTEN, SYSCALL_INFO = 7, 24, 0x4201, 0x4206, 0x4207, 0x4208, 0x420E
EVENT_EXEC, EVENT_SECCOMP, EVENT_STOP = 4, 7, 128
# TRACESYSGOOD, FORK, VFORK, CLONE, EXEC, SECCOMP, EXITKILL
OPTIONS = 1 | 1 << 1 | 1 << 2 | 1 << 3 | 1 << 4 | 1 << 7 | 1 << 20
WALL = 0x40000000

# Every call that changes files, names or what others are told. Opening counts where it makes or empties a file.
NUMBERS = {
    "x86_64": {
        "write": 1, "pwrite64": 18, "writev": 20, "pwritev": 296, "pwritev2": 328, "copy_file_range": 326, "fallocate": 285,
        "connect": 42, "bind": 49, "sendto": 44, "sendmsg": 46, "sendmmsg": 307, "fsync": 74, "fdatasync": 75,
        "truncate": 76, "ftruncate": 77, "rename": 82, "renameat": 264, "renameat2": 316, "mkdir": 83, "mkdirat": 258,
        "rmdir": 84, "creat": 85, "link": 86, "linkat": 265, "unlink": 87, "unlinkat": 263, "symlink": 88, "symlinkat": 266,
        "chmod": 90, "fchmod": 91, "fchmodat": 268, "fchmodat2": 452, "kill": 62, "open": 2, "openat": 257, "prctl": 157,
    },
    "aarch64": {
        "write": 64, "pwrite64": 68, "writev": 66, "pwritev": 70, "pwritev2": 287, "copy_file_range": 285, "fallocate": 47,
        "connect": 203, "bind": 200, "sendto": 206, "sendmsg": 211, "sendmmsg": 269, "fsync": 82, "fdatasync": 83,
        "truncate": 45, "ftruncate": 46, "renameat": 38, "renameat2": 276, "mkdirat": 34, "linkat": 37, "unlinkat": 35,
        "symlinkat": 36, "fchmod": 52, "fchmodat": 53, "fchmodat2": 452, "kill": 129, "openat": 56, "prctl": 167,
    },
}[os.uname().machine]
NAMES = {number: name for name, number in NUMBERS.items()}
ONE_NAME = {"rename", "mkdir", "rmdir", "creat", "link", "unlink", "chmod", "truncate", "open", "symlink"}
AT_NAME = {"renameat", "renameat2", "mkdirat", "linkat", "unlinkat", "fchmodat", "fchmodat2", "openat", "symlinkat"}
# The argument after the old name, or the folder and the new name, where there are two.
SECOND_NAME = {"rename": (None, 1), "link": (None, 1), "renameat": (2, 3), "renameat2": (2, 3), "linkat": (2, 3)}
PROGRAMS = {"recorder", "courier", "owner", "vault"}
SENDS = {"write", "writev", "sendto", "sendmsg", "sendmmsg"}


def seccomp_filter():
    trace, allow, pretend = 0x7FF00000, 0x7FFF0000, 0x00050000
    load, equal, any_bit, give = 0x20, 0x15, 0x45, 0x06
    number, second, third = 0, 24, 32  # where they stand in struct seccomp_data; the low half of an argument
    program = []
    for name, nr in NUMBERS.items():
        program.append((load, 0, 0, number))
        if name in ("open", "openat"):
            program += [(equal, 0, 4, nr), (load, 0, 0, second if name == "open" else third)]
            program += [(any_bit, 0, 1, os.O_CREAT | os.O_TRUNC), (give, 0, 0, trace), (give, 0, 0, allow)]
        elif name == "prctl":
            # The vault closes itself to tracers by PR_SET_DUMPABLE (4); only here it is told that it has, and has not.
            program += [(equal, 0, 4, nr), (load, 0, 0, 16)]
            program += [(equal, 0, 1, 4), (give, 0, 0, pretend), (give, 0, 0, allow)]
        else:
            program += [(equal, 0, 1, nr), (give, 0, 0, trace)]
    program.append((give, 0, 0, allow))
    return b"".join(struct.pack("HBBI", *line) for line in program), len(program)


def ptrace(request, tid, address=0, data=0):
    if libc.ptrace(request, tid, address, data) < 0:
        raise OSError(ctypes.get_errno(), f"ptrace {request:#x}")


def go_on(tid, how=CONT, sig=0):
    try:
        ptrace(how, tid, 0, sig)
    except OSError as error:
        if error.errno != errno.ESRCH:
            raise


def info_of(tid):
    buffer = ctypes.create_string_buffer(88)
    ptrace(SYSCALL_INFO, tid, 88, ctypes.addressof(buffer))
    op = buffer.raw[0]
    if op == 3:
        return struct.unpack_from("7Q", buffer.raw, 24)
    return struct.unpack_from("q", buffer.raw, 24)


def memory(tid, address, size):
    with open(f"/proc/{tid}/mem", "rb", buffering=0) as file:
        file.seek(address)
        try:
            return file.read(size)
        except OSError:
            # The end of what is mapped.
            file.seek(address)
            return file.read(min(size, 4096 - address % 4096))


def text_at(tid, address):
    return memory(tid, address, 4096).split(b"\0")[0].decode("utf8", "replace")


def process_of(tid):
    with open(f"/proc/{tid}/status", encoding="utf8") as file:
        return int(re.search(r"Tgid:\s+(\d+)", file.read()).group(1))


class Disk:
    """What is on the disk now, and what of it a power cut could not take away. Strict: a name is safe once its folder was
    synced, content once its file was. A file is known by its inode and its birth, as inodes are used again."""

    def __init__(self, root, skip, store):
        self.root, self.skip, self.store = root, skip, store
        self.births, self.names, self.contents, self.hashes = {}, {}, {}, {}
        for folder, folders, files in os.walk(root):
            folders[:] = [name for name in folders if os.path.join(folder, name) not in skip]
            self.sync_folder(folder)
            for name in files:
                path = os.path.join(folder, name)
                if stat.S_ISREG(os.lstat(path).st_mode):
                    self.contents[self.born(os.lstat(path).st_ino)] = self.keep(path)

    def born(self, inode, anew=False):
        if anew or inode not in self.births:
            self.births[inode] = (inode, self.births.get(inode, (0, 0))[1] + 1)
        return self.births[inode]

    def keep(self, path):
        with open(path, "rb") as file:
            data = file.read()
        name = hashlib.sha256(data).hexdigest()
        place = os.path.join(self.store, name)
        if not os.path.exists(place):
            with open(place, "wb") as file:
                file.write(data)
        return name

    def sync_folder(self, folder):
        listed = {}
        for entry in os.scandir(folder):
            if entry.path in self.skip:
                continue
            kind = "d" if entry.is_dir(follow_symlinks=False) else "f" if entry.is_file(follow_symlinks=False) else None
            if kind:
                listed[entry.name] = (kind, self.born(entry.inode()))
        self.names[self.born(os.lstat(folder).st_ino)] = listed

    def made(self, path):
        try:
            birth = self.born(os.lstat(path).st_ino, anew=True)
        except FileNotFoundError:
            return
        self.names.pop(birth, None)

    def synced(self, link):
        status = os.stat(link)
        if stat.S_ISDIR(status.st_mode):
            self.sync_folder(os.readlink(link))
        elif stat.S_ISREG(status.st_mode):
            self.contents[self.born(status.st_ino)] = self.keep(link)

    def now(self):
        image = {}
        for folder, folders, files in os.walk(self.root):
            folders[:] = [name for name in folders if os.path.join(folder, name) not in self.skip]
            image[os.path.relpath(folder, self.root)] = None
            for name in files:
                path = os.path.join(folder, name)
                if stat.S_ISREG(os.lstat(path).st_mode):
                    image[os.path.relpath(path, self.root)] = self.keep(path)
        return image

    def after_power_cut(self):
        image = {".": None}
        empty = self.empty()

        def walk(path, birth):
            for name, (kind, child) in self.names.get(birth, {}).items():
                at = os.path.normpath(os.path.join(path, name))
                image[at] = None if kind == "d" else self.contents.get(child, empty)
                if kind == "d":
                    walk(at, child)

        walk(".", self.born(os.lstat(self.root).st_ino))
        return image

    def torn(self):
        image, empty = {}, self.empty()
        for path, content in self.now().items():
            if content is not None:
                content = self.contents.get(self.born(os.lstat(os.path.join(self.root, path)).st_ino), empty)
            image[path] = content
        return image

    def empty(self):
        name = hashlib.sha256(b"").hexdigest()
        open(os.path.join(self.store, name), "wb").close()
        return name


class Tracer:
    def __init__(self, plan):
        self.plan = plan
        self.root = plan["dataDir"]
        self.kill = plan.get("kill")
        self.report = open(plan["report"], "w", encoding="utf8")
        self.programs, self.stopped, self.alive = {}, set(), set()
        self.pending, self.counts, self.images = [], {}, {}
        self.at = {}
        self.unheard = re.compile(plan["unheard"])
        if self.kill is None:
            self.disk = Disk(self.root, {os.path.join(self.root, name) for name in plan["skip"]}, plan["store"])
            self.intake = plan.get("intake")

    def say(self, **fields):
        self.report.write(json.dumps(fields) + "\n")
        self.report.flush()

    def start(self, name, command):
        pid = os.fork()
        if pid == 0:
            for fd in (0, 1):
                os.dup2(os.open(os.devnull, os.O_RDWR), fd)
            os.dup2(os.open(self.plan["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), 2)
            os.kill(os.getpid(), signal.SIGSTOP)
            libc.prctl(38, 1, 0, 0, 0)
            lines, count = seccomp_filter()
            buffer = ctypes.create_string_buffer(lines)
            program = struct.pack("HxxxxxxQ", count, ctypes.addressof(buffer))
            holder = ctypes.create_string_buffer(program)
            if libc.prctl(22, 2, ctypes.c_void_p(ctypes.addressof(holder)), 0, 0) != 0:
                os._exit(126)
            os.execve(command[0], command, self.plan["env"])
        os.waitpid(pid, os.WUNTRACED)
        ptrace(SEIZE, pid, 0, OPTIONS)
        self.programs[pid] = name
        self.alive.add(pid)
        os.kill(pid, signal.SIGCONT)
        self.say(kind="started", program=name, pid=pid)

    def run(self):
        for name, command in self.plan["programs"].items():
            self.start(name, command)
        while self.alive:
            tid, status = self.pending.pop(0) if self.pending else os.waitpid(-1, WALL)
            self.handle(tid, status)
        self.say(kind="ended")

    def handle(self, tid, status):
        if os.WIFEXITED(status) or os.WIFSIGNALED(status):
            self.alive.discard(tid)
            self.stopped.discard(tid)
            if tid in self.programs:
                self.say(kind="exited", program=self.programs[tid], pid=tid, signal=os.WIFSIGNALED(status))
            return
        self.alive.add(tid)
        self.stopped.add(tid)
        event, sig = status >> 16, os.WSTOPSIG(status)
        how, pass_on = CONT, 0
        if event == EVENT_SECCOMP:
            how = self.entered(tid)
        elif sig == signal.SIGTRAP | 0x80:
            self.left(tid)
        elif event == EVENT_EXEC:
            self.renamed(tid)
        elif event == EVENT_STOP:
            how = LISTEN if sig in (signal.SIGSTOP, signal.SIGTSTP) else CONT
        elif event == 0:
            pass_on = sig
        self.stopped.discard(tid)
        go_on(tid, how, pass_on)

    def renamed(self, pid):
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            words = file.read().decode("utf8", "replace").split("\0")
        if any(word.endswith("vault/process.ts") for word in words):
            self.programs[pid] = "vault"
        elif pid not in self.programs:
            self.programs[pid] = os.path.basename(words[0])

    def program(self, pid):
        while pid not in self.programs:
            with open(f"/proc/{pid}/status", encoding="utf8") as file:
                pid = int(re.search(r"PPid:\s+(\d+)", file.read()).group(1))
        return self.programs[pid]

    def entered(self, tid):
        nr, *args, _ = info_of(tid)
        call = NAMES.get(nr, str(nr))
        pid = process_of(tid)
        name = self.name_of(tid, pid, call, args)
        if name is None:
            return CONT
        program = self.program(pid)
        if program not in PROGRAMS:
            return CONT
        says = self.payload(tid, call, args) if call in SENDS else None
        if says is not None and self.unheard.search(says):
            return CONT
        key = (program, call, name)
        ordinal = self.counts[key] = self.counts.get(key, 0) + 1
        point = {"program": program, "call": call, "name": name, "ordinal": ordinal}
        if self.kill is not None:
            if {**point, "when": self.kill["when"]} != {k: self.kill[k] for k in (*point, "when")}:
                return CONT
            if self.kill["when"] == "after":
                self.at[tid] = (point, pid, call, args)
                return SYSCALL
            self.end(point, pid)
            return CONT
        if says is not None:
            point["says"] = says
        self.freeze(tid)
        point["before"] = self.image()
        made = call in ("open", "openat", "creat", "mkdir", "mkdirat") and self.path(tid, pid, call, args)
        point["new"] = made if made and not os.path.lexists(made) else None
        self.at[tid] = (point, pid, call, args)
        self.thaw()
        return SYSCALL

    def left(self, tid):
        if tid not in self.at:
            return
        point, pid, call, args = self.at.pop(tid)
        (result,) = info_of(tid)
        if self.kill is not None:
            self.end(point, pid)
            return
        self.freeze(tid)
        made = point.pop("new")
        if result >= 0 and made:
            self.disk.made(made)
        if result >= 0 and call in ("fsync", "fdatasync"):
            self.disk.synced(f"/proc/{pid}/fd/{args[0]}")
        self.say(kind="point", at=time.time() * 1000, result=result, after=self.image(), **point)
        self.thaw()

    def end(self, point, pid):
        if self.kill["whole"]:
            for other in [p for p in self.programs if p in self.alive]:
                os.kill(other, signal.SIGKILL)
        os.kill(pid, signal.SIGKILL)
        self.kill = {**self.kill, "ordinal": -1}
        self.say(kind="killed", **point)

    def freeze(self, tid):
        waited = []
        for other in self.alive - self.stopped:
            try:
                ptrace(INTERRUPT, other)
                waited.append(other)
            except OSError:
                pass
        self.frozen = []
        for other in waited:
            until = time.monotonic() + 0.2
            while True:
                found, status = os.waitpid(other, WALL | os.WNOHANG)
                if found:
                    break
                # One that waits for its new child in vfork can't be stopped, and does nothing.
                if time.monotonic() > until:
                    break
                time.sleep(0.0002)
            if not found:
                continue
            if os.WIFSTOPPED(status) and status >> 16 == EVENT_STOP and os.WSTOPSIG(status) == signal.SIGTRAP:
                self.frozen.append(other)
            else:
                # It came to a stop of its own first; that is looked at in its turn.
                self.pending.append((found, status))
                self.stopped.add(found)

    def thaw(self):
        for other in self.frozen:
            go_on(other)
        self.frozen = []

    def image(self):
        if self.intake is None:
            intake = None
        else:
            intake = self.settled_intake()
        images = {"kill": self.disk.now(), "cut": self.disk.after_power_cut(), "torn": self.disk.torn()}
        names = {}
        for kind, files in images.items():
            text = json.dumps([files, intake], sort_keys=True)
            names[kind] = hashlib.sha256(text.encode()).hexdigest()[:16]
            if names[kind] not in self.images:
                self.images[names[kind]] = True
                self.say(kind="image", id=names[kind], files=files, intake=intake)
        return names

    def settled_intake(self):
        """The server goes on with what it was sent: wait for it, then keep what is whole."""
        def look():
            return sorted((entry.name, entry.stat().st_size) for entry in os.scandir(self.intake))
        seen = look()
        for _ in range(20):
            time.sleep(0.003)
            again = look()
            if again == seen:
                break
            seen = again
        names = {name for name, _ in seen}
        found = {}
        for name in names:
            if name.endswith(".json") or f"{name}.json" not in names:
                continue
            for each in (name, f"{name}.json"):
                found[each] = self.disk.keep(os.path.join(self.intake, each))
        return found

    # Names

    def name_of(self, tid, pid, call, args):
        if call == "kill":
            target = self.programs.get(args[0] & 0xFFFFFFFF)
            return f"{target} {args[1]}" if target and args[1] else None
        if call in ONE_NAME or call in AT_NAME:
            path = self.path(tid, pid, call, args)
            if not path.startswith(f"{self.root}/"):
                return None
            name = self.plain(path)
            if call in SECOND_NAME:
                folder, at = SECOND_NAME[call]
                name += " > " + self.plain(self.resolve(tid, pid, None if folder is None else args[folder], args[at]))
            return name
        try:
            target = os.readlink(f"/proc/{pid}/fd/{args[0] & 0xFFFFFFFF}")
        except FileNotFoundError:
            return None
        if target.startswith(f"{self.root}/") or target == self.root:
            return self.plain(target)
        inode = re.fullmatch(r"socket:\[(\d+)\]", target)
        if inode is None:
            return None
        if call in ("connect", "bind"):
            return self.peer(self.address(tid, args))
        return self.socket(pid, inode.group(1))

    def path(self, tid, pid, call, args):
        return self.resolve(tid, pid, None, args[0]) if call in ONE_NAME else self.resolve(tid, pid, args[0], args[1])

    def resolve(self, tid, pid, folder, address):
        path = text_at(tid, address)
        if path.startswith("/"):
            return path
        known = folder is not None and folder & 0xFFFFFFFF < 0x80000000
        base = os.readlink(f"/proc/{pid}/fd/{folder}" if known else f"/proc/{pid}/cwd")
        return os.path.normpath(os.path.join(base, path))

    def plain(self, path):
        """Without what is drawn anew in every run."""
        path = os.path.relpath(path, self.root)
        path = re.sub(r"\d{13}-[0-9a-f]{16}", "MESSAGE", path)
        return re.sub(r"(?<![0-9a-z])[0-9a-f]{12,}(?![0-9a-z])", "ID", path)

    def address(self, tid, args):
        raw = memory(tid, args[1], min(args[2], 128))
        family = struct.unpack_from("H", raw)[0]
        if family == 1:
            return raw[2:].split(b"\0")[0].decode("utf8", "replace")
        if family == 2:
            return f"{'.'.join(str(b) for b in raw[4:8])}:{struct.unpack_from('>H', raw, 2)[0]}"
        return f"family {family}"

    def peer(self, address):
        if address.startswith(f"{self.root}/"):
            return self.plain(address)
        return next((name for name, known in self.plan["peers"].items() if known == address), "elsewhere")

    def socket(self, pid, inode):
        with open(f"/proc/{pid}/net/unix", encoding="utf8") as file:
            for line in file:
                words = line.split()
                if len(words) > 6 and words[6] == inode:
                    return self.plain(words[7]) if len(words) > 7 else "channel"
        with open(f"/proc/{pid}/net/tcp", encoding="utf8") as file:
            for line in file:
                words = line.split()
                if len(words) > 9 and words[9] == inode:
                    host, port = words[2].split(":")
                    octets = bytes.fromhex(host)
                    if sys.byteorder == "little":
                        octets = octets[::-1]
                    return self.peer(f"{'.'.join(str(b) for b in octets)}:{int(port, 16)}")
        return None

    def payload(self, tid, call, args):
        """The beginning of what is sent; lines that waited for each other are sent together, each in a part of its own."""
        if call == "writev":
            pairs = struct.unpack("QQ" * min(args[2], 16), memory(tid, args[1], 16 * min(args[2], 16)))
            return "".join(self.text(tid, *pairs[at : at + 2]) for at in range(0, len(pairs), 2))
        if call in ("sendmsg", "sendmmsg"):
            return self.text(tid, *struct.unpack("QQ", memory(tid, struct.unpack("Q", memory(tid, args[1] + 16, 8))[0], 16)))
        return self.text(tid, args[1], args[2])

    @staticmethod
    def text(tid, address, size):
        return memory(tid, address, min(size, 2000)).decode("latin1")


if __name__ == "__main__":
    with open(sys.argv[1], encoding="utf8") as plan_file:
        Tracer(json.load(plan_file)).run()
