"""Asking a face API over HTTP: tokens, credentials, deadlines, transport, one method for each call."""
