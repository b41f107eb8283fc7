"""Attendance: one punch for each granted passage, corrections beside it, working time from both.

`service` records, `store` keeps the ledger, `punch`, `direction` and `worktime` are pure, `report` writes
tables.
"""
