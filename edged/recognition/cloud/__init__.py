"""The cloud engine: pictures for the face API, and the meaning of its answers."""
