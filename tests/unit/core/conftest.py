"""Property tests of the core: no deadline, since a loaded machine is not a mistake."""

from hypothesis import settings

settings.register_profile("core", deadline=None)
settings.load_profile("core")
