#!/usr/bin/env bash
# run_data.sh ROOT: `./run data airfoil` against a server on this machine, by each program that can fetch. The script is run as a
# copy, in a folder of its own. Where CAPSTAN_DATA leads to the real table that is what is served; else the copy wants another.
set -euo pipefail
root=$(cd "$1" && pwd)
work=$(mktemp -d)
server=
trap '[[ -z $server ]] || kill "$server"; rm -rf "$work"' EXIT
export no_proxy=127.0.0.1 NO_PROXY=127.0.0.1
unset CAPSTAN_AIRFOIL_URL

fail() {
  echo "run_data: $*" >&2
  exit 1
}

mkdir "$work/served" "$work/clone"
cp "$root/run" "$work/clone/run"
table=${CAPSTAN_DATA-}/airfoil_self_noise.dat
if [[ -f $table ]]; then
  cp "$table" "$work/served/good"
else
  printf '800\t0\t0.3048\r\n' >"$work/served/good"
  sed -i "s/sha1=[0-9a-f]*/sha1=$(sha1sum "$work/served/good" | cut -d ' ' -f 1)/" "$work/clone/run"
fi
echo "<html>please sign in</html>" >"$work/served/other"
: >"$work/server"
python3 -u -m http.server 0 --bind 127.0.0.1 --directory "$work/served" >"$work/server" 2>&1 &
server=$!
for _ in {1..100}; do
  port=$(sed -nE 's/^Serving HTTP on .* port ([0-9]+) .*/\1/p' "$work/server")
  [[ -z $port ]] || break
  sleep 0.1
done
[[ -n $port ]] || fail "the server does not start: $(cat "$work/server")"

# fetch EXPECTED_CODE URL: the copy's exit code and texts, without programs but the one to fetch with.
fetch() {
  local code=0
  (cd "$work/clone" && PATH=$work/bin CAPSTAN_AIRFOIL_URL=$2 ./run data airfoil) >"$work/out" 2>&1 || code=$?
  [[ $code == "$1" ]] || fail "by $program, $2: exit code $code, and not $1: $(cat "$work/out")"
}
says() { grep -qF -- "$1" "$work/out" || fail "by $program it does not say \"$1\": $(cat "$work/out")"; }
left() { ls "$work/clone/build/data"; }

tried=0
for program in curl wget python3; do
  path=$(type -P "$program") || continue
  rm -rf "${work:?}/bin" "$work/clone/build"
  mkdir "$work/bin"
  for tool in bash env cat cut dirname mkdir mv rm sha1sum nproc getconf; do
    ! tool_path=$(type -P "$tool") || ln -s "$tool_path" "$work/bin/$tool"
  done
  printf '#!/bin/sh\nPATH=%s exec %s "$@"\n' "'$PATH'" "'$path'" >"$work/bin/$program"  # a version manager's wants its PATH
  ln -s "$(type -P sh)" "$work/bin/sh"
  chmod +x "$work/bin/$program"

  fetch 1 "http://127.0.0.1:$port/none"
  says "run: data: http://127.0.0.1:$port/none cannot be fetched"
  says "./run example airfoil --data synthetic"
  fetch 1 "http://127.0.0.1:1/good"  # where nobody listens, as without a network
  says "$work/clone/build/data/airfoil_self_noise.dat"
  fetch 1 "http://127.0.0.1:$port/other"
  says "is another file: SHA-1 $(sha1sum "$work/served/other" | cut -d ' ' -f 1) instead of"
  [[ -z $(left) ]] || fail "by $program this was left: $(left)"
  fetch 0 "http://127.0.0.1:$port/good"
  cmp "$work/served/good" "$work/clone/build/data/airfoil_self_noise.dat"
  fetch 0 "http://127.0.0.1:1/good"  # nothing to do
  says "is there"
  echo spoilt >"$work/clone/build/data/airfoil_self_noise.dat"
  fetch 0 "http://127.0.0.1:$port/good"
  cmp "$work/served/good" "$work/clone/build/data/airfoil_self_noise.dat"
  [[ $(left) == airfoil_self_noise.dat ]] || fail "by $program this was left: $(left)"
  tried=$((tried + 1))
done
((tried > 0)) || fail "no program that can fetch"
(cd "$work/clone" && ./run data iris) >"$work/out" 2>&1 && fail "there is no table iris"
grep -qF 'run: data: there is no table "iris"; there are: airfoil flights' "$work/out" || fail "$(cat "$work/out")"
echo "fetched by $tried programs"
