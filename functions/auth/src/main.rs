//! All functions of this domain in one program, for development: it is the one by whose name it is called. Written by `make programs`.

#[path = "bin/get_me.rs"]
mod get_me;
#[path = "bin/list_my_companies.rs"]
mod list_my_companies;
#[path = "bin/login.rs"]
mod login;
#[path = "bin/logout.rs"]
mod logout;
#[path = "bin/refresh_session.rs"]
mod refresh_session;
#[path = "bin/register.rs"]
mod register;
#[path = "bin/select_company.rs"]
mod select_company;

#[rustfmt::skip]
fn main() {
    shared::called_by_name(&[
        ("get_me", get_me::main),
        ("list_my_companies", list_my_companies::main),
        ("login", login::main),
        ("logout", logout::main),
        ("refresh_session", refresh_session::main),
        ("register", register::main),
        ("select_company", select_company::main),
    ]);
}
