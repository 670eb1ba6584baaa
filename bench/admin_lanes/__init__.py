"""The admin side of many lanes: one connection observes them all, and metrics of all of them are scraped."""
