//! All functions of this domain in one program, for development: it is the one by whose name it is called. Written by `make programs`.

#[path = "bin/delete_integration.rs"]
mod delete_integration;
#[path = "bin/fix_contact_names.rs"]
mod fix_contact_names;
#[path = "bin/sync_contact_profiles.rs"]
mod sync_contact_profiles;
#[path = "bin/sync_contacts.rs"]
mod sync_contacts;
#[path = "bin/test_integration.rs"]
mod test_integration;
#[path = "bin/update_integration.rs"]
mod update_integration;

#[rustfmt::skip]
fn main() {
    shared::called_by_name(&[
        ("delete_integration", delete_integration::main),
        ("fix_contact_names", fix_contact_names::main),
        ("sync_contact_profiles", sync_contact_profiles::main),
        ("sync_contacts", sync_contacts::main),
        ("test_integration", test_integration::main),
        ("update_integration", update_integration::main),
    ]);
}
