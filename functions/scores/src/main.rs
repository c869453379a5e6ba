//! All functions of this domain in one program, for development: it is the one by whose name it is called. Written by `make programs`.

#[path = "bin/explain_lead_score.rs"]
mod explain_lead_score;
#[path = "bin/get_lead_scoring.rs"]
mod get_lead_scoring;
#[path = "bin/list_lead_fields.rs"]
mod list_lead_fields;
#[path = "bin/recompute_lead_scores.rs"]
mod recompute_lead_scores;
#[path = "bin/recompute_scores.rs"]
mod recompute_scores;
#[path = "bin/rescore_stale_leads.rs"]
mod rescore_stale_leads;
#[path = "bin/save_lead_fields.rs"]
mod save_lead_fields;
#[path = "bin/save_lead_scoring.rs"]
mod save_lead_scoring;

#[rustfmt::skip]
fn main() {
    shared::called_by_name(&[
        ("explain_lead_score", explain_lead_score::main),
        ("get_lead_scoring", get_lead_scoring::main),
        ("list_lead_fields", list_lead_fields::main),
        ("recompute_lead_scores", recompute_lead_scores::main),
        ("recompute_scores", recompute_scores::main),
        ("rescore_stale_leads", rescore_stale_leads::main),
        ("save_lead_fields", save_lead_fields::main),
        ("save_lead_scoring", save_lead_scoring::main),
    ]);
}
