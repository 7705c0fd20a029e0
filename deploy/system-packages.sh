#!/usr/bin/env bash
# Install the Debian packages that a target needs: python, run, test, bench, interop, charts or spid. Does nothing where they are.
set -euo pipefail

case "${1:-}" in
  python) checks=("python3-venv:python3 -m ensurepip --version") ;;
  run)    checks=() ;;
  test)   checks=(
            "tesseract-ocr:command -v tesseract"
            "chromium:command -v chromium"
            "fonts-noto-core:fc-list | grep -q NotoNaskhArabic"
            "strace:command -v strace"
            "softhsm2:ls /usr/lib/softhsm/libsofthsm2.so"
            "redis-server:command -v redis-server"
            "postgresql:ls /usr/lib/postgresql/*/bin/initdb"
            "nginx-light:command -v nginx"
            "pgbouncer:command -v pgbouncer"
            "systemd:command -v systemd-analyze"
            "wrk:command -v wrk"
          ) ;;
  bench)  checks=("npm:command -v npm") ;;
  interop) checks=(
            "nodejs:command -v node"
            "npm:command -v npm"
            "apache2:command -v apache2"
            "libapache2-mod-auth-openidc:ls /usr/lib/apache2/modules/mod_auth_openidc.so"
            "simplesamlphp:ls /usr/share/simplesamlphp/www/index.php"
            "php-xml:php -m | grep -qx xml"
            "php-mbstring:php -m | grep -qx mbstring"
          ) ;;
  charts) checks=("npm:command -v npm" "docker-compose:command -v docker-compose") ;;
  spid)   checks=("xmlsec1:command -v xmlsec1") ;;
  *) echo "usage: $0 python|run|test|bench|interop|charts|spid" >&2; exit 2 ;;
esac

missing=()
for check in "${checks[@]}"; do
  bash -c "${check#*:}" >/dev/null 2>&1 || missing+=("${check%%:*}")
done
[ ${#missing[@]} -eq 0 ] && exit 0

as_root=()
if [ "$(id -u)" -ne 0 ]; then
  if command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
    as_root=(sudo -n)
  else
    echo "These Debian packages are needed and this account may not install them:" >&2
    echo "    sudo apt-get install --no-install-recommends ${missing[*]}" >&2
    echo "Run that line, then run make again." >&2
    exit 1
  fi
fi
export DEBIAN_FRONTEND=noninteractive
echo "Installing Debian packages: ${missing[*]}"
"${as_root[@]}" apt-get update -qq
"${as_root[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
