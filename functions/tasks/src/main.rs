//! All functions of this domain in one program, for development: it is the one by whose name it is called. Written by `make programs`.

#[path = "bin/complete_task.rs"]
mod complete_task;
#[path = "bin/create_task.rs"]
mod create_task;
#[path = "bin/delete_task.rs"]
mod delete_task;
#[path = "bin/list_tasks.rs"]
mod list_tasks;
#[path = "bin/tell_overdue_tasks.rs"]
mod tell_overdue_tasks;
#[path = "bin/update_task.rs"]
mod update_task;

#[rustfmt::skip]
fn main() {
    shared::called_by_name(&[
        ("complete_task", complete_task::main),
        ("create_task", create_task::main),
        ("delete_task", delete_task::main),
        ("list_tasks", list_tasks::main),
        ("tell_overdue_tasks", tell_overdue_tasks::main),
        ("update_task", update_task::main),
    ]);
}
