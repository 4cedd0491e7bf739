"""`relight audit --log`: another system's log held against the law, before anything is changed."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import click

from relight.cli.log_file import Defaults, LogFile, read_log
from relight.cli.log_words import LogMapping, read_log_mapping
from relight.cli.output import answer
from relight.core.calendars import calendar_for
from relight.core.rules.model import LawPack
from relight.core.rules.reader import packaged_pack, packaged_packs
from relight.core.second_opinion.check import Opinion, TooManyRows, Violation, second_opinion
from relight.core.second_opinion.words import known_services
from relight.flow.claims.columns import fold
from relight.flow.claims.errors import UnableToImport

_TOLD_MAX = 200


class UnusableLog(click.ClickException):
    """The log or the mapping cannot be read. Not 1, which says that something was unlawful."""

    exit_code = 2


def hold_log(
    file: Path,
    *,
    laws: tuple[str, ...],
    country: str | None,
    mapping: Path | None,
    service: str | None,
    debtor: str,
    actor: str | None,
    as_json: bool,
) -> None:
    """Check the log and tell what was found. Exits 1 with violations, 2 for a log that cannot be used."""
    packs = _packs(laws, country)
    if service is not None and service not in known_services():
        raise click.UsageError(f"There is no service {service!r}. There are: {', '.join(sorted(known_services()))}.")
    try:
        words = read_log_mapping(mapping) if mapping else LogMapping()
        log = read_log(file, words, Defaults(packs[0].currency, service or "", debtor))
        if log.rows == 0:
            raise UnusableLog(f"{file.name} has no rows under its header, so there is nothing to check.")
        opinion = second_opinion(
            log.entries, packs, calendar_for(packs[0].country), actor=actor or "", doubtful=log.doubtful
        )
    except (UnableToImport, TooManyRows) as wrong:
        raise UnusableLog(str(wrong)) from wrong
    answer(_as_data(log, opinion, packs), as_json=as_json, text="\n".join(_as_text(log, opinion, packs)))
    if opinion.violations:
        raise SystemExit(1)
    if not log.entries:
        raise UnusableLog("Not one row could be checked, so nothing says that this log is lawful.")


def _packs(laws: tuple[str, ...], country: str | None) -> list[LawPack]:
    """The packs that were asked for, all of one country; the country's own where only that was said."""
    all_packs = [packaged_pack(name) for name in packaged_packs()]
    by_name = {pack.name: pack for pack in all_packs}
    unknown = [name for name in laws if name not in by_name]
    if unknown:
        raise click.UsageError(f"There is no law pack {unknown[0]!r}. There are: {', '.join(by_name)}.")
    wanted = [by_name[name] for name in laws]
    if not wanted:
        wanted = [pack for pack in all_packs if pack.country == (country or "").upper() and not pack.pending]
    if not wanted:
        there = ", ".join(sorted({pack.country for pack in all_packs}))
        raise click.UsageError(f"Say which law: --country, one of {there}, or --law with a pack's name.")
    countries = {pack.country for pack in wanted} | ({country.upper()} if country else set())
    if len(countries) > 1:
        raise click.UsageError(
            f"The law packs and --country must be of one country, not of {', '.join(sorted(countries))}."
        )
    return wanted


def _as_data(log: LogFile, opinion: Opinion, packs: Iterable[LawPack]) -> Mapping[str, Any]:
    return {
        "checked": dict(sorted(opinion.checked.items())),
        "laws": {pack.name: pack.hash for pack in packs},
        "cases": opinion.cases,
        "rows": log.rows,
        "columns": log.columns,
        "violations": [_row(one) for one in opinion.violations],
        "advice": [_row(one) for one in opinion.advice],
        "remains": [{"rule": r.rule, "law": r.law, "what": r.what, "times": r.times} for r in opinion.remains],
        "unmapped": [{"step": step, "times": count} for step, count in sorted(log.unmapped.items())],
        "unreadable": [one._asdict() for one in log.unreadable],
    }


def _row(one: Violation) -> dict[str, Any]:
    lawful = one.lawful_from.isoformat() if one.lawful_from else None
    return {"rule": one.rule, "law": one.law, "case": one.case, "line": one.line, "step": one.step,
            "date": one.day.isoformat(), "why": one.why, "lawful_from": lawful}  # fmt: skip


def _as_text(log: LogFile, opinion: Opinion, packs: Iterable[LawPack]) -> Iterable[str]:
    names = ", ".join(pack.name for pack in packs)
    yield (
        f"{_count(log.rows, 'row')} of {_count(opinion.cases, 'case')}, held against "
        f"{_count(len(opinion.checked), 'rule')} ({names}): {len(opinion.violations)} unlawful."
    )
    renamed = [f"{theirs} as {ours}" for ours, theirs in log.columns.items() if fold(theirs) != ours]
    if renamed:
        yield f"Columns were read like this: {', '.join(renamed)}."
    yield from _listed("", opinion.violations)
    yield from _listed("Not known to be unlawful, but Relight would not have done it:", opinion.advice)
    if log.unmapped:
        yield "Steps that are not recognised and were not checked (say what they are with --mapping FILE):"
        yield from (f"  {step}: {_count(count, 'row')}" for step, count in sorted(log.unmapped.items()))
    if log.unreadable:
        yield f"Rows that could not be read and were left out: {len(log.unreadable)}"
        yield from (f"  line {one.line}, {one.field}: {one.reason}" for one in log.unreadable[:_TOLD_MAX])
    if opinion.remains:
        yield "Cannot be told from this log:"
        yield from (f"  {one.what} ({_count(one.times, 'row')}; {one.law})" for one in opinion.remains)


def _count(count: int, one: str) -> str:
    return f"{count} {one}" if count == 1 else f"{count} {one}s"


def _listed(title: str, found: list[Violation]) -> Iterable[str]:
    if found and title:
        yield title
    for one in found[:_TOLD_MAX]:
        yield f"  Case {one.case}, line {one.line}, {one.step}: {one.why} [{one.law}; {one.rule}]"
    if len(found) > _TOLD_MAX:
        yield f"  … and {len(found) - _TOLD_MAX} more; --json lists them all."
