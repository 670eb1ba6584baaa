"""Who may do what over HTTP, how they prove who they are, and the record of what they asked for."""
