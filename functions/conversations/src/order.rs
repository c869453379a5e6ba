//! Which end of a list comes first.

use shared::prelude::*;

/// `desc`: the newest first. `asc`: the oldest first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    #[default]
    #[serde(alias = "DESC")]
    Desc,
    #[serde(alias = "ASC")]
    Asc,
}
