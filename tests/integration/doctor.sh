#!/usr/bin/env bash
# `corolith doctor` finds what is wrong, and says what to do: problems are planted one by one.
source "$(dirname "$0")/library.bash"
corolith=$build/tools/corolith
export HOME=$scratch/home
mkdir -m 700 "$HOME"
planted=0

# found STATE CHECK TEXT [STATUS]: in the output of a `doctor --json`, there is such a finding with a cure
found() {
  planted=$((planted + 1))
  expect_status "${4:-1}" "doctor: $2"
  python3 - "$scratch/out" "$@" <<'END' || fail "doctor does not find it: $2, $3"
import json, re, sys
findings = [json.loads(line) for line in open(sys.argv[1])]
state, check, text = sys.argv[2:5]
sys.exit(not any(each["state"] == state and each["check"] == check and re.search(text, each["text"]) and each["cure"] for each in findings))
END
}
doctor() { run "$corolith" doctor --json "$@"; }
limited() { (ulimit "$1" "$2" && shift 2 && doctor "$@" && exit "$status"); status=$?; }

# Where nothing is wrong, it says so. What it has no rights to is planted in none of the following either.
run "$corolith" doctor --slots 2
expect_status 0 "doctor"
expect_out '^ok +io_uring|^warning +io_uring' "doctor"
expect_out '^ok +cache folder' "doctor"
doctor --slots 2
python3 -c "
import json
findings = [json.loads(line) for line in open('$scratch/out')]
assert len(findings) >= 10 and not any(each['state'] == 'problem' for each in findings), findings
assert all((each['cure'] is None) == (each['state'] in ('ok', 'note')) for each in findings), findings" || fail "doctor --json is not as it should be"

# Settings.
run env COROLITH_AGENTS=none "$corolith" doctor --json
found problem settings "COROLITH_AGENTS: 'none'"

# Limits of the shell.
limited -n 64 --slots 2
found problem descriptors '64 files'
if [ "$(id -u)" = 0 ]; then  # whom the limit does not keep from starting the program
  limited -u 40 --slots 2
  found problem processes '40 processes'
fi
limited -l 64 --slots 2
found warning memlock 'only 64 KiB' 0

