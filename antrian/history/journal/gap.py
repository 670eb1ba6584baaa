"""What a history that reads on has missed, in one sentence; pure."""

from antrian.broker.stream.resume import ResumePoint


def gap_sentence(offset: int, point: ResumePoint) -> str:
    """What the history never saw; empty when it saw everything.

    Args:
        offset: of the last entry that it read.
        point: where it reads on.
    """
    if point.is_new_stream:
        return f"The journal was recreated after entry {offset:,}; what followed in the old one was never read."
    if point.missed is not None:
        first, last = point.missed
        return f"Journal entries {first:,} to {last:,} were deleted before the history could read them."
    return ""
