"""Fonnte, a hosted WhatsApp gateway of Indonesia."""
