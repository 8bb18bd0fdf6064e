# shellcheck shell=bash
# Sourced by the proofs: which build of the program they are about.

# The named one, or the newer of the release and the debug build.
find_program() {
    local target=${CARGO_TARGET_DIR:-target} candidate found=${1:-}
    if [[ -z $found ]]; then
        for candidate in "$target/release/accelbench" "$target/debug/accelbench"; do
            [[ ! -x $candidate || (-n $found && $found -nt $candidate) ]] || found=$candidate
        done
    fi
    [[ -n $found ]] && realpath "$found" && return
    echo "there is no accelbench in $target; build it first: cargo build -p accelbench" >&2
    return 1
}
