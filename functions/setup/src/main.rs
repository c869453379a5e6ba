//! All functions of this domain in one program, for development: it is the one by whose name it is called. Written by `make programs`.

#[path = "bin/get_setup.rs"]
mod get_setup;
#[path = "bin/get_setup_status.rs"]
mod get_setup_status;
#[path = "bin/run_setup.rs"]
mod run_setup;
#[path = "bin/save_setup.rs"]
mod save_setup;

#[rustfmt::skip]
fn main() {
    shared::called_by_name(&[
        ("get_setup", get_setup::main),
        ("get_setup_status", get_setup_status::main),
        ("run_setup", run_setup::main),
        ("save_setup", save_setup::main),
    ]);
}
