//! All functions of this domain in one program, for development: it is the one by whose name it is called. Written by `make programs`.

#[path = "bin/get_botconversa_webhook.rs"]
mod get_botconversa_webhook;
#[path = "bin/receive_botconversa_webhook.rs"]
mod receive_botconversa_webhook;
#[path = "bin/run_sync.rs"]
mod run_sync;
#[path = "bin/sync_botconversa.rs"]
mod sync_botconversa;

#[rustfmt::skip]
fn main() {
    shared::called_by_name(&[
        ("get_botconversa_webhook", get_botconversa_webhook::main),
        ("receive_botconversa_webhook", receive_botconversa_webhook::main),
        ("run_sync", run_sync::main),
        ("sync_botconversa", sync_botconversa::main),
    ]);
}
