"""The face API, a protocol with two sides. Importing this package loads nothing.

- protocol, for both sides: `calls` (every call), `codes` (every error code, and in `codes.transport_texts`
  the texts for failures on this side), `limits`, `endpoint` (addresses);
- answers, for a client: `envelope`, `reading`, `replies`, `faults` (errors), `inconclusive`;
- `client.face_cloud.build_client` makes a client; `client.credentials` has its secrets;
- `governor.rate_governor.open_governor` makes its governor, `governor.admission.Unlimited` is one without
  limits; `governor.allowance` and `governor.call_limits`: counters for status; `governor.breaker.Circuit`,
  `governor.refusals.NotAsked`: what its answers mean.
"""
