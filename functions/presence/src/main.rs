//! All functions of this domain in one program, for development: it is the one by whose name it is called. Written by `make programs`.

#[path = "bin/add_interval.rs"]
mod add_interval;
#[path = "bin/correct_interval.rs"]
mod correct_interval;
#[path = "bin/end_break.rs"]
mod end_break;
#[path = "bin/export_productivity.rs"]
mod export_productivity;
#[path = "bin/get_my_productivity.rs"]
mod get_my_productivity;
#[path = "bin/get_team_productivity.rs"]
mod get_team_productivity;
#[path = "bin/get_user_timeline.rs"]
mod get_user_timeline;
#[path = "bin/set_presence_status.rs"]
mod set_presence_status;
#[path = "bin/start_break.rs"]
mod start_break;

#[rustfmt::skip]
fn main() {
    shared::called_by_name(&[
        ("add_interval", add_interval::main),
        ("correct_interval", correct_interval::main),
        ("end_break", end_break::main),
        ("export_productivity", export_productivity::main),
        ("get_my_productivity", get_my_productivity::main),
        ("get_team_productivity", get_team_productivity::main),
        ("get_user_timeline", get_user_timeline::main),
        ("set_presence_status", set_presence_status::main),
        ("start_break", start_break::main),
    ]);
}
