//! WhatsApp Cloud API: webhooks and media.
