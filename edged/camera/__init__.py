"""Frame sources and the capture loop. `edged.vision` finds faces in frames.

Imports nothing: the reader process of a live camera imports this package and should start fast. Others use:

- `registry.open_source`: the source for a text in `camera.source`;
- `source.FrameSource`: the protocol of a source;
- `capture.CaptureLoop`, `mailbox.Mailbox`: the camera thread, and its newest frame;
- `videofile.VideoFile`: the frames of a file, for `edged inspect`.
"""
