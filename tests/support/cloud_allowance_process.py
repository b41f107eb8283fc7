"""A second edged process for tests of the shared counters: takes turns and prints each.

python cloud_allowance_process.py DATA_DIR PER_S HOW_MANY MOST_TODAY
"""

import sys
from pathlib import Path

from edged.clock import SystemClock
from edged.errors import EdgedError
from edged.faceapi.calls import Call
from edged.faceapi.governor.allowance import AllowanceStore
from edged.faceapi.governor.rate_governor import Governor, GovernorLimits


def main(data_dir: str, per_s: str, how_many: str, most_today: str) -> None:
    """Print the monotonic time of each turn; at the end of the allowance, the code of the refusal."""
    clock = SystemClock()
    store = AllowanceStore.open(Path(data_dir), clock, service="test")
    limits = GovernorLimits(qps=float(per_s), management_qps=5, daily_calls=int(most_today))
    governor = Governor(limits, store, clock)
    try:
        for _ in range(int(how_many)):
            governor.admit(Call.SEARCH, None)
            print(clock.monotonic(), flush=True)
    except EdgedError as error:
        print(error.code, flush=True)
    governor.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
