//! All functions of this domain in one program, for development: it is the one by whose name it is called. Written by `make programs`.

#[path = "bin/choose_primary_company.rs"]
mod choose_primary_company;
#[path = "bin/disable_two_factor.rs"]
mod disable_two_factor;
#[path = "bin/enable_two_factor.rs"]
mod enable_two_factor;
#[path = "bin/get_me.rs"]
mod get_me;
#[path = "bin/list_my_companies.rs"]
mod list_my_companies;
#[path = "bin/list_sessions.rs"]
mod list_sessions;
#[path = "bin/login.rs"]
mod login;
#[path = "bin/logout.rs"]
mod logout;
#[path = "bin/refresh_session.rs"]
mod refresh_session;
#[path = "bin/register.rs"]
mod register;
#[path = "bin/renew_recovery_codes.rs"]
mod renew_recovery_codes;
#[path = "bin/request_password_reset.rs"]
mod request_password_reset;
#[path = "bin/reset_password.rs"]
mod reset_password;
#[path = "bin/revoke_other_sessions.rs"]
mod revoke_other_sessions;
#[path = "bin/revoke_session.rs"]
mod revoke_session;
#[path = "bin/select_company.rs"]
mod select_company;
#[path = "bin/setup_two_factor.rs"]
mod setup_two_factor;
#[path = "bin/step_up.rs"]
mod step_up;
#[path = "bin/verify_login.rs"]
mod verify_login;

#[rustfmt::skip]
fn main() {
    shared::called_by_name(&[
        ("choose_primary_company", choose_primary_company::main),
        ("disable_two_factor", disable_two_factor::main),
        ("enable_two_factor", enable_two_factor::main),
        ("get_me", get_me::main),
        ("list_my_companies", list_my_companies::main),
        ("list_sessions", list_sessions::main),
        ("login", login::main),
        ("logout", logout::main),
        ("refresh_session", refresh_session::main),
        ("register", register::main),
        ("renew_recovery_codes", renew_recovery_codes::main),
        ("request_password_reset", request_password_reset::main),
        ("reset_password", reset_password::main),
        ("revoke_other_sessions", revoke_other_sessions::main),
        ("revoke_session", revoke_session::main),
        ("select_company", select_company::main),
        ("setup_two_factor", setup_two_factor::main),
        ("step_up", step_up::main),
        ("verify_login", verify_login::main),
    ]);
}
