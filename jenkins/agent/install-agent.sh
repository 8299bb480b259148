#!/bin/bash
# Makes a Debian machine an agent of the Jenkins that jenkins/casc configures: the pinned program, a user, a service.
# Run it again with another wheel to update the program. See docs/how-to/run-in-jenkins.md.
set -euo pipefail

readonly HOME_FOLDER=/var/lib/practicum-agent
readonly PROGRAM=/opt/practicum
readonly SETTINGS=/etc/practicum

fail() {
  printf 'install-agent.sh: %s\n' "$1" >&2
  exit "$2"
}

usage() {
  fail "usage: install-agent.sh [--lxd] practicum-VERSION-py3-none-any.whl   (--lxd: for dev and prod)" 2
}

lxd=0
if [[ ${1:-} == --lxd ]]; then
  lxd=1
  shift
fi
(($# == 1)) || usage
readonly wheel=$1
[[ $(basename "$wheel") =~ ^practicum-[0-9][0-9A-Za-z.+!]*-py3-none-any\.whl$ && -f $wheel ]] ||
  fail "$wheel is no wheel of Practicum" 2
((EUID == 0)) || fail "run it as root" 77

java=$(java -version 2>&1 | sed -n 's/.*version "\([0-9]*\).*/\1/p' || true)
((${java:-0} >= 21)) || fail "Jenkins needs Java 21 or later here; this machine has ${java:-none}" 69

DEBIAN_FRONTEND=noninteractive apt-get install --yes -qq --no-install-recommends git python3-venv >/dev/null
id practicum-agent >/dev/null 2>&1 ||
  useradd --system --home-dir "$HOME_FOLDER" --create-home --shell /usr/sbin/nologin practicum-agent
if ((lxd)); then
  usermod --append --groups lxd practicum-agent
fi

# A new program takes the place of the old one at once; a build that runs keeps what it has loaded.
python3 -m venv --clear "$PROGRAM.new"
"$PROGRAM.new/bin/pip" install --quiet --disable-pip-version-check "practicum[all] @ file://$(realpath "$wheel")"
rm -rf "$PROGRAM.old"
[[ ! -e $PROGRAM ]] || mv "$PROGRAM" "$PROGRAM.old"
mv "$PROGRAM.new" "$PROGRAM"
# The scripts of a virtual environment name the folder that it was made in.
sed -i "1s|^#!$PROGRAM.new/|#!$PROGRAM/|" "$PROGRAM/bin/practicum"
ln -sf "$PROGRAM/bin/practicum" /usr/local/bin/practicum

install -d -m 0750 -o root -g practicum-agent "$SETTINGS"
[[ -e $SETTINGS/agent.env ]] || install -m 0640 -o root -g practicum-agent /dev/stdin "$SETTINGS/agent.env" <<'END'
JENKINS_URL=
AGENT_NAME=
END
cat >/etc/systemd/system/practicum-agent.service <<END
[Unit]
Description=Jenkins agent that runs Practicum
After=network-online.target
Wants=network-online.target

[Service]
User=practicum-agent
EnvironmentFile=$SETTINGS/agent.env
ExecStart=/usr/bin/java -jar $HOME_FOLDER/agent.jar -url \${JENKINS_URL} -name \${AGENT_NAME} -secret @$SETTINGS/agent.secret -webSocket -workDir $HOME_FOLDER
Restart=always
RestartSec=10

[Install]
WantedBy=multi-user.target
END
systemctl daemon-reload
/usr/local/bin/practicum --version
