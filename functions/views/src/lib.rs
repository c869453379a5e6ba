//! Filters of the inbox and of leads that people keep, for themselves or for all.

mod filters;

use shared::{error::FieldProblem, prelude::*};

pub use filters::{Asked, Filters, ViewKind, of_its_kind};

pub const NAME_TAKEN: Problem =
    Problem::new(409, "name_taken", "Já existe uma visão com este nome.", "There is a view with this name already.")
        .showing::<View>();
pub const SUPERVISORS_ONLY: Problem = Problem::new(
    403,
    "supervisors_only",
    "Só um supervisor altera o que é de todos.",
    "Only a supervisor changes what is everybody's.",
);
pub const TOO_MANY: Problem = Problem::new(409, "too_many", "Já existem 50 visões aqui.", "There are 50 views here already.");

/// The columns of `View`, from a relation named `views`.
#[macro_export]
macro_rules! view_columns {
    () => {
        "views.id, views.kind, views.owner_id is null as is_shared, views.name, views.filters, views.position, views.created_by_id, views.version,
           views.created_at, views.updated_at"
    };
}

/// One, locked until the transaction ends.
pub const LOCKED: &str = concat!("select ", view_columns!(), " from views where id = $1 for no key update of views");

/// The one with the name `$2` among those of the kind `$3` that all have, `$1`, or one's own.
pub const WITH_NAME: &str = concat!(
    "select ",
    view_columns!(),
    " from views
     where owner_id is not distinct from case when not $1 then app.user_id() end and app.look(name) = app.look($2)
       and kind = $3"
);

/// Kept filters of the inbox, or of leads.
#[derive(Clone, Debug, Serialize, JsonSchema, FromRow)]
pub struct View {
    pub id: Uuid,
    pub kind: ViewKind,
    /// Whether all staff have it.
    pub is_shared: bool,
    pub name: String,
    /// As `GET /conversations` or `GET /leads` takes them; of several values a list.
    #[schemars(with = "Map<String, Value>")]
    pub filters: Value,
    /// Its place among one's own of its kind, or among those that all have.
    pub position: i32,
    pub created_by_id: Uuid,
    pub version: i32,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

impl Versioned for View {
    fn version(&self) -> i32 {
        self.version
    }
}

impl View {
    /// Tells those who have it.
    pub fn tell<P: EventPayload>(&self, transaction: &Transaction, caller: &Identity, payload: &P) {
        tell(transaction, caller, self.is_shared, payload);
    }
}

/// Tells all staff, or the caller alone.
pub fn tell<P: EventPayload>(transaction: &Transaction, caller: &Identity, is_shared: bool, payload: &P) {
    if is_shared { transaction.tell_staff(payload) } else { transaction.tell_person(caller.user_id, payload) }
}

impl View {
    /// Refuses a kind that is not its own.
    ///
    /// # Errors
    /// 422 `kind_stays`.
    pub fn is(&self, kind: ViewKind) -> Result<(), Error> {
        let (portuguese, english) = ("O tipo de uma visão não muda. Crie outra.", "The kind of a view stays. Make another one.");
        let problem = (kind != self.kind).then(|| FieldProblem::new("kind", "kind_stays", portuguese, english));
        shared::error::refuse(problem)
    }
}

/// Whether this caller may write those that all have, or their own.
pub fn may_write(is_shared: bool, caller: &Identity) -> bool {
    !is_shared || caller.role.is_leader()
}

/// There is a new view.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ViewCreated {
    pub view: View,
}
event!(ViewCreated = "view.created");

/// It has another name or other filters.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ViewUpdated {
    pub view: View,
}
event!(ViewUpdated = "view.updated");

/// A view is gone.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ViewDeleted {
    pub view_id: Uuid,
}
event!(ViewDeleted = "view.deleted");

/// One's own of a kind, or those that all have, come in another order.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ViewsOrdered {
    pub kind: ViewKind,
    pub is_shared: bool,
    pub view_ids: Vec<Uuid>,
}
event!(ViewsOrdered = "views.ordered");
