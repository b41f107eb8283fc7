"""Every documented error code of the face API: official text, plain words, reaction. Raises nothing itself.

Source: docs/reference/face-api.md 7. It lies below all packages because the client, the server and the words
for people (`edged.reasons`) all read the same table.
"""

from edged.faceapi.codes.row import CodeRow, Reaction
from edged.faceapi.codes.table import ROWS, lookup

__all__ = ["ROWS", "CodeRow", "Reaction", "lookup"]
