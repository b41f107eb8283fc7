"""Fixtures of this folder: the face cloud on a real socket."""

from cloud_box_fixtures import cloud

__all__ = ["cloud"]
