"""The door as a pure state machine, with its alarms, grants, modes, contacts. No thread, port or clock."""
