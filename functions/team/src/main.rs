//! All functions of this domain in one program, for development: it is the one by whose name it is called. Written by `make programs`.

#[path = "bin/accept_invite.rs"]
mod accept_invite;
#[path = "bin/add_department_member.rs"]
mod add_department_member;
#[path = "bin/approve_user.rs"]
mod approve_user;
#[path = "bin/change_password.rs"]
mod change_password;
#[path = "bin/change_role.rs"]
mod change_role;
#[path = "bin/create_department.rs"]
mod create_department;
#[path = "bin/create_user.rs"]
mod create_user;
#[path = "bin/deactivate_user.rs"]
mod deactivate_user;
#[path = "bin/delete_department.rs"]
mod delete_department;
#[path = "bin/delete_user.rs"]
mod delete_user;
#[path = "bin/force_password_reset.rs"]
mod force_password_reset;
#[path = "bin/get_department.rs"]
mod get_department;
#[path = "bin/get_invite.rs"]
mod get_invite;
#[path = "bin/get_profile.rs"]
mod get_profile;
#[path = "bin/get_user.rs"]
mod get_user;
#[path = "bin/invite_member.rs"]
mod invite_member;
#[path = "bin/list_all_users.rs"]
mod list_all_users;
#[path = "bin/list_departments.rs"]
mod list_departments;
#[path = "bin/list_invites.rs"]
mod list_invites;
#[path = "bin/list_online_users.rs"]
mod list_online_users;
#[path = "bin/list_users.rs"]
mod list_users;
#[path = "bin/reactivate_user.rs"]
mod reactivate_user;
#[path = "bin/remove_department_member.rs"]
mod remove_department_member;
#[path = "bin/resend_invite.rs"]
mod resend_invite;
#[path = "bin/revoke_invite.rs"]
mod revoke_invite;
#[path = "bin/update_department.rs"]
mod update_department;
#[path = "bin/update_profile.rs"]
mod update_profile;
#[path = "bin/update_user.rs"]
mod update_user;

#[rustfmt::skip]
fn main() {
    shared::called_by_name(&[
        ("accept_invite", accept_invite::main),
        ("add_department_member", add_department_member::main),
        ("approve_user", approve_user::main),
        ("change_password", change_password::main),
        ("change_role", change_role::main),
        ("create_department", create_department::main),
        ("create_user", create_user::main),
        ("deactivate_user", deactivate_user::main),
        ("delete_department", delete_department::main),
        ("delete_user", delete_user::main),
        ("force_password_reset", force_password_reset::main),
        ("get_department", get_department::main),
        ("get_invite", get_invite::main),
        ("get_profile", get_profile::main),
        ("get_user", get_user::main),
        ("invite_member", invite_member::main),
        ("list_all_users", list_all_users::main),
        ("list_departments", list_departments::main),
        ("list_invites", list_invites::main),
        ("list_online_users", list_online_users::main),
        ("list_users", list_users::main),
        ("reactivate_user", reactivate_user::main),
        ("remove_department_member", remove_department_member::main),
        ("resend_invite", resend_invite::main),
        ("revoke_invite", revoke_invite::main),
        ("update_department", update_department::main),
        ("update_profile", update_profile::main),
        ("update_user", update_user::main),
    ]);
}
