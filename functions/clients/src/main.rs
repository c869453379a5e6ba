//! All functions of this domain in one program, for development: it is the one by whose name it is called. Written by `make programs`.

#[path = "bin/create_client.rs"]
mod create_client;
#[path = "bin/delete_client.rs"]
mod delete_client;
#[path = "bin/get_client.rs"]
mod get_client;
#[path = "bin/list_clients.rs"]
mod list_clients;
#[path = "bin/update_client.rs"]
mod update_client;

#[rustfmt::skip]
fn main() {
    shared::called_by_name(&[
        ("create_client", create_client::main),
        ("delete_client", delete_client::main),
        ("get_client", get_client::main),
        ("list_clients", list_clients::main),
        ("update_client", update_client::main),
    ]);
}
