"""The short life on hosts of its own is collected where such hosts can be made; what judges it is tried everywhere."""

from tests.chaos.network import refusal

if refusal():
    collect_ignore = ["test_shortly.py"]
