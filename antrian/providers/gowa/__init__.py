"""GOWA (go-whatsapp-web-multidevice), a WhatsApp gateway that one runs oneself."""
