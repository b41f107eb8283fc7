"""The face API, a protocol with two sides. Importing this package loads nothing.

Protocol, for both sides: `calls` (every call), `codes` (every error code), `limits`, `endpoint` (addresses).
Answers, for a client: `envelope`, `reading`, `replies`, `faults` (errors), `inconclusive`.
`client`: `face_cloud.build_client` makes a client; `token_source` and `credentials` have its secrets.
`governor`: `rate_governor.open_governor` makes its governor; `admission.Unlimited` is one without limits.
"""
