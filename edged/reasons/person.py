"""Reason codes of recognition, access and enrolment: who it is, and whether they may pass. Texts only."""

from __future__ import annotations

TEXTS = {
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
}
