"""For all tests: how long a case may take, and what is too expensive to make for each of them."""

pytest_plugins = ["case_length", "pytester"]
