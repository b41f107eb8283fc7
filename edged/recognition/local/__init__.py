"""The local engine: embedding and exact search in memory. Nothing leaves the machine."""
