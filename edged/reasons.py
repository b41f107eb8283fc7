"""What every reason code means and what to do about it, in one plain sentence each. No decisions here."""

from __future__ import annotations

from dataclasses import dataclass

from edged.facecodes import lookup
from edged.facecodes.way import WAY_TEXTS

_OF_THE_CLOUD = "cloud_"
_OF_HTTP = "cloud_http_"
_OF_A_DRIVER = "spoof_"


@dataclass(frozen=True)
class Reason:
    """One reason code in words.

    Attributes:
        code: stable identifier, as it stands in events, records and counters.
        meaning: what happened, a clause without full stop.
        advice: what to do about it, one sentence; empty when nothing needs doing.
    """

    code: str
    meaning: str
    advice: str

    def __str__(self) -> str:
        return f"{self.meaning}. {self.advice}".rstrip()


_TEXTS = {
    **WAY_TEXTS,
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
    # who is it
    "not_recognised": (
        "nobody in the library resembles this face enough",
        "Add the person, or a newer photograph taken by this camera; a stranger is meant to end here.",
    ),
    "below_threshold": (
        "the best match did not reach the required score",
        "Add a photograph taken by this camera; a stranger is meant to end here.",
    ),
    "ambiguous_match": (
        "two people in the library resemble this face almost equally",
        "Add better photographs of both, and check that nobody is enrolled twice.",
    ),
    "not_confirmed": (
        "too few shots in a row agreed on the same person",
        "Look at the camera a moment longer; if it happens often, add another photograph.",
    ),
    "library_empty": ("nobody is enrolled on this box", "Add people to the library."),
    "recognition_failed": (
        "the recognition engine gave no answer",
        "Try again; if it happens again, look at the log of the daemon.",
    ),
    "engine_error": (
        "the recognition engine reported an error",
        "Look at the log of the daemon for the error it names.",
    ),
    # which engine answered, and why
    "local_sure": ("the engine on this box was sure, so the cloud was not asked", ""),
    "local_unsure": ("the engine on this box was unsure, so the cloud was asked", ""),
    "cloud_first": ("the cloud is asked first here", ""),
    "cloud_late": (
        "the cloud was too slow",
        "Look at the line to the cloud; recognition.hybrid.cloud_wait_s is how long it is waited for.",
    ),
    "cloud_down": (
        "the cloud could not be asked, so the engine on this box answered",
        "The records of the cloud (cloud_degraded) say why.",
    ),
    "cloud_no_consent": (
        "this person has not agreed to the cloud, so the engine on this box answered",
        "Nothing needs doing; record the consent if it was given.",
    ),
    "cloud_unavailable": (
        "the cloud could not be asked, and this door does not open without it",
        "Look at the second code; recognition.hybrid lets this box answer meanwhile.",
    ),
    "cloud_face_filtered": (
        "the cloud left this face out of its answer about several",
        "Nothing needs doing: the next shot is sent alone, and the cloud then says why.",
    ),
    # may they pass
    "person_unknown": (
        "the recognised person is no longer in the library",
        "Add the person again if they were removed by mistake.",
    ),
    "person_inactive": ("this person is switched off in the library", "Switch the person on if it is wrong."),
    "not_yet_valid": (
        "the permission of this person has not begun yet",
        "Correct the start of validity if it is wrong, and check the clock of the box.",
    ),
    "validity_over": (
        "the permission of this person has ended",
        "Extend the validity if it is wrong, and check the clock of the box.",
    ),
    "group_not_allowed": (
        "no group of this person may pass this door",
        "Add the person to an allowed group, or the group to access.allowed_groups.",
    ),
    "outside_schedule": (
        "this person may not pass at this time",
        "Correct the schedule if it is wrong, and check the clock of the box.",
    ),
    "cool_down": (
        "the same person was let in only a moment ago",
        "Wait for the cool-down to end, or shorten access.cool_down_s.",
    ),
    "too_old": (
        "the picture was too old when the decision was made",
        "Look for an overloaded box or a slow recognition engine; access.max_age_s is the limit.",
    ),
    "granted": ("every rule allowed the passage", ""),
    # enrolling people
    "duplicate_of_other_person": (
        "this face resembles a person who is enrolled already",
        "Add the photograph to that person, or keep both when they are two people who look alike.",
    ),
    "already_enrolled": (
        "this photograph of this person is in the library already",
        "Nothing needs doing.",
    ),
    "too_many_faces": (
        "this person has as many photographs as a person may have",
        "Remove an old one first.",
    ),
    "library_full": ("the library holds as many faces as it may", "Remove people who have left."),
    "gallery_full": (
        "the gallery in memory holds as many faces as it can search",
        "Remove people who have left.",
    ),
    "template_model_mismatch": (
        "the template was made by another recognition model",
        "Enrol the photograph again with the model in use.",
    ),
    "embedding_invalid": (
        "the recognition model gave no usable template for this picture",
        "Use another photograph of the same person.",
    ),
    "bad_name": ("the name could not be used", "Give a name of ordinary characters, not too long."),
    "bad_id": (
        "the person id could not be used",
        "Use letters, digits and the signs that the message names.",
    ),
    "person_id_taken": (
        "another person has this id already",
        "Choose another id, or add the photograph to that person.",
    ),
    "database_busy": ("another program was writing to the library", "Try again in a moment."),
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
    # the machinery behind it
    "gate_offline": (
        "the relay board did not answer",
        "Check its cable and power, and that gate.port names it.",
    ),
    "board_offline": (
        "the relay board was not connected when the grant came",
        "Check its cable and power, and that gate.port names it.",
    ),
    "relay_port_missing": ("the port of the relay board is not there", "Plug it in, or correct gate.port."),
    "relay_port_lost": ("the port of the relay board went away", "Check its cable and power."),
    "relay_port_busy": ("another program uses the port of the relay board", "Stop the other program."),
    "relay_port_denied": (
        "the port of the relay board may not be opened by this user",
        "Add the user that runs edged to the group of the port, usually dialout.",
    ),
    "relay_no_answer": (
        "the relay board did not answer in time",
        "Check its power, gate.baud, gate.protocol and gate.firmware.",
    ),
    "relay_bad_answer": (
        "the relay board answered something that is not its protocol",
        "Check gate.protocol, gate.firmware and gate.baud.",
    ),
    "relay_wrong_board": (
        "the relay board is one that must not or cannot be used here",
        "Use a board whose relays fall back without power; check gate.protocol and gate.channel.",
    ),
    "relay_refused": (
        "the relay board refuses a command",
        "Check gate.profile, gate.channel and gate.channels against the board.",
    ),
    "relay_input_linked": (
        "inputs of the relay board may move its relays by themselves",
        "Set their mode to normal with the maker's tool; a door contact could open the gate.",
    ),
    "relay_watchdog": (
        "the relay board dropped its relays by itself because nothing was heard from edged",
        "Nothing needs doing once; if it repeats, look for an overloaded machine or a bad line.",
    ),
    "gpio_package_missing": (
        "contacts on GPIO lines cannot be read without the package gpiod, version 2",
        "Install it: pip install 'edged[gpio]'.",
    ),
    "gpio_chip_missing": (
        "the GPIO chip is not there",
        "Correct the setting; `gpiodetect` lists the chips of the machine.",
    ),
    "gpio_denied": (
        "the GPIO chip may not be opened by this user",
        "Add the user that runs edged to the group of the chip, usually gpio.",
    ),
    "gpio_busy": ("another program uses the GPIO line", "Stop it; `gpioinfo` shows which it is."),
    "gpio_line_missing": (
        "the chip has no such GPIO line",
        "Correct the setting; `gpioinfo` lists the lines of every chip.",
    ),
    "gpio_lost": ("the GPIO chip went away", "Check its plug."),
    "relay_no_lines": (
        "the port has no control lines to switch a relay with",
        "Use a serial port or USB adapter with DTR and RTS.",
    ),
    "journal_unavailable": (
        "the decision could not be written down, and nothing moves unrecorded",
        "Check the free space and the health of the disk with the data directory.",
    ),
    "journal_full": (
        "the room for records is used up, and nothing moves unrecorded",
        "Raise journal.max_mb, lower journal.keep_days, or bring delivery back.",
    ),
    "details_expired": ("details were kept for as long as journal.keep_details_days says", ""),
    "records_expired": ("records were kept for as long as journal.keep_days says", ""),
    "relay_stuck": (
        "the relay did not switch as it was told",
        "Check the door now, then replace the board: its contact may be welded.",
    ),
    "relay_was_on": (
        "the relay was on before edged took it over",
        "Check the door; it may have stood open while the daemon was not running.",
    ),
    "max_on_cutoff": (
        "the relay reached its longest permitted on-time and was switched off",
        "Look for passages that follow each other without a pause; gate.max_on_s is the limit.",
    ),
    "grant_expired": (
        "the grant was too old to move the relay",
        "Try again; if it happens again, look for a slow or disconnected relay board.",
    ),
    "grant_already_spent": ("this grant had been used already", "Nothing needs doing; a grant opens once."),
    "too_soon": (
        "the relay had been switched only a moment before",
        "Wait a moment; gate.queue lets a turnstile remember the next person.",
    ),
    "door_already_open": ("the door was open already, so the relay was left as it was", ""),
    "fire": (
        "fire release was active, and everybody may pass",
        "Reset the fire alarm system when it is safe.",
    ),
    "door_forced": ("the door was opened without a grant", "Look after the door, then close it."),
    "door_held": ("the door stood open for too long", "Close the door, or find out what holds it."),
    "passage_unauthorised": ("somebody went through without a grant", "Look after the door."),
    "passage_reverse": ("somebody went through in the wrong direction", "Look after the lane."),
    "tamper": ("a housing at the door was opened", "Look after the reader and the box."),
    "inputs_lost": (
        "the contacts of the door cannot be read",
        "Check their wiring and the keys that say where they are; `edged door status` shows what is known.",
    ),
    "inputs_missing": (
        "the board has fewer inputs than are configured",
        "Check gate.door_contact and the other contacts against the board.",
    ),
    "door_locked_down": (
        "the door was locked down, by its hours or by an order",
        "End it with `edged door normal`; the hours are those of gate.locked.",
    ),
    "door_free": ("the door stood open to everybody", ""),
    "interlocked": (
        "the other door of the interlock was not locked",
        "Close it and try again; a door whose relay board is away does not count as locked.",
    ),
    "gate_busy": ("the gate did not take up the order in time", "Try again."),
    "order_needs_end": (
        "a door may not be free without an end",
        "Say for how long (--for 2h), or set gate.free.",
    ),
    "order_free_interlocked": (
        "a door of an interlock cannot be free",
        "The others could never open; take it out of gate.interlock first.",
    ),
    "gate_guard_missing": (
        "the gate guard that owns the port does not answer",
        "Start it, or correct gate.guard.",
    ),
    "gate_guard_denied": (
        "the gate guard may not be spoken to by this user",
        "Run it and edged as the same user.",
    ),
    "door_busy": (
        "the door was still busy with another passage",
        "Wait for it to close; gate.queue lets a turnstile remember the next person.",
    ),
    "interrupted": (
        "the daemon stopped before the outcome was recorded, so the relay may or may not have moved",
        "Check the door if it matters, and find out why the daemon stopped (`journalctl -u edged`).",
    ),
}


def known_codes() -> tuple[str, ...]:
    """Every code that has a text here."""
    return tuple(_TEXTS)


def describe(code: str) -> Reason:
    """The words for `code`. A code without words yet stands for itself, so an explanation never fails.

    Numbers of the face API (`cloud_222207`) have their words in `edged.facecodes`; `cloud_http_NUMBER` are
    those of HTTP. `spoof_NAME` is also said of an operator's own liveness driver.
    """
    if code.startswith(_OF_THE_CLOUD) and (row := lookup(code.removeprefix(_OF_THE_CLOUD))):
        return Reason(code, row.meaning, row.hint)
    if code.startswith(_OF_HTTP):
        meaning, advice = _TEXTS["cloud_http"]
        return Reason(code, f"{meaning} (HTTP {code.removeprefix(_OF_HTTP)})", advice)
    if code.startswith(_OF_A_DRIVER) and code not in _TEXTS:
        name = code.removeprefix(_OF_A_DRIVER)
        return Reason(code, f"the liveness driver {name} did not see a living face at that moment", "")
    meaning, advice = _TEXTS.get(code, (code.replace("_", " "), ""))
    return Reason(code, meaning, advice)
