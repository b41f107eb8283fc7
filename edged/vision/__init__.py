"""From frames to face shots worth recognising: detector, tracker, pose, quality, best shot.

Imports nothing, because its modules load OpenCV. Other packages use these:

- `service.VisionService`, `analyser.Analyser`, `passage_verdicts.PassageVerdicts`: the vision thread;
- `faces.FaceReader`, `quality`: faces of still pictures, and the limits they miss;
- `spoofing`, `liveness.model`, `liveness.operator_model`, `liveness.modality_drivers`: liveness;
- `detector.Detection`: a face in a picture;
- `advice.Advisor`, `drawing`: what `edged aim` and `edged inspect` show;
- `tracker.Tracker`, `appearance`, `liveness.look`, `liveness.fusion`: liveness of a video in `edged inspect`;
- `opencv.prepare_opencv`: once a process, before the first picture.
"""
