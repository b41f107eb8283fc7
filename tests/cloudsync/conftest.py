"""A cloud on a real socket and boxes that keep people in it."""

from cloud_box_fixtures import box, cloud, make_box

__all__ = ["box", "cloud", "make_box"]
