//! All functions of this domain in one program, for development: it is the one by whose name it is called. Written by `make programs`.

#[path = "bin/check_channels.rs"]
mod check_channels;
#[path = "bin/check_instances.rs"]
mod check_instances;
#[path = "bin/connect_instance.rs"]
mod connect_instance;
#[path = "bin/create_instance.rs"]
mod create_instance;
#[path = "bin/delete_instance.rs"]
mod delete_instance;
#[path = "bin/list_instances.rs"]
mod list_instances;
#[path = "bin/log_out_instance.rs"]
mod log_out_instance;
#[path = "bin/restart_instance.rs"]
mod restart_instance;
#[path = "bin/test_instance.rs"]
mod test_instance;

#[rustfmt::skip]
fn main() {
    shared::called_by_name(&[
        ("check_channels", check_channels::main),
        ("check_instances", check_instances::main),
        ("connect_instance", connect_instance::main),
        ("create_instance", create_instance::main),
        ("delete_instance", delete_instance::main),
        ("list_instances", list_instances::main),
        ("log_out_instance", log_out_instance::main),
        ("restart_instance", restart_instance::main),
        ("test_instance", test_instance::main),
    ]);
}
