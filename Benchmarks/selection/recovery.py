"""Five classifiers of the handwritten digits, of which the best gets worse for a while: each alone, Exp3 and Exp4.

It repeats an experiment of the paper on Clipper (NSDI 2017, section 5) through the real frontend, over REST. Five
containers serve five models. Two applications are linked to all of them, one with the policy `exp3`, one with `exp4`,
both with the parameters that they have by default. Each of 20,000 queries, drawn from the held-out digits, is asked
of both; right after an answer its query is told the label. Eight queries are under way at a time, so of the queries
before one all but seven have taught something when it is asked.

After 5,000 queries an operator makes a mistake: version 2 of the best model becomes the current one, which sees noise
in its images. After 10,000 queries version 1 is made the current one again.

The errors of a model alone follow from its own answers: before the first query, and while version 2 is current, each
model is asked for each held-out digit through an application that is linked to it alone.
"""

import threading

import numpy as np

from client import InOrder
from digits import parts
from plot import Line, Panel, thinned, write
from results import arguments, table, write_csv, write_json
from serving import Failure, Frontend, processes

MODELS = ["svm", "neighbours", "discriminant", "bayes", "tree"]
POLICIES = ["exp3", "exp4"]
WINDOW = 500
WITHIN = 3000


def answers_of(asker, application, images):
    """What an application answers for each image."""
    answers = np.zeros(len(images))

    def ask(connection, index):
        answer = connection.predict(application, images[index])
        if answer["default"]:
            raise Failure(f"{application} gave its default: {answer}")
        answers[index] = answer["output"]

    asker.run(range(len(images)), ask)
    return answers


def serve(frontend, degraded, noise):
    for model in MODELS:
        frontend.register_model(model)
        frontend.register_application(f"{model}-alone", model)
        frontend.python("classifier.py", "--kind", model, name=model)
    frontend.register_model(degraded, 2)
    # The newest version is the current one.
    frontend.run("model", "set-version", degraded, 1)
    frontend.python("classifier.py", "--kind", degraded, "--noise", noise, name=degraded, version=2)
    for policy in POLICIES:
        frontend.register_application(policy, *MODELS, policy=policy)
    frontend.await_replicas(len(MODELS) + 1)


def returned(wrong, begin, end, rate):
    """How many queries after `begin` the last 500 of them are wrong at this rate at most; None: not before `end`."""
    total = np.concatenate([[0], np.cumsum(wrong[begin:end])])
    found = np.nonzero(total[WINDOW:] - total[:-WINDOW] <= rate * WINDOW)[0]
    return int(found[0]) + WINDOW if len(found) else None


def regret_bound(queries, models):
    """Of Exp3, whose learning rate suits the number of queries: √(2 T K ln K) (Bubeck and Cesa-Bianchi, Regret Analysis
    of Stochastic and Nonstochastic Multi-armed Bandit Problems, 2012, theorem 3.1)."""
    return float(np.sqrt(2 * queries * models * np.log(models)))


def measure(chosen, changes):
    _, images, _, labels = parts()
    texts = [str(image.tolist()) for image in images]
    drawn = np.random.default_rng(chosen.seed).integers(0, len(images), chosen.queries)
    degraded = MODELS[0]
    wrong = {name: np.zeros(chosen.queries, dtype=bool) for name in MODELS + POLICIES}
    defaults, lock = dict.fromkeys(POLICIES, 0), threading.Lock()
    with processes() as started:
        frontend = Frontend(started)
        serve(frontend, degraded, chosen.noise)
        asker = InOrder(frontend.query, chosen.window)
        alone = {model: answers_of(asker, f"{model}-alone", texts) != labels for model in MODELS}
        best = min(MODELS, key=lambda model: alone[model].mean())
        if best != degraded:
            raise Failure(f"the best classifier is {best}, not {degraded}")

        def ask(connection, index):
            digit = drawn[index]
            for policy in POLICIES:
                answer = connection.predict(policy, texts[digit])
                wrong[policy][index] = answer["output"] != labels[digit]
                if answer["default"]:
                    with lock:
                        defaults[policy] += 1
                else:
                    connection.tell(policy, answer["query_id"], int(labels[digit]))

        phases = list(zip([0, *changes], [*changes, chosen.queries]))
        for number, (begin, end) in enumerate(phases):
            version = 2 if number == 1 else 1
            frontend.run("model", "set-version", degraded, version)
            now = dict(alone)
            if version == 2:
                now[degraded] = answers_of(asker, f"{degraded}-alone", texts) != labels
            asker.run(range(begin, end), ask)
            for model in MODELS:
                wrong[model][begin:end] = now[model][drawn[begin:end]]
        asker.close()
        told = frontend.metric("clipper_feedback_total", result="counted")
    return wrong, phases, defaults, told


