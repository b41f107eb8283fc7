"""The section `access`."""

from __future__ import annotations

from pydantic import Field

from edged.config.base import Seconds, Section, Text


class AccessConfig(Section):
    """May they pass now."""

    allowed_groups: list[Text] = Field(
        ["*"], min_length=1, description='Groups let in; `"*"` means every group.'
    )
    cool_down_s: Seconds = Field(5.0, description="The same person is not let in again within this time.")
    max_age_s: float = Field(1.0, gt=0, le=10, description="From the frame to the decision; later is denied.")
