"""Relay drivers: one file per board family, chosen by name in `registry`. No door logic here."""
