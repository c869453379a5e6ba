//! All functions of this domain in one program, for development: it is the one by whose name it is called. Written by `make programs`.

#[path = "bin/activate_sequence.rs"]
mod activate_sequence;
#[path = "bin/cancel_execution.rs"]
mod cancel_execution;
#[path = "bin/create_sequence.rs"]
mod create_sequence;
#[path = "bin/delete_sequence.rs"]
mod delete_sequence;
#[path = "bin/enroll_due_leads.rs"]
mod enroll_due_leads;
#[path = "bin/enroll_leads.rs"]
mod enroll_leads;
#[path = "bin/get_sequence.rs"]
mod get_sequence;
#[path = "bin/get_sequence_stats.rs"]
mod get_sequence_stats;
#[path = "bin/list_execution_logs.rs"]
mod list_execution_logs;
#[path = "bin/list_executions.rs"]
mod list_executions;
#[path = "bin/list_sequences.rs"]
mod list_sequences;
#[path = "bin/pause_sequence.rs"]
mod pause_sequence;
#[path = "bin/preview_sequence.rs"]
mod preview_sequence;
#[path = "bin/record_lead_response.rs"]
mod record_lead_response;
#[path = "bin/run_sequence_step.rs"]
mod run_sequence_step;
#[path = "bin/show_unsubscribe.rs"]
mod show_unsubscribe;
#[path = "bin/unsubscribe_lead.rs"]
mod unsubscribe_lead;
#[path = "bin/update_sequence.rs"]
mod update_sequence;

#[rustfmt::skip]
fn main() {
    shared::called_by_name(&[
        ("activate_sequence", activate_sequence::main),
        ("cancel_execution", cancel_execution::main),
        ("create_sequence", create_sequence::main),
        ("delete_sequence", delete_sequence::main),
        ("enroll_due_leads", enroll_due_leads::main),
        ("enroll_leads", enroll_leads::main),
        ("get_sequence", get_sequence::main),
        ("get_sequence_stats", get_sequence_stats::main),
        ("list_execution_logs", list_execution_logs::main),
        ("list_executions", list_executions::main),
        ("list_sequences", list_sequences::main),
        ("pause_sequence", pause_sequence::main),
        ("preview_sequence", preview_sequence::main),
        ("record_lead_response", record_lead_response::main),
        ("run_sequence_step", run_sequence_step::main),
        ("show_unsubscribe", show_unsubscribe::main),
        ("unsubscribe_lead", unsubscribe_lead::main),
        ("update_sequence", update_sequence::main),
    ]);
}
