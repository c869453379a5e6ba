//! What somebody of the staff is to do: by when, about whom, and again once it was done.

mod place;
mod recurrence;
mod task;

pub use place::{Links, Places, places};
pub use recurrence::{Recurrence, next_time};
pub use task::{
    FOLLOWING, NewTask, PlacedTask, TASK_DONE, Task, TaskCompleted, TaskCreated, TaskDeleted, TaskKind, TaskOverdue, TaskUpdated,
    hold, insert, is_in_this_millennium,
};
