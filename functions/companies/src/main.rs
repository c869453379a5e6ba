//! All functions of this domain in one program, for development: it is the one by whose name it is called. Written by `make programs`.

#[path = "bin/add_company_member.rs"]
mod add_company_member;
#[path = "bin/create_company.rs"]
mod create_company;
#[path = "bin/get_company.rs"]
mod get_company;
#[path = "bin/list_companies.rs"]
mod list_companies;
#[path = "bin/list_company_members.rs"]
mod list_company_members;
#[path = "bin/remove_company_member.rs"]
mod remove_company_member;
#[path = "bin/update_company.rs"]
mod update_company;

#[rustfmt::skip]
fn main() {
    shared::called_by_name(&[
        ("add_company_member", add_company_member::main),
        ("create_company", create_company::main),
        ("get_company", get_company::main),
        ("list_companies", list_companies::main),
        ("list_company_members", list_company_members::main),
        ("remove_company_member", remove_company_member::main),
        ("update_company", update_company::main),
    ]);
}
