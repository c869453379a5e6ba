//! All functions of this domain in one program, for development: it is the one by whose name it is called. Written by `make programs`.

#[path = "bin/fetch_media.rs"]
mod fetch_media;
#[path = "bin/list_templates.rs"]
mod list_templates;
#[path = "bin/receive_whatsapp_webhook.rs"]
mod receive_whatsapp_webhook;
#[path = "bin/send_whatsapp_message.rs"]
mod send_whatsapp_message;
#[path = "bin/sync_templates.rs"]
mod sync_templates;
#[path = "bin/verify_whatsapp_webhook.rs"]
mod verify_whatsapp_webhook;

#[rustfmt::skip]
fn main() {
    shared::called_by_name(&[
        ("fetch_media", fetch_media::main),
        ("list_templates", list_templates::main),
        ("receive_whatsapp_webhook", receive_whatsapp_webhook::main),
        ("send_whatsapp_message", send_whatsapp_message::main),
        ("sync_templates", sync_templates::main),
        ("verify_whatsapp_webhook", verify_whatsapp_webhook::main),
    ]);
}
