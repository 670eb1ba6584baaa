"""WAHA, a WhatsApp gateway that one runs oneself."""
