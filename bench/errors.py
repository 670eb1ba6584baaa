from antrian.domain.errors import AntrianError


class BenchmarkFailed(AntrianError):
    """A benchmark could not be measured: something did not start, or did not answer in time; the text says what."""
