"""Twilio's interface to WhatsApp, Programmable Messaging."""
