"""A review as Markdown for the merge request: plain words, and nothing in them that its author could make more of."""

from collections.abc import Iterator, Mapping
from urllib.parse import quote

from generator.diagnostics.diagnostic import Diagnostic
from generator.diagnostics.markdown import code, fenced
from generator.diagnostics.report import report
from practicum.stages.offline import LabPlan
from practicum.stages.review import Review

# Stands first in the comment, so that the next run finds it. HTML comments are not shown.
MARK = "<!-- practicum review -->"
MOST_PROBLEMS = 30
MOST_LABS = 20
MOST_DIFFERENCES = 40
ENVIRONMENT = {"dev": "your copy", "prod": "the class"}


def review_text(review: Review, links: Mapping[str, str], project: str = "") -> str:
    """Return the comment. `links` are name → URL; `project` is the URL of the project, for links to lines."""
    parts = [MARK, f"### {_verdict(review)}", *_problems(review, project), *_touched(review), *_labs(review)]
    if review.unchanged:
        parts.append(f"{_count(review.unchanged, 'other lab')} stay{'s' * (review.unchanged == 1)} as before.")
    parts.append(" · ".join([*(f"[{name}](<{url}>)" for name, url in links.items()), f"commit `{review.head[:8]}`"]))
    return "\n\n".join(parts) + "\n"


def _verdict(review: Review) -> str:
    if review.errors:
        return f"Practicum: not valid, {_count(review.errors, 'error')}"
    if review.touched:
        return "Practicum: files that only Practicum writes were changed"
    if not review.fits:
        return "Practicum: valid, but there is not enough room"
    return "Practicum: valid" if review.plans or review.removed else "Practicum: valid, and no lab changes"


def _problems(review: Review, project: str) -> Iterator[str]:
    shown = review.problems[:MOST_PROBLEMS]
    if not shown:
        return
    yield fenced(report("text", shown, read=review.source.get))
    if len(review.problems) > len(shown):
        yield f"{len(review.problems) - len(shown)} more: `practicum validate` shows all."
    if project:
        places = dict.fromkeys(f"[{code(_place(one))}](<{_address(one, project, review.head)}>)" for one in shown)
        yield f"Go to: {', '.join(places)}"


def _touched(review: Review) -> Iterator[str]:
    if review.touched:
        shown = review.touched[:MOST_PROBLEMS]
        rows = [f"| {code(one.path)} | {one.advice} |" for one in shown]
        if len(review.touched) > len(shown):
            rows.append(f"| … | {len(review.touched) - len(shown)} more |")
        yield "\n".join(["| file | what to do |", "|---|---|", *rows])
        yield "In the web editor: delete the change there, or close this request and begin again from main."


def _labs(review: Review) -> Iterator[str]:
    for plan in review.plans[:MOST_LABS]:
        yield from _lab(plan)
    if len(review.plans) > MOST_LABS:
        names = ", ".join(code(plan.lab) for plan in review.plans[MOST_LABS:][:MOST_PROBLEMS])
        yield f"{len(review.plans) - MOST_LABS} more labs change: {names}"
    for lab in review.removed:
        words = "the spec is gone. Its machines stay until an operator runs"
        yield f"#### {code(lab)}\n\n{words} {code(f'practicum destroy {lab} --env all')}."


def _lab(plan: LabPlan) -> Iterator[str]:
    yield f"#### {code(plan.lab)}{', a new lab' if plan.new else ''}"
    shown = plan.differences[:MOST_DIFFERENCES]
    rows = [f"| {one.who} | {one.told(code)} |" for one in shown]
    if len(plan.differences) > len(shown):
        rows.append(f"| … | {len(plan.differences) - len(shown)} more changes |")
    yield "\n".join(["| for whom | what changes |", "|---|---|", *rows])
    room = [f"| {ENVIRONMENT[one.environment]} | {one.asked} | {one.verdict} |" for one in plan.rooms]
    yield "\n".join(["| where | what is asked for | is there room |", "|---|---|---|", *room])
    if plan.kubernetes:
        yield f"Kubernetes: {plan.kubernetes}."
    if plan.needs:
        yield "\n".join(["Accepted, but not deployed by this version:", "", *(f"- {code(one)}" for one in plan.needs)])
    delivery = "; ".join(filter(None, (plan.delivery, plan.expected)))
    yield f"Your copy changes when this is merged; the class after a checkpoint and a deployment: {delivery}."


def _place(problem: Diagnostic) -> str:
    return f"{problem.file}:{problem.position.line}"


def _address(problem: Diagnostic, project: str, commit: str) -> str:
    path = quote(problem.file.encode(errors="surrogateescape"))
    return f"{project}/-/blob/{commit}/{path}#L{problem.position.line}"


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'s' * (number != 1)}"
