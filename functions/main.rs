//! All functions of a domain in one program, for development: it is the one whose name it is called by. What is deployed are the
//! programs of `src/bin`, one each.

include!(concat!(env!("OUT_DIR"), "/functions.rs"));

fn main() {
    shared::called_by_name(FUNCTIONS);
}
