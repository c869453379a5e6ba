//! All functions of this domain in one program, for development: it is the one by whose name it is called. Written by `make programs`.

#[path = "bin/explain_lead_score.rs"]
mod explain_lead_score;
#[path = "bin/get_lead_scoring.rs"]
mod get_lead_scoring;
#[path = "bin/list_lead_fields.rs"]
mod list_lead_fields;

#[rustfmt::skip]
fn main() {
    shared::called_by_name(&[
        ("explain_lead_score", explain_lead_score::main),
        ("get_lead_scoring", get_lead_scoring::main),
        ("list_lead_fields", list_lead_fields::main),
    ]);
}
