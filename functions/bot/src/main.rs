//! All functions of this domain in one program, for development: it is the one by whose name it is called. Written by `make programs`.

#[path = "bin/run_bot_turn.rs"]
mod run_bot_turn;

#[rustfmt::skip]
fn main() {
    shared::called_by_name(&[
        ("run_bot_turn", run_bot_turn::main),
    ]);
}
