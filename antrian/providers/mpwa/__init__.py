"""MPWA, the WhatsApp gateway whose contract the replaced system spoke."""
