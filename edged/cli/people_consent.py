"""`edged people consent`: what a person agrees to, recorded; without a decision, the ledger is shown."""

from __future__ import annotations

from typing import Annotated

import typer

from edged.cli.common import ConfigOption, DataDirOption, printable, resolve_data_dir
from edged.cli.people_view import consent_dict, print_json
from edged.clock import SystemClock
from edged.errors import Misconfigured
from edged.library.consent import CLOUD, Consent
from edged.library.store import LibraryStore


def consent(
    person_id: Annotated[str, typer.Argument(metavar="ID", help="Id of the person; see `people list`.")],
    purpose: Annotated[
        str, typer.Option(help="What for; `cloud`: pictures may be sent to the face cloud.")
    ] = CLOUD,
    given: Annotated[
        bool | None,
        typer.Option("--give/--withdraw", help="What the person said; without it, show the ledger."),
    ] = None,
    recorded_by: Annotated[str, typer.Option("--by", metavar="NAME", help="Who records it.")] = "",
    note: Annotated[str, typer.Option(help="Where the signed form is, for example.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="JSON on standard output, nothing else.")] = False,
    config: ConfigOption = None,
    data_dir: DataDirOption = None,
) -> None:
    """Record that a person gives or withdraws consent, or show what was recorded.

    Entries are never changed; the newest of a purpose counts. Without consent to `cloud` nothing of a person
    leaves this box; withdrawing it has what is there deleted.
    """
    if given is None and (recorded_by or note):
        raise typer.BadParameter("nothing is recorded without --give or --withdraw")
    store = LibraryStore.open(resolve_data_dir(config, data_dir), SystemClock())
    try:
        store.get(person_id)
        if given is not None:
            if not recorded_by:
                raise Misconfigured(
                    "Nobody is named who records this.", code="bad_name", hint="Name yourself with --by."
                )
            store.record_consent(person_id, purpose, given=given, recorded_by=recorded_by, note=note)
        ledger = store.consents(person_id)
    finally:
        store.close()
    if as_json:
        print_json({"person_id": person_id, "consents": [consent_dict(entry) for entry in ledger]})
        return
    for entry in ledger:
        typer.echo(_line(entry))
    if not ledger:
        typer.echo(f"nothing recorded for {person_id}")


def _line(entry: Consent) -> str:
    word = "given" if entry.given else "withdrawn"
    note = f": {printable(entry.note)}" if entry.note else ""
    at = entry.at.astimezone()
    return f"{at:%Y-%m-%d %H:%M}  {entry.purpose} {word}, recorded by {printable(entry.recorded_by)}{note}"
