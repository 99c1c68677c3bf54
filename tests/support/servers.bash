# SPDX-License-Identifier: Apache-2.0
# What the scripts that start real servers share (ceph_rgw, swift_s3): source it with the script's name in $server. They set:
#   make            writes the configuration of a new server into $folder
#   up              starts the processes, by `daemon`; may be called again if it fails
#   answers         whether it can be used
#   environment     prints NAME=VALUE lines for those who use it
# and end with: servers_main "$@"
set -uo pipefail
PATH=$PATH:/usr/sbin:/sbin
export LC_ALL=C
support=$(realpath "$(dirname "${BASH_SOURCE[0]}")")
unset http_proxy HTTP_PROXY CURL_CA_BUNDLE

say() { echo "$server: $*" >&2; }
die() { say "$*"; exit 1; }
needs() {
  local command
  for command in "$@"; do command -v "$command" >/dev/null || { say "there is no $command ($group installs it)"; exit 77; }; done
}

# --- processes: $folder/pid/NAME holds the id and the start time of each, so that an id that is used again is not taken for ours ----------
start_time() { sed 's/.*) //' "/proc/$1/stat" 2>/dev/null | cut -d' ' -f20; }
pid_of() {
  local pid began
  read -r pid began 2>/dev/null <"$folder/pid/$1" && [ -n "$began" ] && [ "$(start_time "$pid")" = "$began" ] && echo "$pid"
}
running() { local pid; pid=$(pid_of "$1") && ! grep -qs '^State:	Z' "/proc/$pid/status"; }
stopped() { ! running "$1"; }
# daemon NAME COMMAND…: in the background; started by `run` it dies with this script, whatever ends that
daemon() {
  local name=$1 dies=()
  shift
  [ -z "$owned" ] || dies=(setpriv --pdeathsig KILL)
  "${dies[@]}" setsid "$@" >>"$folder/log/$name.out" 2>&1 </dev/null &
  disown $!  # nobody waits for it, so its end is no news
  echo "$! $(start_time $!)" >"$folder/pid/$name"
}
# Nothing of these servers outlives the test, so they need not end in order. Each leads a session: its children go with it.
end() {
  local pid
  if pid=$(pid_of "$1"); then
    kill -KILL -- "-$pid" 2>/dev/null || kill -KILL "$pid" 2>/dev/null
    until_true 50 stopped "$1" || say "$1 does not end"
  fi
  rm -f "$folder/pid/$1"
}
end_all() {
  local file
  for file in "$folder"/pid/*; do [ -e "$file" ] && end "${file##*/}"; done
}

# until_true TENTHS COMMAND…
until_true() {
  local left=$1
  shift
  until "$@"; do
    [ $((left -= 1)) -ge 0 ] || return 1
    sleep 0.1
  done
}

# --- addresses -----------------------------------------------------------------------------------------------------------------------------
# A port of 127.0.0.1 that nobody listens at, below those that the kernel gives away.
free_port() {
  local port
  while :; do
    port=$((20000 + RANDOM % 12000))
    (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || { echo $port; return; }
  done
}
# A loopback address that no other server is likely to use, for what only the server itself connects to.
own_address() { echo "127.$((1 + RANDOM % 254)).$((RANDOM % 256)).$((1 + RANDOM % 254))"; }

# --- certificates: an authority of the test's own, and what it signed ---------------------------------------------------------------------
# certificates FOLDER: ca.pem; server.pem with server.key for localhost, virtual-host.localhost (OpenSSL takes no *.localhost) and 127.0.0.1; expired.pem with the same key
certificates() {
  local to=$1 name days
  mkdir -p "$to"
  {
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj "/CN=corolith test authority" \
      -addext "basicConstraints=critical,CA:TRUE" -addext "keyUsage=critical,keyCertSign,cRLSign" -keyout "$to/ca.key" -out "$to/ca.pem" &&
      openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=localhost" -keyout "$to/server.key" -out "$to/server.csr" &&
      printf '%s\n' "subjectAltName=DNS:localhost,DNS:virtual-host.localhost,IP:127.0.0.1,IP:::1" "basicConstraints=CA:FALSE" \
        "extendedKeyUsage=serverAuth" >"$to/server.ext" || return
    for name in server:30 expired:-1; do
      days=${name#*:} name=${name%:*}
      openssl x509 -req -in "$to/server.csr" -CA "$to/ca.pem" -CAkey "$to/ca.key" -CAcreateserial -days "$days" \
        -extfile "$to/server.ext" -out "$to/$name.pem" || return
    done
  } 2>"$to/log" || die "openssl makes no certificates: $(cat "$to/log")"
}

# --- verbs ---------------------------------------------------------------------------------------------------------------------------------
logs() { tail -n 8 "$folder"/log/* >&2; }
start() {
  local setting attempt
  for setting in "$@"; do
    case " $settings " in *" ${setting%%=*} "*) declare -g "${setting?}" ;; *) die "what is '$setting'? There are: $settings" ;; esac
  done
  ! [ -e "$folder/pid" ] || die "there is one in $folder"
  mkdir -p "$folder"/{pid,log} || die "it cannot be in $folder"
  folder=$(realpath "$folder")
  make || { logs; die "it cannot be configured"; }
  for attempt in 1 2 3; do  # a port may be taken between the look and the start
    up && until_true 300 settled && answers && { environment | tee "$folder/environment"; return; }
  done
  logs
  stop
  die "it does not start"
}
# Ready, or not to become so.
settled() {
  local file
  for file in "$folder"/pid/*; do running "${file##*/}" || return 0; done
  answers
}
stop() {
  end_all
  rm -rf "$folder"
}
run() {
  local line command given=()
  while [ $# -gt 0 ] && [[ $1 =~ ^[a-z]+= ]]; do given+=("$1"); shift; done
  [ $# -gt 0 ] || die "run what?"
  folder=$(mktemp -d) owned=yes
  trap stop EXIT
  trap 'exit 143' TERM
  start "${given[@]}" >/dev/null || exit 1
  while IFS= read -r line; do export "${line?}"; done <"$folder/environment"
  # In the background, so that a signal ends this script at once; and it ends with this script, as the servers do.
  setpriv --pdeathsig TERM "$@" <&0 &
  command=$!
  trap 'kill -TERM $command 2>/dev/null; exit 143' TERM
  wait $command
}

servers_main() {
  owned=
  case "${1:-}:${2:-}" in
    run:*) shift && run "$@" ;;
    *:start) folder=$1 && start "${@:3}" ;;
    *:stop)
      folder=$(realpath "$1")
      [ -d "$folder/pid" ] || die "there is none in $1"
      stop ;;
    *:environment) cat "$1/environment" ;;
    *) sed -n '3,/^[^#]/s/^# \{0,1\}//p' "$0"; exit 2 ;;
  esac
}
