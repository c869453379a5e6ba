//! All functions of this domain in one program, for development: it is the one by whose name it is called. Written by `make programs`.

#[path = "bin/close_lead.rs"]
mod close_lead;
#[path = "bin/create_pipeline.rs"]
mod create_pipeline;
#[path = "bin/delete_pipeline.rs"]
mod delete_pipeline;
#[path = "bin/get_board.rs"]
mod get_board;
#[path = "bin/get_pipeline.rs"]
mod get_pipeline;
#[path = "bin/list_pipelines.rs"]
mod list_pipelines;
#[path = "bin/list_stage_leads.rs"]
mod list_stage_leads;
#[path = "bin/move_lead.rs"]
mod move_lead;
#[path = "bin/run_stage_automation.rs"]
mod run_stage_automation;
#[path = "bin/save_stages.rs"]
mod save_stages;
#[path = "bin/update_pipeline.rs"]
mod update_pipeline;

#[rustfmt::skip]
fn main() {
    shared::called_by_name(&[
        ("close_lead", close_lead::main),
        ("create_pipeline", create_pipeline::main),
        ("delete_pipeline", delete_pipeline::main),
        ("get_board", get_board::main),
        ("get_pipeline", get_pipeline::main),
        ("list_pipelines", list_pipelines::main),
        ("list_stage_leads", list_stage_leads::main),
        ("move_lead", move_lead::main),
        ("run_stage_automation", run_stage_automation::main),
        ("save_stages", save_stages::main),
        ("update_pipeline", update_pipeline::main),
    ]);
}
