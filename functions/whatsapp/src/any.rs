//! Whatever could stand in a webhook, for the properties that adapters have.

use proptest::prelude::*;
use serde_json::Value;

/// Any JSON, with one of these texts now and then, and fields called as this pattern says.
pub fn any_json(texts: &[&'static str], names: &'static str) -> impl Strategy<Value = Value> + use<> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        ".{0,20}".prop_map(Value::from),
        prop::sample::select(texts.to_vec()).prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 16, 4, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(names, inner, 0..4).prop_map(|fields| fields.into_iter().collect::<Value>()),
        ]
    })
}
