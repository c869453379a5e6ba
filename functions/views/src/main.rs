//! All functions of this domain in one program, for development: it is the one by whose name it is called. Written by `make programs`.

#[path = "bin/create_view.rs"]
mod create_view;
#[path = "bin/delete_view.rs"]
mod delete_view;
#[path = "bin/list_views.rs"]
mod list_views;
#[path = "bin/order_views.rs"]
mod order_views;
#[path = "bin/update_view.rs"]
mod update_view;

#[rustfmt::skip]
fn main() {
    shared::called_by_name(&[
        ("create_view", create_view::main),
        ("delete_view", delete_view::main),
        ("list_views", list_views::main),
        ("order_views", order_views::main),
        ("update_view", update_view::main),
    ]);
}
