"""A million users with a state each: memory of the frontend, and what a user's first query costs after a restart.

The states are made as applications make them: by feedback with a `uid`, in batches. Then the frontend is ended and
started again with the same store. Users drawn at random ask twice in a row: the first query has to read the user's
state, the second finds it in memory. Other users do the same after the operating system has been told to forget what
it has cached of the store's file.
"""

import os
import random
import tempfile
import time
from pathlib import Path

from client import Connection, InOrder, quantile
from results import arguments, table, write_json
from serving import BIN, Failure, Frontend, processes

APPLICATION = "learning"
MODELS = ["sum", "other-sum"]


def serve(frontend):
    for model in MODELS:
        frontend.register_model(model, caches=True)
    frontend.register_application(APPLICATION, *MODELS, policy="exp3")


def create(frontend, chosen):
    """One feedback for each user; a third of them found the answer wrong. Seconds that it took."""
    asker = InOrder(frontend.query, chosen.connections)

    def tell(connection, index):
        users = range(index * chosen.batch, min((index + 1) * chosen.batch, chosen.users))
        # A few inputs, so that the answers come from the cache and not the models are measured.
        connection.update(
            APPLICATION, [{"uid": user, "input": [user % 10], "label": user % 10 + (user % 3 == 0)} for user in users]
        )

    begin = time.monotonic()
    asker.run(range(-(-chosen.users // chosen.batch)), tell)
    asker.close()
    return time.monotonic() - begin


def own_state(frontend, user):
    """What a user's state is; there has to be one."""
    answer = frontend.state(APPLICATION, user)
    if not answer["is_own"]:
        raise Failure(f"user {user} has no state: {answer}")
    return answer["state"]


def ask_twice(frontend, users):
    """Latencies in milliseconds of these users' first and second queries, one at a time."""
    connection = Connection(frontend.query)
    # Warms up the connection, and the cache of predictions.
    for _ in range(200):
        connection.predict(APPLICATION, [3])
    latencies = [[], []]
    for user in users:
        for measured in latencies:
            begin = time.monotonic()
            answer = connection.predict(APPLICATION, [3], user)
            measured.append(1000 * (time.monotonic() - begin))
            if answer["default"]:
                raise Failure(f"user {user} got the default: {answer}")
    connection.close()
    return latencies


def forget_file(path):
    """Lets the operating system drop what it has cached of a file, as far as it is written."""
    for name in path.parent.glob(path.name + "*"):
        with open(name, "rb") as file:
            os.fsync(file.fileno())
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def measure(chosen):
    found = {}
    with processes() as started, tempfile.TemporaryDirectory(prefix="selection-", dir=chosen.store or None) as folder:
        store = Path(folder) / "clipper.sqlite"
        frontend = Frontend(started, store=store)
        serve(frontend)
        for model in MODELS:
            frontend.container(BIN / "sum-container", name=model)
        frontend.await_replicas(len(MODELS))
        print(f"At the start: {frontend.memory()[0]:.1f} MiB resident", flush=True)
        found["seconds"] = create(frontend, chosen)
        found["created"] = frontend.memory()
        drawn = random.Random(chosen.seed).sample(range(chosen.users), 2 * chosen.asked + chosen.touched)
        samples = {user: own_state(frontend, user) for user in drawn[:20]}
        found["store_mib"] = sum(path.stat().st_size for path in Path(folder).iterdir()) / 2**20
        print(f"{chosen.users:,} users in {found['seconds']:.0f} s: {chosen.users / found['seconds']:,.0f} feedbacks/s,"
              f" in batches of {chosen.batch}; {found['created'][0]:.1f} MiB resident, at most"
              f" {found['created'][1]:.1f}; the store has {found['store_mib']:.0f} MiB", flush=True)  # fmt: skip
        ports = frontend.ports
        frontend.end()
        frontend = Frontend(started, store=store, ports=ports)
        frontend.await_replicas(len(MODELS))
        if {user: own_state(frontend, user) for user in samples} != samples:
            raise Failure("users' states are others after the restart")
        found["restarted"] = frontend.memory()
        found["warm"] = ask_twice(frontend, drawn[20 : chosen.asked])
        forget_file(store)
        found["cold"] = ask_twice(frontend, drawn[chosen.asked : 2 * chosen.asked])
        touch = InOrder(frontend.query, chosen.connections)
        others = drawn[2 * chosen.asked :]
        touch.run(range(len(others)), lambda connection, index: connection.predict(APPLICATION, [3], others[index]))
        touch.close()
        found["touched"] = frontend.memory()
    return found


def report(chosen, found):
    rows = []
    for name, (first, second) in (("in the system's file cache", found["warm"]), ("on the disk", found["cold"])):
        more = [a - b for a, b in zip(first, second)]
        cells = [f"{quantile(values, share):.2f}" for values in (first, second, more) for share in (0.5, 0.99)]
        rows.append([name, *cells, f"{max(more):.2f}", len(first)])
    table(
        ["after a restart, the state", "first query, p50 ms", "p99", "second, p50 ms", "p99", "difference, p50 ms",
         "p99", "most", "users"], rows,
    )  # fmt: skip
    touched = 2 * chosen.asked + chosen.touched
    print(f"Resident: {found['restarted'][0]:.1f} MiB after the restart, {found['touched'][0]:.1f} MiB after queries of"
          f" {touched:,} users, at most {found['touched'][1]:.1f}.")  # fmt: skip
    return {
        "users": chosen.users, "feedbacks_per_second": chosen.users / found["seconds"], "store_mib": found["store_mib"],
        "resident_mib": {key: found[key] for key in ("created", "restarted", "touched")},
        "latency_ms": {
            key: {
                name: {"p50": quantile(values, 0.5), "p99": quantile(values, 0.99), "most": max(values)}
                for name, values in zip(("first", "second"), found[key])
            }
            for key in ("warm", "cold")
        },
    }  # fmt: skip


def main():
    chosen = arguments(
        __doc__, users=(1_000_000, "users"), batch=(1000, "feedbacks in a batch"),
        connections=(4, "batches, or queries, under way at a time"),
        asked=(2000, "users whose latency is measured, each way"),
        touched=(100_000, "other users who ask once, for the memory"),
        store=("", "a folder on the disk that the store is to be on; the system's for temporary files if empty"),
    )  # fmt: skip
    write_json(chosen.results / "users.json", report(chosen, measure(chosen)))


if __name__ == "__main__":
    main()
