"""The section `journal`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from edged.config.base import Directory, Section, conflict

Days = Annotated[int, Field(ge=0, le=36_500)]


class JournalConfig(Section):
    """Room, age, pictures and backups of the records."""

    max_mb: int = Field(
        1000, ge=10, le=1_000_000, description="Room for records and snapshots, MB; a record is 0.7 kB."
    )
    keep_days: Days = Field(365, description="Decisions and events are kept so long; 0: for ever.")
    keep_details_days: Days = Field(
        30, description="The same for what only explains: tracks, shots, answers of the engines."
    )
    snapshots: Literal["none", "denied", "all"] = Field(
        "none", description="Whose picture is kept with the decision."
    )
    keep_snapshot_days: Days = Field(14, description="Pictures are kept so long; 0: as long as the decision.")
    backup_dir: Directory | None = Field(
        None, description="Where the daily backups go; empty: `backups` in the data directory."
    )
    keep_backups: int = Field(3, ge=0, le=100, description="Daily backups that are kept; 0: none is made.")

    @model_validator(mode="after")
    def _details_go_first(self) -> JournalConfig:
        if self.keep_days and not 0 < self.keep_details_days <= self.keep_days:
            details = self.keep_details_days or "0, for ever"
            raise conflict(
                f"keep_details_days ({details}) is longer than keep_days ({self.keep_days}), "
                "but details go with their records",
                "keep_details_days",
                "keep_days",
            )
        return self
