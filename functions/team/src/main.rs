//! All functions of this domain in one program, for development: it is the one by whose name it is called. Written by `make programs`.

#[path = "bin/add_department_member.rs"]
mod add_department_member;
#[path = "bin/create_department.rs"]
mod create_department;
#[path = "bin/delete_department.rs"]
mod delete_department;
#[path = "bin/get_department.rs"]
mod get_department;
#[path = "bin/list_departments.rs"]
mod list_departments;
#[path = "bin/list_online_users.rs"]
mod list_online_users;
#[path = "bin/list_users.rs"]
mod list_users;
#[path = "bin/remove_department_member.rs"]
mod remove_department_member;
#[path = "bin/update_department.rs"]
mod update_department;

#[rustfmt::skip]
fn main() {
    shared::called_by_name(&[
        ("add_department_member", add_department_member::main),
        ("create_department", create_department::main),
        ("delete_department", delete_department::main),
        ("get_department", get_department::main),
        ("list_departments", list_departments::main),
        ("list_online_users", list_online_users::main),
        ("list_users", list_users::main),
        ("remove_department_member", remove_department_member::main),
        ("update_department", update_department::main),
    ]);
}
