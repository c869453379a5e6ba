//! Requests in second names, read as if they used ours.

use std::{
    any::TypeId,
    sync::{Arc, Mutex, PoisonError},
};

use schemars::JsonSchema;
use serde_json::{Map, Value};

use super::{COMPANY, Plan, TABLE};
use crate::{
    error::{Error, FieldProblem, INVALID},
    http::query::Pairs,
};

/// A body with our names only, and without the company that it is for anyway; see `http::company`.
pub(in crate::http) fn take<T: JsonSchema + 'static>(mut value: Value) -> Result<Value, Error> {
    if !mentions_any(&value) {
        return Ok(value);
    }
    let plan = plan_of::<T>();
    if let (Some(fields), false) = (value.as_object_mut(), plan.has("company_id")) {
        fields.retain(|name, _| !COMPANY.contains(&name.as_str()));
    }
    let mut problems = Vec::new();
    rename(&plan, &mut value, "", &mut problems);
    if problems.is_empty() { Ok(value) } else { Err(INVALID.in_fields(problems)) }
}

/// The parameters of a query with our names only.
pub(in crate::http) fn take_pairs<T: JsonSchema + 'static>(pairs: Pairs) -> Result<Pairs, Error> {
    if !pairs.iter().any(|(name, _)| is_second_name(name)) {
        return Ok(pairs);
    }
    let plan = plan_of::<T>();
    let (mut problems, mut ours) = (Vec::new(), Pairs::new());
    let (second, mut pairs): (Pairs, Pairs) = pairs.into_iter().partition(|(name, _)| plan.ours(name).is_some());
    for (second_name, our_name) in plan.names.iter().map(|(second, name)| (*second, name.ours)) {
        let given = values_of(&second, second_name);
        let known = [values_of(&pairs, our_name), values_of(&ours, our_name)].concat();
        if known.is_empty() {
            ours.extend(given.into_iter().map(|value| (our_name.to_owned(), value)));
        } else if !given.is_empty() && known != given {
            problems.push(differs(our_name, second_name));
        }
    }
    pairs.extend(ours);
    if problems.is_empty() { Ok(pairs) } else { Err(INVALID.in_fields(problems)) }
}

/// All that a parameter was given, which may be there more than once.
fn values_of(pairs: &Pairs, wanted: &str) -> Vec<String> {
    pairs.iter().filter(|(name, _)| name == wanted).map(|(_, value)| value.clone()).collect()
}

fn rename(plan: &Plan, value: &mut Value, path: &str, problems: &mut Vec<FieldProblem>) {
    match value {
        Value::Object(fields) => {
            let join = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
            for (second, name) in &plan.names {
                if !rename_one(fields, second, name.ours) {
                    problems.push(differs(join(name.ours), second));
                }
            }
            for (name, plan) in &plan.fields {
                if let Some(value) = fields.get_mut(name) {
                    rename(plan, value, &join(name), problems);
                }
            }
        }
        Value::Array(items) => {
            let Some(plan) = &plan.items else { return };
            for (index, item) in items.iter_mut().enumerate() {
                rename(plan, item, &format!("{path}[{index}]"), problems);
            }
        }
        _ => {}
    }
}

/// Moves a value to our name; `false` when another one is there already. Null says nothing.
fn rename_one(fields: &mut Map<String, Value>, second: &str, ours: &str) -> bool {
    let Some(given) = fields.remove(second) else { return true };
    if let Some(known) = fields.get(ours).filter(|known| !known.is_null()) {
        return given.is_null() || *known == given;
    }
    fields.insert(ours.to_owned(), given);
    true
}

fn differs(ours: impl Into<String>, second: &str) -> FieldProblem {
    let portuguese = format!("O valor difere do de {second}, outro nome deste campo.");
    let english = format!("The value differs from that of {second}, another name of this field.");
    FieldProblem::new(ours, "two_values", &portuguese, &english)
}

fn is_second_name(name: &str) -> bool {
    TABLE.iter().any(|known| known.also.contains(&name))
}

/// Whether a key anywhere is a second name of something, or names a company.
fn mentions_any(value: &Value) -> bool {
    match value {
        Value::Object(fields) => {
            fields.iter().any(|(name, value)| is_second_name(name) || COMPANY.contains(&name.as_str()) || mentions_any(value))
        }
        Value::Array(items) => items.iter().any(mentions_any),
        _ => false,
    }
}

