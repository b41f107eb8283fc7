"""edged: a face terminal for doors, turnstiles and attendance desks."""

__version__ = "0.1.0"