# io_uring: turned off, and refused by the kernel.
run env COROLITH_IO=poll "$corolith" doctor --json --slots 2
found warning io_uring COROLITH_IO=poll 0
cat >"$scratch/refuse.py" <<'END'
# Runs a program without io_uring_setup, as the seccomp profiles of containers do.
import ctypes, os, struct, sys
EPERM, NR = 1, 425
def stmt(code, k): return struct.pack("HBBI", code, 0, 0, k)
def jump(code, k, yes, no): return struct.pack("HBBI", code, yes, no, k)
program = stmt(0x20, 0) + jump(0x15, NR, 0, 1) + stmt(0x06, 0x00050000 | EPERM) + stmt(0x06, 0x7fff0000)
code = ctypes.create_string_buffer(program, len(program))
class fprog(ctypes.Structure): _fields_ = [("len", ctypes.c_ushort), ("filter", ctypes.c_void_p)]
libc = ctypes.CDLL(None, use_errno=True)
assert libc.prctl(38, 1, 0, 0, 0) == 0
assert libc.prctl(22, 2, ctypes.byref(fprog(len(program) // 8, ctypes.cast(code, ctypes.c_void_p)))) == 0
os.execv(sys.argv[1], sys.argv[1:])
END
run python3 "$scratch/refuse.py" "$corolith" doctor --json --slots 2
found warning io_uring 'kernel refuses it' 0

# Folders: no folder at all, open to others, of a wrong mode, full.
: >"$scratch/file"
doctor --cache-folder "$scratch/file/cache"
found problem "cache folder" 'is no folder'
mkdir -m 755 "$scratch/cache"
doctor --cache-folder "$scratch/cache"
found problem "cache folder" 'mode 0700'
doctor --store /proc/none
found problem store 'no file can be made in /proc'
mkdir "$scratch/small" "$scratch/mounted"
unmount() {
  umount "$scratch/small" 2>/dev/null
  finish
}
trap unmount EXIT
if mount -t tmpfs -o size=1m,mode=700 corolith-test "$scratch/small" 2>/dev/null; then
  doctor --cache-folder "$scratch/small/cache"
  found problem "cache folder" 'has room for .* only'
  temporary=$scratch/small
  doctor
  temporary=$scratch/temporary
  found problem "temporary folder" 'has room for .* only'
else
  echo "no file system can be mounted here, so none is full"
fi

# Ports and addresses.
python3 -c "
import socket, sys, time
held = []
for first in range(41000, 60000, 7):
    try:
        held = []
        for port in range(first, first + 3):
            s = socket.socket(); s.bind(('0.0.0.0', port)); s.listen(1); held.append(s)
        break
    except OSError: pass
print(f'{first}-{first + 2}', flush=True)
time.sleep(600)" >"$scratch/ports" &
holder=$!
until_true "ports that are held" test -s "$scratch/ports"
doctor --ports "$(cat "$scratch/ports")"
found problem ports 'none of the ports'
kill $holder
doctor --interface corolith9
found problem interface 'corolith9'
doctor --listen tcp:192.0.2.1:0
found problem listen '192.0.2.1'

# Slurm: no commands, a controller that is away, no such partition, no node, and the folder that nodes share.
mkdir "$scratch/slurm" "$scratch/none"
run env PATH="$scratch/none" "$corolith" doctor --json --launcher slurm
found problem "slurm commands" 'sbatch, srun, squeue, scancel'
for name in sbatch srun scancel; do printf '#!/bin/sh\n' >"$scratch/slurm/$name"; done
printf '#!/bin/sh\necho "slurm_load_jobs error: Unable to contact slurm controller (connect failure)" >&2; exit 1\n' >"$scratch/slurm/squeue"
chmod +x "$scratch/slurm/"*
slurm_doctor() { run env PATH="$scratch/slurm:$PATH" "$corolith" doctor --json --launcher slurm "$@"; }
slurm_doctor
found problem slurm 'Unable to contact slurm controller'
printf '#!/bin/sh\n' >"$scratch/slurm/squeue"
printf '#!/bin/sh\necho "gp*|up|idle|n1|127.0.0.1"\necho "gpu|up|down*|n2|127.0.0.1"\n' >"$scratch/slurm/sinfo"
chmod +x "$scratch/slurm/"*
slurm_doctor --partition tiny
found problem partition "no partition 'tiny': Slurm has gp, gpu"
slurm_doctor --partition gpu
found problem nodes 'no node is up'
mkdir -m 777 "$scratch/shared"
chmod 777 "$scratch/shared"
slurm_doctor --shared-folder "$scratch/shared"
found problem secret 'others may write'
slurm_doctor --shared-folder "$scratch/file/shared"
found problem "shared folder" 'is no folder'
run env -u HOME PATH="$scratch/slurm:$PATH" "$corolith" doctor --json --launcher slurm
found problem "shared folder" 'HOME is not set'

# A clock that is an hour ahead of that of the file system.
cat >"$scratch/clock.c" <<'END'
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
int clock_gettime(clockid_t which, struct timespec* now) {
  int result = (int)syscall(SYS_clock_gettime, which, now);
  if (which == CLOCK_REALTIME) now->tv_sec += 3600;
  return result;
}
END
compiler=$(command -v cc || command -v gcc || command -v g++ || command -v clang-19)
if [ -n "$compiler" ] && ! grep -qs 'COROLITH_SANITIZE:STRING=.' "$build/CMakeCache.txt" &&
  "$compiler" -xc -shared -fPIC -o "$scratch/clock.so" "$scratch/clock.c" 2>/dev/null; then
  run env LD_PRELOAD="$scratch/clock.so" "$corolith" doctor --json --slots 2
  found warning clock '3600.* s ahead' 0
fi

echo "$planted planted problems"
[ $planted -ge 10 ] || fail "only $planted problems were planted"
done_testing
