"""Every documented error code of the face API: official text, plain words, reaction. Raises nothing itself.

Source: docs/reference/face-api.md 7. The client, the server and the texts for people
(`edged.reasons`) share this table.
"""

from edged.faceapi.codes.row import CodeRow, Reaction
from edged.faceapi.codes.table import ROWS, lookup

__all__ = ["ROWS", "CodeRow", "Reaction", "lookup"]
