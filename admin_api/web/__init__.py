"""The HTTP side: the API's routes, their schemas, server-sent events, and the process that serves them."""
