//! What the configuration of a channel refers to.

use shared::{error::FieldProblem, prelude::*};

/// By a department's id and a flow's key. The department stands until this transaction ends.
pub const REFERRED_TO: &str = "
    select $1::uuid is null or exists (select from departments where id = $1 and deleted_at is null for key share) as has_department,
           (select id from bot_flows where key = $2 and published_at is not null and removed_at is null order by number desc limit 1) as bot_flow_id";

/// What is there of it.
#[derive(FromRow)]
pub struct ReferredTo {
    pub has_department: bool,
    pub bot_flow_id: Option<Uuid>,
}

impl ReferredTo {
    /// What is not there; whether a flow was named nobody knows but the caller.
    pub fn unknown(&self, names_flow: bool) -> impl Iterator<Item = FieldProblem> + use<> {
        let department = (!self.has_department)
            .then(|| FieldProblem::new("department_id", "not_found", "Departamento não encontrado.", "No such department."));
        let flow = (names_flow && self.bot_flow_id.is_none()).then(|| {
            let (portuguese, english) = ("Nenhum fluxo publicado tem esta chave.", "No published flow has this key.");
            FieldProblem::new("bot_flow_key", "not_published", portuguese, english)
        });
        department.into_iter().chain(flow)
    }
}
