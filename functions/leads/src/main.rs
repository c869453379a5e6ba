//! All functions of this domain in one program, for development: it is the one by whose name it is called. Written by `make programs`.

#[path = "bin/add_lead_interaction.rs"]
mod add_lead_interaction;
#[path = "bin/create_lead.rs"]
mod create_lead;
#[path = "bin/delete_lead.rs"]
mod delete_lead;
#[path = "bin/get_lead.rs"]
mod get_lead;
#[path = "bin/list_lead_interactions.rs"]
mod list_lead_interactions;
#[path = "bin/list_leads.rs"]
mod list_leads;
#[path = "bin/restore_lead.rs"]
mod restore_lead;
#[path = "bin/save_lead_qualification.rs"]
mod save_lead_qualification;
#[path = "bin/update_lead.rs"]
mod update_lead;

#[rustfmt::skip]
fn main() {
    shared::called_by_name(&[
        ("add_lead_interaction", add_lead_interaction::main),
        ("create_lead", create_lead::main),
        ("delete_lead", delete_lead::main),
        ("get_lead", get_lead::main),
        ("list_lead_interactions", list_lead_interactions::main),
        ("list_leads", list_leads::main),
        ("restore_lead", restore_lead::main),
        ("save_lead_qualification", save_lead_qualification::main),
        ("update_lead", update_lead::main),
    ]);
}
