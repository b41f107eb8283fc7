"""Frame sources and the capture loop. Finding faces in frames happens in `edged.vision`.

Imports nothing: the reader process of a live camera imports this package and should start fast.
"""
