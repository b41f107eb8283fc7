"""The gate: the door as a pure machine, relay boards and their simulators, and the thread that owns the port.

Nothing in here decides whether a person may pass. Importing this package loads no module of it:
light commands need single modules only. The rest of edged uses:

- `service.GateService`: one door in a thread of its own; `overrides`, `override_store`: operator commands;
- `board.pool.PortPool`, `board.port.check_port_free`, `board.safe_state.off_bytes`: ports and the safe state;
- `door.interlock.Interlock`: doors that lock each other;
- `drivers.registry`: drivers by protocol, and what they declare; `sim`: simulated boards by URL;
- `commissioning.ports`: ports of the machine; `commissioning.session`, `commissioning.checklist`: one board.
"""
