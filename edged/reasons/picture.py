"""Reason codes of pictures: quality, liveness, files with photographs. Texts only."""

from __future__ import annotations

TEXTS = {
    # the picture
    "face_too_small": (
        "the face was too small in the picture",
        "Come closer, or move the camera closer or use a longer lens.",
    ),
    "face_too_uncertain": (
        "the detector was not sure that this is a face",
        "Uncover the face and look for glare or objects behind it.",
    ),
    "yaw_too_large": ("the face was turned too far to the side", "Look at the camera."),
    "pitch_too_large": (
        "the face looked too far up or down",
        "Look at the camera, or mount it nearer to eye height.",
    ),
    "roll_too_large": ("the head was tilted too far", "Hold the head upright, and check camera.rotate."),
    "too_blurred": (
        "the face was blurred",
        "Hold still for a moment; add light, clean and refocus the lens.",
    ),
    "too_dark": ("the face was too dark", "Add light in front of the person, or avoid light from behind."),
    "too_bright": ("the face was too bright", "Keep sun and lamps off the face, or lower the exposure."),
    "face_incomplete": (
        "part of the face was outside the picture",
        "Step back or to the middle, or aim the camera at face height.",
    ),
    "pose_unknown": (
        "the direction of the face could not be measured",
        "Uncover the face and look at the camera.",
    ),
    "too_near": (
        "the face was too near to the camera",
        "Step back, or mount the camera further from where people stop.",
    ),
    "half_lit": (
        "one half of the face was much darker than the other",
        "Even out the light: add a lamp on the dark side, or shade the strong one.",
    ),
    "eyes_closed": ("the eyes were closed", "Look at the camera with open eyes."),
    "face_occluded": ("part of the face was covered", "Take off what covers it."),
    "eye_occluded": ("an eye was covered", "Take off sunglasses, and keep hair out of the eyes."),
    "nose_occluded": ("the nose was covered", "Take off the mask or scarf."),
    "mouth_occluded": ("the mouth was covered", "Take off the mask, and keep hands off the face."),
    "cheek_occluded": ("a cheek was covered", "Take hand, hair or telephone off the face."),
    "chin_occluded": ("the chin was covered", "Take off the mask or scarf."),
    "no_face": ("no face was found in the picture", "Use a picture that shows the face from the front."),
    "not_served": (
        "somebody else was nearer to the door",
        "Step up to the camera when the other person has gone.",
    ),
    "outside_region": (
        "the face was outside the part of the picture the door looks at",
        "Step in front of the door; vision.region sets that part.",
    ),
    "several_faces": (
        "several people were in the picture",
        "One person at a time; crop a photograph to the person who is meant.",
    ),
    "no_usable_shot": (
        "no picture of this passage was good enough to recognise",
        "The refused shots say what was wrong with them.",
    ),
    # is it a living person
    "spoof_suspected": (
        "the face looked like a picture or a screen",
        "Let the person stand before the camera in person; look at the picture if it happens again.",
    ),
    "spoof_network": (
        "the liveness network saw a picture rather than a face",
        "Light the face from the front; if it happens to living people, read docs/liveness.md.",
    ),
    "spoof_device_border": (
        "straight edges as of a phone or a sheet ran along the face",
        "Hold nothing beside the face; a door frame or poster close behind can look like it.",
    ),
    "spoof_moire": ("the face showed the raster of a screen", "Stand before the camera in person."),
    "spoof_flat_motion": ("the face moved like a flat sheet", "Stand before the camera in person."),
    "spoof_frozen": (
        "the picture did not change at all for a second",
        "Look at the camera and its cable: somebody may feed a still picture.",
    ),
    "spoof_nir": (
        "the near-infrared camera did not see a living face at that moment",
        "Look at both cameras; if it happens to everybody, check that camera and its lamp.",
    ),
    "spoof_depth": (
        "the depth camera did not see a living face at that moment",
        "Look at both cameras; if it happens to everybody, check that camera.",
    ),
    "not_live": (
        "nothing showed that a living person was there",
        "Look at the camera a moment longer, in even light.",
    ),
    "locked_out": (
        "too many failed attempts had locked this door for a while",
        "Wait until the lock-out ends, and look at who tried.",
    ),
    # files of pictures
    "picture_missing": ("the picture was not there", "Check the path."),
    "picture_unreadable": ("the picture may not be read by this user", "Check its owner and permissions."),
    "picture_corrupt": ("the picture was damaged or cut off", "Copy it again from where it came from."),
    "picture_too_large": ("the picture was too large to open safely", "Scale it down."),
    "picture_unsupported": (
        "the picture was in a format that is not read",
        "Save it as JPEG, PNG, BMP or WebP.",
    ),
    "picture_is_animation": ("the picture was an animation", "Use a still picture."),
    "unsupported_file": ("the file was no picture", "Use JPEG, PNG, BMP or WebP pictures."),
    "link_outside": (
        "the file was a link to a place outside its folder",
        "Copy the picture itself into the folder.",
    ),
}
