"""Two groups of users, one of which sends transposed images; one model is good at each. A state for each user against
one for all.

A logistic regression has learned from the handwritten digits, another from the same digits with rows and columns
exchanged. Of 40 users every other one sends transposed images. All take turns; each query is asked twice of each
policy: of an application that is told who the user is (`uid` with predict; the feedback names the query), and of one
that is not. Right after an answer its query is told the label. Eight queries are under way at a time, never two of
one user. Policies have the parameters that they have by default.
"""

import threading

import numpy as np

from client import InOrder
from digits import parts, transposed
from plot import Line, Panel, write
from results import arguments, table, write_csv, write_json
from serving import Frontend, processes

MODELS = ["upright", "transposed"]
POLICIES = ["exp3", "exp4", "thompson", "epsilonGreedy", "ucb1"]
CHECKPOINTS = [5, 10, 20, 50, 100, 200]
WINDOW = 10
"""Rounds over which the plotted error is averaged."""


def serve(frontend):
    for model in MODELS:
        frontend.register_model(model)
        flags = ("--transposed",) if model == "transposed" else ()
        frontend.python("classifier.py", "--kind", "logistic", *flags, name=model)
    for policy in POLICIES:
        for way in ("own", "shared"):
            frontend.register_application(f"{policy}-{way}", *MODELS, policy=policy)
    frontend.await_replicas(len(MODELS))


def favourite(state):
    """The model that has the greatest weight in a state."""
    return max(state["models"], key=lambda model: model["weight"])["model"]


def settled_share(frontend, policy, users):
    """The share of the users in whose state the model of their group weighs most."""
    right = [favourite(frontend.state(f"{policy}-own", user)) == MODELS[user % 2] for user in range(users)]
    return sum(right) / users


def measure(chosen):
    _, images, _, labels = parts()
    texts = [[str(image.tolist()) for image in group] for group in (images, transposed(images))]
    drawn = np.random.default_rng(chosen.seed)
    order = drawn.permutation(chosen.users)
    digits = drawn.integers(0, len(images), (chosen.rounds, chosen.users))
    wrong = {(policy, way): np.zeros(digits.shape, dtype=bool) for policy in POLICIES for way in ("own", "shared")}
    defaults, lock = [0], threading.Lock()
    settled = {policy: {} for policy in POLICIES}
    with processes() as started:
        frontend = Frontend(started)
        serve(frontend)
        asker = InOrder(frontend.query, min(chosen.window, chosen.users))

        def ask(connection, index):
            user = int(order[index % chosen.users])
            digit = digits[index // chosen.users, user]
            for policy, way in wrong:
                application = f"{policy}-{way}"
                uid = user if way == "own" else None
                answer = connection.predict(application, texts[user % 2][digit], uid)
                wrong[policy, way][index // chosen.users, user] = answer["output"] != labels[digit]
                if answer["default"]:
                    with lock:
                        defaults[0] += 1
                else:
                    connection.tell(application, answer["query_id"], int(labels[digit]))

        done = 0
        for checkpoint in [point for point in CHECKPOINTS if point < chosen.rounds] + [chosen.rounds]:
            asker.run(range(done * chosen.users, checkpoint * chosen.users), ask)
            done = checkpoint
            for policy in POLICIES:
                settled[policy][checkpoint] = settled_share(frontend, policy, chosen.users)
        asker.close()
    return wrong, settled, defaults[0]


def report(chosen, wrong, settled, defaults):
    last = slice(chosen.rounds * 3 // 4, chosen.rounds)
    rows, figures = [], {}
    for policy in POLICIES:
        own, shared = wrong[policy, "own"], wrong[policy, "shared"]
        final = own[last].mean(), shared[last].mean()
        at_50 = settled[policy].get(50, settled[policy][chosen.rounds])
        kept = at_50 == 1 and final[0] < final[1] / 2
        rows.append([
            policy, f"{own[:10].mean():.3f}", f"{shared[:10].mean():.3f}", f"{final[0]:.4f}", f"{final[1]:.4f}",
            f"{final[0] / final[1]:.2f}", f"{own.mean():.4f}", f"{shared.mean():.4f}", "kept" if kept else "NOT KEPT",
        ])  # fmt: skip
        figures[policy] = {"final_own": final[0], "final_shared": final[1], "settled": settled[policy]}
    print(f"{chosen.users} users, {chosen.rounds} queries with feedback each; answered with the default: {defaults}.")
    print(f"Errors of the first 10 queries of each user, of the last {last.stop - last.start}, and of all.")
    print("Kept: after 50 feedbacks all users' states give the right model the greatest weight, and the errors of the")
    print(
        "last queries are less than half. ucb1 gives all weight to the model that it would ask next, also to explore."
    )
    table(
        ["policy", "first, own state", "one for all", "last, own state", "one for all", "ratio", "all, own state",
         "one for all", "criterion"], rows,
    )  # fmt: skip
    points = list(settled[POLICIES[0]])
    table(
        ["users whose state prefers the right model, after feedbacks", *points],
        [[policy, *(f"{settled[policy][point]:.1%}" for point in points)] for policy in POLICIES],
    )
    return figures


def draw(chosen, wrong, settled):
    def rates(policy, way):
        by_round = wrong[policy, way].mean(axis=1)
        return [(end, float(by_round[max(0, end - WINDOW) : end].mean())) for end in range(1, chosen.rounds + 1)]

    lines = [Line("exp3, one state for all", rates("exp3", "shared"), 6, dashes="5 3", width=2.5)]
    lines += [Line(f"{policy}, own state", rates(policy, "own"), n, width=2.5 if n == 0 else 1.5)
              for n, policy in enumerate(POLICIES)]  # fmt: skip
    preferring = [
        Line(policy, [(x, 100 * y) for x, y in settled[policy].items()], n, marks=True)
        for n, policy in enumerate(POLICIES)
    ]
    write(
        chosen.plots / "selection-personalisation.svg",
        "Errors with a state for each user and with one for all, where half of the users send transposed images",
        Panel("A state for each user against one for all", "feedbacks of each user",
              f"share of wrong answers, last {WINDOW} queries of all", lines),
        Panel("Users whose state prefers the right model", "feedbacks of each user", "% of the users", preferring,
              y_most=100),
    )  # fmt: skip


def main():
    chosen = arguments(
        __doc__, users=(40, "users"), rounds=(200, "queries with feedback of each user"),
        window=(8, "queries under way at a time"),
    )  # fmt: skip
    wrong, settled, defaults = measure(chosen)
    write_json(chosen.results / "personalisation.json", report(chosen, wrong, settled, defaults))
    header = ["round", *(f"{policy}-{way}" for policy, way in wrong)]
    rows = [[index + 1, *(int(one[index].sum()) for one in wrong.values())] for index in range(chosen.rounds)]
    write_csv(chosen.results / "personalisation.csv", header, rows)
    draw(chosen, wrong, settled)


if __name__ == "__main__":
    main()
