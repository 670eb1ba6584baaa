"""Who publishes: in each module, `connect` opens a connection and yields what gets ready for samples.

That takes samples and returns what publishes them: a call that ends when the broker has confirmed all of them, and
gives for each one the seconds from handing it over to its confirm.
"""

from collections.abc import Callable, Sequence

from bench.publish.sample import Sample

Publish = Callable[[], list[float]]
Prepare = Callable[[Sequence[Sample]], Publish]
