"""The face API, a protocol of two sides: calls, limits, bodies, replies, codes; a client and a governor."""
