"""The outcomes stream: what is written into it, and what is learnt from it."""
