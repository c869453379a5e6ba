//! All functions of this domain in one program, for development: it is the one by whose name it is called. Written by `make programs`.

#[path = "bin/add_mentee_feedback.rs"]
mod add_mentee_feedback;
#[path = "bin/add_my_feedback.rs"]
mod add_my_feedback;
#[path = "bin/create_mentee.rs"]
mod create_mentee;
#[path = "bin/get_mentee.rs"]
mod get_mentee;
#[path = "bin/get_mentees_dashboard.rs"]
mod get_mentees_dashboard;
#[path = "bin/get_mentees_nps.rs"]
mod get_mentees_nps;
#[path = "bin/get_my_mentoring.rs"]
mod get_my_mentoring;
#[path = "bin/list_mentee_evolution.rs"]
mod list_mentee_evolution;
#[path = "bin/list_mentee_feedback.rs"]
mod list_mentee_feedback;
#[path = "bin/list_mentees.rs"]
mod list_mentees;
#[path = "bin/save_mentee_evolution.rs"]
mod save_mentee_evolution;
#[path = "bin/save_my_evolution.rs"]
mod save_my_evolution;
#[path = "bin/update_mentee.rs"]
mod update_mentee;

#[rustfmt::skip]
fn main() {
    shared::called_by_name(&[
        ("add_mentee_feedback", add_mentee_feedback::main),
        ("add_my_feedback", add_my_feedback::main),
        ("create_mentee", create_mentee::main),
        ("get_mentee", get_mentee::main),
        ("get_mentees_dashboard", get_mentees_dashboard::main),
        ("get_mentees_nps", get_mentees_nps::main),
        ("get_my_mentoring", get_my_mentoring::main),
        ("list_mentee_evolution", list_mentee_evolution::main),
        ("list_mentee_feedback", list_mentee_feedback::main),
        ("list_mentees", list_mentees::main),
        ("save_mentee_evolution", save_mentee_evolution::main),
        ("save_my_evolution", save_my_evolution::main),
        ("update_mentee", update_mentee::main),
    ]);
}
