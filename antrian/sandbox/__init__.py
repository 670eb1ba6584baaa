"""A local WhatsApp provider that speaks MPWA's contract, with scripted faults and simulator numbers."""