def report(chosen, wrong, phases, defaults, told):
    names = ["1: as trained", "2: the best degraded", "3: mended"]
    errors = {name: [int(wrong[name][a:b].sum()) for a, b in phases] for name in MODELS + POLICIES}
    table(["errors in phase", *names, "all"], [[name, *counts, sum(counts)] for name, counts in errors.items()])
    best = [min(errors[model][number] for model in MODELS) for number in range(len(phases))]
    bound = sum(regret_bound(b - a, len(MODELS)) for a, b in phases)
    total = sum(errors["exp3"])
    print(f"Answered with the default: {defaults}; feedback counted: {told:.0f} of {2 * chosen.queries}.")
    print(f"The best model of each phase: {best} errors, {sum(best)} in all.")
    print(f"Exp3: {total}, {total / sum(best):.2f} × that. Its regret bound, Σ √(2 T K ln K): {bound:.0f}.")
    most = 1.15 * sum(best) + bound
    print(f"1.15 × {sum(best)} + {bound:.0f} = {most:.0f}: {'kept' if total <= most else 'NOT KEPT'}.")
    single, exp4 = best[0], errors["exp4"][0]
    print(f"Exp4 in phase 1: {exp4} errors, the best model {single}: {'kept' if exp4 < single else 'NOT KEPT'}.")
    rows, returns = [], {}
    for policy in POLICIES:
        rate = wrong[policy][: phases[0][1]].mean()
        returns[policy] = [returned(wrong[policy], a, b, rate) for a, b in phases[1:]]
        settled = [f"{wrong[policy][a + WITHIN : b].mean():.4f}" for a, b in phases[1:] if b - a > WITHIN]
        shown = [str(count) if count else "never" for count in returns[policy]]
        kept = all(count is not None and count <= WITHIN for count in returns[policy])
        rows.append([policy, f"{rate:.4f}", *shown, *settled, "kept" if kept else "NOT KEPT"])
    table(
        ["back at the error rate of phase 1", "that rate", "queries after change 1", "after change 2",
         f"rate from {WITHIN} after change 1 on", "after change 2", f"within {WITHIN}"], rows,
    )  # fmt: skip
    return {
        "seed": chosen.seed, "phases": phases, "defaults": defaults, "best_per_phase": best,
        "errors": errors, "exp3_ratio": total / sum(best), "regret_bound": bound, "back_after": returns,
    }  # fmt: skip


def draw(chosen, wrong, phases):
    names = {"exp3": "Exp3", "exp4": "Exp4"}
    cumulative, recent = [], []
    for number, name in enumerate(MODELS + POLICIES):
        policy = name in POLICIES
        style = {"colour": POLICIES.index(name), "width": 3.0} if policy else {"colour": 2 + number, "dashes": "5 3"}
        count = np.arange(1, len(wrong[name]) + 1)
        total = np.cumsum(wrong[name])
        points = list(zip(count.tolist(), (total / count).tolist()))
        cumulative.append(Line(names.get(name, name), thinned(points[99:]), **style))
        window = (total[WINDOW:] - total[:-WINDOW]) / WINDOW
        points = list(zip(count[WINDOW:].tolist(), window.tolist()))
        recent.append(Line(names.get(name, name), thinned(points), **style))
    events = [(phases[1][0], "the best is degraded"), (phases[2][0], "it is mended")]
    write(
        chosen.plots / "selection-recovery.svg",
        "Errors of five classifiers, of Exp3 and of Exp4, while the best classifier is degraded for a time",
        Panel("Errors so far", "queries with feedback", "share of all queries so far", cumulative, events=events),
        Panel("Errors lately, enlarged: what is above 0.15 is left out", "queries with feedback",
              f"share of the last {WINDOW} queries", recent, events=events, y_most=0.15, legend=False),
    )  # fmt: skip


def main():
    chosen = arguments(
        __doc__, queries=(20000, "queries"), degrade_at=(5000, "queries before the best is degraded"),
        mend_at=(10000, "queries before it is mended"), window=(8, "queries under way at a time"),
        noise=(8.0, "standard deviation of the noise, where the brightest pixel is 16"),
    )  # fmt: skip
    wrong, phases, defaults, told = measure(chosen, [chosen.degrade_at, chosen.mend_at])
    write_json(chosen.results / "recovery.json", report(chosen, wrong, phases, defaults, told))
    header = ["query", *MODELS, *POLICIES]
    sums = [np.cumsum(wrong[name]) for name in header[1:]]
    rows = [[index + 1, *(int(one[index]) for one in sums)] for index in range(99, chosen.queries, 100)]
    write_csv(chosen.results / "recovery.csv", header, rows)
    draw(chosen, wrong, phases)


if __name__ == "__main__":
    main()