/// The plan of an input, made when it is first needed. A function has one or two.
fn plan_of<T: JsonSchema + 'static>() -> Arc<Plan> {
    static KNOWN: Mutex<Vec<(TypeId, Arc<Plan>)>> = Mutex::new(Vec::new());
    let id = TypeId::of::<T>();
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((_, plan)) = known.iter().find(|(known, _)| *known == id) {
        return Arc::clone(plan);
    }
    let plan = Arc::new(Plan::of_input::<T>());
    known.push((id, Arc::clone(&plan)));
    plan
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;
    use serde_json::json;
    use uuid::Uuid;

    use super::*;
    #[derive(Deserialize, JsonSchema)]
    #[expect(dead_code, reason = "only its schema is used")]
    struct Input {
        conversation_id: Uuid,
        body: String,
        kind: Option<String>,
        metadata: Value,
        parts: Vec<Part>,
    }

    #[derive(Deserialize, JsonSchema)]
    #[expect(dead_code, reason = "only its schema is used")]
    struct Part {
        client_id: Uuid,
    }

    #[derive(Deserialize, JsonSchema)]
    #[expect(dead_code, reason = "only its schema is used")]
    struct Login {
        company_id: Option<Uuid>,
    }

    fn taken(value: Value) -> Value {
        take::<Input>(value).unwrap()
    }

    fn refused(value: Value) -> Vec<(String, String)> {
        let error = take::<Input>(value).unwrap_err();
        error.0.fields.into_iter().map(|problem| (problem.field, problem.code)).collect()
    }

    #[test]
    fn second_names_become_ours_where_a_type_declares_ours() {
        let given = json!({"content": "Oi", "message_type": "text", "parts": [{"customer_id": 1}, {"clientId": 2}]});
        assert_eq!(taken(given), json!({"body": "Oi", "kind": "text", "parts": [{"client_id": 1}, {"client_id": 2}]}));
        // The type knows no user; serde refuses it.
        assert_eq!(taken(json!({"attendantId": 1})), json!({"attendantId": 1}));
    }

    #[test]
    fn stored_json_is_left_alone() {
        let given = json!({"metadata": {"content": 1, "customer_id": 2, "company_id": 3}});
        assert_eq!(taken(given.clone()), given);
    }

    #[test]
    fn equal_values_are_one_and_different_ones_are_refused_by_name() {
        assert_eq!(taken(json!({"content": "Oi", "body": "Oi"})), json!({"body": "Oi"}));
        assert_eq!(taken(json!({"content": "Oi", "body": null})), json!({"body": "Oi"}));
        assert_eq!(taken(json!({"content": null, "body": "Oi"})), json!({"body": "Oi"}));
        let two = |field: &str| (field.to_owned(), "two_values".to_owned());
        assert_eq!(refused(json!({"content": "Oi", "body": "Olá"})), [two("body")]);
        assert_eq!(refused(json!({"parts": [{"customer_id": 1, "clientId": 2}]})), [two("parts[0].client_id")]);
    }

    #[test]
    fn a_company_that_is_named_is_no_field_but_where_it_is_chosen() {
        for name in COMPANY {
            for value in [json!(Uuid::nil()), json!(null), json!(7)] {
                assert_eq!(taken(json!({name: value, "body": "Oi"})), json!({"body": "Oi"}));
                assert_eq!(take::<Login>(json!({name: value})).unwrap(), json!({"company_id": value}));
            }
        }
    }

    #[test]
    fn queries_take_second_names_too() {
        #[derive(Deserialize, JsonSchema)]
        #[expect(dead_code, reason = "only its schema is used")]
        struct Filters {
            assignee: Option<String>,
            limit: Option<u32>,
        }
        let pairs =
            |pairs: &[(&str, &str)]| pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let given: Pairs = pairs(&[("attendantId", "me"), ("limit", "5"), ("assignee_id", "me")]);
        assert_eq!(take_pairs::<Filters>(given).unwrap(), pairs(&[("limit", "5"), ("assignee", "me")]));
        let twice = pairs(&[("attendantId", "me"), ("attendantId", "none")]);
        assert_eq!(take_pairs::<Filters>(twice).unwrap(), pairs(&[("assignee", "me"), ("assignee", "none")]));
        for other in [pairs(&[("assignee", "none")]), pairs(&[("assignee", "me"), ("assignee", "none")])] {
            let given = [pairs(&[("attendantId", "me")]), other].concat();
            assert_eq!(take_pairs::<Filters>(given).unwrap_err().0.fields[0].field, "assignee");
        }
    }
}
