//! All functions of this domain in one program, for development: it is the one by whose name it is called. Written by `make programs`.

#[path = "bin/create_note.rs"]
mod create_note;
#[path = "bin/delete_note.rs"]
mod delete_note;
#[path = "bin/list_client_notes.rs"]
mod list_client_notes;
#[path = "bin/list_note_revisions.rs"]
mod list_note_revisions;
#[path = "bin/list_notes.rs"]
mod list_notes;
#[path = "bin/update_note.rs"]
mod update_note;

#[rustfmt::skip]
fn main() {
    shared::called_by_name(&[
        ("create_note", create_note::main),
        ("delete_note", delete_note::main),
        ("list_client_notes", list_client_notes::main),
        ("list_note_revisions", list_note_revisions::main),
        ("list_notes", list_notes::main),
        ("update_note", update_note::main),
    ]);
}
