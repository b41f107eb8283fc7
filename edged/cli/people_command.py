"""`edged people`: add, list, show, change, remove, import and export people.

The rules are in edged.admin.people; the command for consents is in people_consent.py.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from edged.admin import cloud_people, inputs, people
from edged.admin.people import DEFAULT_GROUP, Keep
from edged.cli.common import ConfigOption, DataDirOption, at_box, log_to_stderr, printable, report
from edged.cli.people_consent import consent
from edged.cli.people_view import (
    consents_text,
    file_dict,
    person_dict,
    print_import,
    print_import_json,
    print_json,
    print_people,
    print_result,
    readable,
)
from edged.errors import TryAnotherShot

app = typer.Typer(no_args_is_help=True)

JsonOption = Annotated[bool, typer.Option("--json", help="JSON on standard output, nothing else.")]
PersonArgument = Annotated[str, typer.Argument(metavar="ID", help="Id of the person; see `people list`.")]
GroupsOption = Annotated[
    list[str] | None, typer.Option("--group", "-g", help="Group id; may be given several times.")
]
FromOption = Annotated[
    str | None,
    typer.Option(metavar="DATE", help="First day of validity (2026-01-31), or a time (2026-01-31T08:00)."),
]
UntilOption = Annotated[
    str | None, typer.Option(metavar="DATE", help="Last day of validity, or the time at which it ends.")
]


class OnDuplicate(StrEnum):
    """What to do with a face that is enrolled under another person."""

    WARN = "warn"
    REFUSE = "refuse"


DuplicateOption = Annotated[
    OnDuplicate, typer.Option(help="What to do with a face that is enrolled as somebody else.")
]


@app.command()
def add(
    name: Annotated[str, typer.Argument(help="Name, in any script.")],
    photos: Annotated[list[Path], typer.Argument(metavar="PHOTO…", help="One or more photographs.")],
    person_id: Annotated[
        str | None, typer.Option("--id", help="Id of the person; made from the name when not given.")
    ] = None,
    group: GroupsOption = None,
    valid_from: FromOption = None,
    valid_until: UntilOption = None,
    on_duplicate: DuplicateOption = OnDuplicate.WARN,
    config: ConfigOption = None,
    data_dir: DataDirOption = None,
) -> None:
    """Add a person, or further photographs of somebody who is there already."""
    actor, box = at_box(config, data_dir)
    enrolled = people.enrol(
        actor,
        box,
        name,
        photos,
        person_id=person_id,
        groups=group or (),
        valid_from=inputs.validity(valid_from),
        valid_until=inputs.validity(valid_until, is_end=True),
        on_duplicate=on_duplicate.value,
    )
    failed = None
    for each in enrolled:
        if each.result is not None:
            print_result(each.photo, each.result)
        elif each.error is not None:
            report(each.error)
            failed = failed or each.error
    if failed is not None:
        raise typer.Exit(failed.exit_code)


@app.command("list")
def list_(
    group: Annotated[str | None, typer.Option("--group", "-g", help="Only members of this group.")] = None,
    search: Annotated[str, typer.Option("--search", "-s", help="Part of a name or id.")] = "",
    page: Annotated[int, typer.Option(min=1, help="Which page.")] = 1,
    page_size: Annotated[int, typer.Option(min=1, max=1000, help="People on a page.")] = 100,
    as_json: JsonOption = False,
    config: ConfigOption = None,
    data_dir: DataDirOption = None,
) -> None:
    """List people in the order of their names."""
    actor, box = at_box(config, data_dir)
    found = people.list_people(actor, box, search=search, group=group, page=page, page_size=page_size)
    if as_json:
        shown = [person_dict(person) for person in found.people]
        print_json({"people": shown, "total": found.total, "page": found.page, "pages": found.pages})
    else:
        print_people(found)


@app.command()
def show(
    person_id: PersonArgument,
    as_json: JsonOption = False,
    config: ConfigOption = None,
    data_dir: DataDirOption = None,
) -> None:
    """Show one person with their photographs."""
    file = people.show_person(*at_box(config, data_dir), person_id)
    answer = file_dict(file)
    if as_json:
        print_json(answer)
        return
    for key, value in person_dict(file.person).items():
        typer.echo(f"{key:<12} {readable(value)}")
    typer.echo(f"{'consents':<12} {consents_text(file.consents)}")
    for row in answer["face_list"]:
        typer.echo(f"face {row['face_id']}: {row['measures']['face_px']:.0f} px, {row['photo']}")


@app.command()
def change(
    person_id: PersonArgument,
    name: Annotated[str | None, typer.Option(help="New name.")] = None,
    group: Annotated[
        list[str] | None, typer.Option("--group", "-g", help="The groups from now on, replacing all others.")
    ] = None,
    valid_from: FromOption = None,
    valid_until: UntilOption = None,
    active: Annotated[
        bool | None, typer.Option("--active/--inactive", help="Switch the person on or off.")
    ] = None,
    note: Annotated[str | None, typer.Option(help="A remark, at most 512 characters.")] = None,
    config: ConfigOption = None,
    data_dir: DataDirOption = None,
) -> None:
    """Change what is said of a person; what is not given stays. An empty DATE removes a limit."""
    actor, box = at_box(config, data_dir)
    people.change_person(
        actor,
        box,
        person_id,
        name=name,
        groups=group,
        valid_from=_changed(valid_from),
        valid_until=_changed(valid_until, is_end=True),
        active=active,
        note=note,
    )
    typer.echo(f"changed {person_id}")


@app.command()
def remove(
    person_id: PersonArgument,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    wait_s: Annotated[
        float,
        typer.Option("--wait", metavar="SECONDS", min=0, help="Wait until the cloud has confirmed it, too."),
    ] = 0.0,
    config: ConfigOption = None,
    data_dir: DataDirOption = None,
) -> None:
    """Erase a person: details, consents, faces and photographs, here at once and in the cloud.

    With --wait the exit code is 75 when the cloud has not confirmed it in that time; it stays queued.
    """
    actor, box = at_box(config, data_dir)
    if not yes:
        person = people.show_person(actor, box, person_id).person
        typer.confirm(f"Erase {printable(person.name)} with {person.faces} face(s)?", abort=True)
    removal = people.remove_person(actor, box, person_id)
    typer.echo(f"removed {person_id}")
    if removal.queued_cloud_id is None:
        return
    if not wait_s:
        typer.echo("The deletion in the cloud is queued; `edged library status` says what is not confirmed.")
        return
    log_to_stderr()
    cloud_people.wait_for_erasure(actor, box, removal.queued_cloud_id, wait_s)
    typer.echo("The cloud has confirmed the erasure.")


@app.command()
def export(config: ConfigOption = None, data_dir: DataDirOption = None) -> None:
    """Print everything stored of everybody but the templates, one JSON object a person, consents included."""
    for file in people.export_people(*at_box(config, data_dir)):
        print_json(file_dict(file))


app.command()(consent)


@app.command("import")
def import_(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder of USER-GROUP.jpg files.")],
    group: Annotated[
        str, typer.Option("--group", "-g", help="Group of files whose name says none.")
    ] = DEFAULT_GROUP,
    on_duplicate: DuplicateOption = OnDuplicate.WARN,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a file, then a summary.")] = False,
    config: ConfigOption = None,
    data_dir: DataDirOption = None,
) -> None:
    """Import a folder of photographs named USER-GROUP.jpg; further ones USER-GROUP-2.jpg.

    May run while the daemon recognises, may be interrupted, and may be repeated: what is enrolled is skipped.
    The exit code is 65 when any file failed.
    """
    actor, box = at_box(config, data_dir)
    begun = people.import_photographs(actor, box, folder, group=group, on_duplicate=on_duplicate.value)
    counts = {"added": 0, "updated": 0, "skipped": 0, "failed": 0}
    show_results = print_import_json if as_json else print_import
    for result in show_results(begun.results, begun.files):
        counts[result.outcome] += 1
    if as_json:
        print_json({"summary": True, "files": sum(counts.values()), **counts})
    else:
        typer.echo(", ".join(f"{number} {outcome}" for outcome, number in counts.items()))
    if counts["failed"]:
        raise typer.Exit(TryAnotherShot.exit_code)


def _changed(text: str | None, *, is_end: bool = False) -> datetime | Keep | None:
    """A limit of the validity: kept when it is not given, removed by an empty text."""
    return Keep.KEEP if text is None else inputs.validity(text, is_end=is_end)
