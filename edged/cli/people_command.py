"""`edged people`: add, list, show, change, remove, import and export people.

The work is done in edged.library; the command for consents is in people_consent.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from edged.cli.common import (
    ConfigOption,
    DataDirOption,
    printable,
    report,
    resolve_config,
    resolve_data_dir,
)
from edged.cli.people_consent import consent
from edged.cli.people_view import (
    consent_dict,
    consents_text,
    face_dict,
    person_dict,
    print_import,
    print_import_json,
    print_json,
    print_people,
    print_result,
    readable,
)
from edged.clock import SystemClock
from edged.errors import EdgedError, Misconfigured, TryAnotherShot
from edged.library.enrol import Enroller, details_for
from edged.library.importer import import_folder, list_files, read_photo
from edged.library.people import DEFAULT_GROUP, PersonDetails, check_id
from edged.library.store import LibraryStore

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
    with _enroller(config, data_dir) as enroller:
        details = details_for(
            enroller.store,
            name,
            person_id=person_id,
            groups=tuple(group or ()),
            valid_from=_moment(valid_from),
            valid_until=_moment(valid_until, end_of_day=True),
        )
        failed = None
        for photo in photos:
            try:
                result = enroller.enrol(
                    details, read_photo(photo), file_name=str(photo), on_duplicate=on_duplicate.value
                )
                print_result(photo, result)
            except EdgedError as error:
                report(error)
                failed = failed or error
        if valid_from or valid_until:
            _set_validity(enroller.store, details)
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
    with _library(config, data_dir) as store:
        found = store.list_people(search=search, group=group, page=page, page_size=page_size)
    if as_json:
        people = [person_dict(person) for person in found.people]
        print_json({"people": people, "total": found.total, "page": found.page, "pages": found.pages})
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
    with _library(config, data_dir) as store:
        person, faces = store.get(person_id), store.faces(person_id)
        rows = [face_dict(face, store.photos.path(face.photo)) for face in faces]
        ledger, cloud_id = store.consents(person_id), store.cloud_id_of(person_id)
    if as_json:
        consents = [consent_dict(entry) for entry in ledger]
        print_json({**person_dict(person), "cloud_id": cloud_id, "consents": consents, "face_list": rows})
        return
    for key, value in person_dict(person).items():
        typer.echo(f"{key:<12} {readable(value)}")
    typer.echo(f"{'consents':<12} {consents_text(ledger)}")
    for row in rows:
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
    with _library(config, data_dir) as store:
        person = store.get(person_id)
        store.update_person(
            PersonDetails(
                person_id=person_id,
                name=person.name if name is None else name,
                groups=person.groups if group is None else tuple(group),
                valid_from=person.valid_from if valid_from is None else _moment(valid_from),
                valid_until=person.valid_until
                if valid_until is None
                else _moment(valid_until, end_of_day=True),
                active=person.active if active is None else active,
                note=person.note if note is None else note,
            )
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
    with _library(config, data_dir) as store:
        person, cloud_id = store.get(person_id), store.cloud_id_of(person_id)
        if not yes:
            typer.confirm(f"Erase {printable(person.name)} with {person.faces} face(s)?", abort=True)
        store.remove_person(person_id)
        queued = store.cloud_id_of(person_id) is not None
    typer.echo(f"removed {person_id}")
    if not queued or cloud_id is None:
        return
    if not wait_s:
        typer.echo("The deletion in the cloud is queued; `edged library status` says what is not confirmed.")
        return
    # loads the client of the cloud, which the other commands do without
    from edged.cli.library_command import wait_for_erasure

    wait_for_erasure(cloud_id, wait_s, config, data_dir)
    typer.echo("The cloud has confirmed the erasure.")


@app.command()
def export(config: ConfigOption = None, data_dir: DataDirOption = None) -> None:
    """Print everything stored of everybody but the templates, one JSON object a person, consents included."""
    with _library(config, data_dir) as store:
        page = 1
        while people := store.list_people(page=page, page_size=1000).people:
            for person in people:
                faces = [face_dict(f, store.photos.path(f.photo)) for f in store.faces(person.person_id)]
                consents = [consent_dict(entry) for entry in store.consents(person.person_id)]
                more = {"cloud_id": store.cloud_id_of(person.person_id), "consents": consents}
                print_json({**person_dict(person), **more, "face_list": faces})
            page += 1


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
    check_id(group, "group id")
    total = len(list_files(folder))
    counts = {"added": 0, "updated": 0, "skipped": 0, "failed": 0}
    with _enroller(config, data_dir) as enroller:
        results = import_folder(enroller, folder, default_group=group, on_duplicate=on_duplicate.value)
        show_results = print_import_json if as_json else print_import
        for result in show_results(results, total):
            counts[result.outcome] += 1
    if as_json:
        print_json({"summary": True, "files": sum(counts.values()), **counts})
    else:
        typer.echo(", ".join(f"{number} {outcome}" for outcome, number in counts.items()))
    if counts["failed"]:
        raise typer.Exit(TryAnotherShot.exit_code)


# -- opening


@contextmanager
def _library(config: Path | None, data_dir: Path | None) -> Iterator[LibraryStore]:
    store = LibraryStore.open(resolve_data_dir(config, data_dir), SystemClock())
    try:
        yield store
    finally:
        store.close()


@contextmanager
def _enroller(config: Path | None, data_dir: Path | None) -> Iterator[Enroller]:
    # loads OpenCV and the models, which the other commands do without
    from edged.app.enrolment import open_enroller

    settings = resolve_config(config)
    enroller = open_enroller(settings, settings.data_dir if data_dir is None else data_dir.absolute())
    try:
        yield enroller
    finally:
        enroller.store.close()


def _moment(text: str | None, *, end_of_day: bool = False) -> datetime | None:
    """A day or a time in the time zone of this box; with `end_of_day` a day stands for its end."""
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
        if end_of_day and len(text) <= len("2026-01-31"):
            moment += timedelta(days=1)
        return moment.astimezone()
    except (ValueError, OverflowError):
        raise Misconfigured(
            f"{text!r} is not a date.", code="bad_date", hint="Write 2026-01-31 or 2026-01-31T08:00."
        ) from None


def _set_validity(store: LibraryStore, details: PersonDetails) -> None:
    """What `add` says of validity holds for somebody who was there before, too."""
    person = store.find(details.person_id)
    if person is None:
        return
    wanted = (details.valid_from or person.valid_from, details.valid_until or person.valid_until)
    if wanted != (person.valid_from, person.valid_until):
        store.update_person(
            PersonDetails(
                person_id=person.person_id,
                name=person.name,
                groups=person.groups,
                valid_from=wanted[0],
                valid_until=wanted[1],
                active=person.active,
                note=person.note,
            )
        )
