//! All functions of this domain in one program, for development: it is the one by whose name it is called. Written by `make programs`.

#[path = "bin/list_integrations.rs"]
mod list_integrations;
#[path = "bin/save_integration.rs"]
mod save_integration;

#[rustfmt::skip]
fn main() {
    shared::called_by_name(&[
        ("list_integrations", list_integrations::main),
        ("save_integration", save_integration::main),
    ]);
}
