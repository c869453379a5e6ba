//! All functions of this domain in one program, for development: it is the one by whose name it is called. Written by `make programs`.

#[path = "bin/fetch_media.rs"]
mod fetch_media;
#[path = "bin/receive_whatsapp_webhook.rs"]
mod receive_whatsapp_webhook;
#[path = "bin/verify_whatsapp_webhook.rs"]
mod verify_whatsapp_webhook;

#[rustfmt::skip]
fn main() {
    shared::called_by_name(&[
        ("fetch_media", fetch_media::main),
        ("receive_whatsapp_webhook", receive_whatsapp_webhook::main),
        ("verify_whatsapp_webhook", verify_whatsapp_webhook::main),
    ]);
}
