"""`antrian doctor`: looks at everything that the queue needs, changes nothing, and says what to do.

Each subject is a small value of facts, a pure check that turns it into findings, and a few lines that fetch it.
"""
