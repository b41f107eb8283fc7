"""Attendance: a punch per accepted passage, corrections beside it, working time from both."""
