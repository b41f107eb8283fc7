"""The engine on the box: embedding and exact search in memory. Nothing leaves the machine."""
