"""What a capture says where it ends."""


class Refused(Exception):
    """A pipeline that the format cannot hold, in one sentence."""
