//! All functions of this domain in one program, for development: it is the one by whose name it is called. Written by `make programs`.

#[path = "bin/change_password.rs"]
mod change_password;
#[path = "bin/create_department.rs"]
mod create_department;
#[path = "bin/force_password_reset.rs"]
mod force_password_reset;
#[path = "bin/list_departments.rs"]
mod list_departments;
#[path = "bin/list_online_users.rs"]
mod list_online_users;
#[path = "bin/list_users.rs"]
mod list_users;

#[rustfmt::skip]
fn main() {
    shared::called_by_name(&[
        ("change_password", change_password::main),
        ("create_department", create_department::main),
        ("force_password_reset", force_password_reset::main),
        ("list_departments", list_departments::main),
        ("list_online_users", list_online_users::main),
        ("list_users", list_users::main),
    ]);
}
