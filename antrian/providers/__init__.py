"""The channels that carry messages to WhatsApp: one contract, one module per provider."""
