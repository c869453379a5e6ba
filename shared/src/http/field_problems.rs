//! What is wrong with a field that is not of its type's shape.

use crate::error::FieldProblem;

pub(super) fn required(field: impl Into<String>) -> FieldProblem {
    FieldProblem::new(field, "required", "Campo obrigatório.", "This field is required.")
}

pub(super) fn unknown_field(field: impl Into<String>) -> FieldProblem {
    FieldProblem::new(field, "unknown_field", "Campo desconhecido.", "Unknown field.")
}

pub(super) fn unknown_value(field: impl Into<String>, known: &[&str]) -> FieldProblem {
    let known = known.join(", ");
    let (portuguese, english) = (format!("Valor desconhecido. Use: {known}."), format!("Unknown value. Use: {known}."));
    FieldProblem::new(field, "unknown_value", &portuguese, &english)
}

pub(super) fn invalid_type(field: impl Into<String>, english: &str) -> FieldProblem {
    FieldProblem::new(field, "invalid_type", "Valor inválido.", english)
}
