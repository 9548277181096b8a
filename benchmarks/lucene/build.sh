#!/usr/bin/env bash
# Compile Lucene Monitor and the peer that benchmarks/matching.py runs, into the directory that is named.
# Debian has Lucene's jars but not that of Monitor, whose source is in its source package.
set -euo pipefail
target=$(realpath -m "$1")
here=$(cd "$(dirname "$0")" && pwd)
install() { apt-get -o DPkg::Lock::Timeout=300 install -y -qq --no-install-recommends "$@"; }
if ! command -v javac >/dev/null || [ -z "$(ls /usr/share/java/lucene-core-8.*.jar 2>/dev/null)" ]; then
  apt-get -o DPkg::Lock::Timeout=300 update -qq
  command -v javac >/dev/null || install default-jdk-headless
  install liblucene8-java dpkg-dev xz-utils
fi
jars=$(ls /usr/share/java/lucene-{core,memory,queries,analyzers-common,queryparser,highlighter,sandbox}-8.*.jar | paste -sd:)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
mkdir -p "$scratch/lists/partial" "$target"
# The machine's own sources of packages, of which the source packages are asked.
sed 's/^Types:.*/Types: deb-src/' /etc/apt/sources.list.d/*.sources > "$scratch/deb.sources" 2>/dev/null || true
sed -n 's/^deb /deb-src /p' /etc/apt/sources.list > "$scratch/deb.list" 2>/dev/null || true
[ -s "$scratch/deb.list" ] && list="$scratch/deb.list" || list="$scratch/deb.sources"
options=(-qq -o "Dir::Etc::sourcelist=$list" -o Dir::Etc::sourceparts=/dev/null -o "Dir::State::lists=$scratch/lists" -o APT::Sandbox::User=root)
apt-get "${options[@]}" update || true  # a list that is no Debian's may have no sources
(cd "$scratch" && apt-get "${options[@]}" source --download-only --tar-only lucene8)
tar -C "$scratch" -xf "$scratch"/lucene8_*.orig.tar.xz --wildcards '*/monitor/src/java/*'
find "$scratch" -path '*/monitor/src/java/*' -name '*.java' > "$scratch/files"
javac -nowarn -encoding UTF-8 -d "$target" -cp "$jars" @"$scratch/files" "$here/MonitorPeer.java"
echo "$target:$jars" > "$target/classpath"
