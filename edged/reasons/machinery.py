"""Reason codes of the machinery: relay boards, ports, contacts, doors, the journal. Texts only."""

from __future__ import annotations

TEXTS = {
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
    "relay_board_size": (
        "boards of this kind do not have the relays that the configuration names",
        "Count the relays, and correct gate.channels and gate.channel.",
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
