//! All functions of this domain in one program, for development: it is the one by whose name it is called. Written by `make programs`.

#[path = "bin/block_client.rs"]
mod block_client;
#[path = "bin/create_client.rs"]
mod create_client;
#[path = "bin/create_tag.rs"]
mod create_tag;
#[path = "bin/delete_client.rs"]
mod delete_client;
#[path = "bin/delete_tag.rs"]
mod delete_tag;
#[path = "bin/export_clients.rs"]
mod export_clients;
#[path = "bin/get_client.rs"]
mod get_client;
#[path = "bin/get_client_history.rs"]
mod get_client_history;
#[path = "bin/get_client_import.rs"]
mod get_client_import;
#[path = "bin/import_clients.rs"]
mod import_clients;
#[path = "bin/list_client_fields.rs"]
mod list_client_fields;
#[path = "bin/list_client_imports.rs"]
mod list_client_imports;
#[path = "bin/list_clients.rs"]
mod list_clients;
#[path = "bin/list_tags.rs"]
mod list_tags;
#[path = "bin/merge_clients.rs"]
mod merge_clients;
#[path = "bin/run_client_import.rs"]
mod run_client_import;
#[path = "bin/save_client_fields.rs"]
mod save_client_fields;
#[path = "bin/unblock_client.rs"]
mod unblock_client;
#[path = "bin/undo_client_import.rs"]
mod undo_client_import;
#[path = "bin/undo_client_merge.rs"]
mod undo_client_merge;
#[path = "bin/update_client.rs"]
mod update_client;
#[path = "bin/update_tag.rs"]
mod update_tag;

#[rustfmt::skip]
fn main() {
    shared::called_by_name(&[
        ("block_client", block_client::main),
        ("create_client", create_client::main),
        ("create_tag", create_tag::main),
        ("delete_client", delete_client::main),
        ("delete_tag", delete_tag::main),
        ("export_clients", export_clients::main),
        ("get_client", get_client::main),
        ("get_client_history", get_client_history::main),
        ("get_client_import", get_client_import::main),
        ("import_clients", import_clients::main),
        ("list_client_fields", list_client_fields::main),
        ("list_client_imports", list_client_imports::main),
        ("list_clients", list_clients::main),
        ("list_tags", list_tags::main),
        ("merge_clients", merge_clients::main),
        ("run_client_import", run_client_import::main),
        ("save_client_fields", save_client_fields::main),
        ("unblock_client", unblock_client::main),
        ("undo_client_import", undo_client_import::main),
        ("undo_client_merge", undo_client_merge::main),
        ("update_client", update_client::main),
        ("update_tag", update_tag::main),
    ]);
}
