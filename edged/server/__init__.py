"""A recognition server that speaks the face cloud's protocol on this machine's own engine and libraries.

No camera, no gate: those are other programs' business, which ask here over HTTP.
"""
