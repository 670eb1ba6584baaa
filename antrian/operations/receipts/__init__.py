"""What follows from what providers report: another try or a dead letter, contacts, answers, callbacks."""
