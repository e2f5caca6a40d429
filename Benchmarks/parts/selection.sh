# Sourced by ../run: what docs/selection.md shows. The experiments are programs of their own, in ../selection.

# selection_python: a virtual environment with what they need; the path of its Python is in `python`.
selection_python() {
    local venv=$root/.build/venv
    python=$venv/bin/python
    if [[ ! -x $python ]]; then
        python3 -c 'import ensurepip, venv' >/dev/null 2>&1 || install_packages python3 python3-venv
        python3 -m venv "$venv"
    fi
    "$python" -m pip install --quiet --disable-pip-version-check -r "$here/selection/requirements.txt" >&2
}

# experiment NAME [OPTION…]: one of them, with the folders that were given.
experiment() {
    local name=$1
    shift
    CLIPPER_BIN_DIR=$clipper "$python" -W ignore "$here/selection/$name.py" --results "$results/selection" \
        --plots "$plots" "$@"
}

selection() {
    local python
    selection_python
    echo
    echo "## Selection: the best of five classifiers is degraded and mended"
    echo
    experiment recovery
    echo
    echo "## Selection: a state for each user against one for all"
    echo
    experiment personalisation
    echo
    echo "## Selection: ensembles with stragglers"
    echo
    experiment stragglers
    echo
    echo "## Selection: what it costs"
    echo
    experiment cost --runs "$runs" --seconds "$seconds" --connections "$connections"
    echo
    echo "## Selection: a million users"
    echo
    experiment users
}
