# Sourced by ./demo, ./test and others: checks for the toolchain, installs what is missing, and speaks to the reader.

say() { printf '\n\033[1m==> %s\033[0m\n' "$*" >&2; }

fail() {
    printf '\nerror: %s\n' "$*" >&2
    exit 1
}

# Says what is left out, as it could not be set up; where everything has to run (CLIPPER_REQUIRE_ALL is set), that is a failure.
skip() {
    [ -z "${CLIPPER_REQUIRE_ALL:-}" ] || fail "$*"
    say "SKIPPED: $*"
}

# Installs those of the named Debian or Ubuntu packages that are missing, as root or through sudo.
install_packages() {
    command -v dpkg-query >/dev/null 2>&1 || {
        say "No dpkg here: make sure that the equivalents of these packages are installed: $*"
        return 0
    }
    local missing=() package
    for package in "$@"; do
        dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
    done
    [ ${#missing[@]} -eq 0 ] && return 0
    local root=()
    if [ "$(id -u)" -ne 0 ]; then
        command -v sudo >/dev/null 2>&1 ||
            fail "these packages are missing, and installing them needs root or sudo: apt-get install ${missing[*]}"
        root=(sudo)
    fi
    say "Installing packages: ${missing[*]}"
    "${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get update -qq >&2 ||
        fail "apt-get update failed (see above): are the package sources reachable?"
    "${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >&2 ||
        fail "apt-get install failed (see above): install ${missing[*]} by hand and start again"
}

# Everything that the package needs to build: a Swift toolchain must be there, libraries are installed.
set_up() {
    command -v swift >/dev/null 2>&1 ||
        fail "no 'swift' on the PATH: install a Swift 6.2 toolchain or later from swift.org, then start again"
    local said version
    said=$(swift --version 2>&1) || fail "swift does not run: $said"
    version=$(sed -n 's/.*Swift version \([0-9]*\.[0-9]*\).*/\1/p' <<<"$said" | head -n 1)
    case "$version" in
        [0-5].* | 6.0 | 6.1) fail "Swift $version is too old: 6.2 or later is needed" ;;
    esac
    install_packages git g++ libzmq3-dev libsimdjson-dev libsqlite3-dev
}
