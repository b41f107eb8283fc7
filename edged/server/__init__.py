"""A recognition server that speaks the face cloud's protocol on this machine's own engine and libraries.

No camera, no gate: other programs have those and ask here over HTTP. It imports only the protocol half of
`edged.faceapi` (calls, codes, endpoint), not its client or governor.

Modules for the rest of edged: `running` (the server), `setup` (a first configuration), `authentication`
(keys).
"""
