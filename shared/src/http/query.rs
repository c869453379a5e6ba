//! Query strings: read once, every failing parameter named.

use garde::Validate;
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{
    field_problems::required,
    validation::{explain_type, problem_of_text, problems as problems_of_rules},
};
use crate::error::{Error, FieldProblem, INVALID, refuse};

pub(super) type Pairs = Vec<(String, String)>;

/// The parameters of a query string that have a value, trimmed: front ends send a filter that is not set as `filter=`.
pub(super) fn given(raw_query: &str) -> Result<Pairs, Error> {
    let pairs =
        url::form_urlencoded::parse(raw_query.as_bytes()).map(|(name, value)| (name.into_owned(), value.trim().to_owned()));
    let pairs: Pairs = pairs.filter(|(_, value)| !value.is_empty()).collect();
    refuse(pairs.iter().filter_map(|(name, value)| problem_of_text(name, value)))?;
    Ok(pairs)
}

/// The parameters as a type, checked by its rules. Serde stops at the first that it cannot read: that one is noted, and the others are
/// read without it.
pub(super) fn read<T: DeserializeOwned + JsonSchema + Validate<Context = ()>>(mut pairs: Pairs) -> Result<T, Error> {
    let mut problems = Vec::new();
    loop {
        match deserialize(&pairs) {
            Ok(input) => {
                problems.extend(problems_of_rules(&input));
                return refuse(problems).map(|()| input);
            }
            Err(problem) if pairs.iter().any(|(name, _)| *name == problem.field) => {
                pairs.retain(|(name, _)| *name != problem.field);
                problems.push(problem);
            }
            Err(problem) => {
                let is_noted =
                    |name: &str| pairs.iter().any(|(known, _)| known == name) || problems.iter().any(|known| known.field == name);
                let mut missing: Vec<_> = required_by::<T>().into_iter().filter(|name| !is_noted(name)).map(required).collect();
                if problems.is_empty() && missing.is_empty() {
                    missing.push(problem);
                }
                problems.append(&mut missing);
                return Err(INVALID.in_fields(problems));
            }
        }
    }
}

fn deserialize<T: DeserializeOwned>(pairs: &Pairs) -> Result<T, FieldProblem> {
    let text = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
    let parameters = serde_html_form::Deserializer::new(url::form_urlencoded::parse(text.as_bytes()));
    serde_path_to_error::deserialize(parameters).map_err(|error| explain_type(&error))
}

fn required_by<T: JsonSchema>() -> Vec<String> {
    let schema = Value::from(schemars::schema_for!(T));
    schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;
    use uuid::Uuid;

    use super::*;
    use crate::http::CommaSeparated;

    #[derive(Debug, Deserialize, Validate, JsonSchema)]
    struct Filters {
        #[garde(skip)]
        id: Uuid,
        #[garde(skip)]
        other: Uuid,
        #[garde(range(max = 100))]
        limit: Option<u32>,
        #[garde(skip)]
        online: Option<bool>,
        #[garde(skip)]
        tags: Option<CommaSeparated<Uuid>>,
    }

    const ID: &str = "00000000-0000-0000-0000-000000000000";

    fn problems(query: &str) -> Vec<(String, String)> {
        let error = given(query).and_then(read::<Filters>).unwrap_err();
        error.0.fields.into_iter().map(|problem| (problem.field, problem.code)).collect()
    }

    fn named(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(field, code)| ((*field).to_owned(), (*code).to_owned())).collect()
    }

    #[test]
    fn what_has_no_value_was_not_given() {
        let query = format!("id={ID}&other={ID}&limit=&limit=%20&online&tags=&limit=+7+&unknown=x");
        let filters: Filters = given(&query).and_then(read).unwrap();
        assert_eq!((filters.limit, filters.online), (Some(7), None));
        assert!(filters.id.is_nil() && filters.other.is_nil());
        assert!(filters.tags.is_none());
        assert_eq!(problems(&format!("id=&other={ID}")), named(&[("id", "required")]));
    }

    #[test]
    fn every_failing_parameter_is_named() {
        let found = problems("id=1&limit=x&online=maybe&tags=a,b");
        let all = [("id", "invalid_type"), ("limit", "invalid_type"), ("online", "invalid_type"), ("other", "required")];
        let mut sorted = found.clone();
        sorted.sort();
        let mut all = named(&all);
        all.push(("tags".into(), "invalid_type".into()));
        assert_eq!(sorted, all);
        assert_eq!(problems(&format!("id={ID}&other={ID}&limit=101")), named(&[("limit", "too_large")]));
        assert_eq!(
            problems(&format!("id={ID}&other={ID}&limit=101&online=x")),
            named(&[("online", "invalid_type"), ("limit", "too_large")])
        );
        assert_eq!(problems("id=%00&limit=%01"), named(&[("id", "control_characters"), ("limit", "control_characters")]));
        let twice = |query: &str| {
            let filters: Filters = given(&format!("id={ID}&other={ID}&{query}")).and_then(read).unwrap();
            filters.tags.map(|CommaSeparated(tags)| tags.len())
        };
        assert_eq!([twice(&format!("tags={ID}")), twice(&format!("tags={ID},{ID}"))], [Some(1), Some(2)]);
        assert_eq!(twice(&format!("tags={ID}&tags={ID},%20,{ID}&tags=")), Some(3));
        let twice = problems(&format!("id={ID}&other={ID}&limit=1&limit=2"));
        assert_eq!(twice.len(), 1, "{twice:?}");
    }
}
