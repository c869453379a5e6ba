//! All functions of this domain in one program, for development: it is the one by whose name it is called. Written by `make programs`.

#[path = "bin/add_lead_interaction.rs"]
mod add_lead_interaction;
#[path = "bin/change_leads.rs"]
mod change_leads;
#[path = "bin/create_lead.rs"]
mod create_lead;
#[path = "bin/create_lead_from_conversation.rs"]
mod create_lead_from_conversation;
#[path = "bin/delete_lead.rs"]
mod delete_lead;
#[path = "bin/export_leads.rs"]
mod export_leads;
#[path = "bin/get_lead.rs"]
mod get_lead;
#[path = "bin/get_lead_history.rs"]
mod get_lead_history;
#[path = "bin/get_lead_import.rs"]
mod get_lead_import;
#[path = "bin/get_leads_performance.rs"]
mod get_leads_performance;
#[path = "bin/import_leads.rs"]
mod import_leads;
#[path = "bin/list_crm_conflicts.rs"]
mod list_crm_conflicts;
#[path = "bin/list_lead_interactions.rs"]
mod list_lead_interactions;
#[path = "bin/list_leads.rs"]
mod list_leads;
#[path = "bin/merge_leads.rs"]
mod merge_leads;
#[path = "bin/qualify_lead.rs"]
mod qualify_lead;
#[path = "bin/receive_crm_webhook.rs"]
mod receive_crm_webhook;
#[path = "bin/resolve_crm_conflict.rs"]
mod resolve_crm_conflict;
#[path = "bin/restore_lead.rs"]
mod restore_lead;
#[path = "bin/run_lead_import.rs"]
mod run_lead_import;
#[path = "bin/save_lead_qualification.rs"]
mod save_lead_qualification;
#[path = "bin/sync_crm.rs"]
mod sync_crm;
#[path = "bin/sync_crm_records.rs"]
mod sync_crm_records;
#[path = "bin/transfer_leads.rs"]
mod transfer_leads;
#[path = "bin/undo_lead_import.rs"]
mod undo_lead_import;
#[path = "bin/undo_lead_merge.rs"]
mod undo_lead_merge;
#[path = "bin/update_lead.rs"]
mod update_lead;

#[rustfmt::skip]
fn main() {
    shared::called_by_name(&[
        ("add_lead_interaction", add_lead_interaction::main),
        ("change_leads", change_leads::main),
        ("create_lead", create_lead::main),
        ("create_lead_from_conversation", create_lead_from_conversation::main),
        ("delete_lead", delete_lead::main),
        ("export_leads", export_leads::main),
        ("get_lead", get_lead::main),
        ("get_lead_history", get_lead_history::main),
        ("get_lead_import", get_lead_import::main),
        ("get_leads_performance", get_leads_performance::main),
        ("import_leads", import_leads::main),
        ("list_crm_conflicts", list_crm_conflicts::main),
        ("list_lead_interactions", list_lead_interactions::main),
        ("list_leads", list_leads::main),
        ("merge_leads", merge_leads::main),
        ("qualify_lead", qualify_lead::main),
        ("receive_crm_webhook", receive_crm_webhook::main),
        ("resolve_crm_conflict", resolve_crm_conflict::main),
        ("restore_lead", restore_lead::main),
        ("run_lead_import", run_lead_import::main),
        ("save_lead_qualification", save_lead_qualification::main),
        ("sync_crm", sync_crm::main),
        ("sync_crm_records", sync_crm_records::main),
        ("transfer_leads", transfer_leads::main),
        ("undo_lead_import", undo_lead_import::main),
        ("undo_lead_merge", undo_lead_merge::main),
        ("update_lead", update_lead::main),
    ]);
}
