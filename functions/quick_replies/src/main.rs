//! All functions of this domain in one program, for development: it is the one by whose name it is called. Written by `make programs`.

#[path = "bin/create_quick_reply.rs"]
mod create_quick_reply;
#[path = "bin/delete_quick_reply.rs"]
mod delete_quick_reply;
#[path = "bin/list_quick_replies.rs"]
mod list_quick_replies;
#[path = "bin/update_quick_reply.rs"]
mod update_quick_reply;

#[rustfmt::skip]
fn main() {
    shared::called_by_name(&[
        ("create_quick_reply", create_quick_reply::main),
        ("delete_quick_reply", delete_quick_reply::main),
        ("list_quick_replies", list_quick_replies::main),
        ("update_quick_reply", update_quick_reply::main),
    ]);
}
