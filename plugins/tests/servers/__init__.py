"""Throw-away real servers that the tests talk to: private, on loopback, gone afterwards."""
