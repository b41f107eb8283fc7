"""`edged people consent`: what a person agrees to, recorded; without a decision, the ledger is shown."""

from __future__ import annotations

from typing import Annotated

import typer

from edged.admin.consents import CLOUD, Consent, list_consents, record_consent
from edged.cli.common import ConfigOption, DataDirOption, at_box, printable
from edged.cli.people_view import consent_dict, print_json


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
    actor, box = at_box(config, data_dir)
    if given is None:
        ledger = list_consents(actor, box, person_id)
    else:
        ledger = record_consent(
            actor, box, person_id, purpose, given=given, recorded_by=recorded_by, note=note
        )
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
