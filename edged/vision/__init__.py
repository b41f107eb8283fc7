"""From frames to face shots worth recognising: detector, tracker, pose, quality, best shot."""
