"""Many lanes on one consumer process: until they are ready, how they keep the pace, and after a `kill -9`."""
