"""The checks that every provider's adapter must pass: `pytest --pyargs antrian.providers.conformance --provider NAME`.

An adapter describes itself in a `ProviderProbe` (`probe`): how its provider answers, as raw HTTP, and what its webhooks
look like, as raw bytes. The checks play that provider over real sockets, break the connection in every place, and
forge, repeat and spoil the webhooks.
"""
