"""When a request may be sent: rates, daily allowances, back-off and the circuit. Sends nothing itself."""
