//! All functions of this domain in one program, for development: it is the one by whose name it is called. Written by `make programs`.

#[path = "bin/add_holiday.rs"]
mod add_holiday;
#[path = "bin/get_calendar.rs"]
mod get_calendar;
#[path = "bin/list_holidays.rs"]
mod list_holidays;
#[path = "bin/remove_holiday.rs"]
mod remove_holiday;
#[path = "bin/save_calendar.rs"]
mod save_calendar;

#[rustfmt::skip]
fn main() {
    shared::called_by_name(&[
        ("add_holiday", add_holiday::main),
        ("get_calendar", get_calendar::main),
        ("list_holidays", list_holidays::main),
        ("remove_holiday", remove_holiday::main),
        ("save_calendar", save_calendar::main),
    ]);
}
