"""Erasing a person everywhere, proving it, and finishing an erasure that a power cut interrupted."""
