"""Every documented error code of the face API: official text, plain words, reaction. Raises nothing itself.

Source: face API reference, section 7. It lies below all packages because the client, the server and the words
for people (`edged.reasons`) all read the same table.
"""

from edged.facecodes.row import CodeRow, Reaction
from edged.facecodes.table import ROWS, lookup

__all__ = ["ROWS", "CodeRow", "Reaction", "lookup"]
